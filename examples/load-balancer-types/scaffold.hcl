# Three services with different needs, and the load balancer that each of them gets from what
# it says about itself.

blueprint "load-balancer-types" {
  labels = { team = "platform" }
}

target "aws" {
  region = "eu-west-1"
}

target "gcp" {
  region = "europe-west1"
}

target "kubernetes" {}

# Web traffic with paths and certificates.
service "web" {
  image = "ghcr.io/acme/web:1.4.2"
  port  = 8080
  needs = [service.ledger]

  # Longer than any balancer keeps a silent connection: Google's do for ten minutes.
  keep_alive = "620s"

  auto_scaling_group {
    max = 6
  }
  load_balancer_types {
    domain = "shop.example.com"
  }
}

# A protocol of its own over TCP, with addresses that never change.
service "gateway" {
  image    = "ghcr.io/acme/gateway:0.9.0"
  port     = 7000
  protocol = "tcp"

  auto_scaling_group {
    max = 6
  }
  load_balancer_types {
    static_address = true
    public         = true
  }

  kubernetes {
    load_balancer_types {
      static_address = false # whoever runs the cluster gives the balancer its address
    }
  }
}

# Only called from inside, and so often that a balancer must not add milliseconds.
service "ledger" {
  image = "ghcr.io/acme/ledger:1.0.3"
  port  = 9000

  auto_scaling_group {
    max = 6
  }
  load_balancer_types {
    protocol       = "tcp"
    latency_budget = "1ms"
  }
}
