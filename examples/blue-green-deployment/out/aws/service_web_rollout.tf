# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

locals {
  # Both stay at full size around a release. Between releases the one that does not serve can be put to rest.
  web_tracks = {
    blue = {
      image        = "ghcr.io/acme/web:1.4.2"
      max          = 9
      min          = 3
      target_group = "blue-green-dep-526c10-blue-1581"
      weight       = 100
    }
    green = {
      image        = "ghcr.io/acme/web:1.5.0"
      max          = 9
      min          = 3
      target_group = "blue-green-dep-526c10-green-1581"
      weight       = 0
    }
  }
}

# Leads to what does not serve yet. Both versions are in it, for the instances of a target group that no listener
# leads to never count as healthy; so it stands before the groups, and the listener that serves comes after them.
resource "aws_lb_listener" "web_test" {
  load_balancer_arn = aws_lb.web.arn
  port              = 8443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn

  default_action {
    type = "forward"

    forward {
      dynamic "target_group" {
        for_each = local.web_tracks

        content {
          arn    = aws_lb_target_group.web[target_group.key].arn
          weight = 100 - target_group.value.weight
        }
      }
    }
  }
}

resource "aws_vpc_security_group_ingress_rule" "web_test" {
  for_each = toset(["10.0.0.0/8"])

  security_group_id = aws_security_group.web_balancer.id
  description       = "Tests of what does not serve yet"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 8443
  to_port           = 8443
}

resource "aws_cloudwatch_metric_alarm" "web_track_errors" {
  for_each = local.web_tracks

  alarm_name          = "blue-green-deployment-web-${each.key}-errors"
  alarm_description   = "More than 1 % of the requests to ${each.key} fail."
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  threshold           = 1
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching" # what does not serve has no requests
  alarm_actions       = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "rate"
    label       = "5xx %"
    expression  = "IF(requests > 0, 100 * FILL(errors, 0) / requests, 0)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { errors = "HTTPCode_Target_5XX_Count", requests = "RequestCount" }

    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/ApplicationELB"
        metric_name = metric_query.value
        period      = 60
        stat        = "Sum"
        dimensions = {
          LoadBalancer = aws_lb.web.arn_suffix
          TargetGroup  = aws_lb_target_group.web[each.key].arn_suffix
        }
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "web_track_latency" {
  for_each = local.web_tracks

  alarm_name                            = "blue-green-deployment-web-${each.key}-latency"
  alarm_description                     = "One answer in a hundred of ${each.key} takes longer than 1s."
  namespace                             = "AWS/ApplicationELB"
  metric_name                           = "TargetResponseTime"
  extended_statistic                    = "p99"
  evaluate_low_sample_count_percentiles = "ignore"
  period                                = 60
  evaluation_periods                    = 3
  datapoints_to_alarm                   = 2
  threshold                             = 1
  comparison_operator                   = "GreaterThanThreshold"
  treat_missing_data                    = "notBreaching"
  alarm_actions                         = [aws_sns_topic.alarms.arn]

  dimensions = {
    LoadBalancer = aws_lb.web.arn_suffix
    TargetGroup  = aws_lb_target_group.web[each.key].arn_suffix
  }
}
