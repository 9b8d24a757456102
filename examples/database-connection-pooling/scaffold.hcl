# Pooling with every limit in sight: a pool sized by the stated peak, timeouts that nest,
# transactions that leak and are cut.

blueprint "database-pooling" {
  labels = { team = "platform" }
}

target "aws" {
  region = "eu-west-1"
}

target "gcp" {
  region = "europe-west1"
}

target "kubernetes" {
  backup_url = "s3://acme-backups/database-pooling" # where backups go, out of the cluster
}

database "orders" {
  engine  = "postgres"
  memory  = "32GiB"
  storage = "500GiB"

  database_connection_pooling {
    transaction_time = "15ms" # times requests per second: how many connections are busy
    leak_after       = "30s"  # a transaction that does nothing has most likely been lost
    wait_timeout     = "2s"   # after which a client hears that there is no connection
  }
}

service "api" {
  image    = "ghcr.io/acme/api:3.1.0"
  port     = 8080
  needs    = [database.orders]
  peak_rps = 2000

  # Longer than any balancer keeps a silent connection: Google's do for ten minutes.
  keep_alive = "620s"

  auto_scaling_group {
    max = 40
  }
  elastic_load_balancing {
    domain = "api.example.com"
  }
}
