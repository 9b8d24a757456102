# A service that grows: pods that come and go with the load, a catalogue that is
# mostly read, and orders spread over several databases.
#
#   scaffold validate     what is wrong, and why
#   scaffold explain      where every value comes from
#   scaffold render       the files

blueprint "NAME" {
  profile = "scalability" # room to grow to ten times the size
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
# --var api_tag=1.5.0 from a pipeline.
variable "api_tag" { default = "1.4.2" }

# ── what keeps data ──────────────────────────────────────────────────────────

# Read far more than written: copies answer what only reads, and a pooler keeps
# the number of connections down however many pods there are.
database "catalog" {
  engine  = "postgres"
  storage = "100GiB"

  read_replicas {
    count = 2
  }
  connection_pooling {}
}

# Written more than one server writes: the rows of a customer lie together, and
# slots of the hashed key can be moved to further shards.
database "orders" {
  engine  = "postgres"
  storage = "200GiB"

  database_sharding {
    key              = "customer_id"
    count            = 4
    tables           = ["orders", "order_lines", "payments"]
    reference_tables = ["countries", "currencies"]
  }
}

# ── what answers ─────────────────────────────────────────────────────────────

cluster "main" {} # as many nodes as its pods need at their most

service "api" {
  runs_on = cluster.main
  image   = "ghcr.io/acme/api:${var.api_tag}"
  port    = 8080
  cpu     = 1
  memory  = "1GiB"
  needs   = [database.catalog, database.orders]

  elastic_load_balancing {
    domain = "api.example.com"
  }
  horizontal_pod_autoscaler {
    min = 3
    max = 30
  }
}
