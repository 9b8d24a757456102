# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "aws_security_group" "fulfilment" {
  name_prefix = "connection-pooling-fulfilment-"
  description = "Instances of fulfilment"
  vpc_id      = local.vpc_id

  tags = { Name = "connection-pooling-fulfilment" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_egress_rule" "fulfilment_to_needs" {
  for_each = {
    orders = { group = aws_security_group.orders.id, port = 5432 }
  }

  security_group_id            = aws_security_group.fulfilment.id
  description                  = "To ${each.key}"
  referenced_security_group_id = each.value.group
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

# Images, packages and the interfaces of AWS.
resource "aws_vpc_security_group_egress_rule" "fulfilment_https" {
  security_group_id = aws_security_group.fulfilment.id
  description       = "HTTPS to anywhere"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_cloudwatch_log_group" "fulfilment" {
  name              = "/connection-pooling/fulfilment"
  retention_in_days = 30
  kms_key_id        = local.kms_key_arn

  depends_on = [aws_kms_key_policy.main]
}

resource "aws_iam_role" "fulfilment" {
  name               = "connection-pooling-fulfilment"
  description        = "Instances of fulfilment"
  assume_role_policy = data.aws_iam_policy_document.instance_assume.json
}

resource "aws_iam_role_policy_attachment" "fulfilment" {
  for_each = toset(["AmazonSSMManagedInstanceCore", "CloudWatchAgentServerPolicy"])

  role       = aws_iam_role.fulfilment.name
  policy_arn = "arn:aws:iam::aws:policy/${each.value}"
}

data "aws_iam_policy_document" "fulfilment" {
  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.fulfilment.arn}:*"]
  }

  statement {
    sid       = "Lifecycle"
    actions   = ["autoscaling:CompleteLifecycleAction"]
    resources = ["arn:aws:autoscaling:eu-west-1:*:autoScalingGroup:*:autoScalingGroupName/connection-pooling-fulfilment"]
  }

  statement {
    sid       = "Health"
    actions   = ["autoscaling:SetInstanceHealth"]
    resources = ["arn:aws:autoscaling:eu-west-1:*:autoScalingGroup:*:autoScalingGroupName/connection-pooling-fulfilment"]
  }
}

resource "aws_iam_role_policy" "fulfilment" {
  name   = "instance"
  role   = aws_iam_role.fulfilment.id
  policy = data.aws_iam_policy_document.fulfilment.json
}

resource "aws_iam_instance_profile" "fulfilment" {
  name = "connection-pooling-fulfilment"
  role = aws_iam_role.fulfilment.name
}

