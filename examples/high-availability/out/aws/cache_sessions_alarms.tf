# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

locals {
  # ElastiCache names its nodes like this. Alarms cannot search for them, so they are listed.
  sessions_nodes = ["shop-sessions-001", "shop-sessions-002", "shop-sessions-003"]

  sessions_alarms = {
    memory = {
      metric    = "DatabaseMemoryUsagePercentage"
      operator  = "GreaterThanThreshold"
      threshold = 95
      means     = "95 % of a node's memory are used. When it is full, keys give way."
    }
    engine-cpu = {
      metric    = "EngineCPUUtilization"
      operator  = "GreaterThanThreshold"
      threshold = 80
      means     = "The one thread that answers commands is busy: look for slow commands, or add shards."
    }
    connections = {
      metric    = "CurrConnections"
      operator  = "GreaterThanThreshold"
      threshold = 1000
      means     = "Far more connections than the 240 that all clients together should have: one of them leaks."
    }
    replication-lag = {
      metric    = "ReplicationLag"
      operator  = "GreaterThanThreshold"
      threshold = 5
      means     = "A copy is more than five seconds behind: a failover now would lose that much."
    }
    swap = {
      metric    = "SwapUsage"
      operator  = "GreaterThanThreshold"
      threshold = 52428800
      means     = "The node swaps more than 50 MiB: its answers become slow. Raise the reserve."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "sessions" {
  for_each = {
    for pair in setproduct(local.sessions_nodes, keys(local.sessions_alarms)) :
    "${pair[0]}-${pair[1]}" => merge(local.sessions_alarms[pair[1]], { node = pair[0] })
  }

  alarm_name          = each.key
  alarm_description   = each.value.means
  comparison_operator = each.value.operator
  threshold           = each.value.threshold
  evaluation_periods  = 5
  datapoints_to_alarm = 4
  period              = 60
  namespace           = "AWS/ElastiCache"
  metric_name         = each.value.metric
  statistic           = "Maximum"
  dimensions          = { CacheClusterId = each.value.node }
  treat_missing_data  = "notBreaching" # primaries have no lag
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  depends_on = [aws_elasticache_replication_group.sessions]
}
