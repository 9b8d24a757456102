# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

output "orders" {
  description = "How orders is reached: the host, the port, the database, and the secret that holds the user name and the password."
  value = {
    host       = local.orders_host
    port       = 5432
    database   = "orders"
    secret_arn = local.orders_secret_arn
  }
}
