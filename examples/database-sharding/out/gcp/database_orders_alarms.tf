# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

locals {
  orders_shard_ids = [for shard in google_sql_database_instance.orders_shard : "${local.project}:${shard.name}"]
}

resource "google_monitoring_alert_policy" "orders_shard" {
  for_each = {
    cpu = {
      metric     = "cpu/utilization"
      comparison = "COMPARISON_GT"
      threshold  = 0.8
      means      = "A shard's processor is busy: move slots away, or halve it."
    }
    memory = {
      metric     = "memory/utilization"
      comparison = "COMPARISON_GT"
      threshold  = 0.9
      means      = "A shard's memory is nearly used: soon reads come from the disk."
    }
    storage = {
      metric     = "disk/utilization"
      comparison = "COMPARISON_GT"
      threshold  = 0.9
      means      = "A shard's disk is nearly full and has not grown by itself: move slots away, or halve it."
    }
    connections = {
      metric     = "postgresql/num_backends"
      comparison = "COMPARISON_GT"
      threshold  = 3243
      means      = "Services use the connections of a shard that are reserved for administration and failover."
    }
    up = {
      metric     = "up"
      comparison = "COMPARISON_LT"
      threshold  = 1
      means      = "A shard does not answer: its part of the rows is away."
    }
  }

  display_name          = "database-sharding-orders: shards' ${each.key}"
  combiner              = "OR"
  severity              = each.key == "up" ? "CRITICAL" : "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = each.key

    condition_threshold {
      filter          = "resource.type = \"cloudsql_database\" AND resource.labels.database_id = one_of(${join(", ", [for id in local.orders_shard_ids : "\"${id}\""])}) AND metric.type = \"cloudsql.googleapis.com/database/${each.value.metric}\""
      comparison      = each.value.comparison
      threshold_value = each.value.threshold
      duration        = each.key == "up" ? "120s" : "900s"

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_MEAN"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.label.database_id"]
      }
    }
  }

  documentation {
    content = each.value.means
  }
}

# One shard works, or holds, more than the others. While all idle there is nothing to compare.
resource "google_monitoring_alert_policy" "orders_hot" {
  for_each = {
    cpu     = { metric = "cpu_utilization", least = 0.2, duration = "900s" }
    storage = { metric = "disk_bytes_used", least = 21474836480, duration = "3600s" }
  }

  display_name          = "database-sharding-orders: one shard has more ${each.key} than the others"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "1.5 times the average"

    condition_prometheus_query_language {
      query               = "max(cloudsql_googleapis_com:database_${each.value.metric}{database_id=~\"${join("|", local.orders_shard_ids)}\"}) > 1.5 * avg(cloudsql_googleapis_com:database_${each.value.metric}{database_id=~\"${join("|", local.orders_shard_ids)}\"}) and max(cloudsql_googleapis_com:database_${each.value.metric}{database_id=~\"${join("|", local.orders_shard_ids)}\"}) > ${each.value.least}"
      duration            = each.value.duration
      evaluation_interval = "60s"
    }
  }

  documentation {
    content = "Look for a key that is asked for often or has many rows, and move slots."
  }
}
