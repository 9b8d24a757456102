template "redis_cluster_alarms" {
  for     = cache
  pattern = "redis_cluster"
  when    = let.kind != "memcached"
  file    = "cache_${cache.name}_alarms.tf"
}

locals {
  this_cache_nodes = let.kind == "redis" ? "resource.type = \"redis.googleapis.com/ClusterNode\" AND resource.labels.cluster_id = \"${google_redis_cluster.this.name}\"" : "resource.type = \"memorystore.googleapis.com/InstanceNode\" AND resource.labels.instance_id = \"${google_memorystore_instance.this.instance_id}\""
}

resource "google_monitoring_alert_policy" "this_health" {
  for_each = {
    rejected = {
      metric    = "stats/total_rejected_connections_count"
      aligner   = "ALIGN_RATE"
      threshold = 0
      means     = "Connections are refused: a node has as many as it takes."
    }
    lag = {
      metric    = let.kind == "redis" ? "replication/maximum_ack_lag" : "replication/average_ack_lag"
      aligner   = "ALIGN_MAX"
      threshold = 10
      means     = "A copy is more than 10 s behind its primary: what is written now would be lost with the primary."
    }
  }

  display_name          = "${let.name}: ${each.key}"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.notification_channels

  conditions {
    display_name = each.key

    condition_threshold {
      filter          = "${local.this_cache} AND metric.type = \"${let.family}/${each.value.metric}\""
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
resource "google_monitoring_alert_policy" "this_nodes" {
  for_each = {
    growing = { above = cache.redis_cluster.target_memory, severity = "WARNING", duration = "3600s" }
    full    = { above = cache.redis_cluster.max_memory, severity = "ERROR", duration = "300s" }
  }

  display_name          = "${let.name}: memory of a node (${each.key})"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.notification_channels

  conditions {
    display_name = "a node has more than ${each.value.above} % of its memory in use"

    condition_threshold {
      filter          = "${local.this_cache_nodes} AND metric.type = \"${let.family}/node/memory/utilization\""
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
    content = "Raise shards of ${cache.name} (there are ${cache.redis_cluster.shards}; ${cache.redis_cluster.max_shards} were planned for at most). Slots move while everything runs."
  }
}

# One shard holds much more than the others: a key that is too large, or one hash tag for too many.
resource "google_monitoring_alert_policy" "this_skew" {
  display_name          = "${let.name}: one shard holds more than the others"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "more than ${cache.redis_cluster.max_skew} times the average"

    condition_prometheus_query_language {
      query               = "max(${let.prom}_node_memory_utilization{${let.prom_label}=\"${let.name}\"}) > ${cache.redis_cluster.max_skew} * avg(${let.prom}_node_memory_utilization{${let.prom_label}=\"${let.name}\"}) and max(${let.prom}_node_memory_utilization{${let.prom_label}=\"${let.name}\"}) > 0.2"
      duration            = "1800s"
      evaluation_interval = "60s"
    }
  }

  documentation {
    content = "Look for large keys and for hash tags that too many keys share."
  }
}
