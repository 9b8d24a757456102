# A second, smaller group that takes a share of the requests. Its weight is raised step by step in the blueprint.
template "canary_deployment" {
  for  = service
  when = service.runs_on == null
  file = "service_${service.name}_rollout.tf"

  covers = {
    traffic_split = [length(service.balancer.paths) == 0 ? aws_lb_listener.this.default_action.forward.target_group.weight : aws_lb_listener_rule.this_path.action.forward.target_group.weight]
    metrics       = [aws_cloudwatch_metric_alarm.this_track_errors.metric_query.metric.dimensions, aws_cloudwatch_metric_alarm.this_track_latency.extended_statistic, aws_cloudwatch_dashboard.this_tracks.dashboard_body]
    criteria      = [aws_cloudwatch_metric_alarm.this_canary_errors.threshold, aws_cloudwatch_metric_alarm.this_track_latency.threshold]
    rollback      = service.canary_deployment.rollback == "alarms" ? aws_ssm_document.this_rollback.content : aws_cloudwatch_metric_alarm.this_canary_errors.alarm_actions
    segments      = [aws_lb_listener_rule.this_header.condition, aws_lb_listener_rule.this_cookie.condition]
  }

  ignores = {
    step_time = "No controller takes the steps. Who has seen the canary hold raises weight."
  }

  check "balanced" {
    condition = service.balancer == null ? false : service.balancer.layer == 7
    message   = "Traffic is split by a load balancer of layer 7, and ${service.name} has none."
    fix       = "Add elastic_load_balancing."
    at        = service.canary_deployment.steps
    related   = [service.balancer]
  }
}

let {
  release = service.canary_deployment
  tested  = { port = 8443, from = ["10.0.0.0/8"] }
  # The window's least number of requests, in each of its minutes.
  minimum = ceil(service.canary_deployment.min_requests / max(1, floor(service.canary_deployment.window / 60)))
}

locals {
  this_tracks = {
    stable = {
      image        = service.image
      min          = service.min_instances
      max          = service.max_instances
      weight       = let.release.weights.stable
      target_group = "${shortname(let.name, 20)}-stable-${hash("${let.entry} ${let.balancer.protocol}", 4)}"
    }
    # Large enough for its share of the requests.
    canary = {
      image        = let.release.canary_image
      min          = let.release.canary_min
      max          = let.release.canary_max
      weight       = let.release.weights.canary
      target_group = "${shortname(let.name, 20)}-canary-${hash("${let.entry} ${let.balancer.protocol}", 4)}"
    }
  }
}

# Testers and willing users get the canary whatever its weight.
resource "aws_lb_listener_rule" "this_header" {
  listener_arn = aws_lb_listener.this.arn
  priority     = 10

  condition {
    http_header {
      http_header_name = let.release.header
      values           = [let.release.header_value]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this["canary"].arn
  }
}

resource "aws_lb_listener_rule" "this_cookie" {
  listener_arn = aws_lb_listener.this.arn
  priority     = 11

  condition {
    http_header {
      http_header_name = "Cookie"
      values           = ["*segment=${let.release.segment}*"]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this["canary"].arn
  }
}

# Worse than the version beside it, and not just a bad day for both.
resource "aws_cloudwatch_metric_alarm" "this_canary_errors" {
  alarm_name          = "${let.name}-canary-worse"
  alarm_description   = "Over ${let.release.max_errors} % more of the canary's requests fail than of the other version's."
  evaluation_periods  = max(1, floor(let.release.window / 60))
  datapoints_to_alarm = max(1, ceil(floor(let.release.window / 60) * 2 / 3))
  threshold           = let.release.max_errors
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "difference"
    label       = "canary 5xx % less stable 5xx %"
    expression  = "IF(rc > ${let.minimum}, 100 * FILL(ec, 0) / rc - IF(rs > 0, 100 * FILL(es, 0) / rs, 0), 0)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = {
      ec = { track = "canary", metric = "HTTPCode_Target_5XX_Count" }
      rc = { track = "canary", metric = "RequestCount" }
      es = { track = "stable", metric = "HTTPCode_Target_5XX_Count" }
      rs = { track = "stable", metric = "RequestCount" }
    }

    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/ApplicationELB"
        metric_name = metric_query.value.metric
        period      = 60
        stat        = "Sum"
        dimensions = {
          LoadBalancer = aws_lb.this.arn_suffix
          TargetGroup  = aws_lb_target_group.this[metric_query.value.track].arn_suffix
        }
      }
    }
  }
}

resource "aws_cloudwatch_dashboard" "this_tracks" {
  dashboard_name = "${let.name}-canary"
  dashboard_body = jsonencode({
    widgets = [for i, metric in ["RequestCount", "HTTPCode_Target_5XX_Count", "TargetResponseTime"] : {
      type   = "metric"
      x      = 8 * i
      y      = 0
      width  = 8
      height = 6

      properties = {
        title  = metric
        region = target.region
        stat   = metric == "TargetResponseTime" ? "p99" : "Sum"
        period = 60
        metrics = [
          ["AWS/ApplicationELB", metric, "LoadBalancer", aws_lb.this.arn_suffix, "TargetGroup", aws_lb_target_group.this["stable"].arn_suffix, { label = "stable" }],
          ["AWS/ApplicationELB", metric, "LoadBalancer", aws_lb.this.arn_suffix, "TargetGroup", aws_lb_target_group.this["canary"].arn_suffix, { label = "canary" }],
        ]
      }
    }]
  })
}
