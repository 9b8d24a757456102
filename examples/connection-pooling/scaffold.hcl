# Many instances and one database: a pooler between them, so that the pools of all instances
# together stay within what the server can take.

blueprint "connection-pooling" {
  labels = { team = "platform" }
}

target "aws" {
  region = "eu-west-1"
}

target "gcp" {
  region = "europe-west1"
}

target "kubernetes" {
  backup_url = "s3://acme-backups/connection-pooling" # where backups go, out of the cluster
}

database "orders" {
  engine  = "postgres"
  memory  = "16GiB"
  storage = "200GiB"

  connection_pooling {
    max_clients = 5000 # connections to the pooler are cheap; few of them reach the server
    mode        = "transaction"
  }
}

# It takes its work from a queue outside.
service "fulfilment" {
  image = "ghcr.io/acme/fulfilment:1.4.2"
  port  = 8080
  needs = [database.orders]

  # Each instance opens a pool for each of its processes.
  processes = 4

  auto_scaling_group {
    max = 30
  }
}
