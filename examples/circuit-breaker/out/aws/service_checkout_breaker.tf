# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

# 0 while it is closed.
resource "aws_cloudwatch_metric_alarm" "checkout_breaker_open" {
  for_each = toset(["bank", "payments"])

  alarm_name          = "circuit-breaker-checkout-breaker-open-${each.key}"
  alarm_description   = "Hosts of ${each.key} are left alone: its breaker is open."
  namespace           = "circuit-breaker-checkout"
  metric_name         = "envoy.cluster.outlier_detection.ejections_active"
  dimensions          = { "envoy.cluster_name" = each.key }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "checkout_breaker_overflow" {
  for_each = toset(["bank", "payments"])

  alarm_name          = "circuit-breaker-checkout-breaker-overflow-${each.key}"
  alarm_description   = "Calls to ${each.key} are refused because too many are at work or waiting."
  namespace           = "circuit-breaker-checkout"
  metric_name         = "envoy.cluster.upstream_rq_pending_overflow"
  dimensions          = { "envoy.cluster_name" = each.key }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 3
  threshold           = 10
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}
