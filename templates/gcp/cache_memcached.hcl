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
        hours = let.window_hour
      }
    }
  }

  depends_on = let.own_peering ? [google_service_networking_connection.main] : null
}

resource "google_monitoring_alert_policy" "this" {
  for_each = {
    cpu = {
      metric    = "node/cpu/utilization"
      threshold = 0.9
      means     = "The processor of a node is busy: spread the keys over more nodes."
    }
    connections = {
      metric    = "node/active_connections"
      threshold = max(1000, 2 * cache.client_connections)
      means     = "Far more connections than the ${cache.client_connections} that all clients together should have: one of them leaks."
    }
  }

  display_name          = "${let.name}: ${each.key}"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = each.key

    condition_threshold {
      filter          = "resource.type = \"memcache.googleapis.com/MemcacheNode\" AND resource.labels.instance_id = \"${google_memcache_instance.this.name}\" AND metric.type = \"memcache.googleapis.com/${each.value.metric}\""
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.threshold
      duration        = "300s"

      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_MEAN"
      }
    }
  }

  documentation {
    content = each.value.means
  }
}
