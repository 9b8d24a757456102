template "cache_memcached_alarms" {
  for  = cache
  when = let.kind == "memcached"
  file = "cache_${cache.name}_alarms.tf"
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
