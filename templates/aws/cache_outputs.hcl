# The contract with what runs elsewhere, such as the manifests of a cluster.
template "cache_outputs" {
  for  = cache
  file = "outputs.tf"
}

output "this" {
  when = !let.has_reader && cache.engine != "memcached"

  description = "How ${cache.name} is reached, with TLS: the host, the port, and the user that IAM authenticates."
  value = {
    host = local.this_host
    port = cache.port
    user = aws_elasticache_user.this.user_name
  }
}

output "this" {
  when = let.has_reader

  description = "How ${cache.name} is reached, with TLS: the host that writes, the one that only reads, the port, and the user that IAM authenticates."
  value = {
    host        = local.this_host
    reader_host = aws_elasticache_replication_group.this.reader_endpoint_address
    port        = cache.port
    user        = aws_elasticache_user.this.user_name
  }
}

output "this" {
  when = cache.engine == "memcached"

  description = "How ${cache.name} is reached, with TLS: the host whose configuration names all nodes, and the port."
  value = {
    host = local.this_host
    port = cache.port
  }
}