resource "aws_launch_template" "fulfilment" {
  name                   = "connection-pooling-fulfilment"
  description            = "Instances of fulfilment"
  image_id               = var.image_id
  instance_type          = "c7i.large" # the instance has it, so that a new size is no new instance
  update_default_version = true
  ebs_optimized          = true
  vpc_security_group_ids = [aws_security_group.fulfilment.id]

  # Compressed: user data has a limit of 16 KB.
  user_data = base64gzip(join("\n", ["#cloud-config", yamlencode({
    write_files = [
      {
        path = "/etc/app/instance.env"
        content = join("\n", [
          "AWS_REGION=eu-west-1",
          "DRAIN=30",
          "GROUP=connection-pooling-fulfilment",
          "HEALTH_URL=http://127.0.0.1:8080/healthz",
          "IMAGE=ghcr.io/acme/fulfilment:1.4.2",
          "LINGER=15",
          "LOG_GROUP=/connection-pooling/fulfilment",
          "READY_URL=http://127.0.0.1:8080/readyz",
        ])
      },
      {
        path = "/etc/app/app.env"
        content = join("\n", [
          "ORDERS_DATABASE=orders",
          "ORDERS_PORT=5432",
          "PORT=8080",
          "ORDERS_HOST=${local.orders_host}",
          "ORDERS_SECRET_ARN=${local.orders_secret_arn}",
        ])
      },
      {
        path    = "/etc/app/secrets"
        content = ""
      },
      { path = "/usr/local/bin/app", permissions = "0755", content = file("${path.module}/instance/app.sh") },
      { path = "/etc/systemd/system/app.service", permissions = "0644", content = file("${path.module}/instance/app.service") },
      { path = "/etc/app/cloudwatch_agent.json", permissions = "0644", content = file("${path.module}/service_fulfilment/cloudwatch_agent.json") },
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
    arn = aws_iam_instance_profile.fulfilment.arn
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
    tags          = merge(local.tags, { Name = "connection-pooling-fulfilment" })
  }

  tag_specifications {
    resource_type = "volume"
    tags          = merge(local.tags, { Name = "connection-pooling-fulfilment" })
  }
}

resource "aws_autoscaling_group" "fulfilment" {
  name                = "connection-pooling-fulfilment"
  min_size            = 3
  max_size            = 30
  vpc_zone_identifier = local.private_subnet_ids

  # An instance that does not answer is replaced, one that boots is left in peace.
  health_check_type         = "EC2"
  health_check_grace_period = 120
  default_instance_warmup   = 120

  # In seconds: machines are replaced before they are far behind with patches.
  max_instance_lifetime = 1209600

  termination_policies = ["OldestLaunchTemplate", "Default"]

  enabled_metrics = [
    "GroupDesiredCapacity", "GroupInServiceInstances", "GroupMaxSize", "GroupMinSize",
    "GroupPendingInstances", "GroupTerminatingInstances", "GroupTotalInstances",
  ]

  wait_for_capacity_timeout = "10m"

  launch_template {
    id      = aws_launch_template.fulfilment.id
    version = aws_launch_template.fulfilment.latest_version
  }

  instance_refresh {
    strategy = "Rolling"

    preferences {
      min_healthy_percentage = 100
      max_healthy_percentage = 125
    }
  }

  dynamic "tag" {
    for_each = merge(local.tags, { Name = "connection-pooling-fulfilment" })

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

  lifecycle {
    # The policies below own the size.
    ignore_changes = [desired_capacity]
  }
}

# A new instance counts once its program answers; one that never does is given up.
resource "aws_autoscaling_lifecycle_hook" "fulfilment_ready" {
  name                   = "ready"
  autoscaling_group_name = aws_autoscaling_group.fulfilment.name
  lifecycle_transition   = "autoscaling:EC2_INSTANCE_LAUNCHING"
  heartbeat_timeout      = 360
  default_result         = "ABANDON"
}

# A leaving instance stays until it has finished what it has begun.
resource "aws_autoscaling_lifecycle_hook" "fulfilment_drain" {
  name                   = "drain"
  autoscaling_group_name = aws_autoscaling_group.fulfilment.name
  lifecycle_transition   = "autoscaling:EC2_INSTANCE_TERMINATING"
  heartbeat_timeout      = 55
  default_result         = "CONTINUE"
}

# Any policy can make the group grow; it shrinks only when all of them agree.
resource "aws_autoscaling_policy" "fulfilment_cpu" {
  name                   = "connection-pooling-fulfilment-cpu"
  autoscaling_group_name = aws_autoscaling_group.fulfilment.name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value = 56

    predefined_metric_specification {
      predefined_metric_type = "ASGAverageCPUUtilization"
    }
  }
}

# Not a metric of EC2: the agent on the instances measures it.
resource "aws_autoscaling_policy" "fulfilment_memory" {
  name                   = "connection-pooling-fulfilment-memory"
  autoscaling_group_name = aws_autoscaling_group.fulfilment.name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value     = 75
    disable_scale_in = true # memory is seldom given back, so it would hold the group at its largest

    customized_metric_specification {
      namespace   = "connection-pooling-fulfilment"
      metric_name = "mem_used_percent"
      statistic   = "Average"

      metric_dimension {
        name  = "AutoScalingGroupName"
        value = aws_autoscaling_group.fulfilment.name
      }
    }
  }
}

resource "aws_autoscaling_policy" "fulfilment_forecast" {
  name                   = "connection-pooling-fulfilment-forecast"
  autoscaling_group_name = aws_autoscaling_group.fulfilment.name
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

resource "aws_cloudwatch_metric_alarm" "fulfilment_at_max" {
  alarm_name          = "connection-pooling-fulfilment-at-max"
  alarm_description   = "The group is as large as it may be and cannot grow any further: raise its maximum, or find out what drives it."
  namespace           = "AWS/AutoScaling"
  metric_name         = "GroupInServiceInstances"
  dimensions          = { AutoScalingGroupName = aws_autoscaling_group.fulfilment.name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 5
  threshold           = 30
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}
