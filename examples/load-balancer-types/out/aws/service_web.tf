# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "aws_security_group" "web" {
  name_prefix = "load-balancer-types-web-"
  description = "Instances of web"
  vpc_id      = local.vpc_id

  tags = { Name = "load-balancer-types-web" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_egress_rule" "web_to_needs" {
  for_each = {
    ledger = { group = aws_security_group.ledger.id, port = 9000 }
  }

  security_group_id            = aws_security_group.web.id
  description                  = "To ${each.key}"
  referenced_security_group_id = each.value.group
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

# Images, packages and the interfaces of AWS.
resource "aws_vpc_security_group_egress_rule" "web_https" {
  security_group_id = aws_security_group.web.id
  description       = "HTTPS to anywhere"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_cloudwatch_log_group" "web" {
  name              = "/load-balancer-types/web"
  retention_in_days = 30
  kms_key_id        = local.kms_key_arn

  depends_on = [aws_kms_key_policy.main]
}

resource "aws_iam_role" "web" {
  name               = "load-balancer-types-web"
  description        = "Instances of web"
  assume_role_policy = data.aws_iam_policy_document.instance_assume.json
}

resource "aws_iam_role_policy_attachment" "web" {
  for_each = toset(["AmazonSSMManagedInstanceCore", "CloudWatchAgentServerPolicy"])

  role       = aws_iam_role.web.name
  policy_arn = "arn:aws:iam::aws:policy/${each.value}"
}

data "aws_iam_policy_document" "web" {
  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.web.arn}:*"]
  }

  statement {
    sid       = "Lifecycle"
    actions   = ["autoscaling:CompleteLifecycleAction"]
    resources = ["arn:aws:autoscaling:eu-west-1:*:autoScalingGroup:*:autoScalingGroupName/load-balancer-types-web"]
  }
}

resource "aws_iam_role_policy" "web" {
  name   = "instance"
  role   = aws_iam_role.web.id
  policy = data.aws_iam_policy_document.web.json
}

resource "aws_iam_instance_profile" "web" {
  name = "load-balancer-types-web"
  role = aws_iam_role.web.name
}

resource "aws_launch_template" "web" {
  name                   = "load-balancer-types-web"
  description            = "Instances of web"
  image_id               = var.image_id
  instance_type          = "c7i.large" # the instance has it, so that a new size is no new instance
  update_default_version = true
  ebs_optimized          = true
  vpc_security_group_ids = [aws_security_group.web.id]

  # Compressed: user data has a limit of 16 KB.
  user_data = base64gzip(join("\n", ["#cloud-config", yamlencode({
    write_files = [
      {
        path = "/etc/app/instance.env"
        content = join("\n", [
          "AWS_REGION=eu-west-1",
          "DRAIN=30",
          "GROUP=load-balancer-types-web",
          "IMAGE=ghcr.io/acme/web:1.4.2",
          "LINGER=15",
          "LOG_GROUP=/load-balancer-types/web",
          "READY_URL=http://127.0.0.1:8080/readyz",
        ])
      },
      {
        path    = "/etc/app/app.env"
        content = "LEDGER_URL=http://ledger.load-balancer-types.internal:9000\nPORT=8080"
      },
      {
        path    = "/etc/app/secrets"
        content = ""
      },
      { path = "/usr/local/bin/app", permissions = "0755", content = file("${path.module}/instance/app.sh") },
      { path = "/etc/systemd/system/app.service", permissions = "0644", content = file("${path.module}/instance/app.service") },
      { path = "/etc/app/cloudwatch_agent.json", permissions = "0644", content = file("${path.module}/service_web/cloudwatch_agent.json") },
      { path = "/usr/local/bin/lifecycle", permissions = "0755", content = file("${path.module}/instance/lifecycle.sh") },
      { path = "/etc/systemd/system/lifecycle.service", permissions = "0644", content = file("${path.module}/instance/lifecycle.service") },
    ]
    packages = ["amazon-cloudwatch-agent", "docker"]
    runcmd = [
      ["systemctl", "daemon-reload"],
      ["/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl", "-a", "fetch-config", "-m", "ec2", "-s", "-c", "file:/etc/app/cloudwatch_agent.json"],
      ["systemctl", "enable", "--now", "app.service", "lifecycle.service"],
    ]
  })]))

  iam_instance_profile {
    arn = aws_iam_instance_profile.web.arn
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
    tags          = merge(local.tags, { Name = "load-balancer-types-web" })
  }

  tag_specifications {
    resource_type = "volume"
    tags          = merge(local.tags, { Name = "load-balancer-types-web" })
  }
}

