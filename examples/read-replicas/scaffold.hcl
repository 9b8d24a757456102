# Reads on replicas, writes on the primary, and an alarm before anybody reads what is too old.

blueprint "read-replicas" {
  labels = { team = "platform" }
}

target "aws" {
  region = "eu-west-1"
}

target "gcp" {
  region = "europe-west1"
}

target "kubernetes" {
  backup_url = "s3://acme-backups/read-replicas" # where backups go, out of the cluster
}

database "orders" {
  engine  = "postgres"
  memory  = "32GiB"
  storage = "500GiB"

  read_replicas {
    count           = 2
    warn_lag        = "5s"
    max_lag         = "30s"    # a replica further behind gets no more reads
    read_own_writes = "writer" # where a user reads what he has just written
  }
}

# It writes reports at night: much to read, and nothing that a second changes.
service "reports" {
  image = "ghcr.io/acme/reports:1.1.0"
  port  = 8080
  needs = [database.orders]

  auto_scaling_group {
    max = 6
  }
}
