# Releases that nobody notices: the storefront goes to a few users first, the
# checkout is replaced pod by pod, and a service that fails is cut off.
#
#   scaffold validate     what is wrong, and why
#   scaffold explain      where every value comes from
#   scaffold render       the files

blueprint "NAME" {
  profile = "safe-deployment" # alarms bring the old version back
  labels  = { team = "storefront" }
}

target "aws" {
  when = contains(init.targets, "aws")

  region = "eu-west-1"
  # image            = "ami-0123456789abcdef0" # without it Terraform asks for one
  # hosted_zone_id   = "Z0123456789ABCDEFGHIJ" # with it records and certificates are made
  # hosted_zone_name = "example.com"
  # alert_emails     = ["oncall@example.com"]
}

target "gcp" {
  when = contains(init.targets, "gcp")

  region = "europe-west1"
  # project      = "acme-shop" # without it Terraform asks for one
  # dns_zone     = "example-com"
  # alert_emails = ["oncall@example.com"]
}

target "kubernetes" {
  when = contains(init.targets, "kubernetes")

  backup_url = "s3://acme-backups/${init.name}" # where backups go, out of the cluster
  # namespace     = "shop" # without it the blueprint's name
  # gateway_class = "envoy"
}

# Images are named in one place, so that a release is one line in a diff, or
# --var checkout_tag=2.1.0 from a pipeline.
variable "web_tag" { default = "1.4.2" }
variable "checkout_tag" { default = "2.0.0" }

database "orders" {
  engine  = "postgres"
  storage = "200GiB"
}

# Name the new image in canary_image: it gets the first step's share of the
# traffic. Raise weight step by step, then make it the service's own image.
service "web" {
  image = "ghcr.io/acme/web:${var.web_tag}"
  port  = 8080
  needs = [database.orders]

  # Longer than any balancer keeps a silent connection: Google's do for ten minutes.
  keep_alive = contains(init.targets, "gcp") ? "620s" : null

  auto_scaling_group {
    max = 12
  }
  elastic_load_balancing {
    domain = "shop.example.com"
  }
  canary_deployment {
    steps      = [5, 25, 50]
    max_errors = 1
    # canary_image = "ghcr.io/acme/web:1.5.0"
    # weight       = 25
  }
}

cluster "main" {}

# Here the cluster's controller does the steps; an alarm stops them.
service "checkout" {
  runs_on = cluster.main
  image   = "ghcr.io/acme/checkout:${var.checkout_tag}"
  port    = 9090
  needs   = [database.orders, service.payments]

  elastic_load_balancing {
    domain = "checkout.example.com"
  }
  horizontal_pod_autoscaler {
    max = 12
  }
  rolling_updates {
    surge = 25
  }
  circuit_breaker {} # calls to payments are cut off while it fails
}

service "payments" {
  runs_on = cluster.main
  image   = "ghcr.io/acme/payments:${var.checkout_tag}"
  port    = 9090
  needs   = [database.orders]

  horizontal_pod_autoscaler {
    max = 9
  }
  rolling_updates {}
}
