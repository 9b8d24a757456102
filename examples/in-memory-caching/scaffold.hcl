# What is read often is read from memory, and a miss never takes the database down.

blueprint "in-memory-caching" {
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
  backup_url = "s3://acme-backups/in-memory-caching" # where backups go, out of the cluster
}

database "catalog" {
  storage = "100GiB"
}

cache "products" {
  memory = "6GiB"

  in_memory_caching {
    ttl       = "15m"
    jitter    = 10 # percent, so that not all values end at once
    hit_ratio = 95 # what you expect; the database has to carry the rest
    warm_keys = 5000
  }
}

service "api" {
  image    = "ghcr.io/acme/api:3.1.0"
  port     = 8080
  needs    = [database.catalog, cache.products]
  peak_rps = 500

  # Longer than any balancer keeps a silent connection: Google's do for ten minutes.
  keep_alive = "620s"

  auto_scaling_group {
    max = 9
  }
  elastic_load_balancing {
    domain = "api.example.com"
  }
}
