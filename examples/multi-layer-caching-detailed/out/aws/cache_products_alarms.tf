# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

locals {
  # ElastiCache names its nodes like this. Alarms cannot search for them, so they are listed.
  products_nodes = [
    "caching-in-depth-products-001",
    "caching-in-depth-products-002",
    "caching-in-depth-products-003",
  ]

  products_alarms = {
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

resource "aws_cloudwatch_metric_alarm" "products" {
  for_each = {
    for pair in setproduct(local.products_nodes, keys(local.products_alarms)) :
    "${pair[0]}-${pair[1]}" => merge(local.products_alarms[pair[1]], { node = pair[0] })
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

  depends_on = [aws_elasticache_replication_group.products]
}

# A node that is hardly asked has no share worth an alarm.
resource "aws_cloudwatch_metric_alarm" "products_hits" {
  for_each = toset(local.products_nodes)

  alarm_name          = "${each.key}-hits"
  alarm_description   = "The cache answers less than 84 % of what it is asked; the database answers the rest."
  comparison_operator = "LessThanThreshold"
  threshold           = 84
  evaluation_periods  = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "ratio"
    expression  = "IF(hits + misses > 1000, 100 * hits / (hits + misses), 100)"
    label       = "hits, in percent"
    return_data = true
  }

  metric_query {
    id = "hits"

    metric {
      namespace   = "AWS/ElastiCache"
      metric_name = "CacheHits"
      period      = 300
      stat        = "Sum"
      dimensions  = { CacheClusterId = each.key }
    }
  }

  metric_query {
    id = "misses"

    metric {
      namespace   = "AWS/ElastiCache"
      metric_name = "CacheMisses"
      period      = 300
      stat        = "Sum"
      dimensions  = { CacheClusterId = each.key }
    }
  }

  depends_on = [aws_elasticache_replication_group.products]
}

resource "aws_cloudwatch_metric_alarm" "products_evictions" {
  for_each = toset(local.products_nodes)

  alarm_name          = "${each.key}-evictions"
  alarm_description   = "Many keys give way before their time: there is more that is read often than memory."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1000
  evaluation_periods  = 5
  period              = 60
  namespace           = "AWS/ElastiCache"
  metric_name         = "Evictions"
  statistic           = "Sum"
  dimensions          = { CacheClusterId = each.key }
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]

  depends_on = [aws_elasticache_replication_group.products]
}
