template "database_server_alarms" {
  for  = database
  when = database.database_sharding == null
  file = "database_${database.name}_alarms.tf"
}

locals {
  this_database = "resource.type = \"cloudsql_database\" AND resource.labels.database_id = \"${local.project}:${google_sql_database_instance.this.name}\""
}

resource "google_monitoring_alert_policy" "this" {
  for_each = merge(
    {
      cpu = {
        metric     = "cpu/utilization"
        comparison = "COMPARISON_GT"
        threshold  = 0.8
        means      = "The processor has been busy for a quarter of an hour. Query Insights names the statements."
      }
      memory = {
        metric     = "memory/utilization"
        comparison = "COMPARISON_GT"
        threshold  = 0.9
        means      = "Less than a tenth of the memory is left: soon reads come from the disk, or the server is killed and starts again."
      }
      storage = {
        metric     = "disk/utilization"
        comparison = "COMPARISON_GT"
        threshold  = 0.9
        means      = "The disk is nearly full and has not grown by itself. A full disk stops the server."
      }
      connections = {
        metric     = database.engine == "postgres" ? "postgresql/num_backends" : "network/connections"
        comparison = "COMPARISON_GT"
        threshold  = database.usable_connections
        means      = "Services use the connections that are reserved for administration and failover."
      }
      up = {
        metric     = "up"
        comparison = "COMPARISON_LT"
        threshold  = 1
        means      = "The server does not answer. With a standby it should be back within minutes."
      }
    },
    database.engine == "mysql" ? {} : {
      wraparound = {
        metric     = "postgresql/transaction_id_utilization"
        comparison = "COMPARISON_GT"
        threshold  = 0.5
        means      = "Autovacuum does not keep up: half of all transaction ids are used, and without any the server takes no writes. Look for transactions that never end."
      }
    },
  )

  display_name          = "${let.name}: ${each.key}"
  combiner              = "OR"
  severity              = each.key == "up" ? "CRITICAL" : "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = each.key

    condition_threshold {
      filter          = "${local.this_database} AND metric.type = \"cloudsql.googleapis.com/database/${each.value.metric}\""
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
