# A breaker for every endpoint (proxy.hcl), seen every few seconds.
template "circuit_breaker_advanced" {
  for  = service
  when = service.runs_on == null
  file = "service_${service.name}_breaker.tf"

  covers = {
    granular_metrics    = [aws_cloudwatch_metric_alarm.this_breaker.period, aws_cloudwatch_dashboard.this_breakers.dashboard_body]
    adaptive_thresholds = [aws_cloudwatch_metric_alarm.this_breaker_latency.threshold_metric_id, let.adaptive ? file["service_this/envoy.yaml"].static_resources.listeners.filter_chains.filters.typed_config.http_filters.typed_config.gradient_controller_config : file["service_this/envoy.yaml"].static_resources.clusters.outlier_detection.success_rate_stdev_factor]
    fallbacks           = [let.mode == "forced_open" ? file["service_this/envoy.yaml"].static_resources.listeners.filter_chains.filters.typed_config.route_config.virtual_hosts.routes.direct_response : file["service_this/envoy.yaml"].static_resources.listeners.filter_chains.filters.typed_config.local_reply_config.mappers.filter]
    states              = [aws_cloudwatch_composite_alarm.this_breaker.alarm_rule, aws_cloudwatch_composite_alarm.this_breaker.ok_actions]
    per_endpoint        = [file["service_this/envoy.yaml"].static_resources.clusters.circuit_breakers.thresholds.max_requests, aws_cloudwatch_metric_alarm.this_breaker.dimensions]
  }
}

locals {
  # One for each endpoint of each destination.
  this_breakers = let.broken

  # Its state, and what leads to it: calls that wait, are refused, or come to nothing.
  this_breaker_signs = {
    open      = { metric = "envoy.cluster.outlier_detection.ejections_active", statistic = "Maximum", threshold = 0, periods = max(1, ceil(let.advanced.open_alarm / let.sample)) }
    saturated = { metric = "envoy.cluster.circuit_breakers.default.rq_open", statistic = "Maximum", threshold = 0, periods = 2 }
    overflow  = { metric = "envoy.cluster.upstream_rq_pending_overflow", statistic = "Sum", threshold = 10, periods = 3 }
    timeouts  = { metric = "envoy.cluster.upstream_rq_timeout", statistic = "Sum", threshold = 20, periods = 3 }
  }
}

resource "aws_cloudwatch_metric_alarm" "this_breaker" {
  for_each = {
    for pair in setproduct(local.this_breakers, keys(local.this_breaker_signs)) :
    "${pair[0]}-${pair[1]}" => merge(local.this_breaker_signs[pair[1]], { cluster = pair[0] })
  }

  alarm_name          = "${let.name}-breaker-${each.key}"
  namespace           = let.name
  metric_name         = each.value.metric
  dimensions          = { "envoy.cluster_name" = each.value.cluster }
  statistic           = each.value.statistic
  period              = let.sample
  evaluation_periods  = each.value.periods
  threshold           = each.value.threshold
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
}

# The band follows the hour and the weekday, as the latency does.
resource "aws_cloudwatch_metric_alarm" "this_breaker_latency" {
  for_each = toset(local.this_breakers)

  alarm_name          = "${let.name}-breaker-${each.key}-latency"
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
      namespace   = let.name
      metric_name = "envoy.cluster.upstream_rq_time"
      period      = 60
      stat        = "p95"
      dimensions  = { "envoy.cluster_name" = each.key }
    }
  }
}

# One message for each breaker, whatever went wrong with it.
resource "aws_cloudwatch_composite_alarm" "this_breaker" {
  for_each = toset(local.this_breakers)

  alarm_name        = "${let.name}-breaker-${each.key}"
  alarm_description = "Calls to ${each.key} are failing, waiting or refused."
  alarm_rule = join(" OR ", concat(
    [for sign in keys(local.this_breaker_signs) : "ALARM(\"${aws_cloudwatch_metric_alarm.this_breaker["${each.key}-${sign}"].alarm_name}\")"],
    ["ALARM(\"${aws_cloudwatch_metric_alarm.this_breaker_latency[each.key].alarm_name}\")"],
  ))
  alarm_actions = [aws_sns_topic.alarms.arn]
  ok_actions    = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_dashboard" "this_breakers" {
  dashboard_name = "${let.name}-breakers"
  dashboard_body = jsonencode({
    widgets = [for i, name in local.this_breakers : {
      type   = "metric"
      x      = 12 * (i % 2)
      y      = 6 * floor(i / 2)
      width  = 12
      height = 6

      properties = {
        title   = name
        region  = target.region
        period  = let.sample
        metrics = [for kind, sign in local.this_breaker_signs : [let.name, sign.metric, "envoy.cluster_name", name, { stat = sign.statistic, label = kind }]]
      }
    }]
  })
}
