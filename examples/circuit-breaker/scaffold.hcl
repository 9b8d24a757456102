# The checkout calls payments and a bank outside. While one of them fails, calls to it are
# cut off instead of piling up.

blueprint "circuit-breaker" {
  profile = "high-availability"
  labels  = { team = "platform" }
}

target "aws" {
  region = "eu-west-1"
}

target "gcp" {
  region = "europe-west1"
}

target "kubernetes" {}

service "checkout" {
  image = "ghcr.io/acme/checkout:2.0.0"
  port  = 9090
  needs = [service.payments]

  # Longer than any balancer keeps a silent connection: Google's do for ten minutes.
  keep_alive = "620s"

  auto_scaling_group {
    max = 6
  }
  elastic_load_balancing {
    domain = "checkout.example.com"
  }
  circuit_breaker {
    max_errors = 5 # in a row, and the host is left alone
    open_for   = "30s"

    external "bank" {
      host = "api.bank.example.com"
    }
  }
}

service "payments" {
  image = "ghcr.io/acme/payments:1.8.1"
  port  = 9090

  auto_scaling_group {
    max = 6
  }
}
