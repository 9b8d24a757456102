# The layers with what production adds: warming after a cold start, an old answer while the
# program is down, and proof that the layers agree.

blueprint "caching-in-depth" {
  profile = "high-performance"
  labels  = { team = "platform" }
}

target "aws" {
  region = "eu-west-1"
}

target "gcp" {
  region = "europe-west1"
}

target "kubernetes" {
  backup_url = "s3://acme-backups/caching-in-depth" # where backups go, out of the cluster
}

database "catalog" {
  storage = "100GiB"
}

cache "products" {
  memory = "6GiB"

  in_memory_caching {
    hit_ratio = 95
  }
}

service "web" {
  image = "ghcr.io/acme/web:1.4.2"
  port  = 8080
  needs = [database.catalog, cache.products]

  # Longer than any balancer keeps a silent connection: Google's do for ten minutes.
  keep_alive = "620s"

  auto_scaling_group {
    max = 9
  }
  elastic_load_balancing {
    domain = "origin.example.com" # where the edge fetches
  }
  multi_layer_caching_detailed {
    domain        = "shop.example.com"
    private_paths = ["/account/*", "/cart/*"]
    browser_ttl   = "60s"
    edge_ttl      = "5m"

    warm_paths         = ["/", "/products", "/offers"] # fetched before users do
    consistency_sample = 0.5                           # percent of the answers that are compared with the database
  }
  kubernetes {
    multi_layer_caching_detailed {
      grace = "6h" # how old an answer of an edge of our own may be when all else fails
    }
  }
}
