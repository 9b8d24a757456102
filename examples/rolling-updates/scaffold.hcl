# A release that replaces instances bit by bit and goes back by itself when the alarms say so.

blueprint "rolling-updates" {
  profile = "safe-deployment"
  labels  = { team = "platform" }
}

target "aws" {
  region = "eu-west-1"
}

target "gcp" {
  region = "europe-west1"
}

target "kubernetes" {}

service "web" {
  image     = "ghcr.io/acme/web:1.4.2"
  port      = 8080
  boot_time = "90s"

  # Longer than any balancer keeps a silent connection: Google's do for ten minutes.
  keep_alive = "620s"

  auto_scaling_group {
    min = 4
    max = 12
  }
  elastic_load_balancing {
    domain = "shop.example.com"
  }
  rolling_updates {
    surge      = 25 # percent more while it goes on, so that none is missing
    max_errors = 1

    # scaffold:ignore rolling_updates.unused_checkpoints Google's groups do not pause, and an alarm stops them all the same
    checkpoints = [25, 50, 100]
    # scaffold:ignore rolling_updates.unused_pause the same
    pause = "5m" # at each of them, for the alarms to see
  }
}
