# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "aws_security_group" "payments" {
  name_prefix = "circuit-breaker-payments-"
  description = "Instances of payments"
  vpc_id      = local.vpc_id

  tags = { Name = "circuit-breaker-payments" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "payments_from_clients" {
  for_each = {
    checkout = aws_security_group.checkout.id
  }

  security_group_id            = aws_security_group.payments.id
  description                  = "From ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 9090
  to_port                      = 9090
}

# Images, packages and the interfaces of AWS.
resource "aws_vpc_security_group_egress_rule" "payments_https" {
  security_group_id = aws_security_group.payments.id
  description       = "HTTPS to anywhere"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_cloudwatch_log_group" "payments" {
  name              = "/circuit-breaker/payments"
  retention_in_days = 30
  kms_key_id        = local.kms_key_arn

  depends_on = [aws_kms_key_policy.main]
}

resource "aws_iam_role" "payments" {
  name               = "circuit-breaker-payments"
  description        = "Instances of payments"
  assume_role_policy = data.aws_iam_policy_document.instance_assume.json
}

resource "aws_iam_role_policy_attachment" "payments" {
  for_each = toset(["AmazonSSMManagedInstanceCore", "CloudWatchAgentServerPolicy"])

  role       = aws_iam_role.payments.name
  policy_arn = "arn:aws:iam::aws:policy/${each.value}"
}

data "aws_iam_policy_document" "payments" {
  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.payments.arn}:*"]
  }

  statement {
    sid       = "Lifecycle"
    actions   = ["autoscaling:CompleteLifecycleAction"]
    resources = ["arn:aws:autoscaling:eu-west-1:*:autoScalingGroup:*:autoScalingGroupName/circuit-breaker-payments"]
  }

  statement {
    sid       = "Health"
    actions   = ["autoscaling:SetInstanceHealth"]
    resources = ["arn:aws:autoscaling:eu-west-1:*:autoScalingGroup:*:autoScalingGroupName/circuit-breaker-payments"]
  }

  statement {
    sid       = "Discovery"
    actions   = ["servicediscovery:RegisterInstance", "servicediscovery:DeregisterInstance"]
    resources = [aws_service_discovery_service.payments.arn]
  }

  # Cloud Map writes the records with the caller's rights.
  statement {
    sid       = "Records"
    actions   = ["route53:ChangeResourceRecordSets"]
    resources = ["arn:aws:route53:::hostedzone/${aws_service_discovery_private_dns_namespace.main.hosted_zone}"]
  }
}

resource "aws_iam_role_policy" "payments" {
  name   = "instance"
  role   = aws_iam_role.payments.id
  policy = data.aws_iam_policy_document.payments.json
}

resource "aws_iam_instance_profile" "payments" {
  name = "circuit-breaker-payments"
  role = aws_iam_role.payments.name
}

resource "aws_service_discovery_service" "payments" {
  name          = "payments"
  description   = "Instances of payments that serve"
  force_destroy = true

  dns_config {
    namespace_id   = aws_service_discovery_private_dns_namespace.main.id
    routing_policy = "MULTIVALUE"

    dns_records {
      type = "A"
      ttl  = 10
    }
  }
}

