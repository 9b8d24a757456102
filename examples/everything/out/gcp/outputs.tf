# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

output "catalog" {
  description = "How catalog is reached: the host that writes, the one that only reads, the port, the database, and the name of its instance for the Cloud SQL connectors."
  value = {
    host        = local.catalog_host
    reader_host = local.catalog_reader_host
    port        = 6432
    database    = "catalog"
    connection  = google_sql_database_instance.catalog.connection_name
  }
}

output "catalog_login" {
  description = "As whom clients log in to the pool of catalog, and the secret that holds the password."
  value = {
    user   = google_sql_user.catalog_pool.name
    secret = google_secret_manager_secret.catalog_pool.secret_id
  }
}

output "books" {
  description = "How books is reached: the host, the port, the database, and the name of its instance for the Cloud SQL connectors."
  value = {
    host       = local.books_host
    port       = 5432
    database   = "books"
    connection = google_sql_database_instance.books.connection_name
  }
}

output "books_login" {
  description = "As whom clients log in to the poolers of books: the network lets nobody else in, so there is no password."
  value       = { user = "app" }
}

output "orders" {
  description = "How the shards of orders are reached: the parameter that maps slots to hosts, the end of the shards' names, the port and the database."
  value = {
    map      = local.orders_shard_map
    host     = local.orders_host
    port     = 5432
    database = "orders"
    shards   = local.orders_shards
  }
}

output "products" {
  description = "How products is reached, with TLS and a token of IAM: the host that writes, the one that only reads, and the port."
  value = {
    host        = local.products_host
    reader_host = one([for address in local.products_addresses : address.ip_address if address.connection_type == "CONNECTION_TYPE_READER"])
    port        = 6379
  }
}

output "sessions" {
  description = "How sessions is reached, with TLS and a token of IAM: the host and the port."
  value = {
    host = local.sessions_host
    port = 6379
  }
}

output "web_edge" {
  description = "The edge of web: its address, the record that proves its name, the topic on which changes are said, and the parameter that says how the layers fit."
  value = {
    address = google_compute_global_address.web_edge.address
    proof   = null
    changes = google_pubsub_topic.products.id
    layers  = google_parameter_manager_parameter.web_layers.id
  }
}

output "magazine_edge" {
  description = "The edge of magazine: its address, the record that proves its name, the topic on which changes are said, and the parameter that says how the layers fit."
  value = {
    address = google_compute_global_address.magazine_edge.address
    proof   = null
    changes = google_pubsub_topic.products.id
    layers  = google_parameter_manager_parameter.magazine_layers.id
  }
}
