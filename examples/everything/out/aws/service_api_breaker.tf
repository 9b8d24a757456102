# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

locals {
  # One for each endpoint of each destination.
  api_breakers = ["search_suggestions", "search_other"]

  # Its state, and what leads to it: calls that wait, are refused, or come to nothing.
  api_breaker_signs = {
    open      = { metric = "envoy.cluster.outlier_detection.ejections_active", statistic = "Maximum", threshold = 0, periods = 3 }
    saturated = { metric = "envoy.cluster.circuit_breakers.default.rq_open", statistic = "Maximum", threshold = 0, periods = 2 }
    overflow  = { metric = "envoy.cluster.upstream_rq_pending_overflow", statistic = "Sum", threshold = 10, periods = 3 }
    timeouts  = { metric = "envoy.cluster.upstream_rq_timeout", statistic = "Sum", threshold = 20, periods = 3 }
  }
}

resource "aws_cloudwatch_metric_alarm" "api_breaker" {
  for_each = {
    for pair in setproduct(local.api_breakers, keys(local.api_breaker_signs)) :
    "${pair[0]}-${pair[1]}" => merge(local.api_breaker_signs[pair[1]], { cluster = pair[0] })
  }

  alarm_name          = "everything-api-breaker-${each.key}"
  namespace           = "everything-api"
  metric_name         = each.value.metric
  dimensions          = { "envoy.cluster_name" = each.value.cluster }
  statistic           = each.value.statistic
  period              = 10
  evaluation_periods  = each.value.periods
  threshold           = each.value.threshold
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
}

# The band follows the hour and the weekday, as the latency does.
resource "aws_cloudwatch_metric_alarm" "api_breaker_latency" {
  for_each = toset(local.api_breakers)

  alarm_name          = "everything-api-breaker-${each.key}-latency"
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  threshold_metric_id = "band"
  comparison_operator = "GreaterThanUpperThreshold"
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "band"
    label       = "usual latency"
    expression  = "ANOMALY_DETECTION_BAND(latency, 2)"
    return_data = true
  }

  metric_query {
    id          = "latency"
    return_data = true

    metric {
      namespace   = "everything-api"
      metric_name = "envoy.cluster.upstream_rq_time"
      period      = 60
      stat        = "p95"
      dimensions  = { "envoy.cluster_name" = each.key }
    }
  }
}

# One message for each breaker, whatever went wrong with it.
resource "aws_cloudwatch_composite_alarm" "api_breaker" {
  for_each = toset(local.api_breakers)

  alarm_name        = "everything-api-breaker-${each.key}"
  alarm_description = "Calls to ${each.key} are failing, waiting or refused."
  alarm_rule = join(" OR ", concat(
    [for sign in keys(local.api_breaker_signs) : "ALARM(\"${aws_cloudwatch_metric_alarm.api_breaker["${each.key}-${sign}"].alarm_name}\")"],
    ["ALARM(\"${aws_cloudwatch_metric_alarm.api_breaker_latency[each.key].alarm_name}\")"],
  ))
  alarm_actions = [aws_sns_topic.alarms.arn]
  ok_actions    = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_dashboard" "api_breakers" {
  dashboard_name = "everything-api-breakers"
  dashboard_body = jsonencode({
    widgets = [for i, name in local.api_breakers : {
      type   = "metric"
      x      = 12 * (i % 2)
      y      = 6 * floor(i / 2)
      width  = 12
      height = 6

      properties = {
        title   = name
        region  = "eu-west-1"
        period  = 10
        metrics = [for kind, sign in local.api_breaker_signs : ["everything-api", sign.metric, "envoy.cluster_name", name, { stat = sign.statistic, label = kind }]]
      }
    }]
  })
}
