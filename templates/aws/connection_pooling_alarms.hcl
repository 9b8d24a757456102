template "connection_pooling_alarms" {
  for     = database
  pattern = "connection_pooling"
  when    = database.database_sharding == null
  file    = "database_${database.name}_alarms.tf"
}

resource "aws_cloudwatch_metric_alarm" "this_pool_used" {
  alarm_name          = "${let.name}-pool-used"
  alarm_description   = "Nearly all connections of the pool are lent: soon clients wait, then they get errors."
  comparison_operator = "GreaterThanThreshold"
  threshold           = database.connection_pooling.max_used
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "used"
    expression  = "100 * lent / allowed"
    label       = "lent connections, in percent"
    return_data = true
  }

  metric_query {
    id = "lent"

    metric {
      namespace   = "AWS/RDS"
      metric_name = "DatabaseConnectionsCurrentlyBorrowed"
      period      = 60
      stat        = "Maximum"
      dimensions  = { ProxyName = aws_db_proxy.this.name }
    }
  }

  metric_query {
    id = "allowed"

    metric {
      namespace   = "AWS/RDS"
      metric_name = "MaxDatabaseConnectionsAllowed"
      period      = 60
      stat        = "Maximum"
      dimensions  = { ProxyName = aws_db_proxy.this.name }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this_pool" {
  for_each = {
    wait = {
      metric    = "DatabaseConnectionsBorrowLatency"
      statistic = "Average"
      threshold = floor(500000 * database.connection_pooling.wait_timeout) # microseconds: half of what clients wait at most
      means     = "Clients wait long for a connection."
    }
    pinned = {
      metric    = "DatabaseConnectionsCurrentlySessionPinned"
      statistic = "Maximum"
      threshold = ceil(database.connection_pooling.size / 10)
      means     = "A tenth of the pool is pinned to single clients, which saves nothing: they use what belongs to a session."
    }
    refused = {
      metric    = "DatabaseConnectionsSetupFailed"
      statistic = "Sum"
      threshold = 5
      means     = "The pool cannot open connections: the password, the certificate or the database is wrong."
    }
    clients = {
      metric    = "ClientConnections"
      statistic = "Maximum"
      threshold = floor(database.connection_pooling.max_clients * 0.9)
      means     = "Nearly as many clients as were planned for (max_clients): one of them leaks, or there are more."
    }
  }

  alarm_name          = "${let.name}-pool-${each.key}"
  alarm_description   = each.value.means
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  evaluation_periods  = 3
  period              = 60
  namespace           = "AWS/RDS"
  metric_name         = each.value.metric
  statistic           = each.value.statistic
  dimensions          = { ProxyName = aws_db_proxy.this.name }
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}
