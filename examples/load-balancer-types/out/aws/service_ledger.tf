# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "aws_security_group" "ledger" {
  name_prefix = "load-balancer-types-ledger-"
  description = "Instances of ledger"
  vpc_id      = local.vpc_id

  tags = { Name = "load-balancer-types-ledger" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "ledger_from_clients" {
  for_each = {
    web = aws_security_group.web.id
  }

  security_group_id            = aws_security_group.ledger.id
  description                  = "From ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 9000
  to_port                      = 9000
}

# Images, packages and the interfaces of AWS.
resource "aws_vpc_security_group_egress_rule" "ledger_https" {
  security_group_id = aws_security_group.ledger.id
  description       = "HTTPS to anywhere"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_cloudwatch_log_group" "ledger" {
  name              = "/load-balancer-types/ledger"
  retention_in_days = 30
  kms_key_id        = local.kms_key_arn

  depends_on = [aws_kms_key_policy.main]
}

resource "aws_iam_role" "ledger" {
  name               = "load-balancer-types-ledger"
  description        = "Instances of ledger"
  assume_role_policy = data.aws_iam_policy_document.instance_assume.json
}

resource "aws_iam_role_policy_attachment" "ledger" {
  for_each = toset(["AmazonSSMManagedInstanceCore", "CloudWatchAgentServerPolicy"])

  role       = aws_iam_role.ledger.name
  policy_arn = "arn:aws:iam::aws:policy/${each.value}"
}

data "aws_iam_policy_document" "ledger" {
  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.ledger.arn}:*"]
  }

  statement {
    sid       = "Lifecycle"
    actions   = ["autoscaling:CompleteLifecycleAction"]
    resources = ["arn:aws:autoscaling:eu-west-1:*:autoScalingGroup:*:autoScalingGroupName/load-balancer-types-ledger"]
  }

  statement {
    sid       = "Discovery"
    actions   = ["servicediscovery:RegisterInstance", "servicediscovery:DeregisterInstance"]
    resources = [aws_service_discovery_service.ledger.arn]
  }

  # Cloud Map writes the records with the caller's rights.
  statement {
    sid       = "Records"
    actions   = ["route53:ChangeResourceRecordSets"]
    resources = ["arn:aws:route53:::hostedzone/${aws_service_discovery_private_dns_namespace.main.hosted_zone}"]
  }
}

resource "aws_iam_role_policy" "ledger" {
  name   = "instance"
  role   = aws_iam_role.ledger.id
  policy = data.aws_iam_policy_document.ledger.json
}

resource "aws_iam_instance_profile" "ledger" {
  name = "load-balancer-types-ledger"
  role = aws_iam_role.ledger.name
}

