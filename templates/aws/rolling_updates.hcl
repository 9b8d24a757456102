# Instances are replaced by a refresh that is started with the new version as its desired configuration. The
# instance_refresh of Terraform's provider sets the version on the group first and starts the refresh then, so that
# its rollback would lead to the new version (hashicorp/terraform-provider-aws#34189).
template "rolling_updates" {
  for  = service
  when = service.runs_on == null
  file = "service_${service.name}_rollout.tf"

  covers = {
    strategy      = [aws_ssm_document.this_rollout.content, aws_autoscaling_group.this.instance_maintenance_policy]
    health_checks = [aws_autoscaling_lifecycle_hook.this_ready.default_result, aws_autoscaling_group.this.health_check_type]
    rollback      = [aws_ssm_association.this_rollout.parameters, service.rolling_updates.rollback == "alarms" ? aws_ssm_document.this_rollout.content : aws_cloudwatch_event_rule.this_rollout.event_pattern]
    monitoring    = [let.watched ? aws_cloudwatch_metric_alarm.this_rollout_errors.threshold : null, let.watched ? aws_cloudwatch_metric_alarm.this_rollout_latency.extended_statistic : null, let.watched ? aws_cloudwatch_event_rule.this_rollout.event_pattern : null]
    compatibility = [service.backward_compatible, service.balancer == null ? aws_autoscaling_lifecycle_hook.this_drain.heartbeat_timeout : aws_lb_target_group.this.deregistration_delay]
  }

  ignores = {
    deadline = "AWS decides itself when an update that makes no progress has failed."
  }

  check "on_a_group" {
    condition = service.vertical_scaling == null
    message   = "${service.name} is one machine: there is nothing to roll over."
    fix       = "Drop rolling_updates or vertical_scaling."
    at        = service.rolling_updates.surge
  }
}

let {
  rollout = service.rolling_updates
  # Alarms need the balancer's metrics: without one the refresh still waits for health, but for nothing else.
  watched = service.balancer == null ? false : service.balancer.layer == 7
  minutes = max(1, floor(service.rolling_updates.window / 60))
}

extend "aws_autoscaling_group" "this" {
  # What is replaced outside of a rollout, because it is ill or old, obeys this as well.
  instance_maintenance_policy {
    min_healthy_percentage = let.rollout.min_healthy
    max_healthy_percentage = let.rollout.max_healthy
  }
}

resource "aws_cloudwatch_metric_alarm" "this_rollout_errors" {
  when = let.watched

  alarm_name          = "${let.name}-rollout-errors"
  alarm_description   = "More than ${let.rollout.max_errors} % of the requests fail."
  evaluation_periods  = let.minutes
  datapoints_to_alarm = max(1, ceil(let.minutes * 2 / 3))
  threshold           = let.rollout.max_errors
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
          LoadBalancer = aws_lb.this.arn_suffix
          TargetGroup  = aws_lb_target_group.this.arn_suffix
        }
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this_rollout_latency" {
  when = let.watched

  alarm_name                            = "${let.name}-rollout-latency"
  alarm_description                     = "One answer in a hundred takes longer than ${duration(let.rollout.max_latency)}."
  namespace                             = "AWS/ApplicationELB"
  metric_name                           = "TargetResponseTime"
  extended_statistic                    = "p99"
  evaluate_low_sample_count_percentiles = "ignore"
  period                                = 60
  evaluation_periods                    = let.minutes
  datapoints_to_alarm                   = max(1, ceil(let.minutes * 2 / 3))
  threshold                             = let.rollout.max_latency
  comparison_operator                   = "GreaterThanThreshold"
  treat_missing_data                    = "notBreaching"
  alarm_actions                         = [aws_sns_topic.alarms.arn]

  dimensions = {
    LoadBalancer = aws_lb.this.arn_suffix
    TargetGroup  = aws_lb_target_group.this.arn_suffix
  }
}

resource "aws_iam_role" "this_rollout" {
  name               = shortname("${let.name}-rollout", 64)
  description        = "Starts rollouts of ${service.name}"
  assume_role_policy = data.aws_iam_policy_document.automation_assume.json
}

