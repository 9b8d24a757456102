# A program that cannot be spread over machines: one machine that grows in a window, with a
# warning long before the largest there is.

blueprint "vertical-scaling" {
  labels = { team = "platform" }
}

target "aws" {
  region = "eu-west-1"
}

target "gcp" {
  region          = "europe-west1"
  billing_account = "012345-6789AB-CDEF01" # budgets belong to one
}

target "kubernetes" {}

service "shop" {
  image = "ghcr.io/acme/shop:1.4.2"
  port  = 8080
  needs = [service.ledger]

  # Longer than any balancer keeps a silent connection: Google's do for ten minutes.
  keep_alive = "620s"

  auto_scaling_group {
    max = 6
  }
  elastic_load_balancing {
    domain = "shop.example.com"
  }
}

service "ledger" {
  image  = "ghcr.io/acme/ledger:1.0.3"
  port   = 9000
  cpu    = 4
  memory = "16GiB"

  vertical_scaling {
    max_cpu         = 16
    max_memory      = "64GiB"
    ceiling_warning = 75       # percent of the largest
    resize          = "window" # it restarts, so not at noon
    window_day      = "sunday"
    window_hour     = 3
    snapshot_days   = 14 # of the disk, which stays with the machine
    monthly_growth  = 5  # percent, to say when the ceiling is reached
    monthly_budget  = 600
  }

  kubernetes {
    vertical_scaling {
      monthly_budget = null # what the nodes cost is told where they are paid
    }
  }
}
