# A shop that stays open: a storefront on instances, the checkout as pods in a
# cluster with a mesh, a database with a standby and a cache for sessions.
#
#   scaffold validate     what is wrong, and why
#   scaffold explain      where every value comes from
#   scaffold render       the files

blueprint "NAME" {
  profile = "high-availability" # three zones, copies of everything that keeps data
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
# --var web_tag=1.5.0 from a pipeline.
variable "web_tag" { default = "1.4.2" }
variable "checkout_tag" { default = "2.0.0" }

locals {
  registry = "ghcr.io/acme"
}

# ── what keeps data ──────────────────────────────────────────────────────────

database "orders" {
  engine  = "postgres"
  cpu     = 2
  memory  = "16GiB"
  storage = "200GiB"
}

cache "sessions" {
  holds  = "sessions" # a copy takes over, and only keys that expire give way
  memory = "4GiB"
}

# ── what answers ─────────────────────────────────────────────────────────────

# The storefront: instances in a group behind a load balancer. Two colours take
# turns: `live` says which one serves, and changing it back is the rollback.
service "web" {
  image  = "${local.registry}/web:${var.web_tag}"
  port   = 8080
  cpu    = 2
  memory = "4GiB"
  needs  = [database.orders, cache.sessions]

  # Longer than any balancer keeps a silent connection: Google's do for ten minutes.
  keep_alive = contains(init.targets, "gcp") ? "620s" : null

  # How large a pool to the database may be follows from how many instances can
  # ever run; `scaffold explain service.web.pool` shows the sum.

  auto_scaling_group {
    max = 12
  }
  elastic_load_balancing {
    domain = "shop.example.com"
  }
  blue_green_deployment {
    live = "blue"
  }
}

# The pods of the checkout run here. The mesh encrypts what they say to each
# other and counts every call.
cluster "main" {
  service_mesh {
    mtls = "strict"
  }
}

service "checkout" {
  runs_on = cluster.main
  image   = "${local.registry}/checkout:${var.checkout_tag}"
  port    = 9090
  needs   = [database.orders, service.payments]

  # The balancer in front of the pods, on a name of its own.
  elastic_load_balancing {
    domain = "checkout.example.com"
  }
  horizontal_pod_autoscaler {
    max = 12
  }
  rolling_updates {}
  circuit_breaker {} # calls to payments are cut off while it fails
}

service "payments" {
  runs_on = cluster.main
  image   = "${local.registry}/payments:${var.checkout_tag}"
  port    = 9090
  needs   = [database.orders]

  horizontal_pod_autoscaler {
    max = 9
  }
  rolling_updates {}
}
