# What pooling in full adds: a size from the load, leaks that are found and named.
template "database_connection_pooling" {
  for  = database
  when = database.database_sharding == null
  file = "database_${database.name}.tf"

  covers = {
    workload_size = [let.pooled == "managed" ? google_sql_database_instance.this.settings.connection_pool_config.flags : google_compute_region_instance_group_manager.this_pooler.target_size, database.database_connection_pooling.size]
    utilisation   = [google_monitoring_alert_policy.this_pool.conditions.condition_threshold.filter, let.pooled == "managed" ? google_sql_database_instance.this.settings.insights_config.query_insights_enabled : google_logging_metric.this_pool.value_extractor]
    timeouts      = [google_sql_database_instance.this.settings.database_flags, let.pooled == "managed" ? google_sql_database_instance.this.settings.connection_pool_config.flags : google_compute_region_backend_service.this_pooler.connection_draining_timeout_sec]
    leaks         = [google_monitoring_alert_policy.this_leaks.conditions.condition_threshold.filter, google_sql_database_instance.this.settings.database_flags]
  }
  approximates = {
    validation = {
      by  = [let.pooled == "managed" ? google_sql_database_instance.this.settings.connection_pool_config.flags : database.database_connection_pooling.check_query]
      why = "MySQL's pooler lends threads of the server itself, which cannot break on the way."
    }
  }

  check "pool_readers" {
    condition = !database.database_connection_pooling.pool_readers || let.pooled == "managed"
    message   = "PgBouncer stands before the server that writes: clients reach the readers of ${database.name} directly, each as its own account and not as app."
    fix       = "Set pool_readers = false."
    at        = database.database_connection_pooling.pool_readers
    severity  = "warning"
  }
}

# Connections that are taken and not given back.
resource "google_monitoring_alert_policy" "this_leaks" {
  display_name          = "${let.name}: connections are not given back"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = database.engine == "postgres" ? "transactions that do nothing" : "connections that stay open"

    condition_threshold {
      filter          = database.engine == "postgres" ? "${local.this_database} AND metric.type = \"cloudsql.googleapis.com/database/postgresql/num_backends_by_state\" AND metric.labels.state = \"idle_in_transaction\"" : "${local.this_database} AND metric.type = \"cloudsql.googleapis.com/database/mysql/threads\" AND metric.labels.thread_kind = \"threads_connected\""
      comparison      = "COMPARISON_GT"
      threshold_value = database.engine == "postgres" ? max(2, ceil(database.database_connection_pooling.size / 4)) : ceil(database.database_connection_pooling.max_clients * 8 / 10)
      duration        = "600s"

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_MEAN"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  documentation {
    content = "Transactions that do nothing are cut after ${span(database.database_connection_pooling.leak_after)}, but there are always new ones: a program loses its connections. Query Insights and the log of the database name their owners."
  }
}
