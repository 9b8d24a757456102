# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "aws_cloudwatch_metric_alarm" "orders" {
  for_each = {
    cpu = {
      metric    = "CPUUtilization"
      operator  = "GreaterThanThreshold"
      threshold = 80
      means     = "The processor has been busy for a quarter of an hour. Performance Insights names the statements."
    }
    memory = {
      metric    = "FreeableMemory"
      operator  = "LessThanThreshold"
      threshold = 1717986918
      means     = "Less than a tenth of the memory is left: soon reads come from the disk, or the server swaps."
    }
    storage = {
      metric    = "FreeStorageSpace"
      operator  = "LessThanThreshold"
      threshold = 21474836480
      means     = "The disk is nearly full and has not grown by itself. A full disk stops all writes."
    }
    connections = {
      metric    = "DatabaseConnections"
      operator  = "GreaterThanThreshold"
      threshold = 1621
      means     = "Services use the connections that are reserved for administration and failover."
    }
    disk-queue = {
      metric    = "DiskQueueDepth"
      operator  = "GreaterThanThreshold"
      threshold = 64
      means     = "Requests pile up before the disk: it has too few operations a second, or statements read too much."
    }
    read-latency = {
      metric    = "ReadLatency"
      operator  = "GreaterThanThreshold"
      threshold = 0.02
      means     = "Reading from the disk takes more than 20 ms."
    }
    write-latency = {
      metric    = "WriteLatency"
      operator  = "GreaterThanThreshold"
      threshold = 0.02
      means     = "Writing to the disk takes more than 20 ms."
    }
  }

  alarm_name          = "connection-pooling-orders-${each.key}"
  alarm_description   = each.value.means
  comparison_operator = each.value.operator
  threshold           = each.value.threshold
  evaluation_periods  = 3
  period              = 300
  namespace           = "AWS/RDS"
  metric_name         = each.value.metric
  statistic           = "Average"
  dimensions          = { DBInstanceIdentifier = aws_db_instance.orders.identifier }
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# Transaction ids wrap around after two thousand million. Long before, PostgreSQL stops taking writes unless rows were frozen.
resource "aws_cloudwatch_metric_alarm" "orders_wraparound" {
  alarm_name          = "connection-pooling-orders-wraparound"
  alarm_description   = "Autovacuum does not keep up: half of all transaction ids are used. Look for transactions that never end."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1000000000
  evaluation_periods  = 1
  period              = 3600
  namespace           = "AWS/RDS"
  metric_name         = "MaximumUsedTransactionIDs"
  statistic           = "Maximum"
  dimensions          = { DBInstanceIdentifier = aws_db_instance.orders.identifier }
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "orders_pool_used" {
  alarm_name          = "connection-pooling-orders-pool-used"
  alarm_description   = "Nearly all connections of the pool are lent: soon clients wait, then they get errors."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 90
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
      dimensions  = { ProxyName = aws_db_proxy.orders.name }
    }
  }

  metric_query {
    id = "allowed"

    metric {
      namespace   = "AWS/RDS"
      metric_name = "MaxDatabaseConnectionsAllowed"
      period      = 60
      stat        = "Maximum"
      dimensions  = { ProxyName = aws_db_proxy.orders.name }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "orders_pool" {
  for_each = {
    wait = {
      metric    = "DatabaseConnectionsBorrowLatency"
      statistic = "Average"
      threshold = 2500000 # microseconds: half of what clients wait at most
      means     = "Clients wait long for a connection."
    }
    pinned = {
      metric    = "DatabaseConnectionsCurrentlySessionPinned"
      statistic = "Maximum"
      threshold = 4
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
      threshold = 4500
      means     = "Nearly as many clients as were planned for (max_clients): one of them leaks, or there are more."
    }
  }

  alarm_name          = "connection-pooling-orders-pool-${each.key}"
  alarm_description   = each.value.means
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  evaluation_periods  = 3
  period              = 60
  namespace           = "AWS/RDS"
  metric_name         = each.value.metric
  statistic           = each.value.statistic
  dimensions          = { ProxyName = aws_db_proxy.orders.name }
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}
