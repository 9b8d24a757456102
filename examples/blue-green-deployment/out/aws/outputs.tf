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

output "sessions" {
  description = "How sessions is reached, with TLS: the host that writes, the one that only reads, the port, and the user that IAM authenticates."
  value = {
    host        = local.sessions_host
    reader_host = aws_elasticache_replication_group.sessions.reader_endpoint_address
    port        = 6379
    user        = aws_elasticache_user.sessions.user_name
  }
}
