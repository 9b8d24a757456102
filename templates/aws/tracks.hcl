# What blue-green and canary releases have in common: a listener for tests, alarms for each version, and the way back.
template "tracks" {
  for  = service
  when = service.runs_on == null && (service.blue_green_deployment != null || service.canary_deployment != null)
  file = "service_${service.name}_rollout.tf"
}

let {
  ways_back = service.blue_green_deployment != null ? { from = service.blue_green_deployment.live, to = service.blue_green_deployment.idle } : { from = "canary", to = "stable" }
  automatic = let.release.rollback == "alarms"
  switches  = length(let.balancer.paths) == 0 ? ["/"] : let.balancer.paths
  window    = max(1, floor(let.release.window / 60))
}

# Leads to what does not serve yet. Both versions are in it, for the instances of a target group that no listener
# leads to never count as healthy; so it stands before the groups, and the listener that serves comes after them.
resource "aws_lb_listener" "this_test" {
  load_balancer_arn = aws_lb.this.arn
  port              = let.tested.port
  protocol          = let.balancer.tls ? "HTTPS" : "HTTP"
  ssl_policy        = let.balancer.tls ? (let.balancer.min_tls == "1.3" ? "ELBSecurityPolicy-TLS13-1-3-2021-06" : "ELBSecurityPolicy-TLS13-1-2-2021-06") : null
  certificate_arn   = !let.balancer.tls ? null : let.issued ? aws_acm_certificate_validation.this.certificate_arn : target.certificate_arn != null ? target.certificate_arn : var.certificate_arn

  default_action {
    type = "forward"

    forward {
      dynamic "target_group" {
        for_each = local.this_tracks

        content {
          arn    = aws_lb_target_group.this[target_group.key].arn
          weight = service.canary_deployment != null ? (target_group.key == "canary" ? 100 : 0) : 100 - target_group.value.weight
        }
      }
    }
  }
}

resource "aws_vpc_security_group_ingress_rule" "this_test" {
  for_each = toset(let.tested.from)

  security_group_id = aws_security_group.this_balancer.id
  description       = "Tests of what does not serve yet"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = let.tested.port
  to_port           = let.tested.port
}

resource "aws_cloudwatch_metric_alarm" "this_track_errors" {
  for_each = local.this_tracks

  alarm_name          = "${let.name}-${each.key}-errors"
  alarm_description   = "More than ${let.release.max_errors} % of the requests to ${each.key} fail."
  evaluation_periods  = let.window
  datapoints_to_alarm = max(1, ceil(let.window * 2 / 3))
  threshold           = let.release.max_errors
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
          LoadBalancer = aws_lb.this.arn_suffix
          TargetGroup  = aws_lb_target_group.this[each.key].arn_suffix
        }
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this_track_latency" {
  for_each = local.this_tracks

  alarm_name                            = "${let.name}-${each.key}-latency"
  alarm_description                     = "One answer in a hundred of ${each.key} takes longer than ${duration(let.release.max_latency)}."
  namespace                             = "AWS/ApplicationELB"
  metric_name                           = "TargetResponseTime"
  extended_statistic                    = "p99"
  evaluate_low_sample_count_percentiles = "ignore"
  period                                = 60
  evaluation_periods                    = let.window
  datapoints_to_alarm                   = max(1, ceil(let.window * 2 / 3))
  threshold                             = let.release.max_latency
  comparison_operator                   = "GreaterThanThreshold"
  treat_missing_data                    = "notBreaching"
  alarm_actions                         = [aws_sns_topic.alarms.arn]

  dimensions = {
    LoadBalancer = aws_lb.this.arn_suffix
    TargetGroup  = aws_lb_target_group.this[each.key].arn_suffix
  }
}

# The way back by itself: an alarm of the version that is on trial starts a document that changes the weights. Nothing
# is hidden: the next plan shows weights that differ from what is written here. The way leads to what the other group
# runs, so it is a way back only until that is given the next version.
resource "aws_iam_role" "this_rollback" {
  when = let.automatic

  name               = shortname("${let.name}-rollback", 64)
  description        = "Takes the traffic of ${service.name} back"
  assume_role_policy = data.aws_iam_policy_document.automation_assume.json
}

