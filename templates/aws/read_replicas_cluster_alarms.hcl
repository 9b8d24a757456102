template "read_replicas_cluster_alarms" {
  for     = database
  pattern = "read_replicas"
  when    = database.flavour == "cluster"
  file    = "database_${database.name}_alarms.tf"
}

# Readers share the writer's storage; the lag is how old their memory is. In milliseconds.
resource "aws_cloudwatch_metric_alarm" "this_reader_behind" {
  alarm_name          = "${let.name}-reader-behind"
  alarm_description   = "A reader falls behind: it is too busy to take in what the writer changes."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1000 * database.read_replicas.warn_lag
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  period              = 60
  namespace           = "AWS/RDS"
  metric_name         = "AuroraReplicaLag"
  statistic           = "Maximum"
  dimensions          = { DBClusterIdentifier = aws_rds_cluster.this.cluster_identifier, Role = "READER" }
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "this_reader_lag" {
  alarm_name          = "${let.name}-reader-lag"
  alarm_description   = "A reader is further behind than answers may be old, or says nothing."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1000 * database.read_replicas.max_lag
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  period              = 60
  namespace           = "AWS/RDS"
  metric_name         = "AuroraReplicaLag"
  statistic           = "Maximum"
  dimensions          = { DBClusterIdentifier = aws_rds_cluster.this.cluster_identifier, Role = "READER" }
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "this_reader" {
  for_each = {
    cpu = {
      metric    = "CPUUtilization"
      threshold = 80
      means     = "The readers are busy: add one, or make them larger."
    }
    read-latency = {
      metric    = "ReadLatency"
      threshold = 0.02
      means     = "Reading from the storage takes the readers more than 20 ms."
    }
    connections = {
      metric    = "DatabaseConnections"
      threshold = database.usable_connections
      means     = "Clients use the connections that are reserved for administration."
    }
  }

  alarm_name          = "${let.name}-reader-${each.key}"
  alarm_description   = each.value.means
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  evaluation_periods  = 3
  period              = 300
  namespace           = "AWS/RDS"
  metric_name         = each.value.metric
  statistic           = "Average"
  dimensions          = { DBClusterIdentifier = aws_rds_cluster.this.cluster_identifier, Role = "READER" }
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}
