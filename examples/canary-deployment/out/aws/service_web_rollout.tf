# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

locals {
  web_tracks = {
    stable = {
      image        = "ghcr.io/acme/web:1.4.2"
      min          = 3
      max          = 9
      weight       = 95
      target_group = "canary-deploy-6bccbc-stable-1581"
    }
    # Large enough for its share of the requests.
    canary = {
      image        = "ghcr.io/acme/web:1.5.0"
      min          = 1
      max          = 5
      weight       = 5
      target_group = "canary-deploy-6bccbc-canary-1581"
    }
  }
}

# Testers and willing users get the canary whatever its weight.
resource "aws_lb_listener_rule" "web_header" {
  listener_arn = aws_lb_listener.web.arn
  priority     = 10

  condition {
    http_header {
      http_header_name = "X-Canary"
      values           = ["always"]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.web["canary"].arn
  }
}

resource "aws_lb_listener_rule" "web_cookie" {
  listener_arn = aws_lb_listener.web.arn
  priority     = 11

  condition {
    http_header {
      http_header_name = "Cookie"
      values           = ["*segment=beta*"]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.web["canary"].arn
  }
}

# Worse than the version beside it, and not just a bad day for both.
resource "aws_cloudwatch_metric_alarm" "web_canary_errors" {
  alarm_name          = "canary-deployment-web-canary-worse"
  alarm_description   = "Over 1 % more of the canary's requests fail than of the other version's."
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  threshold           = 1
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "difference"
    label       = "canary 5xx % less stable 5xx %"
    expression  = "IF(rc > 7, 100 * FILL(ec, 0) / rc - IF(rs > 0, 100 * FILL(es, 0) / rs, 0), 0)"
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
          LoadBalancer = aws_lb.web.arn_suffix
          TargetGroup  = aws_lb_target_group.web[metric_query.value.track].arn_suffix
        }
      }
    }
  }
}

