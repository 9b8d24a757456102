template "auto_scaling_group" {
  for  = service
  when = service.runs_on == null
  file = "service_${service.name}.tf"

  ignores = {
    scale_in_wait    = "Target tracking decides itself how long the load has to stay low."
    scale_in_percent = "Target tracking decides itself how many instances go at once."
    "metric.query"   = "CloudWatch finds a metric by its name."
  }

  check "schedule_ends" {
    condition = alltrue([for s in service.auto_scaling_group.schedule :
      can(tonumber(split(" ", s.cron)[0]) + tonumber(split(" ", s.cron)[1])) ?
      tonumber(split(" ", s.cron)[1]) * 60 + tonumber(split(" ", s.cron)[0]) + s.duration / 60 < 1440 || endswith(s.cron, "* * *") : false
    ])
    message = "AWS wants a time at which a schedule ends. It follows from cron and duration only where cron has one minute and one hour, and, if it ends on another day, holds on every day."
    fix     = "Write it like 0 7 * * 1-5 with a duration within the day, or split it."
    at      = service.auto_scaling_group.max
    related = [for s in service.auto_scaling_group.schedule : s.cron]
  }

  covers = {
    metrics = [
      aws_autoscaling_policy.this_cpu.target_tracking_configuration.predefined_metric_specification.predefined_metric_type,
      service.auto_scaling_group.target_memory == null ? null : aws_autoscaling_policy.this_memory.target_tracking_configuration.customized_metric_specification.metric_name,
    ]
    policies      = [aws_autoscaling_policy.this_cpu.target_tracking_configuration.target_value, aws_autoscaling_group.this.min_size, aws_autoscaling_group.this.max_size]
    health_checks = [aws_autoscaling_group.this.health_check_type, aws_autoscaling_group.this.health_check_grace_period, aws_autoscaling_lifecycle_hook.this_ready.default_result]
    warm_up       = [aws_autoscaling_group.this.default_instance_warmup]
    costs = [
      aws_cloudwatch_metric_alarm.this_at_max.threshold, aws_autoscaling_group.this.enabled_metrics,
      service.auto_scaling_group.monthly_budget == null ? null : aws_budgets_budget.this.limit_amount,
    ]
  }
}

let {
  balanced = service.balancer == null ? false : service.balancer.layer == 7
  group    = service.auto_scaling_group

  # Each has two actions: from then on more, from then on as ever.
  schedule = flatten([for s in service.auto_scaling_group.schedule : [
    { name = "${s.name}-start", cron = s.cron, time_zone = s.time_zone, min = s.min },
    {
      name      = "${s.name}-end"
      cron      = try(join(" ", concat([for n in [tonumber(split(" ", s.cron)[1]) * 60 + tonumber(split(" ", s.cron)[0]) + s.duration / 60] : "${n % 60} ${floor(n / 60) % 24}"], slice(split(" ", s.cron), 2, 5))), "")
      time_zone = s.time_zone
      min       = service.auto_scaling_group.min
    },
  ]])
}

extend "aws_autoscaling_group" "this" {
  # Booted and stopped: growing takes as long as starting the program.
  warm_pool {
    when = let.group.standby > 0 && !let.tracked

    pool_state                  = "Stopped"
    min_size                    = let.group.standby
    max_group_prepared_capacity = let.group.min + let.group.standby

    instance_reuse_policy {
      reuse_on_scale_in = true
    }
  }
}

# Any policy can make the group grow; it shrinks only when all of them agree.
resource "aws_autoscaling_policy" "this_cpu" {
  for_each = let.tracked ? local.this_tracks : null

  name                   = let.tracked ? "${let.name}-${each.key}-cpu" : "${let.name}-cpu"
  autoscaling_group_name = let.tracked ? aws_autoscaling_group.this[each.key].name : aws_autoscaling_group.this.name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value = let.group.target_cpu

    predefined_metric_specification {
      predefined_metric_type = "ASGAverageCPUUtilization"
    }
  }
}

