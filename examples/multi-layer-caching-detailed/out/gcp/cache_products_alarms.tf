# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

locals {
  products_cache = "resource.type = \"memorystore.googleapis.com/Instance\" AND resource.labels.instance_id = \"${google_memorystore_instance.products.instance_id}\""
}

resource "google_monitoring_alert_policy" "products" {
  for_each = {
    memory = {
      metric    = "memory/maximum_utilization"
      threshold = 0.8
      means     = "A node has more than 80 % of its memory in use: soon keys give way before their time."
    }
    cpu = {
      metric    = "cpu/maximum_utilization"
      threshold = 0.8
      means     = "The processor of a node is busy, and one thread does nearly all of the work: look for slow commands, or spread the keys over more shards."
    }
    connections = {
      metric    = "clients/maximum_connected_clients"
      threshold = 1000
      means     = "Far more connections than the 120 that all clients together should have: one of them leaks."
    }
  }

  display_name          = "caching-in-depth-products: ${each.key}"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = each.key

    condition_threshold {
      filter          = "${local.products_cache} AND metric.type = \"memorystore.googleapis.com/instance/${each.value.metric}\""
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.threshold
      duration        = "300s"

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_MEAN"
        cross_series_reducer = "REDUCE_MAX"
      }
    }
  }

  documentation {
    content = each.value.means
  }
}

# A cache that is hardly asked has no share worth an alarm.
resource "google_monitoring_alert_policy" "products_hits" {
  display_name          = "caching-in-depth-products: hits"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "less than 84 % of what is asked for is there"

    condition_prometheus_query_language {
      query               = local.products_hits
      duration            = "900s"
      evaluation_interval = "60s"
    }
  }

  conditions {
    display_name = "more than 20 keys a second give way before their time"

    condition_threshold {
      filter          = "${local.products_cache} AND metric.type = \"memorystore.googleapis.com/instance/stats/total_evicted_keys_count\""
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
  products_hits = "100 * sum(rate(memorystore_googleapis_com:instance_stats_total_keyspace_hits_count{instance_id=\"caching-in-depth-products\"}[10m])) / (sum(rate(memorystore_googleapis_com:instance_stats_total_keyspace_hits_count{instance_id=\"caching-in-depth-products\"}[10m])) + sum(rate(memorystore_googleapis_com:instance_stats_total_keyspace_misses_count{instance_id=\"caching-in-depth-products\"}[10m])) > 3) < 84"
}
