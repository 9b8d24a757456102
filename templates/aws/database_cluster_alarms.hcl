template "database_cluster_alarms" {
  for  = database
  when = database.flavour == "cluster" && database.database_sharding == null
  file = "database_${database.name}_alarms.tf"
}

# Over all instances of the cluster: the worst one counts, whichever it is after a failover.
resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = {
    cpu = {
      metric    = "CPUUtilization"
      statistic = "Maximum"
      operator  = "GreaterThanThreshold"
      threshold = 80
      means     = "An instance has been busy for a quarter of an hour. Performance Insights names the statements."
    }
    memory = {
      metric    = "FreeableMemory"
      statistic = "Minimum"
      operator  = "LessThanThreshold"
      threshold = floor(database.memory / 20)
      means     = "Less than a twentieth of an instance's memory is left."
    }
    connections = {
      metric    = "DatabaseConnections"
      statistic = "Maximum"
      operator  = "GreaterThanThreshold"
      threshold = database.usable_connections
      means     = "Services use the connections that are reserved for administration and failover."
    }
    local-storage = {
      metric    = "FreeLocalStorage"
      statistic = "Minimum"
      operator  = "LessThanThreshold"
      threshold = 5368709120
      means     = "Less than 5 GiB are left on an instance for temporary tables and logs: large sorts will fail."
    }
    volume = {
      metric    = "VolumeBytesUsed"
      statistic = "Maximum"
      operator  = "GreaterThanThreshold"
      threshold = floor(database.max_storage * 0.9)
      means     = "The data has grown to nine tenths of what was planned for (max_storage). Aurora does not stop it."
    }
  }

  alarm_name          = "${let.name}-${each.key}"
  alarm_description   = each.value.means
  comparison_operator = each.value.operator
  threshold           = each.value.threshold
  evaluation_periods  = 3
  period              = 300
  namespace           = "AWS/RDS"
  metric_name         = each.value.metric
  statistic           = each.value.statistic
  dimensions          = { DBClusterIdentifier = aws_rds_cluster.this.cluster_identifier }
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# A burstable class earns its processor by idling; without credits it crawls.
resource "aws_cloudwatch_metric_alarm" "this_credits" {
  when = let.burstable

  alarm_name          = "${let.name}-credits"
  alarm_description   = "The processor's credits are running out. Choose a class that is not burstable if this happens often."
  comparison_operator = "LessThanThreshold"
  threshold           = 50
  evaluation_periods  = 2
  period              = 300
  namespace           = "AWS/RDS"
  metric_name         = "CPUCreditBalance"
  statistic           = "Minimum"
  dimensions          = { DBClusterIdentifier = aws_rds_cluster.this.cluster_identifier }
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

# Transaction ids wrap around after two thousand million. Long before, PostgreSQL stops taking writes unless rows were frozen.
resource "aws_cloudwatch_metric_alarm" "this_wraparound" {
  when = database.engine == "postgres"

  alarm_name          = "${let.name}-wraparound"
  alarm_description   = "Autovacuum does not keep up: half of all transaction ids are used. Look for transactions that never end."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1000000000
  evaluation_periods  = 1
  period              = 3600
  namespace           = "AWS/RDS"
  metric_name         = "MaximumUsedTransactionIDs"
  statistic           = "Maximum"
  dimensions          = { DBClusterIdentifier = aws_rds_cluster.this.cluster_identifier }
  alarm_actions       = [aws_sns_topic.alarms.arn]
}