resource "aws_cloudwatch_dashboard" "web_tracks" {
  dashboard_name = "canary-deployment-web-canary"
  dashboard_body = jsonencode({
    widgets = [
      {
        type   = "metric"
        x      = 0
        y      = 0
        width  = 8
        height = 6

        properties = {
          title  = "RequestCount"
          region = "eu-west-1"
          stat   = "Sum"
          period = 60
          metrics = [
            ["AWS/ApplicationELB", "RequestCount", "LoadBalancer", aws_lb.web.arn_suffix, "TargetGroup", aws_lb_target_group.web["stable"].arn_suffix, { label = "stable" }],
            ["AWS/ApplicationELB", "RequestCount", "LoadBalancer", aws_lb.web.arn_suffix, "TargetGroup", aws_lb_target_group.web["canary"].arn_suffix, { label = "canary" }],
          ]
        }
      },
      {
        type   = "metric"
        x      = 8
        y      = 0
        width  = 8
        height = 6

        properties = {
          title  = "HTTPCode_Target_5XX_Count"
          region = "eu-west-1"
          stat   = "Sum"
          period = 60
          metrics = [
            ["AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "LoadBalancer", aws_lb.web.arn_suffix, "TargetGroup", aws_lb_target_group.web["stable"].arn_suffix, { label = "stable" }],
            ["AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "LoadBalancer", aws_lb.web.arn_suffix, "TargetGroup", aws_lb_target_group.web["canary"].arn_suffix, { label = "canary" }],
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
          title  = "TargetResponseTime"
          region = "eu-west-1"
          stat   = "p99"
          period = 60
          metrics = [
            ["AWS/ApplicationELB", "TargetResponseTime", "LoadBalancer", aws_lb.web.arn_suffix, "TargetGroup", aws_lb_target_group.web["stable"].arn_suffix, { label = "stable" }],
            ["AWS/ApplicationELB", "TargetResponseTime", "LoadBalancer", aws_lb.web.arn_suffix, "TargetGroup", aws_lb_target_group.web["canary"].arn_suffix, { label = "canary" }],
          ]
        }
      },
    ]
  })
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
          weight = target_group.key == "canary" ? 100 : 0
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

  alarm_name          = "canary-deployment-web-${each.key}-errors"
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

  alarm_name                            = "canary-deployment-web-${each.key}-latency"
  alarm_description                     = "One answer in a hundred of ${each.key} takes longer than 500ms."
  namespace                             = "AWS/ApplicationELB"
  metric_name                           = "TargetResponseTime"
  extended_statistic                    = "p99"
  evaluate_low_sample_count_percentiles = "ignore"
  period                                = 60
  evaluation_periods                    = 3
  datapoints_to_alarm                   = 2
  threshold                             = 0.5
  comparison_operator                   = "GreaterThanThreshold"
  treat_missing_data                    = "notBreaching"
  alarm_actions                         = [aws_sns_topic.alarms.arn]

  dimensions = {
    LoadBalancer = aws_lb.web.arn_suffix
    TargetGroup  = aws_lb_target_group.web[each.key].arn_suffix
  }
}

# The way back by itself: an alarm of the version that is on trial starts a document that changes the weights. Nothing
# is hidden: the next plan shows weights that differ from what is written here. The way leads to what the other group
# runs, so it is a way back only until that is given the next version.
resource "aws_iam_role" "web_rollback" {
  name               = "canary-deployment-web-rollback"
  description        = "Takes the traffic of web back"
  assume_role_policy = data.aws_iam_policy_document.automation_assume.json
}

data "aws_iam_policy_document" "web_rollback" {
  statement {
    actions   = ["elasticloadbalancing:ModifyListener"]
    resources = [aws_lb_listener.web.arn]
  }

  statement {
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms.arn]
  }

  statement {
    actions   = ["kms:Decrypt", "kms:GenerateDataKey*"]
    resources = [local.kms_key_arn]
  }
}

resource "aws_iam_role_policy" "web_rollback" {
  name   = "rollback"
  role   = aws_iam_role.web_rollback.id
  policy = data.aws_iam_policy_document.web_rollback.json
}

locals {
  web_way_back = [{
    Type = "forward"
    ForwardConfig = {
      TargetGroups = [
        { TargetGroupArn = aws_lb_target_group.web["stable"].arn, Weight = 100 },
        { TargetGroupArn = aws_lb_target_group.web["canary"].arn, Weight = 0 },
      ]
      TargetGroupStickinessConfig = { Enabled = false }
    }
  }]
}

resource "aws_ssm_document" "web_rollback" {
  name            = "canary-deployment-web-rollback"
  document_type   = "Automation"
  document_format = "JSON"
  content = jsonencode({
    schemaVersion = "0.3"
    description   = "Sends all requests of web from canary to stable."
    assumeRole    = aws_iam_role.web_rollback.arn

    mainSteps = [
      {
        name        = "switch"
        action      = "aws:executeAwsApi"
        maxAttempts = 3

        inputs = {
          Service        = "elbv2"
          Api            = "ModifyListener"
          ListenerArn    = aws_lb_listener.web.arn
          DefaultActions = local.web_way_back
        }
      },
      {
        name      = "tell"
        action    = "aws:executeAwsApi"
        onFailure = "Continue"
        isEnd     = true

        inputs = {
          Service  = "sns"
          Api      = "Publish"
          TopicArn = aws_sns_topic.alarms.arn
          Subject  = "canary-deployment-web: back to stable"
          Message  = "All requests of web go to stable now. The next apply would send them to canary again: change the blueprint first."
        }
      },
    ]
  })
}

resource "aws_iam_role" "web_rollback_events" {
  name               = "canary-deployment-web-rollback-events"
  description        = "Starts the rollback of web"
  assume_role_policy = data.aws_iam_policy_document.events_assume.json
}

data "aws_iam_policy_document" "web_rollback_events" {
  statement {
    actions   = ["ssm:StartAutomationExecution"]
    resources = ["${replace(aws_ssm_document.web_rollback.arn, ":document/", ":automation-definition/")}:*"]
  }

  statement {
    actions   = ["iam:PassRole"]
    resources = [aws_iam_role.web_rollback.arn]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ssm.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "web_rollback_events" {
  name   = "start"
  role   = aws_iam_role.web_rollback_events.id
  policy = data.aws_iam_policy_document.web_rollback_events.json
}

resource "aws_cloudwatch_event_rule" "web_rollback" {
  name        = "canary-deployment-web-rollback"
  description = "canary of web is bad"

  event_pattern = jsonencode({
    source      = ["aws.cloudwatch"]
    detail-type = ["CloudWatch Alarm State Change"]
    resources = [
      aws_cloudwatch_metric_alarm.web_canary_errors.arn,
      aws_cloudwatch_metric_alarm.web_track_latency["canary"].arn,
      aws_cloudwatch_metric_alarm.web_unhealthy["canary"].arn,
    ]
    detail = { state = { value = ["ALARM"] } }
  })
}

resource "aws_cloudwatch_event_target" "web_rollback" {
  rule     = aws_cloudwatch_event_rule.web_rollback.name
  arn      = "${replace(aws_ssm_document.web_rollback.arn, ":document/", ":automation-definition/")}:$DEFAULT"
  role_arn = aws_iam_role.web_rollback_events.arn

  retry_policy {
    maximum_event_age_in_seconds = 300
    maximum_retry_attempts       = 5
  }
}