data "aws_iam_policy_document" "this_rollout" {
  statement {
    actions   = ["autoscaling:StartInstanceRefresh", "autoscaling:RollbackInstanceRefresh"]
    resources = [aws_autoscaling_group.this.arn]
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
      values   = [aws_launch_template.this.arn]
    }
  }

  statement {
    actions   = ["iam:PassRole"]
    resources = [aws_iam_role.this.arn]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "this_rollout" {
  name   = "rollout"
  role   = aws_iam_role.this_rollout.id
  policy = data.aws_iam_policy_document.this_rollout.json
}

resource "aws_ssm_document" "this_rollout" {
  name            = "${let.name}-rollout"
  document_type   = "Automation"
  document_format = "JSON"
  content = jsonencode({
    schemaVersion = "0.3"
    description   = "Replaces the instances of ${service.name} by a version of the launch template, and brings the old one back if that fails."
    assumeRole    = aws_iam_role.this_rollout.arn

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
        AutoScalingGroupName = aws_autoscaling_group.this.name
        Strategy             = "Rolling"

        DesiredConfiguration = let.spot ? {
          # All of it: what is left out here would be gone.
          MixedInstancesPolicy = {
            LaunchTemplate = {
              LaunchTemplateSpecification = { LaunchTemplateId = aws_launch_template.this.id, Version = "{{ LaunchTemplateVersion }}" }
              Overrides                   = [for name in let.alternatives : { InstanceType = name }]
            }
            InstancesDistribution = {
              OnDemandBaseCapacity                = service.min_instances
              OnDemandPercentageAboveBaseCapacity = 100 - service.auto_scaling_group.spot
              SpotAllocationStrategy              = "price-capacity-optimized"
            }
          }
          } : {
          LaunchTemplate = { LaunchTemplateId = aws_launch_template.this.id, Version = "{{ LaunchTemplateVersion }}" }
        }

        Preferences = !let.watched ? {
          MinHealthyPercentage  = let.rollout.min_healthy
          MaxHealthyPercentage  = let.rollout.max_healthy
          InstanceWarmup        = ceil(let.rollout.settle)
          CheckpointPercentages = let.rollout.checkpoints
          CheckpointDelay       = ceil(let.rollout.pause)
          SkipMatching          = true
          AutoRollback          = let.rollout.rollback == "alarms"
          } : {
          MinHealthyPercentage  = let.rollout.min_healthy
          MaxHealthyPercentage  = let.rollout.max_healthy
          InstanceWarmup        = ceil(let.rollout.settle)
          CheckpointPercentages = let.rollout.checkpoints
          CheckpointDelay       = ceil(let.rollout.pause)
          SkipMatching          = true
          AutoRollback          = let.rollout.rollback == "alarms"
          AlarmSpecification = {
            Alarms = [
              aws_cloudwatch_metric_alarm.this_rollout_errors.alarm_name,
              aws_cloudwatch_metric_alarm.this_rollout_latency.alarm_name,
            ]
          }
        }
      }
    }]
  })
}

# State Manager runs the document again when a parameter has changed: a new version of the launch template starts a
# rollout.
resource "aws_ssm_association" "this_rollout" {
  association_name = "${let.name}-rollout"
  name             = aws_ssm_document.this_rollout.name
  document_version = "$LATEST"

  parameters = {
    LaunchTemplateVersion = tostring(aws_launch_template.this.latest_version)
  }

  depends_on = [aws_iam_role_policy.this_rollout]
}

# A rollout outlives the apply that started it: how it goes is told.
resource "aws_cloudwatch_event_rule" "this_rollout" {
  name        = "${let.name}-rollout"
  description = "Rollouts of ${service.name} that stop, fail or turn back"

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
    detail = { AutoScalingGroupName = [aws_autoscaling_group.this.name] }
  })
}

resource "aws_cloudwatch_event_target" "this_rollout" {
  rule = aws_cloudwatch_event_rule.this_rollout.name
  arn  = aws_sns_topic.alarms.arn
}