data "aws_iam_policy_document" "this_rollback" {
  when = let.automatic

  statement {
    actions   = ["elasticloadbalancing:ModifyListener"]
    resources = [aws_lb_listener.this.arn]
  }

  statement {
    when = length(let.balancer.paths) > 0

    actions   = ["elasticloadbalancing:ModifyRule"]
    resources = [for rule in aws_lb_listener_rule.this_path : rule.arn]
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

resource "aws_iam_role_policy" "this_rollback" {
  when = let.automatic

  name   = "rollback"
  role   = aws_iam_role.this_rollback.id
  policy = data.aws_iam_policy_document.this_rollback.json
}

locals {
  when = let.automatic

  this_way_back = [{
    Type = "forward"
    ForwardConfig = {
      TargetGroups = [
        { TargetGroupArn = aws_lb_target_group.this[let.ways_back.to].arn, Weight = 100 },
        { TargetGroupArn = aws_lb_target_group.this[let.ways_back.from].arn, Weight = 0 },
      ]
      TargetGroupStickinessConfig = { Enabled = false }
    }
  }]
}

resource "aws_ssm_document" "this_rollback" {
  when = let.automatic

  name            = "${let.name}-rollback"
  document_type   = "Automation"
  document_format = "JSON"
  content = jsonencode({
    schemaVersion = "0.3"
    description   = "Sends all requests of ${service.name} from ${let.ways_back.from} to ${let.ways_back.to}."
    assumeRole    = aws_iam_role.this_rollback.arn

    mainSteps = concat(
      [for i, path in let.switches : {
        name        = "switch${length(let.balancer.paths) == 0 ? "" : i + 1}"
        action      = "aws:executeAwsApi"
        maxAttempts = 3

        inputs = length(let.balancer.paths) == 0 ? {
          Service        = "elbv2"
          Api            = "ModifyListener"
          ListenerArn    = aws_lb_listener.this.arn
          DefaultActions = local.this_way_back
          } : {
          Service = "elbv2"
          Api     = "ModifyRule"
          RuleArn = aws_lb_listener_rule.this_path[path].arn
          Actions = local.this_way_back
        }
      }],
      [{
        name      = "tell"
        action    = "aws:executeAwsApi"
        onFailure = "Continue"
        isEnd     = true

        inputs = {
          Service  = "sns"
          Api      = "Publish"
          TopicArn = aws_sns_topic.alarms.arn
          Subject  = "${let.name}: back to ${let.ways_back.to}"
          Message  = "All requests of ${service.name} go to ${let.ways_back.to} now. The next apply would send them to ${let.ways_back.from} again: change the blueprint first."
        }
      }],
    )
  })
}

resource "aws_iam_role" "this_rollback_events" {
  when = let.automatic

  name               = shortname("${let.name}-rollback-events", 64)
  description        = "Starts the rollback of ${service.name}"
  assume_role_policy = data.aws_iam_policy_document.events_assume.json
}

data "aws_iam_policy_document" "this_rollback_events" {
  when = let.automatic

  statement {
    actions   = ["ssm:StartAutomationExecution"]
    resources = ["${replace(aws_ssm_document.this_rollback.arn, ":document/", ":automation-definition/")}:*"]
  }

  statement {
    actions   = ["iam:PassRole"]
    resources = [aws_iam_role.this_rollback.arn]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ssm.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "this_rollback_events" {
  when = let.automatic

  name   = "start"
  role   = aws_iam_role.this_rollback_events.id
  policy = data.aws_iam_policy_document.this_rollback_events.json
}

resource "aws_cloudwatch_event_rule" "this_rollback" {
  when = let.automatic

  name        = shortname("${let.name}-rollback", 64)
  description = "${let.ways_back.from} of ${service.name} is bad"

  event_pattern = jsonencode({
    source      = ["aws.cloudwatch"]
    detail-type = ["CloudWatch Alarm State Change"]
    resources = service.canary_deployment != null ? [
      aws_cloudwatch_metric_alarm.this_canary_errors.arn,
      aws_cloudwatch_metric_alarm.this_track_latency[let.ways_back.from].arn,
      aws_cloudwatch_metric_alarm.this_unhealthy[let.ways_back.from].arn,
      ] : [
      aws_cloudwatch_metric_alarm.this_track_errors[let.ways_back.from].arn,
      aws_cloudwatch_metric_alarm.this_track_latency[let.ways_back.from].arn,
      aws_cloudwatch_metric_alarm.this_unhealthy[let.ways_back.from].arn,
    ]
    detail = { state = { value = ["ALARM"] } }
  })
}

resource "aws_cloudwatch_event_target" "this_rollback" {
  when = let.automatic

  rule     = aws_cloudwatch_event_rule.this_rollback.name
  arn      = "${replace(aws_ssm_document.this_rollback.arn, ":document/", ":automation-definition/")}:$DEFAULT"
  role_arn = aws_iam_role.this_rollback_events.arn

  retry_policy {
    maximum_event_age_in_seconds = 300
    maximum_retry_attempts       = 5
  }
}
