# A shop that answers at once: pictures and scripts from the edge, pages from the
# edge for as long as they may be old, the catalogue from memory.
#
#   scaffold validate     what is wrong, and why
#   scaffold explain      where every value comes from
#   scaffold render       the files

blueprint "NAME" {
  profile = "high-performance" # copies near the user, more room on every machine
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

# ── what keeps data ──────────────────────────────────────────────────────────

database "catalog" {
  engine  = "postgres"
  storage = "200GiB"

  connection_pooling {} # few connections that do much, for many that do little
}

# What is read again and again. The hit ratio that you expect says how much the
# database has to carry, warm and cold.
cache "products" {
  memory = "8GiB"

  in_memory_caching {
    ttl       = "15m"
    hit_ratio = 95
  }
}

# Sessions and rankings: spread over three primaries, so that memory and
# commands per second grow with the number of nodes.
cache "sessions" {
  holds  = "sessions"
  memory = "24GiB"

  redis_cluster {
    shards = 3
  }
}

# ── what answers ─────────────────────────────────────────────────────────────

service "web" {
  image    = "ghcr.io/acme/web:${var.web_tag}"
  port     = 8080
  cpu      = 4
  memory   = "8GiB"
  needs    = [database.catalog, cache.products, cache.sessions]
  peak_rps = 2000 # what the checks count with; measure yours

  # Longer than any balancer keeps a silent connection: Google's do for ten minutes.
  keep_alive = contains(init.targets, "gcp") ? "620s" : null

  auto_scaling_group {
    max = 24
  }
  elastic_load_balancing {
    domain = "origin.example.com" # where the edge fetches
  }

  # One change is thrown out of memory first and the edge after it. The browser
  # cannot be told, so it keeps the shortest.
  multi_layer_caching {
    domain        = "shop.example.com"
    browser_ttl   = "60s"
    edge_ttl      = "5m"
    private_paths = ["/account/*", "/cart/*", "/checkout/*"]
  }
}

site "assets" {
  kubernetes {
    when = contains(init.targets, "kubernetes")

    image = "ghcr.io/acme/assets:${var.web_tag}" # a cluster has no buckets
  }

  cdn_distribution {
    domain = "assets.example.com"
  }
}
