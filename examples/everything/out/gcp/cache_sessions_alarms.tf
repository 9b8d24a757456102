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
      means     = "Far more connections than the 330 that all clients together should have: one of them leaks."
    }
  }

  display_name          = "everything-sessions: ${each.key}"
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

locals {
  sessions_cache_nodes = "resource.type = \"memorystore.googleapis.com/InstanceNode\" AND resource.labels.instance_id = \"${google_memorystore_instance.sessions.instance_id}\""
}

resource "google_monitoring_alert_policy" "sessions_health" {
  for_each = {
    rejected = {
      metric    = "stats/total_rejected_connections_count"
      aligner   = "ALIGN_RATE"
      threshold = 0
      means     = "Connections are refused: a node has as many as it takes."
    }
    lag = {
      metric    = "replication/average_ack_lag"
      aligner   = "ALIGN_MAX"
      threshold = 10
      means     = "A copy is more than 10 s behind its primary: what is written now would be lost with the primary."
    }
  }

  display_name          = "everything-sessions: ${each.key}"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.notification_channels

  conditions {
    display_name = each.key

    condition_threshold {
      filter          = "${local.sessions_cache} AND metric.type = \"memorystore.googleapis.com/instance/${each.value.metric}\""
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.threshold
      duration        = "120s"

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = each.value.aligner
        cross_series_reducer = "REDUCE_MAX"
      }
    }
  }

  documentation {
    content = each.value.means
  }
}

# Every node by itself. Nothing on Google Cloud adds shards; the number is raised here, while everything runs.
resource "google_monitoring_alert_policy" "sessions_nodes" {
  for_each = {
    growing = { above = 65, severity = "WARNING", duration = "3600s" }
    full    = { above = 80, severity = "ERROR", duration = "300s" }
  }

  display_name          = "everything-sessions: memory of a node (${each.key})"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.notification_channels

  conditions {
    display_name = "a node has more than ${each.value.above} % of its memory in use"

    condition_threshold {
      filter          = "${local.sessions_cache_nodes} AND metric.type = \"memorystore.googleapis.com/instance/node/memory/utilization\""
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.above / 100
      duration        = each.value.duration

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_MEAN"
        cross_series_reducer = "REDUCE_MAX"
        group_by_fields      = ["resource.label.shard_id", "resource.label.node_id"]
      }
    }
  }

  documentation {
    content = "Raise shards of sessions (there are 3; 3 were planned for at most). Slots move while everything runs."
  }
}

# One shard holds much more than the others: a key that is too large, or one hash tag for too many.
resource "google_monitoring_alert_policy" "sessions_skew" {
  display_name          = "everything-sessions: one shard holds more than the others"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "more than 1.5 times the average"

    condition_prometheus_query_language {
      query               = "max(memorystore_googleapis_com:instance_node_memory_utilization{instance_id=\"everything-sessions\"}) > 1.5 * avg(memorystore_googleapis_com:instance_node_memory_utilization{instance_id=\"everything-sessions\"}) and max(memorystore_googleapis_com:instance_node_memory_utilization{instance_id=\"everything-sessions\"}) > 0.2"
      duration            = "1800s"
      evaluation_interval = "60s"
    }
  }

  documentation {
    content = "Look for large keys and for hash tags that too many keys share."
  }
}
