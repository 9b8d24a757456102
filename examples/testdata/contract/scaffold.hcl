# Every way in which pods are told where a cloud keeps their data.
blueprint "shop" {}

target "aws" { region = "eu-west-1" }
target "gcp" { region = "europe-west1" }

cluster "main" {}

database "orders" {
  connection_pooling {} # on Google Cloud a user with a password
}
database "bills" {
  engine = "mysql" # there as the account of the service
}
database "books" {
  read_replicas {}
  database_connection_pooling { # there through PgBouncer
    pool_readers = false
  }
}
database "sales" {
  database_sharding {
    key   = "customer_id"
    count = 2
  }
}
cache "map" {
  redis_cluster {}
}
cache "pages" {
  engine = "memcached"
}
cache "keys" {}

service "web-front" {
  image   = "ghcr.io/acme/web:1.4.2"
  runs_on = cluster.main
  needs   = [database.orders, database.bills, database.books, database.sales, cache.map, cache.pages, cache.keys]
}
service "report" {
  image   = "ghcr.io/acme/report:1.4.2"
  runs_on = cluster.main
  needs   = [database.sales]
}
