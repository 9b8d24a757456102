template "in_memory_caching_memcached" {
  for     = cache
  pattern = "in_memory_caching"
  when    = cache.engine == "memcached"
  file    = "cache_${cache.name}.tf"
}

# Hardly asked, it has no share worth an alarm.
resource "aws_cloudwatch_metric_alarm" "this_hits" {
  alarm_name          = "${let.name}-hits"
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
      metric_name = "GetHits"
      period      = 300
      stat        = "Sum"
      dimensions  = { CacheClusterId = aws_elasticache_cluster.this.cluster_id }
    }
  }

  metric_query {
    id = "misses"

    metric {
      namespace   = "AWS/ElastiCache"
      metric_name = "GetMisses"
      period      = 300
      stat        = "Sum"
      dimensions  = { CacheClusterId = aws_elasticache_cluster.this.cluster_id }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this_evictions" {
  alarm_name          = "${let.name}-evictions"
  alarm_description   = "Many keys give way before their time: there is more that is read often than memory."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1000
  evaluation_periods  = 5
  period              = 60
  namespace           = "AWS/ElastiCache"
  metric_name         = "Evictions"
  statistic           = "Sum"
  dimensions          = { CacheClusterId = aws_elasticache_cluster.this.cluster_id }
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}
