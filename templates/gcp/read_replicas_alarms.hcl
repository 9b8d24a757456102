template "read_replicas_alarms" {
  for     = database
  pattern = "read_replicas"
  when    = database.database_sharding == null
  file    = "database_${database.name}_alarms.tf"
}

locals {
  this_reader_names = let.read_pool ? [google_sql_database_instance.this_readers.name] : [for replica in google_sql_database_instance.this_replica : replica.name]
  this_readers      = "resource.type = \"cloudsql_database\" AND resource.labels.database_id = one_of(${join(", ", [for name in local.this_reader_names : "\"${local.project}:${name}\""])})"
}

resource "google_monitoring_alert_policy" "this_lag" {
  for_each = {
    warning  = database.read_replicas.warn_lag
    critical = database.read_replicas.max_lag
  }

  display_name          = "${let.name}: readers lag (${each.key})"
  combiner              = "OR"
  severity              = upper(each.key)
  notification_channels = local.notification_channels

  conditions {
    display_name = "a reader is ${each.value} s behind"

    condition_threshold {
      filter          = "${local.this_readers} AND metric.type = \"cloudsql.googleapis.com/database/replication/replica_lag\""
      comparison      = "COMPARISON_GT"
      threshold_value = each.value
      duration        = "180s"

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_MAX"
        cross_series_reducer = "REDUCE_MAX"
        group_by_fields      = ["resource.label.database_id"]
      }
    }
  }

  documentation {
    content = "Answers of the reader are older than they should be; a user may be shown what is ${span(database.read_replicas.max_staleness)} old at most. Long queries on it, or more writes than it can follow, are the usual causes."
  }
}

resource "google_monitoring_alert_policy" "this_reader" {
  for_each = {
    cpu = {
      metric     = "cpu/utilization"
      comparison = "COMPARISON_GT"
      threshold  = 0.8
      means      = "A reader's processor has been busy for a quarter of an hour: add readers, or look for statements in Query Insights."
    }
    memory = {
      metric     = "memory/utilization"
      comparison = "COMPARISON_GT"
      threshold  = 0.9
      means      = "Less than a tenth of a reader's memory is left."
    }
    storage = {
      metric     = "disk/utilization"
      comparison = "COMPARISON_GT"
      threshold  = 0.9
      means      = "A reader's disk is nearly full: it has to hold what its source holds."
    }
    connections = {
      metric     = database.engine == "postgres" ? "postgresql/num_backends" : "network/connections"
      comparison = "COMPARISON_GT"
      threshold  = database.usable_connections
      means      = "Services use the connections of a reader that are reserved for administration."
    }
  }

  display_name          = "${let.name}: readers' ${each.key}"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = each.key

    condition_threshold {
      filter          = "${local.this_readers} AND metric.type = \"cloudsql.googleapis.com/database/${each.value.metric}\""
      comparison      = each.value.comparison
      threshold_value = each.value.threshold
      duration        = "900s"

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
