# The contract with what runs elsewhere, such as the manifests of a cluster.
template "cache_outputs" {
  for  = cache
  file = "outputs.tf"
}

output "this" {
  when = !let.has_reader && let.kind != "memcached"

  description = "How ${cache.name} is reached, with TLS and a token of IAM: the host and the port."
  value = {
    host = local.this_host
    port = let.port
  }
}

output "this" {
  when = let.has_reader

  description = "How ${cache.name} is reached, with TLS and a token of IAM: the host that writes, the one that only reads, and the port."
  value = {
    host        = local.this_host
    reader_host = one([for address in local.this_addresses : address.ip_address if address.connection_type == "CONNECTION_TYPE_READER"])
    port        = let.port
  }
}

output "this" {
  when = let.kind == "memcached"

  description = "How ${cache.name} is reached: the host whose configuration names all nodes, and the port."
  value = {
    host = local.this_host
    port = let.port
  }
}
