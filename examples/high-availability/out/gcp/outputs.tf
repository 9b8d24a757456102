# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

output "orders" {
  description = "How orders is reached: the host, the port, the database, and the name of its instance for the Cloud SQL connectors."
  value = {
    host       = local.orders_host
    port       = 5432
    database   = "orders"
    connection = google_sql_database_instance.orders.connection_name
  }
}

output "orders_login" {
  description = "As whom each client logs in to orders, with a token of IAM for a password."
  value = {
    web      = google_sql_user.orders["web"].name
    checkout = google_sql_user.orders["checkout"].name
    payments = google_sql_user.orders["payments"].name
  }
}

output "sessions" {
  description = "How sessions is reached, with TLS and a token of IAM: the host that writes, the one that only reads, and the port."
  value = {
    host        = local.sessions_host
    reader_host = one([for address in local.sessions_addresses : address.ip_address if address.connection_type == "CONNECTION_TYPE_READER"])
    port        = 6379
  }
}
