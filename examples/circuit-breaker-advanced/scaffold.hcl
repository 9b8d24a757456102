# One breaker for each endpoint of a service that others depend on, limits that follow the
# measured latency, and a switch to open them by hand.

blueprint "circuit-breaker-advanced" {
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
  circuit_breaker_advanced {
    mode = "automatic" # forced_open while payments are being mended

    # A refund can wait: while its breaker is open, the answer says that it was put off.
    endpoint "refunds" {
      path            = "/refunds"
      max_requests    = 20
      fallback_status = 202
    }
    # A charge cannot: it fails at once, and so soon that the customer can try again.
    endpoint "charges" {
      path       = "/charges"
      max_errors = 3
      timeout    = "800ms"
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
