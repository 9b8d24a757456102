# What pooling in full adds to RDS Proxy: dead ends are noticed, leaks are found.
template "database_connection_pooling" {
  for  = database
  when = database.database_sharding == null
  file = "database_${database.name}.tf"

  covers = {
    workload_size = [aws_db_proxy_default_target_group.this.connection_pool_config.max_connections_percent, aws_db_proxy_default_target_group.this.connection_pool_config.max_idle_connections_percent, database.database_connection_pooling.size]
    utilisation   = [aws_cloudwatch_metric_alarm.this_pool_used.threshold, aws_cloudwatch_metric_alarm.this_pool.dimensions, aws_cloudwatch_dashboard.this_pool.dashboard_body]
    timeouts      = [aws_db_proxy.this.idle_client_timeout, aws_db_proxy_default_target_group.this.connection_pool_config.connection_borrow_timeout, database.engine == "postgres" ? aws_db_parameter_group.this.parameter["statement_timeout"] : aws_db_parameter_group.this.parameter["max_execution_time"]]
    leaks         = [aws_cloudwatch_metric_alarm.this_pool_leak.threshold_metric_id, database.engine == "postgres" && database.database_connection_pooling.log_connections ? aws_db_parameter_group.this.parameter["log_disconnections"] : null, aws_db_proxy.this.debug_logging]
  }
  approximates = {
    validation = {
      by  = [aws_db_proxy_default_target_group.this.connection_pool_config.init_query, aws_db_proxy.this.require_tls, database.engine == "postgres" ? aws_db_parameter_group.this.parameter["tcp_keepalives_idle"] : null]
      why = "RDS Proxy tries its connections by itself and replaces broken ones; the query runs when one is opened, not before each loan."
    }
  }

  check "readers_of_a_server" {
    condition = !database.database_connection_pooling.pool_readers || database.flavour == "cluster" || database.read_replicas == null
    message   = "RDS Proxy cannot stand before the replicas of a server: clients reach those of ${database.name} directly."
    fix       = "Set flavour = \"cluster\", or pool_readers = false."
    at        = database.database_connection_pooling.pool_readers
    related   = [database.flavour]
    severity  = "warning"
  }
}

extend "aws_db_parameter_group" "this" {
  # A client that is gone without a word is noticed after this long. In seconds.
  parameter {
    when = database.engine == "postgres"

    name  = "tcp_keepalives_idle"
    value = tostring(ceil(database.database_connection_pooling.keepalive))
  }

  # Who came and went, for when a connection is missing.
  parameter {
    when = database.engine == "postgres" && database.database_connection_pooling.log_connections

    name  = "log_connections"
    value = "1"
  }

  parameter {
    when = database.engine == "postgres" && database.database_connection_pooling.log_connections

    name  = "log_disconnections"
    value = "1"
  }

  # Connections that end without goodbye are written down.
  parameter {
    when = database.engine == "mysql" && database.database_connection_pooling.log_connections

    name  = "log_error_verbosity"
    value = "3"
  }
}

locals {
  this_pool_metrics = [
    "ClientConnections",
    "DatabaseConnections",
    "DatabaseConnectionsCurrentlyBorrowed",
    "DatabaseConnectionsBorrowLatency",
    "DatabaseConnectionsCurrentlySessionPinned",
    "QueryDatabaseResponseLatency",
  ]
}

resource "aws_cloudwatch_dashboard" "this_pool" {
  dashboard_name = "${let.name}-pool"
  dashboard_body = jsonencode({
    widgets = [
      for i, metric in local.this_pool_metrics : {
        type   = "metric"
        x      = 8 * (i % 3)
        y      = 6 * floor(i / 3)
        width  = 8
        height = 6
        properties = {
          title   = metric
          region  = target.region
          period  = 60
          stat    = "Maximum"
          metrics = [["AWS/RDS", metric, "ProxyName", aws_db_proxy.this.name]]
        }
      }
    ]
  })
}
