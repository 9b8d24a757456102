# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "aws_security_group" "api" {
  name_prefix = "everything-api-"
  description = "Instances of api"
  vpc_id      = local.vpc_id

  tags = { Name = "everything-api" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_egress_rule" "api_to_needs" {
  for_each = {
    orders   = { group = aws_security_group.orders.id, port = 5432 }
    search   = { group = aws_security_group.search.id, port = 9200 }
    sessions = { group = aws_security_group.sessions.id, port = 6379 }
  }

  security_group_id            = aws_security_group.api.id
  description                  = "To ${each.key}"
  referenced_security_group_id = each.value.group
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

# Images, packages and the interfaces of AWS.
resource "aws_vpc_security_group_egress_rule" "api_https" {
  security_group_id = aws_security_group.api.id
  description       = "HTTPS to anywhere"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_cloudwatch_log_group" "api" {
  name              = "/everything/api"
  retention_in_days = 30
  kms_key_id        = local.kms_key_arn

  depends_on = [aws_kms_key_policy.main]
}

resource "aws_iam_role" "api" {
  name               = "everything-api"
  description        = "Instances of api"
  assume_role_policy = data.aws_iam_policy_document.instance_assume.json
}

resource "aws_iam_role_policy_attachment" "api" {
  for_each = toset(["AmazonSSMManagedInstanceCore", "CloudWatchAgentServerPolicy"])

  role       = aws_iam_role.api.name
  policy_arn = "arn:aws:iam::aws:policy/${each.value}"
}

data "aws_iam_policy_document" "api" {
  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.api.arn}:*"]
  }

  statement {
    sid       = "Lifecycle"
    actions   = ["autoscaling:CompleteLifecycleAction"]
    resources = ["arn:aws:autoscaling:eu-west-1:*:autoScalingGroup:*:autoScalingGroupName/everything-api-*"]
  }
}

resource "aws_iam_role_policy" "api" {
  name   = "instance"
  role   = aws_iam_role.api.id
  policy = data.aws_iam_policy_document.api.json
}

resource "aws_iam_instance_profile" "api" {
  name = "everything-api"
  role = aws_iam_role.api.name
}

resource "aws_launch_template" "api" {
  for_each = local.api_tracks

  name                   = "everything-api-${each.key}"
  description            = "Instances of api, ${each.key}"
  image_id               = var.image_id
  instance_type          = "c7i.large" # the instance has it, so that a new size is no new instance
  update_default_version = true
  ebs_optimized          = true
  vpc_security_group_ids = [aws_security_group.api.id]

  # Compressed: user data has a limit of 16 KB.
  user_data = base64gzip(join("\n", ["#cloud-config", yamlencode({
    write_files = [
      {
        path = "/etc/app/instance.env"
        content = join("\n", [
          "AWS_REGION=eu-west-1",
          "DRAIN=30",
          "GROUP=everything-api-${each.key}",
          "IMAGE=${each.value.image}",
          "LINGER=15",
          "LOG_GROUP=/everything/api",
          "PROXY_CPUS=0.5",
          "PROXY_MEMORY=256m",
          "READY_URL=http://127.0.0.1:8080/readyz",
        ])
      },
      {
        path = "/etc/app/app.env"
        content = join("\n", [
          "ORDERS_DATABASE=orders",
          "ORDERS_PORT=5432",
          "PORT=8080",
          "SEARCH_URL=http://127.0.0.1:15001",
          "SESSIONS_PORT=6379",
          "ORDERS_HOST=${local.orders_host}",
          "SESSIONS_HOST=${local.sessions_host}",
          "ORDERS_SHARD_MAP=${local.orders_shard_map}",
          "SESSIONS_USER=${aws_elasticache_user.sessions.user_name}",
        ])
      },
      {
        path    = "/etc/app/secrets"
        content = ""
      },
      { path = "/usr/local/bin/app", permissions = "0755", content = file("${path.module}/instance/app.sh") },
      { path = "/etc/systemd/system/app.service", permissions = "0644", content = file("${path.module}/instance/app.service") },
      { path = "/etc/app/cloudwatch_agent.json", permissions = "0644", content = file("${path.module}/service_api/cloudwatch_agent.json") },
      { path = "/usr/local/bin/lifecycle", permissions = "0755", content = file("${path.module}/instance/lifecycle.sh") },
      { path = "/etc/systemd/system/lifecycle.service", permissions = "0644", content = file("${path.module}/instance/lifecycle.service") },
      { path = "/etc/envoy/envoy.yaml", permissions = "0644", content = file("${path.module}/service_api/envoy.yaml") },
      { path = "/etc/systemd/system/envoy.service", permissions = "0644", content = file("${path.module}/instance/envoy.service") },
    ]
    packages = ["amazon-cloudwatch-agent", "docker"]
    runcmd = [
      ["systemctl", "daemon-reload"],
      ["/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl", "-a", "fetch-config", "-m", "ec2", "-s", "-c", "file:/etc/app/cloudwatch_agent.json"],
      ["systemctl", "enable", "--now", "envoy.service", "app.service", "lifecycle.service"],
    ]
  })]))

  iam_instance_profile {
    arn = aws_iam_instance_profile.api.arn
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  monitoring {
    enabled = true
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_type           = "gp3"
      volume_size           = 30
      encrypted             = true
      kms_key_id            = local.kms_key_arn
      delete_on_termination = true
    }
  }

  tag_specifications {
    resource_type = "instance"
    tags          = merge(local.tags, { Name = "everything-api-${each.key}" })
  }

  tag_specifications {
    resource_type = "volume"
    tags          = merge(local.tags, { Name = "everything-api-${each.key}" })
  }
}

