# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

output "sessions" {
  description = "How sessions is reached, with TLS: the host, the port, and the user that IAM authenticates."
  value = {
    host = local.sessions_host
    port = 6379
    user = aws_elasticache_user.sessions.user_name
  }
}