resource "aws_autoscaling_group" "web" {
  name                = "load-balancer-types-web"
  min_size            = 3
  max_size            = 6
  vpc_zone_identifier = local.private_subnet_ids
  target_group_arns   = [aws_lb_target_group.web.arn]

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
  wait_for_elb_capacity     = 3
  wait_for_capacity_timeout = "10m"

  launch_template {
    id      = aws_launch_template.web.id
    version = aws_launch_template.web.latest_version
  }

  instance_refresh {
    strategy = "Rolling"

    preferences {
      min_healthy_percentage = 100
      max_healthy_percentage = 125
    }
  }

  dynamic "tag" {
    for_each = merge(local.tags, { Name = "load-balancer-types-web" })

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }

  # Booted and stopped: growing takes as long as starting the program.
  warm_pool {
    pool_state                  = "Stopped"
    min_size                    = 1
    max_group_prepared_capacity = 4

    instance_reuse_policy {
      reuse_on_scale_in = true
    }
  }

  # Until a listener leads to its target group, no instance of it counts as healthy.
  depends_on = [aws_lb_listener.web]

  lifecycle {
    # The policies below own the size.
    ignore_changes = [desired_capacity]
  }
}

# A new instance counts once its program answers; one that never does is given up.
resource "aws_autoscaling_lifecycle_hook" "web_ready" {
  name                   = "ready"
  autoscaling_group_name = aws_autoscaling_group.web.name
  lifecycle_transition   = "autoscaling:EC2_INSTANCE_LAUNCHING"
  heartbeat_timeout      = 360
  default_result         = "ABANDON"
}

# A leaving instance stays until it has finished what it has begun.
resource "aws_autoscaling_lifecycle_hook" "web_drain" {
  name                   = "drain"
  autoscaling_group_name = aws_autoscaling_group.web.name
  lifecycle_transition   = "autoscaling:EC2_INSTANCE_TERMINATING"
  heartbeat_timeout      = 55
  default_result         = "CONTINUE"
}

# Any policy can make the group grow; it shrinks only when all of them agree.
resource "aws_autoscaling_policy" "web_cpu" {
  name                   = "load-balancer-types-web-cpu"
  autoscaling_group_name = aws_autoscaling_group.web.name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value = 56

    predefined_metric_specification {
      predefined_metric_type = "ASGAverageCPUUtilization"
    }
  }
}

resource "aws_autoscaling_policy" "web_requests" {
  name                   = "load-balancer-types-web-requests"
  autoscaling_group_name = aws_autoscaling_group.web.name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value = 4200 # the metric counts requests per minute

    predefined_metric_specification {
      predefined_metric_type = "ALBRequestCountPerTarget"
      resource_label         = "${aws_lb.web.arn_suffix}/${aws_lb_target_group.web.arn_suffix}"
    }
  }

  # Refused while no listener leads to the target group.
  depends_on = [aws_lb_listener.web]
}

# Not a metric of EC2: the agent on the instances measures it.
resource "aws_autoscaling_policy" "web_memory" {
  name                   = "load-balancer-types-web-memory"
  autoscaling_group_name = aws_autoscaling_group.web.name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value     = 75
    disable_scale_in = true # memory is seldom given back, so it would hold the group at its largest

    customized_metric_specification {
      namespace   = "load-balancer-types-web"
      metric_name = "mem_used_percent"
      statistic   = "Average"

      metric_dimension {
        name  = "AutoScalingGroupName"
        value = aws_autoscaling_group.web.name
      }
    }
  }
}

resource "aws_autoscaling_policy" "web_forecast" {
  name                   = "load-balancer-types-web-forecast"
  autoscaling_group_name = aws_autoscaling_group.web.name
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

resource "aws_cloudwatch_metric_alarm" "web_at_max" {
  alarm_name          = "load-balancer-types-web-at-max"
  alarm_description   = "The group is as large as it may be and cannot grow any further: raise its maximum, or find out what drives it."
  namespace           = "AWS/AutoScaling"
  metric_name         = "GroupInServiceInstances"
  dimensions          = { AutoScalingGroupName = aws_autoscaling_group.web.name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 5
  threshold           = 6
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}
