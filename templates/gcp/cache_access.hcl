# Where clients find the cache, and what they may do.
template "cache_access" {
  for  = cache
  file = "cache_${cache.name}.tf"
}

locals {
  this_host = (
    let.kind == "memcached" ? split(":", google_memcache_instance.this.discovery_endpoint)[0] :
    let.kind == "redis" ? google_redis_cluster.this.discovery_endpoints[0].address :
    one([for address in local.this_addresses : address.ip_address if address.connection_type == let.front])
  )
}

# Clients log in as their own account, with a token that IAM gives them for an hour.
resource "google_project_iam_member" "this_clients" {
  when     = let.kind != "memcached" && length(let.clients) > 0
  for_each = { for client in let.clients : client => google_service_account[client].member }

  project = local.project
  role    = let.kind == "redis" ? "roles/redis.dbConnectionUser" : "roles/memorystore.dbConnectionUser"
  member  = each.value

  condition {
    title      = let.name
    expression = let.kind == "redis" ? "resource.name == \"${google_redis_cluster.this.id}\"" : "resource.name == \"${google_memorystore_instance.this.name}\""
  }
}
