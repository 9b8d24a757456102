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
      threshold = 10737418240
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

  alarm_name          = "in-memory-caching-catalog-${each.key}"
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
  alarm_name          = "in-memory-caching-catalog-wraparound"
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
