# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

output "orders" {
  description = "How orders is reached: the host that writes, the one that only reads, the port, the database, and the name of its instance for the Cloud SQL connectors."
  value = {
    host        = local.orders_host
    reader_host = local.orders_reader_host
    port        = 5432
    database    = "orders"
    connection  = google_sql_database_instance.orders.connection_name
  }
}

output "orders_login" {
  description = "As whom each client logs in to orders, with a token of IAM for a password."
  value = {
    reports = google_sql_user.orders["reports"].name
  }
}
