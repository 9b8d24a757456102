# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "aws_cloudwatch_metric_alarm" "catalog" {
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
      threshold = 3435973836
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
      threshold = 3243
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

  alarm_name          = "everything-catalog-${each.key}"
  alarm_description   = each.value.means
  comparison_operator = each.value.operator
  threshold           = each.value.threshold
  evaluation_periods  = 3
  period              = 300
  namespace           = "AWS/RDS"
  metric_name         = each.value.metric
  statistic           = "Average"
  dimensions          = { DBInstanceIdentifier = aws_db_instance.catalog.identifier }
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# Transaction ids wrap around after two thousand million. Long before, PostgreSQL stops taking writes unless rows were frozen.
resource "aws_cloudwatch_metric_alarm" "catalog_wraparound" {
  alarm_name          = "everything-catalog-wraparound"
  alarm_description   = "Autovacuum does not keep up: half of all transaction ids are used. Look for transactions that never end."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1000000000
  evaluation_periods  = 1
  period              = 3600
  namespace           = "AWS/RDS"
  metric_name         = "MaximumUsedTransactionIDs"
  statistic           = "Maximum"
  dimensions          = { DBInstanceIdentifier = aws_db_instance.catalog.identifier }
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "catalog_replica_lag" {
  for_each = aws_db_instance.catalog_replica

  alarm_name          = "${each.value.identifier}-lag"
  alarm_description   = "The replica falls behind: look for long queries on it, or for a burst of writes."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 5
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  period              = 60
  namespace           = "AWS/RDS"
  metric_name         = "ReplicaLag"
  statistic           = "Average"
  dimensions          = { DBInstanceIdentifier = each.value.identifier }
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

# The lag is -1 once copying has stopped, which no "greater than" sees: both are one expression here.
resource "aws_cloudwatch_metric_alarm" "catalog_replica_unfit" {
  for_each = aws_db_instance.catalog_replica

  alarm_name          = "${each.value.identifier}-unfit"
  alarm_description   = "The replica is too far behind or has stopped copying, and gets no more queries."
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "unfit"
    expression  = "IF(lag > 30 OR lag < 0, 1, 0)"
    label       = "behind or stopped"
    return_data = true
  }

  metric_query {
    id = "lag"

    metric {
      namespace   = "AWS/RDS"
      metric_name = "ReplicaLag"
      period      = 60
      stat        = "Maximum"
      dimensions  = { DBInstanceIdentifier = each.value.identifier }
    }
  }
}

locals {
  catalog_replica_alarms = {
    cpu = {
      metric    = "CPUUtilization"
      threshold = 80
      means     = "The replica's processor is busy: add one, or make them larger."
    }
    read-latency = {
      metric    = "ReadLatency"
      threshold = 0.02
      means     = "Reading from the replica's disk takes more than 20 ms."
    }
    connections = {
      metric    = "DatabaseConnections"
      threshold = 3243
      means     = "Clients use the connections that are reserved for administration."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "catalog_replica" {
  for_each = {
    for pair in setproduct(keys(aws_db_instance.catalog_replica), keys(local.catalog_replica_alarms)) :
    "${pair[0]}-${pair[1]}" => merge(local.catalog_replica_alarms[pair[1]], { replica = pair[0] })
  }

  alarm_name          = "everything-catalog-replica-${each.key}"
  alarm_description   = each.value.means
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  evaluation_periods  = 3
  period              = 300
  namespace           = "AWS/RDS"
  metric_name         = each.value.metric
  statistic           = "Average"
  dimensions          = { DBInstanceIdentifier = aws_db_instance.catalog_replica[each.value.replica].identifier }
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "catalog_pool_used" {
  alarm_name          = "everything-catalog-pool-used"
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
      dimensions  = { ProxyName = aws_db_proxy.catalog.name }
    }
  }

  metric_query {
    id = "allowed"

    metric {
      namespace   = "AWS/RDS"
      metric_name = "MaxDatabaseConnectionsAllowed"
      period      = 60
      stat        = "Maximum"
      dimensions  = { ProxyName = aws_db_proxy.catalog.name }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "catalog_pool" {
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
      threshold = 3600
      means     = "Nearly as many clients as were planned for (max_clients): one of them leaks, or there are more."
    }
  }

  alarm_name          = "everything-catalog-pool-${each.key}"
  alarm_description   = each.value.means
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  evaluation_periods  = 3
  period              = 60
  namespace           = "AWS/RDS"
  metric_name         = each.value.metric
  statistic           = each.value.statistic
  dimensions          = { ProxyName = aws_db_proxy.catalog.name }
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}
