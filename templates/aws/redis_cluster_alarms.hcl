template "redis_cluster_alarms" {
  for     = cache
  pattern = "redis_cluster"
  file    = "cache_${cache.name}_alarms.tf"
}

locals {
  # One node of each shard: its copies hold the same keys. An alarm looks at ten measurements at most.
  this_shard_nodes = [for s in range(min(10, cache.redis_cluster.shards)) : format("%s-%04d-001", let.name, s + 1)]
}

# One shard holds much more than the others: a key that is too large, or one hash tag for too many.
resource "aws_cloudwatch_metric_alarm" "this_skew" {
  alarm_name          = "${let.name}-skew"
  alarm_description   = "A shard holds more than ${cache.redis_cluster.max_skew} times as much as the average. Look for large keys and for hash tags."
  comparison_operator = "GreaterThanThreshold"
  threshold           = cache.redis_cluster.max_skew
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
    for_each = local.this_shard_nodes

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
  this_dashboard_metrics = ["DatabaseMemoryUsagePercentage", "EngineCPUUtilization", "CurrConnections", "ReplicationLag"]
}

# Alarms cannot search, dashboards can: this one shows the nodes too that auto scaling has added. Without quotes the
# name is found as the beginning of a node's.
resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = let.name
  dashboard_body = jsonencode({
    widgets = [
      for i, metric in local.this_dashboard_metrics : {
        type   = "metric"
        x      = 0
        y      = 7 * i
        width  = 24
        height = 7
        properties = {
          title  = metric
          region = target.region
          period = 60
          metrics = [[{
            id         = "nodes"
            expression = "SEARCH('{AWS/ElastiCache,CacheClusterId} MetricName=\"${metric}\" CacheClusterId=${let.name}', 'Maximum', 60)"
          }]]
        }
      }
    ]
  })
}
