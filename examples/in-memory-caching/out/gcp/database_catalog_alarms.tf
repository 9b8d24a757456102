# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

locals {
  catalog_database = "resource.type = \"cloudsql_database\" AND resource.labels.database_id = \"${local.project}:${google_sql_database_instance.catalog.name}\""
}

resource "google_monitoring_alert_policy" "catalog" {
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

  display_name          = "in-memory-caching-catalog: ${each.key}"
  combiner              = "OR"
  severity              = each.key == "up" ? "CRITICAL" : "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = each.key

    condition_threshold {
      filter          = "${local.catalog_database} AND metric.type = \"cloudsql.googleapis.com/database/${each.value.metric}\""
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