resource "aws_autoscaling_policy" "this_requests" {
  when     = let.balanced && let.group.target_requests != null
  for_each = let.tracked ? local.this_tracks : null

  name                   = let.tracked ? "${let.name}-${each.key}-requests" : "${let.name}-requests"
  autoscaling_group_name = let.tracked ? aws_autoscaling_group.this[each.key].name : aws_autoscaling_group.this.name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value = 60 * let.group.target_requests # the metric counts requests per minute

    predefined_metric_specification {
      predefined_metric_type = "ALBRequestCountPerTarget"
      resource_label         = let.tracked ? "${aws_lb.this.arn_suffix}/${aws_lb_target_group.this[each.key].arn_suffix}" : "${aws_lb.this.arn_suffix}/${aws_lb_target_group.this.arn_suffix}"
    }
  }

  # Refused while no listener leads to the target group.
  depends_on = [aws_lb_listener.this]
}

# Not a metric of EC2: the agent on the instances measures it.
resource "aws_autoscaling_policy" "this_memory" {
  when     = let.group.target_memory != null
  for_each = let.tracked ? local.this_tracks : null

  name                   = let.tracked ? "${let.name}-${each.key}-memory" : "${let.name}-memory"
  autoscaling_group_name = let.tracked ? aws_autoscaling_group.this[each.key].name : aws_autoscaling_group.this.name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value     = let.group.target_memory
    disable_scale_in = true # memory is seldom given back, so it would hold the group at its largest

    customized_metric_specification {
      namespace   = let.name
      metric_name = "mem_used_percent"
      statistic   = "Average"

      metric_dimension {
        name  = "AutoScalingGroupName"
        value = let.tracked ? aws_autoscaling_group.this[each.key].name : aws_autoscaling_group.this.name
      }
    }
  }
}

resource "aws_autoscaling_policy" "this_metric" {
  when     = length(let.group.metric) > 0 && !let.tracked
  for_each = { for m in let.group.metric : m.name => m.target }

  name                   = "${let.name}-${each.key}"
  autoscaling_group_name = aws_autoscaling_group.this.name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value     = each.value
    disable_scale_in = true

    customized_metric_specification {
      namespace   = let.name
      metric_name = each.key
      statistic   = "Average"

      metric_dimension {
        name  = "AutoScalingGroupName"
        value = aws_autoscaling_group.this.name
      }
    }
  }
}

resource "aws_autoscaling_policy" "this_forecast" {
  when     = let.group.forecast != "off"
  for_each = let.tracked ? local.this_tracks : null

  name                   = let.tracked ? "${let.name}-${each.key}-forecast" : "${let.name}-forecast"
  autoscaling_group_name = let.tracked ? aws_autoscaling_group.this[each.key].name : aws_autoscaling_group.this.name
  policy_type            = "PredictiveScaling"

  predictive_scaling_configuration {
    mode                         = let.group.forecast == "scale" ? "ForecastAndScale" : "ForecastOnly"
    scheduling_buffer_time       = tostring(min(3600, ceil(let.group.warm_up) + 60))
    max_capacity_breach_behavior = "HonorMaxCapacity"

    metric_specification {
      target_value = let.group.target_cpu

      predefined_metric_pair_specification {
        predefined_metric_type = "ASGCPUUtilization"
      }
    }
  }
}

# -1 leaves a bound as it is.
resource "aws_autoscaling_schedule" "this" {
  when     = length(let.group.schedule) > 0 && !let.tracked
  for_each = { for s in let.schedule : s.name => { cron = s.cron, time_zone = s.time_zone, min = s.min } }

  scheduled_action_name  = each.key
  autoscaling_group_name = aws_autoscaling_group.this.name
  recurrence             = each.value.cron
  time_zone              = each.value.time_zone
  min_size               = each.value.min
  max_size               = -1
  desired_capacity       = -1
}

resource "aws_cloudwatch_metric_alarm" "this_at_max" {
  for_each = let.tracked ? local.this_tracks : null

  alarm_name          = let.tracked ? "${let.name}-${each.key}-at-max" : "${let.name}-at-max"
  alarm_description   = "The group is as large as it may be and cannot grow any further: raise its maximum, or find out what drives it."
  namespace           = "AWS/AutoScaling"
  metric_name         = "GroupInServiceInstances"
  dimensions          = { AutoScalingGroupName = let.tracked ? aws_autoscaling_group.this[each.key].name : aws_autoscaling_group.this.name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 5
  threshold           = let.tracked ? each.value.max : let.group.max
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

resource "aws_budgets_budget" "this" {
  when = let.group.monthly_budget != null

  name         = let.name
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(let.group.monthly_budget)
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
