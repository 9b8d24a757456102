# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

locals {
  # ElastiCache names its nodes like this. Alarms cannot search for them, so they are listed.
  sessions_nodes = [
    "redis-cluster-sessions-0001-001",
    "redis-cluster-sessions-0001-002",
    "redis-cluster-sessions-0002-001",
    "redis-cluster-sessions-0002-002",
    "redis-cluster-sessions-0003-001",
    "redis-cluster-sessions-0003-002",
  ]

  sessions_alarms = {
    memory = {
      metric    = "DatabaseMemoryUsagePercentage"
      operator  = "GreaterThanThreshold"
      threshold = 80
      means     = "80 % of a node's memory are used. When it is full, keys give way."
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
      means     = "Far more connections than the 120 that all clients together should have: one of them leaks."
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

locals {
  # One node of each shard: its copies hold the same keys. An alarm looks at ten measurements at most.
  sessions_shard_nodes = [
    "redis-cluster-sessions-0001-001",
    "redis-cluster-sessions-0002-001",
    "redis-cluster-sessions-0003-001",
  ]
}

# One shard holds much more than the others: a key that is too large, or one hash tag for too many.
resource "aws_cloudwatch_metric_alarm" "sessions_skew" {
  alarm_name          = "redis-cluster-sessions-skew"
  alarm_description   = "A shard holds more than 1.5 times as much as the average. Look for large keys and for hash tags."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1.5
  evaluation_periods  = 6
  datapoints_to_alarm = 4
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "skew"
    expression  = "MAX(METRICS()) / AVG(METRICS())"
    label       = "largest shard over average"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = local.sessions_shard_nodes

    content {
      id = "shard${metric_query.key}"

      metric {
        namespace   = "AWS/ElastiCache"
        metric_name = "BytesUsedForCache"
        period      = 300
        stat        = "Average"
        dimensions  = { CacheClusterId = metric_query.value }
      }
    }
  }
}

locals {
  sessions_dashboard_metrics = ["DatabaseMemoryUsagePercentage", "EngineCPUUtilization", "CurrConnections", "ReplicationLag"]
}

# Alarms cannot search, dashboards can: this one shows the nodes too that auto scaling has added. Without quotes the
# name is found as the beginning of a node's.
resource "aws_cloudwatch_dashboard" "sessions" {
  dashboard_name = "redis-cluster-sessions"
  dashboard_body = jsonencode({
    widgets = [
      for i, metric in local.sessions_dashboard_metrics : {
        type   = "metric"
        x      = 0
        y      = 7 * i
        width  = 24
        height = 7
        properties = {
          title  = metric
          region = "eu-west-1"
          period = 60
          metrics = [[{
            id         = "nodes"
            expression = "SEARCH('{AWS/ElastiCache,CacheClusterId} MetricName=\"${metric}\" CacheClusterId=redis-cluster-sessions', 'Maximum', 60)"
          }]]
        }
      }
    ]
  })
}
