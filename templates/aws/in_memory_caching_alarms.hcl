template "in_memory_caching_alarms" {
  for     = cache
  pattern = "in_memory_caching"
  when    = cache.engine != "memcached"
  file    = "cache_${cache.name}_alarms.tf"
}

# A node that is hardly asked has no share worth an alarm.
resource "aws_cloudwatch_metric_alarm" "this_hits" {
  for_each = toset(local.this_nodes)

  alarm_name          = "${each.key}-hits"
  alarm_description   = "The cache answers less than ${cache.in_memory_caching.min_hit_ratio} % of what it is asked; the database answers the rest."
  comparison_operator = "LessThanThreshold"
  threshold           = cache.in_memory_caching.min_hit_ratio
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

  depends_on = [aws_elasticache_replication_group.this]
}

resource "aws_cloudwatch_metric_alarm" "this_evictions" {
  for_each = toset(local.this_nodes)

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

  depends_on = [aws_elasticache_replication_group.this]
}