resource "aws_service_discovery_service" "ledger" {
  name          = "ledger"
  description   = "Instances of ledger that serve"
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

resource "aws_launch_template" "ledger" {
  name                   = "load-balancer-types-ledger"
  description            = "Instances of ledger"
  image_id               = var.image_id
  instance_type          = "c7i.large" # the instance has it, so that a new size is no new instance
  update_default_version = true
  ebs_optimized          = true
  vpc_security_group_ids = [aws_security_group.ledger.id]

  # Compressed: user data has a limit of 16 KB.
  user_data = base64gzip(join("\n", ["#cloud-config", yamlencode({
    write_files = [
      {
        path = "/etc/app/instance.env"
        content = join("\n", [
          "AWS_REGION=eu-west-1",
          "DISCOVERY_SERVICE=${aws_service_discovery_service.ledger.id}",
          "DRAIN=30",
          "GROUP=load-balancer-types-ledger",
          "IMAGE=ghcr.io/acme/ledger:1.0.3",
          "LINGER=15",
          "LOG_GROUP=/load-balancer-types/ledger",
          "READY_URL=http://127.0.0.1:9000/readyz",
        ])
      },
      {
        path    = "/etc/app/app.env"
        content = "PORT=9000"
      },
      {
        path    = "/etc/app/secrets"
        content = ""
      },
      { path = "/usr/local/bin/app", permissions = "0755", content = file("${path.module}/instance/app.sh") },
      { path = "/etc/systemd/system/app.service", permissions = "0644", content = file("${path.module}/instance/app.service") },
      { path = "/etc/app/cloudwatch_agent.json", permissions = "0644", content = file("${path.module}/service_ledger/cloudwatch_agent.json") },
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
    arn = aws_iam_instance_profile.ledger.arn
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
    tags          = merge(local.tags, { Name = "load-balancer-types-ledger" })
  }

  tag_specifications {
    resource_type = "volume"
    tags          = merge(local.tags, { Name = "load-balancer-types-ledger" })
  }
}

resource "aws_autoscaling_group" "ledger" {
  name                = "load-balancer-types-ledger"
  min_size            = 3
  max_size            = 6
  vpc_zone_identifier = local.private_subnet_ids
  target_group_arns   = [aws_lb_target_group.ledger.arn]

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
    id      = aws_launch_template.ledger.id
    version = aws_launch_template.ledger.latest_version
  }

  instance_refresh {
    strategy = "Rolling"

    preferences {
      min_healthy_percentage = 100
      max_healthy_percentage = 125
    }
  }

  dynamic "tag" {
    for_each = merge(local.tags, { Name = "load-balancer-types-ledger" })

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
  depends_on = [aws_lb_listener.ledger]

  lifecycle {
    # The policies below own the size.
    ignore_changes = [desired_capacity]
  }
}

# A new instance counts once its program answers; one that never does is given up.
resource "aws_autoscaling_lifecycle_hook" "ledger_ready" {
  name                   = "ready"
  autoscaling_group_name = aws_autoscaling_group.ledger.name
  lifecycle_transition   = "autoscaling:EC2_INSTANCE_LAUNCHING"
  heartbeat_timeout      = 360
  default_result         = "ABANDON"
}

# A leaving instance stays until it has finished what it has begun.
resource "aws_autoscaling_lifecycle_hook" "ledger_drain" {
  name                   = "drain"
  autoscaling_group_name = aws_autoscaling_group.ledger.name
  lifecycle_transition   = "autoscaling:EC2_INSTANCE_TERMINATING"
  heartbeat_timeout      = 55
  default_result         = "CONTINUE"
}

# Any policy can make the group grow; it shrinks only when all of them agree.
resource "aws_autoscaling_policy" "ledger_cpu" {
  name                   = "load-balancer-types-ledger-cpu"
  autoscaling_group_name = aws_autoscaling_group.ledger.name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value = 56

    predefined_metric_specification {
      predefined_metric_type = "ASGAverageCPUUtilization"
    }
  }
}

# Not a metric of EC2: the agent on the instances measures it.
resource "aws_autoscaling_policy" "ledger_memory" {
  name                   = "load-balancer-types-ledger-memory"
  autoscaling_group_name = aws_autoscaling_group.ledger.name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value     = 75
    disable_scale_in = true # memory is seldom given back, so it would hold the group at its largest

    customized_metric_specification {
      namespace   = "load-balancer-types-ledger"
      metric_name = "mem_used_percent"
      statistic   = "Average"

      metric_dimension {
        name  = "AutoScalingGroupName"
        value = aws_autoscaling_group.ledger.name
      }
    }
  }
}

resource "aws_autoscaling_policy" "ledger_forecast" {
  name                   = "load-balancer-types-ledger-forecast"
  autoscaling_group_name = aws_autoscaling_group.ledger.name
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

resource "aws_cloudwatch_metric_alarm" "ledger_at_max" {
  alarm_name          = "load-balancer-types-ledger-at-max"
  alarm_description   = "The group is as large as it may be and cannot grow any further: raise its maximum, or find out what drives it."
  namespace           = "AWS/AutoScaling"
  metric_name         = "GroupInServiceInstances"
  dimensions          = { AutoScalingGroupName = aws_autoscaling_group.ledger.name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 5
  threshold           = 6
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}
