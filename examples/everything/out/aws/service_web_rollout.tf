# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "aws_cloudwatch_metric_alarm" "web_rollout_errors" {
  alarm_name          = "everything-web-rollout-errors"
  alarm_description   = "More than 1 % of the requests fail."
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  threshold           = 1
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching" # or a service without requests could not be released
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
          TargetGroup  = aws_lb_target_group.web.arn_suffix
        }
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "web_rollout_latency" {
  alarm_name                            = "everything-web-rollout-latency"
  alarm_description                     = "One answer in a hundred takes longer than 1s."
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
    TargetGroup  = aws_lb_target_group.web.arn_suffix
  }
}

resource "aws_iam_role" "web_rollout" {
  name               = "everything-web-rollout"
  description        = "Starts rollouts of web"
  assume_role_policy = data.aws_iam_policy_document.automation_assume.json
}

data "aws_iam_policy_document" "web_rollout" {
  statement {
    actions   = ["autoscaling:StartInstanceRefresh", "autoscaling:RollbackInstanceRefresh"]
    resources = [aws_autoscaling_group.web.arn]
  }

  statement {
    actions = [
      "autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeInstanceRefreshes", "cloudwatch:DescribeAlarms",
      "ec2:DescribeLaunchTemplates", "ec2:DescribeLaunchTemplateVersions",
    ]
    resources = ["*"]
  }

  # Auto Scaling tries whether whoever names a launch template may start from it.
  statement {
    actions   = ["ec2:RunInstances", "ec2:CreateTags"]
    resources = ["*"]

    condition {
      test     = "ArnLikeIfExists"
      variable = "ec2:LaunchTemplate"
      values   = [aws_launch_template.web.arn]
    }
  }

  statement {
    actions   = ["iam:PassRole"]
    resources = [aws_iam_role.web.arn]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "web_rollout" {
  name   = "rollout"
  role   = aws_iam_role.web_rollout.id
  policy = data.aws_iam_policy_document.web_rollout.json
}

resource "aws_ssm_document" "web_rollout" {
  name            = "everything-web-rollout"
  document_type   = "Automation"
  document_format = "JSON"
  content = jsonencode({
    schemaVersion = "0.3"
    description   = "Replaces the instances of web by a version of the launch template, and brings the old one back if that fails."
    assumeRole    = aws_iam_role.web_rollout.arn

    parameters = {
      LaunchTemplateVersion = { type = "String" }
    }

    mainSteps = [{
      name   = "start"
      action = "aws:executeAwsApi"
      isEnd  = true

      inputs = {
        Service              = "autoscaling"
        Api                  = "StartInstanceRefresh"
        AutoScalingGroupName = aws_autoscaling_group.web.name
        Strategy             = "Rolling"

        DesiredConfiguration = {
          LaunchTemplate = { LaunchTemplateId = aws_launch_template.web.id, Version = "{{ LaunchTemplateVersion }}" }
        }

        Preferences = {
          MinHealthyPercentage  = 100
          MaxHealthyPercentage  = 125
          InstanceWarmup        = 120
          CheckpointPercentages = [25, 50, 100]
          CheckpointDelay       = 300
          SkipMatching          = true
          AutoRollback          = true
          AlarmSpecification = {
            Alarms = [
              aws_cloudwatch_metric_alarm.web_rollout_errors.alarm_name,
              aws_cloudwatch_metric_alarm.web_rollout_latency.alarm_name,
            ]
          }
        }
      }
    }]
  })
}

# State Manager runs the document again when a parameter has changed: a new version of the launch template starts a
# rollout.
resource "aws_ssm_association" "web_rollout" {
  association_name = "everything-web-rollout"
  name             = aws_ssm_document.web_rollout.name
  document_version = "$LATEST"

  parameters = {
    LaunchTemplateVersion = tostring(aws_launch_template.web.latest_version)
  }

  depends_on = [aws_iam_role_policy.web_rollout]
}

# A rollout outlives the apply that started it: how it goes is told.
resource "aws_cloudwatch_event_rule" "web_rollout" {
  name        = "everything-web-rollout"
  description = "Rollouts of web that stop, fail or turn back"

  event_pattern = jsonencode({
    source = ["aws.autoscaling"]
    detail-type = [
      "EC2 Auto Scaling Instance Refresh Checkpoint Reached",
      "EC2 Auto Scaling Instance Refresh Succeeded",
      "EC2 Auto Scaling Instance Refresh Failed",
      "EC2 Auto Scaling Instance Refresh Cancelled",
      "EC2 Auto Scaling Instance Refresh Rollback Started",
      "EC2 Auto Scaling Instance Refresh Rollback Succeeded",
      "EC2 Auto Scaling Instance Refresh Rollback Failed",
    ]
    detail = { AutoScalingGroupName = [aws_autoscaling_group.web.name] }
  })
}

resource "aws_cloudwatch_event_target" "web_rollout" {
  rule = aws_cloudwatch_event_rule.web_rollout.name
  arn  = aws_sns_topic.alarms.arn
}
