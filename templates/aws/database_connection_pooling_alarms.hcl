template "database_connection_pooling_alarms" {
  for     = database
  pattern = "database_connection_pooling"
  when    = database.database_sharding == null
  file    = "database_${database.name}_alarms.tf"
}

# A leak is a number that leaves its own history, however high that is.
resource "aws_cloudwatch_metric_alarm" "this_pool_leak" {
  alarm_name          = "${let.name}-pool-leak"
  alarm_description   = "There are more clients than at this time of other days: one does not give connections back. The log says which."
  comparison_operator = "GreaterThanUpperThreshold"
  threshold_metric_id = "expected"
  evaluation_periods  = 15
  datapoints_to_alarm = 12
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "expected"
    expression  = "ANOMALY_DETECTION_BAND(clients, 3)"
    label       = "expected"
    return_data = true
  }

  metric_query {
    id          = "clients"
    return_data = true

    metric {
      namespace   = "AWS/RDS"
      metric_name = "ClientConnections"
      period      = 60
      stat        = "Maximum"
      dimensions  = { ProxyName = aws_db_proxy.this.name }
    }
  }
}
