# Pods that prove who they are to each other, with the same rules for retries, timeouts and
# breakers everywhere.

blueprint "service-mesh" {
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

cluster "main" {
  service_mesh {
    mtls          = "strict"   # nothing else is answered
    calls         = "declared" # only what `needs` says may call
    trace_percent = 5
  }
}

service "checkout" {
  runs_on = cluster.main
  image   = "ghcr.io/acme/checkout:2.0.0"
  port    = 9090
  needs   = [service.payments]

  # Longer than any balancer keeps a silent connection: Google's do for ten minutes.
  keep_alive = "620s"

  elastic_load_balancing {
    domain = "checkout.example.com"
  }
  horizontal_pod_autoscaler {
    max = 12
  }
  circuit_breaker {} # in the proxies: neither program knows
}

service "payments" {
  runs_on = cluster.main
  image   = "ghcr.io/acme/payments:1.8.1"
  port    = 9090

  horizontal_pod_autoscaler {
    max = 9
  }
}
