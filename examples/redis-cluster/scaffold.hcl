# A cache that is larger than one machine: three shards, each with a copy in another zone.

blueprint "redis-cluster" {
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
  backup_url = "s3://acme-backups/redis-cluster" # where backups go, out of the cluster
}

cache "sessions" {
  holds  = "sessions"
  memory = "24GiB" # over all shards, copies not counted

  redis_cluster {
    shards     = 3
    max_shards = 3 # more, and the cloud adds shards as memory fills
    replicas   = 1
    max_memory = 80 # percent, from which it is told
  }
}

service "web" {
  image = "ghcr.io/acme/web:1.4.2"
  port  = 8080
  needs = [cache.sessions]

  # Longer than any balancer keeps a silent connection: Google's do for ten minutes.
  keep_alive = "620s"

  auto_scaling_group {
    max = 9
  }
  elastic_load_balancing {
    domain = "shop.example.com"
  }
}
