# Memcached: nodes that know nothing of each other. Who may reach the network may read it: it has no users and no TLS.
template "cache_memcached" {
  for  = cache
  when = let.kind == "memcached"
  file = "cache_${cache.name}.tf"
}

resource "google_memcache_instance" "this" {
  name                = let.name
  region              = target.region
  authorized_network  = local.network_id
  memcache_version    = let.version
  deletion_protection = cache.deletion_protection

  # The keys are spread over all nodes by the client; a zone takes its part of them with it.
  node_count = let.spread
  zones      = slice(let.all_zones, 0, let.spread)

  node_config {
    cpu_count      = let.node_cpus
    memory_size_mb = let.node_mib
  }

  memcache_parameters {
    params = { max-item-size = "1048576" }
  }

  maintenance_policy {
    weekly_maintenance_window {
      day      = upper(cache.maintenance_day)
      duration = "10800s"

      start_time {
        hours = cache.maintenance_hour
      }
    }
  }

  depends_on = let.own_peering ? [google_service_networking_connection.main] : null
}
