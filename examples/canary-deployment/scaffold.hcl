# A release that meets a few users first. Alarms on its errors and its latency take it out
# again without anybody being woken.

blueprint "canary-deployment" {
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
  image = "ghcr.io/acme/web:1.4.2"
  port  = 8080

  # Longer than any balancer keeps a silent connection: Google's do for ten minutes.
  keep_alive = "620s"

  auto_scaling_group {
    max = 9
  }
  elastic_load_balancing {
    domain = "shop.example.com"
  }

  canary_deployment {
    steps       = [5, 25, 50]
    max_errors  = 1       # percent
    max_latency = "500ms" # for 99 of 100 answers
  }

  # To release on a cloud: name the new image, raise weight step by step, then make it the
  # service's own. In a cluster the controller does all that once image is another.
  aws {
    canary_deployment {
      canary_image = "ghcr.io/acme/web:1.5.0"
      weight       = 5
    }
  }
  gcp {
    canary_deployment {
      canary_image = "ghcr.io/acme/web:1.5.0"
      weight       = 5
    }
  }
}
