# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

locals {
  sessions_cache = "resource.type = \"memorystore.googleapis.com/Instance\" AND resource.labels.instance_id = \"${google_memorystore_instance.sessions.instance_id}\""
}

resource "google_monitoring_alert_policy" "sessions" {
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
      means     = "Far more connections than the 240 that all clients together should have: one of them leaks."
    }
  }

  display_name          = "shop-sessions: ${each.key}"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = each.key

    condition_threshold {
      filter          = "${local.sessions_cache} AND metric.type = \"memorystore.googleapis.com/instance/${each.value.metric}\""
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
