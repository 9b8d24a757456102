# A storefront whose group of instances follows the load: three at night, nine from seven in
# the morning, up to twelve at noon. CPU, memory and requests each have a say, and the largest
# answer counts.

blueprint "auto-scaling-groups" {
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

service "web" {
  image     = "ghcr.io/acme/web:1.4.2"
  port      = 8080
  cpu       = 2
  memory    = "4GiB"
  boot_time = "90s" # measure it: warm-up and grace periods follow from it

  # Longer than any balancer keeps a silent connection: Google's do for ten minutes.
  keep_alive = "620s"

  auto_scaling_group {
    min            = 3
    max            = 12
    target_cpu     = 55   # lower reacts sooner, and costs more
    monthly_budget = 1500 # a forecast above it warns

    # Load that is known beforehand needs no measuring.
    schedule "morning" {
      cron      = "45 6 * * 1-5"
      time_zone = "Europe/Berlin"
      duration  = "4h"
      min       = 9
    }
  }
  elastic_load_balancing {
    domain = "shop.example.com"
  }

  kubernetes {
    auto_scaling_group {
      monthly_budget = null # what the nodes cost is told where they are paid
    }
  }
}
