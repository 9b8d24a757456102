template "cdn_distribution_alarms" {
  for     = site
  pattern = "cdn_distribution"
  file    = "site_${site.name}_alarms.tf"

  approximates = {
    invalidation = {
      by  = [let.invalidates ? null : aws_cloudfront_cache_policy.this.max_ttl]
      why = site.origin == null ? "Pages are thrown out by hand, or forgotten when their time is over." : "CloudFront does not hear of changes in a service: its pages are forgotten when their time is over; multi_layer_caching on the service throws them out."
    }
  }
}

# Hits, the origin's latency and errors by status are measured only with this subscription.
resource "aws_cloudfront_monitoring_subscription" "this" {
  distribution_id = aws_cloudfront_distribution.this.id

  monitoring_subscription {
    realtime_metrics_subscription_config {
      realtime_metrics_subscription_status = "Enabled"
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  provider = aws.us_east_1

  for_each = {
    hits = {
      metric    = "CacheHitRate"
      operator  = "LessThanThreshold"
      threshold = let.cdn.min_hit_ratio
      means     = "The network answers less than ${let.cdn.min_hit_ratio} % by itself: look for query parameters and headers that make copies, or short lifetimes."
    }
    errors = {
      metric    = "5xxErrorRate"
      operator  = "GreaterThanThreshold"
      threshold = let.cdn.max_errors
      means     = "More than ${let.cdn.max_errors} % of the requests fail."
    }
    origin = {
      metric    = "OriginLatency"
      operator  = "GreaterThanThreshold"
      threshold = 1000 * let.cdn.max_origin_latency
      means     = "The origin takes longer than ${duration(let.cdn.max_origin_latency)} to begin its answers."
    }
  }

  alarm_name          = "${let.name}-${each.key}"
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

# Traffic is what a network costs.
resource "aws_cloudwatch_metric_alarm" "this_bytes" {
  provider = aws.us_east_1

  alarm_name          = "${let.name}-bytes"
  alarm_description   = "More than ${quantity(let.cdn.max_bytes)}B were sent in a day: somebody links to large files, or copies the site."
  comparison_operator = "GreaterThanThreshold"
  threshold           = let.cdn.max_bytes
  evaluation_periods  = 1
  period              = 86400
  namespace           = "AWS/CloudFront"
  metric_name         = "BytesDownloaded"
  statistic           = "Sum"
  dimensions          = { DistributionId = aws_cloudfront_distribution.this.id, Region = "Global" }
  treat_missing_data  = "notBreaching"
  alarm_actions       = [local.edge_topic_arn]
}

# By place, which no measurement is: x-edge-location stands in the logs.
resource "aws_cloudwatch_log_delivery_source" "this" {
  provider = aws.us_east_1

  name         = let.name
  log_type     = "ACCESS_LOGS"
  resource_arn = aws_cloudfront_distribution.this.arn
}

resource "aws_cloudwatch_log_delivery" "this" {
  provider = aws.us_east_1

  delivery_source_name     = aws_cloudwatch_log_delivery_source.this.name
  delivery_destination_arn = aws_cloudwatch_log_delivery_destination.edge.arn

  s3_delivery_configuration {
    suffix_path = "/{DistributionId}/{yyyy}/{MM}/{dd}/{HH}"
  }

  depends_on = [aws_s3_bucket_policy.edge_logs]
}

resource "aws_budgets_budget" "this" {
  when = let.cdn.monthly_budget != null

  name         = let.name
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(let.cdn.monthly_budget)
  limit_unit   = "USD"

  # The tag has to be activated as a cost allocation tag once.
  cost_filter {
    name   = "TagKeyValue"
    values = [format("user:Name$%s", let.name)]
  }

  notification {
    comparison_operator       = "GREATER_THAN"
    notification_type         = "FORECASTED"
    threshold                 = 100
    threshold_type            = "PERCENTAGE"
    subscriber_sns_topic_arns = [aws_sns_topic.alarms.arn]
  }
}
