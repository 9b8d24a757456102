template "in_memory_caching_alarms" {
  for     = cache
  pattern = "in_memory_caching"
  file    = "cache_${cache.name}_alarms.tf"
}

# A cache that is hardly asked has no share worth an alarm.
resource "google_monitoring_alert_policy" "this_hits" {
  display_name          = "${let.name}: hits"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "less than ${cache.in_memory_caching.min_hit_ratio} % of what is asked for is there"

    condition_prometheus_query_language {
      query               = local.this_hits
      duration            = "900s"
      evaluation_interval = "60s"
    }
  }

  conditions {
    when         = let.kind != "memcached"
    display_name = "more than 20 keys a second give way before their time"

    condition_threshold {
      filter          = "${local.this_cache} AND metric.type = \"${let.family}/stats/total_evicted_keys_count\""
      comparison      = "COMPARISON_GT"
      threshold_value = 20
      duration        = "300s"

      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_RATE"
      }
    }
  }

  documentation {
    content = "The cache answers less than it should, and the database answers the rest: the keys that are read often do not fit, live too short, or are asked for under ever new names."
  }
}

locals {
  this_hits = (
    let.kind == "memcached" ?
    "100 * sum(rate(memcache_googleapis_com:node_operation_count{command=\"get\",hit=\"true\",instance_id=\"${google_memcache_instance.this.name}\"}[10m])) / (sum(rate(memcache_googleapis_com:node_operation_count{command=\"get\",instance_id=\"${google_memcache_instance.this.name}\"}[10m])) > 3) < ${cache.in_memory_caching.min_hit_ratio}" :
    "100 * sum(rate(${let.prom}_stats_total_keyspace_hits_count{${let.prom_label}=\"${let.name}\"}[10m])) / (sum(rate(${let.prom}_stats_total_keyspace_hits_count{${let.prom_label}=\"${let.name}\"}[10m])) + sum(rate(${let.prom}_stats_total_keyspace_misses_count{${let.prom_label}=\"${let.name}\"}[10m])) > 3) < ${cache.in_memory_caching.min_hit_ratio}"
  )
}
