# A public service behind a load balancer that ends TLS, follows the health of its instances
# and lets them finish what they have begun.

blueprint "elastic-load-balancing" {
  profile = "scalability"
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
  image           = "ghcr.io/acme/web:1.4.2"
  port            = 8080
  request_timeout = "15s"
  drain_time      = "30s" # at least the longest request
  ready_path      = "/readyz"

  # Longer than any balancer keeps a silent connection: Google's do for ten minutes.
  keep_alive = "620s"

  auto_scaling_group {
    max = 9
  }
  elastic_load_balancing {
    domain          = "shop.example.com"
    health_interval = "5s"
    unhealthy_after = 3 # so a dead instance gets traffic for 15 s at most
    min_tls         = "1.2"
  }
}
