# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

# Hits, the origin's latency and errors by status are measured only with this subscription.
resource "aws_cloudfront_monitoring_subscription" "assets" {
  distribution_id = aws_cloudfront_distribution.assets.id

  monitoring_subscription {
    realtime_metrics_subscription_config {
      realtime_metrics_subscription_status = "Enabled"
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "assets" {
  provider = aws.us_east_1

  for_each = {
    hits = {
      metric    = "CacheHitRate"
      operator  = "LessThanThreshold"
      threshold = 80
      means     = "The network answers less than 80 % by itself: look for query parameters and headers that make copies, or short lifetimes."
    }
    errors = {
      metric    = "5xxErrorRate"
      operator  = "GreaterThanThreshold"
      threshold = 1
      means     = "More than 1 % of the requests fail."
    }
    origin = {
      metric    = "OriginLatency"
      operator  = "GreaterThanThreshold"
      threshold = 500
      means     = "The origin takes longer than 500ms to begin its answers."
    }
  }

  alarm_name          = "cdn-distribution-assets-${each.key}"
  alarm_description   = each.value.means
  comparison_operator = each.value.operator
  threshold           = each.value.threshold
  evaluation_periods  = 3
  period              = 300
  namespace           = "AWS/CloudFront"
  metric_name         = each.value.metric
  statistic           = "Average"
  dimensions          = { DistributionId = aws_cloudfront_distribution.assets.id, Region = "Global" }
  treat_missing_data  = "notBreaching"
  alarm_actions       = [local.edge_topic_arn]
  ok_actions          = [local.edge_topic_arn]
}

# Traffic is what a network costs.
resource "aws_cloudwatch_metric_alarm" "assets_bytes" {
  provider = aws.us_east_1

  alarm_name          = "cdn-distribution-assets-bytes"
  alarm_description   = "More than 1TiB were sent in a day: somebody links to large files, or copies the site."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1099511627776
  evaluation_periods  = 1
  period              = 86400
  namespace           = "AWS/CloudFront"
  metric_name         = "BytesDownloaded"
  statistic           = "Sum"
  dimensions          = { DistributionId = aws_cloudfront_distribution.assets.id, Region = "Global" }
  treat_missing_data  = "notBreaching"
  alarm_actions       = [local.edge_topic_arn]
}

# By place, which no measurement is: x-edge-location stands in the logs.
resource "aws_cloudwatch_log_delivery_source" "assets" {
  provider = aws.us_east_1

  name         = "cdn-distribution-assets"
  log_type     = "ACCESS_LOGS"
  resource_arn = aws_cloudfront_distribution.assets.arn
}

resource "aws_cloudwatch_log_delivery" "assets" {
  provider = aws.us_east_1

  delivery_source_name     = aws_cloudwatch_log_delivery_source.assets.name
  delivery_destination_arn = aws_cloudwatch_log_delivery_destination.edge.arn

  s3_delivery_configuration {
    suffix_path = "/{DistributionId}/{yyyy}/{MM}/{dd}/{HH}"
  }

  depends_on = [aws_s3_bucket_policy.edge_logs]
}
