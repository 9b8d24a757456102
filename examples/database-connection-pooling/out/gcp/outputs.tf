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
  description = "As whom clients log in to the poolers of orders: the network lets nobody else in, so there is no password."
  value       = { user = "app" }
}