resource "aws_autoscaling_group" "api" {
  for_each = local.api_tracks

  name                = "everything-api-${each.key}"
  min_size            = each.value.min
  max_size            = each.value.max
  vpc_zone_identifier = local.private_subnet_ids
  target_group_arns   = [aws_lb_target_group.api[each.key].arn]

  # An instance that does not answer is replaced, one that boots is left in peace.
  health_check_type         = "ELB"
  health_check_grace_period = 120
  default_instance_warmup   = 120

  # In seconds: machines are replaced before they are far behind with patches.
  max_instance_lifetime = 1209600

  termination_policies = ["OldestLaunchTemplate", "Default"]

  enabled_metrics = [
    "GroupDesiredCapacity", "GroupInServiceInstances", "GroupMaxSize", "GroupMinSize",
    "GroupPendingInstances", "GroupTerminatingInstances", "GroupTotalInstances",
  ]

  # An apply waits until the instances serve, so that nothing that follows meets ones that are still starting.
  wait_for_elb_capacity     = each.value.min
  wait_for_capacity_timeout = "10m"

  launch_template {
    id      = aws_launch_template.api[each.key].id
    version = aws_launch_template.api[each.key].latest_version
  }

  instance_refresh {
    strategy = "Rolling"

    preferences {
      min_healthy_percentage = 100
      max_healthy_percentage = 125
    }
  }

  dynamic "tag" {
    for_each = merge(local.tags, { Name = "everything-api-${each.key}" })

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }

  # Until a listener leads to its target group, no instance of it counts as healthy.
  depends_on = [aws_lb_listener.api_test]

  lifecycle {
    # The policies below own the size.
    ignore_changes = [desired_capacity]
  }
}

# A new instance counts once its program answers; one that never does is given up.
resource "aws_autoscaling_lifecycle_hook" "api_ready" {
  for_each = local.api_tracks

  name                   = "ready"
  autoscaling_group_name = aws_autoscaling_group.api[each.key].name
  lifecycle_transition   = "autoscaling:EC2_INSTANCE_LAUNCHING"
  heartbeat_timeout      = 360
  default_result         = "ABANDON"
}

# A leaving instance stays until it has finished what it has begun.
resource "aws_autoscaling_lifecycle_hook" "api_drain" {
  for_each = local.api_tracks

  name                   = "drain"
  autoscaling_group_name = aws_autoscaling_group.api[each.key].name
  lifecycle_transition   = "autoscaling:EC2_INSTANCE_TERMINATING"
  heartbeat_timeout      = 55
  default_result         = "CONTINUE"
}

# Any policy can make the group grow; it shrinks only when all of them agree.
resource "aws_autoscaling_policy" "api_cpu" {
  for_each = local.api_tracks

  name                   = "everything-api-${each.key}-cpu"
  autoscaling_group_name = aws_autoscaling_group.api[each.key].name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value = 56

    predefined_metric_specification {
      predefined_metric_type = "ASGAverageCPUUtilization"
    }
  }
}

resource "aws_autoscaling_policy" "api_requests" {
  for_each = local.api_tracks

  name                   = "everything-api-${each.key}-requests"
  autoscaling_group_name = aws_autoscaling_group.api[each.key].name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value = 4200 # the metric counts requests per minute

    predefined_metric_specification {
      predefined_metric_type = "ALBRequestCountPerTarget"
      resource_label         = "${aws_lb.api.arn_suffix}/${aws_lb_target_group.api[each.key].arn_suffix}"
    }
  }

  # Refused while no listener leads to the target group.
  depends_on = [aws_lb_listener.api]
}

# Not a metric of EC2: the agent on the instances measures it.
resource "aws_autoscaling_policy" "api_memory" {
  for_each = local.api_tracks

  name                   = "everything-api-${each.key}-memory"
  autoscaling_group_name = aws_autoscaling_group.api[each.key].name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value     = 75
    disable_scale_in = true # memory is seldom given back, so it would hold the group at its largest

    customized_metric_specification {
      namespace   = "everything-api"
      metric_name = "mem_used_percent"
      statistic   = "Average"

      metric_dimension {
        name  = "AutoScalingGroupName"
        value = aws_autoscaling_group.api[each.key].name
      }
    }
  }
}

resource "aws_autoscaling_policy" "api_forecast" {
  for_each = local.api_tracks

  name                   = "everything-api-${each.key}-forecast"
  autoscaling_group_name = aws_autoscaling_group.api[each.key].name
  policy_type            = "PredictiveScaling"

  predictive_scaling_configuration {
    mode                         = "ForecastOnly"
    scheduling_buffer_time       = "180"
    max_capacity_breach_behavior = "HonorMaxCapacity"

    metric_specification {
      target_value = 56

      predefined_metric_pair_specification {
        predefined_metric_type = "ASGCPUUtilization"
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "api_at_max" {
  for_each = local.api_tracks

  alarm_name          = "everything-api-${each.key}-at-max"
  alarm_description   = "The group is as large as it may be and cannot grow any further: raise its maximum, or find out what drives it."
  namespace           = "AWS/AutoScaling"
  metric_name         = "GroupInServiceInstances"
  dimensions          = { AutoScalingGroupName = aws_autoscaling_group.api[each.key].name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 5
  threshold           = each.value.max
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}