resource "aws_launch_template" "payments" {
  name                   = "circuit-breaker-payments"
  description            = "Instances of payments"
  image_id               = var.image_id
  instance_type          = "c7i.large" # the instance has it, so that a new size is no new instance
  update_default_version = true
  ebs_optimized          = true
  vpc_security_group_ids = [aws_security_group.payments.id]

  # Compressed: user data has a limit of 16 KB.
  user_data = base64gzip(join("\n", ["#cloud-config", yamlencode({
    write_files = [
      {
        path = "/etc/app/instance.env"
        content = join("\n", [
          "AWS_REGION=eu-west-1",
          "DISCOVERY_SERVICE=${aws_service_discovery_service.payments.id}",
          "DRAIN=30",
          "GROUP=circuit-breaker-payments",
          "HEALTH_URL=http://127.0.0.1:9090/healthz",
          "IMAGE=ghcr.io/acme/payments:1.8.1",
          "LINGER=15",
          "LOG_GROUP=/circuit-breaker/payments",
          "READY_URL=http://127.0.0.1:9090/readyz",
        ])
      },
      {
        path    = "/etc/app/app.env"
        content = "PORT=9090"
      },
      {
        path    = "/etc/app/secrets"
        content = ""
      },
      { path = "/usr/local/bin/app", permissions = "0755", content = file("${path.module}/instance/app.sh") },
      { path = "/etc/systemd/system/app.service", permissions = "0644", content = file("${path.module}/instance/app.service") },
      { path = "/etc/app/cloudwatch_agent.json", permissions = "0644", content = file("${path.module}/service_payments/cloudwatch_agent.json") },
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
    arn = aws_iam_instance_profile.payments.arn
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
    tags          = merge(local.tags, { Name = "circuit-breaker-payments" })
  }

  tag_specifications {
    resource_type = "volume"
    tags          = merge(local.tags, { Name = "circuit-breaker-payments" })
  }
}

resource "aws_autoscaling_group" "payments" {
  name                = "circuit-breaker-payments"
  min_size            = 3
  max_size            = 6
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
    id      = aws_launch_template.payments.id
    version = aws_launch_template.payments.latest_version
  }

  instance_refresh {
    strategy = "Rolling"

    preferences {
      min_healthy_percentage = 100
      max_healthy_percentage = 125
    }
  }

  dynamic "tag" {
    for_each = merge(local.tags, { Name = "circuit-breaker-payments" })

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
resource "aws_autoscaling_lifecycle_hook" "payments_ready" {
  name                   = "ready"
  autoscaling_group_name = aws_autoscaling_group.payments.name
  lifecycle_transition   = "autoscaling:EC2_INSTANCE_LAUNCHING"
  heartbeat_timeout      = 360
  default_result         = "ABANDON"
}

# A leaving instance stays until it has finished what it has begun.
resource "aws_autoscaling_lifecycle_hook" "payments_drain" {
  name                   = "drain"
  autoscaling_group_name = aws_autoscaling_group.payments.name
  lifecycle_transition   = "autoscaling:EC2_INSTANCE_TERMINATING"
  heartbeat_timeout      = 55
  default_result         = "CONTINUE"
}

# Any policy can make the group grow; it shrinks only when all of them agree.
resource "aws_autoscaling_policy" "payments_cpu" {
  name                   = "circuit-breaker-payments-cpu"
  autoscaling_group_name = aws_autoscaling_group.payments.name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value = 56

    predefined_metric_specification {
      predefined_metric_type = "ASGAverageCPUUtilization"
    }
  }
}

# Not a metric of EC2: the agent on the instances measures it.
resource "aws_autoscaling_policy" "payments_memory" {
  name                   = "circuit-breaker-payments-memory"
  autoscaling_group_name = aws_autoscaling_group.payments.name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value     = 75
    disable_scale_in = true # memory is seldom given back, so it would hold the group at its largest

    customized_metric_specification {
      namespace   = "circuit-breaker-payments"
      metric_name = "mem_used_percent"
      statistic   = "Average"

      metric_dimension {
        name  = "AutoScalingGroupName"
        value = aws_autoscaling_group.payments.name
      }
    }
  }
}

resource "aws_autoscaling_policy" "payments_forecast" {
  name                   = "circuit-breaker-payments-forecast"
  autoscaling_group_name = aws_autoscaling_group.payments.name
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

resource "aws_cloudwatch_metric_alarm" "payments_at_max" {
  alarm_name          = "circuit-breaker-payments-at-max"
  alarm_description   = "The group is as large as it may be and cannot grow any further: raise its maximum, or find out what drives it."
  namespace           = "AWS/AutoScaling"
  metric_name         = "GroupInServiceInstances"
  dimensions          = { AutoScalingGroupName = aws_autoscaling_group.payments.name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 5
  threshold           = 6
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}
