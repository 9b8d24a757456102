# More writes than one server takes: four shards by customer, with a map that says where each
# of 1,024 slots lives.

blueprint "database-sharding" {
  profile = "scalability"
  labels  = { team = "platform" }
}

target "aws" {
  region = "eu-west-1"
}

target "gcp" {
  region = "europe-west1"
}

target "kubernetes" {
  backup_url = "s3://acme-backups/database-sharding" # where backups go, out of the cluster
}

database "orders" {
  engine  = "postgres"
  memory  = "32GiB" # of each shard
  storage = "500GiB"

  database_sharding {
    key              = "customer_id" # what nearly every query names
    count            = 4
    tables           = ["orders", "order_lines", "payments"]
    reference_tables = ["countries", "currencies"] # small, and copied to every shard
  }
}

# It takes orders from a queue outside and reads the map of slots to find their shard.
service "intake" {
  image = "ghcr.io/acme/intake:3.1.0"
  port  = 8080
  needs = [database.orders]

  auto_scaling_group {
    max = 12
  }
}
