# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

output "orders" {
  description = "How orders is reached: the host, the port, the database, and the name of its instance for the Cloud SQL connectors."
  value = {
    host       = local.orders_host
    port       = 6432
    database   = "orders"
    connection = google_sql_database_instance.orders.connection_name
  }
}

output "orders_login" {
  description = "As whom clients log in to the pool of orders, and the secret that holds the password."
  value = {
    user   = google_sql_user.orders_pool.name
    secret = google_secret_manager_secret.orders_pool.secret_id
  }
}
