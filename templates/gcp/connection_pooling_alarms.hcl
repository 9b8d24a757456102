template "connection_pooling_alarms" {
  for     = database
  pattern = "connection_pooling"
  when    = database.database_sharding == null
  file    = "database_${database.name}_alarms.tf"
}

resource "google_monitoring_alert_policy" "this_pool" {
  for_each = let.pooled == "pgbouncer" ? {
    used = {
      filter    = "resource.type = \"gce_instance\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.this_pool["lent"].name}\""
      threshold = max(1, floor(let.pool_each * let.pool.max_used / 100))
      means     = "A pooler has lent more than ${let.pool.max_used} % of its ${let.pool_each} connections: soon clients wait."
    }
    waiting = {
      filter    = "resource.type = \"gce_instance\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.this_pool["waiting"].name}\""
      threshold = 10
      means     = "Clients wait for a connection: the pool is too small, or statements take too long."
    }
    wait = {
      filter    = "resource.type = \"gce_instance\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.this_pool["wait"].name}\""
      threshold = let.pool.wait_timeout / 2
      means     = "A client has waited for half of the time after which it is told that there is no connection."
    }
    } : {
    used = {
      filter    = "${local.this_database} AND metric.type = \"cloudsql.googleapis.com/database/${database.engine == "postgres" ? "postgresql/num_backends" : "network/connections"}\""
      threshold = database.engine == "postgres" ? ceil(let.pool.size * let.pool.max_used / 100) : ceil(let.pool.max_clients * let.pool.max_used / 100)
      means     = "More than ${let.pool.max_used} % of the connections are in use: soon clients wait, or are sent away."
    }
  }

  display_name          = "${let.name}: pool ${each.key}"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = each.key

    condition_threshold {
      filter          = each.value.filter
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.threshold
      duration        = "300s"

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = let.pooled == "pgbouncer" ? "ALIGN_PERCENTILE_99" : "ALIGN_MEAN"
        cross_series_reducer = let.pooled == "pgbouncer" ? "REDUCE_MAX" : "REDUCE_SUM"
      }
    }
  }

  documentation {
    content = each.value.means
  }
}
