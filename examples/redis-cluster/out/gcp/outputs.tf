# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

output "sessions" {
  description = "How sessions is reached, with TLS and a token of IAM: the host and the port."
  value = {
    host = local.sessions_host
    port = 6379
  }
}
