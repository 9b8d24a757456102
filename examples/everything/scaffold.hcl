# A whole shop: all twenty patterns in one blueprint, each where such a shop would want it.
#
#   shop.example.com ─▶ web ─▶ checkout ─▶ payments ─▶ (a bank)
#   www.example.com ──▶ magazine      └──▶ ledger
#   api.example.com ──▶ api ─▶ search
#
# Read it beside the smaller examples: they say more about one pattern each.

blueprint "everything" {
  labels = { team = "shop" }
}

target "aws" {
  region           = "eu-west-1"
  hosted_zone_id   = "Z0123456789ABCDEFGHIJ" # with it records and certificates are made
  hosted_zone_name = "example.com"
  alert_emails     = ["oncall@example.com"]
}

target "gcp" {
  region          = "europe-west1"
  project         = "acme-shop"
  dns_zone        = "example-com"
  billing_account = "012345-6789AB-CDEF01" # budgets belong to one
  alert_emails    = ["oncall@example.com"]
}

target "kubernetes" {
  backup_url = "s3://acme-backups/everything" # where backups go, out of the cluster
}

# Images are named in one place, so that a release is one line in a diff, or
# --var shop_tag=1.5.0 from a pipeline.
variable "shop_tag" { default = "1.4.2" }

locals {
  registry = "ghcr.io/acme"

  # Longer than any balancer keeps a silent connection: Google's do for ten minutes.
  keep_alive = "620s"
}

# ── what keeps data ──────────────────────────────────────────────────────────

# Read far more than written: replicas answer what only reads, and a pooler keeps the number
# of connections to the one that writes down.
database "catalog" {
  engine  = "postgres"
  memory  = "32GiB"
  storage = "200GiB"

  read_replicas {
    count   = 2
    max_lag = "30s"
  }
  connection_pooling {
    max_clients = 4000
  }
}

# Written more than one server writes: the rows of a customer lie together.
database "orders" {
  engine  = "postgres"
  memory  = "32GiB"
  storage = "500GiB"

  database_sharding {
    key              = "customer_id"
    count            = 4
    tables           = ["orders", "order_lines", "payments"]
    reference_tables = ["countries", "currencies"]
  }
}

# Who bought what, for the accountants: pooled with every limit in sight.
database "books" {
  engine  = "postgres"
  storage = "300GiB"

  database_connection_pooling {
    transaction_time = "15ms"
    leak_after       = "30s"
  }
}

# Can be lost and read again.
cache "products" {
  memory = "6GiB"

  in_memory_caching {
    ttl       = "15m"
    hit_ratio = 95
  }
}

# Cannot: each shard has a copy, and only keys that expire give way.
cache "sessions" {
  holds  = "sessions"
  memory = "24GiB"

  redis_cluster {
    shards     = 3
    max_shards = 3
    replicas   = 1
  }
}

# ── what answers, on instances ───────────────────────────────────────────────

# The storefront. The edge keeps its pages, and machines are replaced a quarter at a time.
service "web" {
  image      = "${local.registry}/web:${var.shop_tag}"
  port       = 8080
  needs      = [database.catalog, cache.products, cache.sessions, service.checkout]
  keep_alive = local.keep_alive

  auto_scaling_group {
    max = 12
  }
  elastic_load_balancing {
    domain = "origin.example.com"
  }
  multi_layer_caching {
    domain        = "shop.example.com"
    private_paths = ["/account/*", "/cart/*", "/checkout/*"]
  }
  rolling_updates {
    surge = 25 # no colours and no canary: the edge would keep the answers of both versions
  }
}

# Stories about the goods: hardly ever changed, and worth showing while everything is down.
service "magazine" {
  image      = "${local.registry}/magazine:${var.shop_tag}"
  port       = 8080
  needs      = [database.catalog, cache.products]
  keep_alive = local.keep_alive

  auto_scaling_group {
    max = 6
  }
  elastic_load_balancing {
    domain = "magazine-origin.example.com"
  }
  multi_layer_caching_detailed {
    domain        = "www.example.com"
    private_paths = ["/account/*"]
    warm_paths    = ["/", "/stories"]
  }
  kubernetes {
    multi_layer_caching_detailed {
      grace = "1d" # an edge of our own; elsewhere it is the cloud's
    }
  }
}

# What partners call. Two colours take turns.
service "api" {
  image      = "${local.registry}/api:${var.shop_tag}"
  port       = 8080
  needs      = [database.orders, cache.sessions, service.search]
  keep_alive = local.keep_alive

  auto_scaling_group {
    max = 9
  }
  load_balancer_types {
    domain         = "api.example.com"
    static_address = true # partners list it in their firewalls
  }
  blue_green_deployment {
    live = "blue"
  }
  circuit_breaker_advanced {
    endpoint "suggestions" {
      path            = "/suggestions"
      max_requests    = 50
      fallback_status = 200 # without suggestions a page is still a page
    }
  }

  kubernetes {
    load_balancer_types {
      static_address = false # whoever runs the cluster gives the balancer its address
    }
  }
}

# Its index has to lie in the memory of one machine.
service "search" {
  image  = "${local.registry}/search:${var.shop_tag}"
  port   = 9200
  cpu    = 4
  memory = "32GiB"

  vertical_scaling {
    max_cpu    = 16
    max_memory = "128GiB"
  }
}

# ── what answers, in a cluster ───────────────────────────────────────────────

# The mesh encrypts what the pods say to each other and counts every call.
cluster "main" {
  service_mesh {
    mtls = "permissive" # the storefront, outside of the mesh, calls the checkout
  }
}

service "checkout" {
  runs_on    = cluster.main
  image      = "${local.registry}/checkout:${var.shop_tag}"
  port       = 9090
  needs      = [database.orders, service.payments, service.ledger]
  keep_alive = local.keep_alive

  elastic_load_balancing {
    domain = "checkout.example.com" # instances reach pods by a name outside of the cluster
  }
  horizontal_pod_autoscaler {
    max = 12
  }
  canary_deployment {
    steps = [50] # of three pods no smaller share makes a whole one
  }
  circuit_breaker {} # calls to payments and the ledger are cut off while they fail
}

service "payments" {
  runs_on = cluster.main
  image   = "${local.registry}/payments:${var.shop_tag}"
  port    = 9090
  needs   = [database.orders]

  horizontal_pod_autoscaler {
    max = 9
  }
  rolling_updates {}
  circuit_breaker {
    retries = 0 # nobody wants to pay twice

    external "bank" {
      host = "api.bank.example.com"
    }
  }
}

service "ledger" {
  runs_on = cluster.main
  image   = "${local.registry}/ledger:${var.shop_tag}"
  port    = 9090
  needs   = [database.books]

  horizontal_pod_autoscaler {
    max = 6
  }
}

# ── what lies still ──────────────────────────────────────────────────────────

site "assets" {
  kubernetes {
    image = "ghcr.io/acme/assets:1.4.2" # a cluster has no buckets
  }

  cdn_distribution {
    domain = "assets.example.com"
  }
}
