# Browser, edge, memory, database: one table of lifetimes for all layers, and one event that
# clears them in the right order.

blueprint "multi-layer-caching" {
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
  backup_url = "s3://acme-backups/multi-layer-caching" # where backups go, out of the cluster
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
  multi_layer_caching {
    domain        = "shop.example.com"
    private_paths = ["/account/*", "/cart/*"] # kept nowhere
    browser_ttl   = "60s"                     # cannot be told to forget, so the shortest
    edge_ttl      = "5m"
    cache_ttl     = "15m"
    max_staleness = "5m" # what a user may see should an event be lost
  }
}
