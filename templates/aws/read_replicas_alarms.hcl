template "read_replicas_alarms" {
  for     = database
  pattern = "read_replicas"
  when    = database.flavour == "server"
  file    = "database_${database.name}_alarms.tf"
}

resource "aws_cloudwatch_metric_alarm" "this_replica_lag" {
  for_each = aws_db_instance.this_replica

  alarm_name          = "${each.value.identifier}-lag"
  alarm_description   = "The replica falls behind: look for long queries on it, or for a burst of writes."
  comparison_operator = "GreaterThanThreshold"
  threshold           = database.read_replicas.warn_lag
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
resource "aws_cloudwatch_metric_alarm" "this_replica_unfit" {
  for_each = aws_db_instance.this_replica

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
    expression  = "IF(lag > ${database.read_replicas.max_lag} OR lag < 0, 1, 0)"
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
  this_replica_alarms = {
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
      threshold = database.usable_connections
      means     = "Clients use the connections that are reserved for administration."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this_replica" {
  for_each = {
    for pair in setproduct(keys(aws_db_instance.this_replica), keys(local.this_replica_alarms)) :
    "${pair[0]}-${pair[1]}" => merge(local.this_replica_alarms[pair[1]], { replica = pair[0] })
  }

  alarm_name          = "${let.name}-replica-${each.key}"
  alarm_description   = each.value.means
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  evaluation_periods  = 3
  period              = 300
  namespace           = "AWS/RDS"
  metric_name         = each.value.metric
  statistic           = "Average"
  dimensions          = { DBInstanceIdentifier = aws_db_instance.this_replica[each.value.replica].identifier }
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}
