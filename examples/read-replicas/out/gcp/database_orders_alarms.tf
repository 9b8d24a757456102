# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

locals {
  orders_database = "resource.type = \"cloudsql_database\" AND resource.labels.database_id = \"${local.project}:${google_sql_database_instance.orders.name}\""
}

resource "google_monitoring_alert_policy" "orders" {
  for_each = {
    connections = {
      comparison = "COMPARISON_GT"
      means      = "Services use the connections that are reserved for administration and failover."
      metric     = "postgresql/num_backends"
      threshold  = 3243
    }
    cpu = {
      comparison = "COMPARISON_GT"
      means      = "The processor has been busy for a quarter of an hour. Query Insights names the statements."
      metric     = "cpu/utilization"
      threshold  = 0.8
    }
    memory = {
      comparison = "COMPARISON_GT"
      means      = "Less than a tenth of the memory is left: soon reads come from the disk, or the server is killed and starts again."
      metric     = "memory/utilization"
      threshold  = 0.9
    }
    storage = {
      comparison = "COMPARISON_GT"
      means      = "The disk is nearly full and has not grown by itself. A full disk stops the server."
      metric     = "disk/utilization"
      threshold  = 0.9
    }
    up = {
      comparison = "COMPARISON_LT"
      means      = "The server does not answer. With a standby it should be back within minutes."
      metric     = "up"
      threshold  = 1
    }
    wraparound = {
      comparison = "COMPARISON_GT"
      means      = "Autovacuum does not keep up: half of all transaction ids are used, and without any the server takes no writes. Look for transactions that never end."
      metric     = "postgresql/transaction_id_utilization"
      threshold  = 0.5
    }
  }

  display_name          = "read-replicas-orders: ${each.key}"
  combiner              = "OR"
  severity              = each.key == "up" ? "CRITICAL" : "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = each.key

    condition_threshold {
      filter          = "${local.orders_database} AND metric.type = \"cloudsql.googleapis.com/database/${each.value.metric}\""
      comparison      = each.value.comparison
      threshold_value = each.value.threshold
      duration        = each.key == "up" ? "120s" : "900s"

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_MEAN"
        cross_series_reducer = "REDUCE_SUM" # connections are counted for each database
      }
    }
  }

  documentation {
    content = each.value.means
  }
}

locals {
  orders_reader_names = [for replica in google_sql_database_instance.orders_replica : replica.name]
  orders_readers      = "resource.type = \"cloudsql_database\" AND resource.labels.database_id = one_of(${join(", ", [for name in local.orders_reader_names : "\"${local.project}:${name}\""])})"
}

resource "google_monitoring_alert_policy" "orders_lag" {
  for_each = {
    warning  = 5
    critical = 30
  }

  display_name          = "read-replicas-orders: readers lag (${each.key})"
  combiner              = "OR"
  severity              = upper(each.key)
  notification_channels = local.notification_channels

  conditions {
    display_name = "a reader is ${each.value} s behind"

    condition_threshold {
      filter          = "${local.orders_readers} AND metric.type = \"cloudsql.googleapis.com/database/replication/replica_lag\""
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
    content = "Answers of the reader are older than they should be; a user may be shown what is 1m old at most. Long queries on it, or more writes than it can follow, are the usual causes."
  }
}

resource "google_monitoring_alert_policy" "orders_reader" {
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
      metric     = "postgresql/num_backends"
      comparison = "COMPARISON_GT"
      threshold  = 3243
      means      = "Services use the connections of a reader that are reserved for administration."
    }
  }

  display_name          = "read-replicas-orders: readers' ${each.key}"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = each.key

    condition_threshold {
      filter          = "${local.orders_readers} AND metric.type = \"cloudsql.googleapis.com/database/${each.value.metric}\""
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
