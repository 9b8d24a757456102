template "multi_layer_caching_alarms" {
  for     = service
  pattern = "multi_layer_caching"
  file    = "service_${service.name}_edge_alarms.tf"
}

# Hits and the origin's latency are measured only with this subscription.
resource "aws_cloudfront_monitoring_subscription" "this_edge" {
  distribution_id = aws_cloudfront_distribution.this.id

  monitoring_subscription {
    realtime_metrics_subscription_config {
      realtime_metrics_subscription_status = "Enabled"
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this_edge" {
  provider = aws.us_east_1

  for_each = {
    hits = {
      metric    = "CacheHitRate"
      operator  = "LessThanThreshold"
      threshold = let.layers.min_hit_ratio
      means     = "The edge answers less than ${let.layers.min_hit_ratio} % by itself: look for headers and query parameters that make copies, or short lifetimes."
    }
    errors = {
      metric    = "5xxErrorRate"
      operator  = "GreaterThanThreshold"
      threshold = 1
      means     = "More than 1 % of the requests fail at the edge."
    }
  }

  alarm_name          = "${let.edge_name}-edge-${each.key}"
  alarm_description   = each.value.means
  comparison_operator = each.value.operator
  threshold           = each.value.threshold
  evaluation_periods  = 3
  period              = 300
  namespace           = "AWS/CloudFront"
  metric_name         = each.value.metric
  statistic           = "Average"
  dimensions          = { DistributionId = aws_cloudfront_distribution.this.id, Region = "Global" }
  treat_missing_data  = "notBreaching"
  alarm_actions       = [local.edge_topic_arn]
  ok_actions          = [local.edge_topic_arn]
}

resource "aws_cloudwatch_log_delivery_source" "this_edge" {
  provider = aws.us_east_1

  name         = let.edge_name
  log_type     = "ACCESS_LOGS"
  resource_arn = aws_cloudfront_distribution.this.arn
}

resource "aws_cloudwatch_log_delivery" "this_edge" {
  provider = aws.us_east_1

  delivery_source_name     = aws_cloudwatch_log_delivery_source.this_edge.name
  delivery_destination_arn = aws_cloudwatch_log_delivery_destination.edge.arn

  s3_delivery_configuration {
    suffix_path = "/{DistributionId}/{yyyy}/{MM}/{dd}/{HH}"
  }

  depends_on = [aws_s3_bucket_policy.edge_logs]
}

# From the outside to the inside: what each layer answers by itself, and what reaches the next.
resource "aws_cloudwatch_dashboard" "this_layers" {
  dashboard_name = "${let.edge_name}-layers"
  dashboard_body = jsonencode({
    widgets = [
      {
        type   = "metric"
        x      = 0
        y      = 0
        width  = 8
        height = 6
        properties = {
          title   = "Edge: hits, in percent"
          region  = "us-east-1"
          period  = 300
          stat    = "Average"
          metrics = [["AWS/CloudFront", "CacheHitRate", "DistributionId", aws_cloudfront_distribution.this.id, "Region", "Global"]]
        }
      },
      {
        type   = "metric"
        x      = 8
        y      = 0
        width  = 8
        height = 6
        properties = {
          title  = "Cache: hits and misses"
          region = target.region
          period = 300
          stat   = "Sum"
          metrics = [
            for metric in let.edge_cache.engine == "memcached" ? ["GetHits", "GetMisses"] : ["CacheHits", "CacheMisses"] :
            [{ expression = "SUM(SEARCH('{AWS/ElastiCache,CacheClusterId} MetricName=\"${metric}\" CacheClusterId=${let.edge_cache.let.name}', 'Sum', 300))", label = metric, id = lower(metric) }]
          ]
        }
      },
      {
        type   = "metric"
        x      = 16
        y      = 0
        width  = 8
        height = 6
        properties = {
          title   = "Changes: the oldest that waits, in seconds"
          region  = target.region
          period  = 60
          stat    = "Maximum"
          metrics = [["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", aws_sqs_queue[let.edge_cache.name].name]]
        }
      },
    ]
  })
}
