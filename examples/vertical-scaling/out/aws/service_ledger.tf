# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "aws_security_group" "ledger" {
  name_prefix = "vertical-scaling-ledger-"
  description = "Instances of ledger"
  vpc_id      = local.vpc_id

  tags = { Name = "vertical-scaling-ledger" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "ledger_from_clients" {
  for_each = {
    shop = aws_security_group.shop.id
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
  name              = "/vertical-scaling/ledger"
  retention_in_days = 30
  kms_key_id        = local.kms_key_arn

  depends_on = [aws_kms_key_policy.main]
}

resource "aws_iam_role" "ledger" {
  name               = "vertical-scaling-ledger"
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
}

resource "aws_iam_role_policy" "ledger" {
  name   = "instance"
  role   = aws_iam_role.ledger.id
  policy = data.aws_iam_policy_document.ledger.json
}

resource "aws_iam_instance_profile" "ledger" {
  name = "vertical-scaling-ledger"
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
  name                   = "vertical-scaling-ledger"
  description            = "Instances of ledger"
  image_id               = var.image_id
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
          "DATA=/data",
          "DRAIN=30",
          "IMAGE=ghcr.io/acme/ledger:1.0.3",
          "LOG_GROUP=/vertical-scaling/ledger",
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
      { path = "/usr/local/bin/data-volume", permissions = "0755", content = file("${path.module}/instance/data_volume.sh") },
      { path = "/etc/systemd/system/data-volume.service", permissions = "0644", content = file("${path.module}/instance/data_volume.service") },
    ]
    packages = ["amazon-cloudwatch-agent", "docker"]
    runcmd = [
      ["systemctl", "daemon-reload"],
      ["/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl", "-a", "fetch-config", "-m", "ec2", "-s", "-c", "file:/etc/app/cloudwatch_agent.json"],
      ["systemctl", "enable", "--now", "data-volume.service", "app.service"],
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
    tags          = merge(local.tags, { Name = "vertical-scaling-ledger" })
  }

  tag_specifications {
    resource_type = "volume"
    tags          = merge(local.tags, { Name = "vertical-scaling-ledger" })
  }
}

# A release replaces the machine, and the volume moves over to the new one: plan it for a quiet hour.
resource "aws_instance" "ledger" {
  instance_type = "m7i.xlarge"
  subnet_id     = local.private_subnet_ids[0]

  launch_template {
    id      = aws_launch_template.ledger.id
    version = aws_launch_template.ledger.latest_version
  }

  # A machine that fails is started anew on another host, with the same volume and address.
  maintenance_options {
    auto_recovery = "default"
  }

  tags = { Name = "vertical-scaling-ledger", resize = "vertical-scaling-ledger" }

  lifecycle {
    # The maintenance window below sets it.
    ignore_changes = [instance_type]
  }
}

resource "aws_ebs_volume" "ledger" {
  availability_zone = "eu-west-1a"
  type              = "gp3"
  size              = 50
  encrypted         = true
  kms_key_id        = local.kms_key_arn

  tags = { Name = "vertical-scaling-ledger-data", snapshots = "vertical-scaling-ledger" }

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_volume_attachment" "ledger" {
  device_name                    = "/dev/sdf"
  volume_id                      = aws_ebs_volume.ledger.id
  instance_id                    = aws_instance.ledger.id
  stop_instance_before_detaching = true
}

resource "aws_service_discovery_instance" "ledger" {
  service_id  = aws_service_discovery_service.ledger.id
  instance_id = aws_instance.ledger.id
  attributes  = { AWS_INSTANCE_IPV4 = aws_instance.ledger.private_ip }
}

# A snapshot before every day's work, and so before every resize.
data "aws_iam_policy_document" "snapshots_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["dlm.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "ledger_snapshots" {
  name               = "vertical-scaling-ledger-snapshots"
  description        = "Snapshots of the volume of ledger"
  assume_role_policy = data.aws_iam_policy_document.snapshots_assume.json
}

resource "aws_iam_role_policy_attachment" "ledger_snapshots" {
  role       = aws_iam_role.ledger_snapshots.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSDataLifecycleManagerServiceRole"
}

resource "aws_dlm_lifecycle_policy" "ledger" {
  description        = "Daily snapshots of vertical-scaling-ledger"
  execution_role_arn = aws_iam_role.ledger_snapshots.arn
  state              = "ENABLED"

  policy_details {
    resource_types = ["VOLUME"]
    target_tags    = { snapshots = "vertical-scaling-ledger" }

    schedule {
      name      = "daily"
      copy_tags = true

      create_rule {
        interval      = 24
        interval_unit = "HOURS"
        times         = ["02:00"]
      }

      retain_rule {
        count = 14
      }
    }
  }
}

# A new size stops the machine for some minutes, so it is taken in a window: the task compares and does nothing while
# the machine has its size.
resource "aws_ssm_maintenance_window" "ledger" {
  name              = "vertical-scaling-ledger-resize"
  schedule          = "cron(0 3 ? * SUN *)"
  schedule_timezone = "UTC"
  duration          = 2
  cutoff            = 1
}

resource "aws_ssm_maintenance_window_target" "ledger" {
  window_id     = aws_ssm_maintenance_window.ledger.id
  name          = "vertical-scaling-ledger"
  resource_type = "INSTANCE"

  targets {
    key    = "tag:resize"
    values = ["vertical-scaling-ledger"]
  }
}

resource "aws_iam_role" "ledger_resize" {
  name               = "vertical-scaling-ledger-resize"
  description        = "Resizes ledger in its window"
  assume_role_policy = data.aws_iam_policy_document.automation_assume.json
}

data "aws_iam_policy_document" "ledger_resize" {
  statement {
    actions   = ["ec2:DescribeInstances", "ec2:DescribeInstanceStatus"]
    resources = ["*"]
  }

  statement {
    actions   = ["ec2:ModifyInstanceAttribute", "ec2:StartInstances", "ec2:StopInstances"]
    resources = [aws_instance.ledger.arn]
  }

  statement {
    actions   = ["ssm:GetAutomationExecution", "ssm:StartAutomationExecution"]
    resources = ["arn:aws:ssm:eu-west-1::automation-definition/AWS-ResizeInstance:*", "arn:aws:ssm:eu-west-1:*:automation-execution/*"]
  }

  # Its volumes are opened again with the key when it starts.
  statement {
    actions   = ["kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext"]
    resources = [local.kms_key_arn]
  }
}

resource "aws_iam_role_policy" "ledger_resize" {
  name   = "resize"
  role   = aws_iam_role.ledger_resize.id
  policy = data.aws_iam_policy_document.ledger_resize.json
}

resource "aws_ssm_maintenance_window_task" "ledger" {
  window_id        = aws_ssm_maintenance_window.ledger.id
  name             = "resize"
  task_type        = "AUTOMATION"
  task_arn         = "AWS-ResizeInstance"
  service_role_arn = aws_iam_role.ledger_resize.arn
  priority         = 1
  max_concurrency  = "1"
  max_errors       = "0"

  targets {
    key    = "WindowTargetIds"
    values = [aws_ssm_maintenance_window_target.ledger.id]
  }

  task_invocation_parameters {
    automation_parameters {
      document_version = "$DEFAULT"

      parameter {
        name   = "InstanceId"
        values = ["{{ RESOURCE_ID }}"]
      }

      parameter {
        name   = "InstanceType"
        values = ["m7i.xlarge"]
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "ledger_high" {
  for_each = {
    cpu    = { namespace = "AWS/EC2", metric = "CPUUtilization", threshold = 75 }
    memory = { namespace = "vertical-scaling-ledger", metric = "mem_used_percent", threshold = 85 }
  }

  alarm_name          = "vertical-scaling-ledger-high-${each.key}"
  alarm_description   = "Has been high for 1h: take the next size while there is one, or divide the work over more machines (auto_scaling_group, read_replicas)."
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = { InstanceId = aws_instance.ledger.id }
  statistic           = "Average"
  period              = 300
  evaluation_periods  = 12
  threshold           = each.value.threshold
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "missing"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "ledger_low" {
  alarm_name          = "vertical-scaling-ledger-low-cpu"
  alarm_description   = "Has been idle for a day: a smaller size may do."
  namespace           = "AWS/EC2"
  metric_name         = "CPUUtilization"
  dimensions          = { InstanceId = aws_instance.ledger.id }
  statistic           = "Maximum"
  period              = 3600
  evaluation_periods  = 24
  threshold           = 20
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "missing"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

# What the disk and the machine's link to it can do is part of its size too.
resource "aws_cloudwatch_metric_alarm" "ledger_disk" {
  for_each = toset(["InstanceEBSIOPSExceededCheck", "InstanceEBSThroughputExceededCheck"])

  alarm_name          = "vertical-scaling-ledger-${each.key}"
  alarm_description   = "The machine's link to its disks is at its limit."
  namespace           = "AWS/EC2"
  metric_name         = each.key
  dimensions          = { InstanceId = aws_instance.ledger.id }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 3
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "ledger_status" {
  alarm_name          = "vertical-scaling-ledger-status"
  alarm_description   = "The machine does not answer."
  namespace           = "AWS/EC2"
  metric_name         = "StatusCheckFailed"
  dimensions          = { InstanceId = aws_instance.ledger.id }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_budgets_budget" "ledger" {
  name         = "vertical-scaling-ledger"
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = "600"
  limit_unit   = "USD"

  # The tag has to be activated as a cost allocation tag once.
  cost_filter {
    name   = "TagKeyValue"
    values = ["user:Name$vertical-scaling-ledger"]
  }

  notification {
    comparison_operator       = "GREATER_THAN"
    notification_type         = "FORECASTED"
    threshold                 = 100
    threshold_type            = "PERCENTAGE"
    subscriber_sns_topic_arns = [aws_sns_topic.alarms.arn]
  }
}
