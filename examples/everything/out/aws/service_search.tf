# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "aws_security_group" "search" {
  name_prefix = "everything-search-"
  description = "Instances of search"
  vpc_id      = local.vpc_id

  tags = { Name = "everything-search" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "search_from_clients" {
  for_each = {
    api = aws_security_group.api.id
  }

  security_group_id            = aws_security_group.search.id
  description                  = "From ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 9200
  to_port                      = 9200
}

# Images, packages and the interfaces of AWS.
resource "aws_vpc_security_group_egress_rule" "search_https" {
  security_group_id = aws_security_group.search.id
  description       = "HTTPS to anywhere"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_cloudwatch_log_group" "search" {
  name              = "/everything/search"
  retention_in_days = 30
  kms_key_id        = local.kms_key_arn

  depends_on = [aws_kms_key_policy.main]
}

resource "aws_iam_role" "search" {
  name               = "everything-search"
  description        = "Instances of search"
  assume_role_policy = data.aws_iam_policy_document.instance_assume.json
}

resource "aws_iam_role_policy_attachment" "search" {
  for_each = toset(["AmazonSSMManagedInstanceCore", "CloudWatchAgentServerPolicy"])

  role       = aws_iam_role.search.name
  policy_arn = "arn:aws:iam::aws:policy/${each.value}"
}

data "aws_iam_policy_document" "search" {
  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.search.arn}:*"]
  }
}

resource "aws_iam_role_policy" "search" {
  name   = "instance"
  role   = aws_iam_role.search.id
  policy = data.aws_iam_policy_document.search.json
}

resource "aws_iam_instance_profile" "search" {
  name = "everything-search"
  role = aws_iam_role.search.name
}

resource "aws_service_discovery_service" "search" {
  name          = "search"
  description   = "Instances of search that serve"
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

resource "aws_launch_template" "search" {
  name                   = "everything-search"
  description            = "Instances of search"
  image_id               = var.image_id
  update_default_version = true
  ebs_optimized          = true
  vpc_security_group_ids = [aws_security_group.search.id]

  # Compressed: user data has a limit of 16 KB.
  user_data = base64gzip(join("\n", ["#cloud-config", yamlencode({
    write_files = [
      {
        path = "/etc/app/instance.env"
        content = join("\n", [
          "AWS_REGION=eu-west-1",
          "DATA=/data",
          "DRAIN=30",
          "IMAGE=ghcr.io/acme/search:1.4.2",
          "LOG_GROUP=/everything/search",
        ])
      },
      {
        path    = "/etc/app/app.env"
        content = "PORT=9200"
      },
      {
        path    = "/etc/app/secrets"
        content = ""
      },
      { path = "/usr/local/bin/app", permissions = "0755", content = file("${path.module}/instance/app.sh") },
      { path = "/etc/systemd/system/app.service", permissions = "0644", content = file("${path.module}/instance/app.service") },
      { path = "/etc/app/cloudwatch_agent.json", permissions = "0644", content = file("${path.module}/service_search/cloudwatch_agent.json") },
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
    arn = aws_iam_instance_profile.search.arn
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
    tags          = merge(local.tags, { Name = "everything-search" })
  }

  tag_specifications {
    resource_type = "volume"
    tags          = merge(local.tags, { Name = "everything-search" })
  }
}

# A release replaces the machine, and the volume moves over to the new one: plan it for a quiet hour.
resource "aws_instance" "search" {
  instance_type = "r7i.xlarge"
  subnet_id     = local.private_subnet_ids[0]

  launch_template {
    id      = aws_launch_template.search.id
    version = aws_launch_template.search.latest_version
  }

  # A machine that fails is started anew on another host, with the same volume and address.
  maintenance_options {
    auto_recovery = "default"
  }

  tags = { Name = "everything-search", resize = "everything-search" }

  lifecycle {
    # The maintenance window below sets it.
    ignore_changes = [instance_type]
  }
}

resource "aws_ebs_volume" "search" {
  availability_zone = "eu-west-1a"
  type              = "gp3"
  size              = 50
  encrypted         = true
  kms_key_id        = local.kms_key_arn

  tags = { Name = "everything-search-data", snapshots = "everything-search" }

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_volume_attachment" "search" {
  device_name                    = "/dev/sdf"
  volume_id                      = aws_ebs_volume.search.id
  instance_id                    = aws_instance.search.id
  stop_instance_before_detaching = true
}

resource "aws_service_discovery_instance" "search" {
  service_id  = aws_service_discovery_service.search.id
  instance_id = aws_instance.search.id
  attributes  = { AWS_INSTANCE_IPV4 = aws_instance.search.private_ip }
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

resource "aws_iam_role" "search_snapshots" {
  name               = "everything-search-snapshots"
  description        = "Snapshots of the volume of search"
  assume_role_policy = data.aws_iam_policy_document.snapshots_assume.json
}

resource "aws_iam_role_policy_attachment" "search_snapshots" {
  role       = aws_iam_role.search_snapshots.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSDataLifecycleManagerServiceRole"
}

resource "aws_dlm_lifecycle_policy" "search" {
  description        = "Daily snapshots of everything-search"
  execution_role_arn = aws_iam_role.search_snapshots.arn
  state              = "ENABLED"

  policy_details {
    resource_types = ["VOLUME"]
    target_tags    = { snapshots = "everything-search" }

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
resource "aws_ssm_maintenance_window" "search" {
  name              = "everything-search-resize"
  schedule          = "cron(0 3 ? * SUN *)"
  schedule_timezone = "UTC"
  duration          = 2
  cutoff            = 1
}

resource "aws_ssm_maintenance_window_target" "search" {
  window_id     = aws_ssm_maintenance_window.search.id
  name          = "everything-search"
  resource_type = "INSTANCE"

  targets {
    key    = "tag:resize"
    values = ["everything-search"]
  }
}

resource "aws_iam_role" "search_resize" {
  name               = "everything-search-resize"
  description        = "Resizes search in its window"
  assume_role_policy = data.aws_iam_policy_document.automation_assume.json
}

data "aws_iam_policy_document" "search_resize" {
  statement {
    actions   = ["ec2:DescribeInstances", "ec2:DescribeInstanceStatus"]
    resources = ["*"]
  }

  statement {
    actions   = ["ec2:ModifyInstanceAttribute", "ec2:StartInstances", "ec2:StopInstances"]
    resources = [aws_instance.search.arn]
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

resource "aws_iam_role_policy" "search_resize" {
  name   = "resize"
  role   = aws_iam_role.search_resize.id
  policy = data.aws_iam_policy_document.search_resize.json
}

resource "aws_ssm_maintenance_window_task" "search" {
  window_id        = aws_ssm_maintenance_window.search.id
  name             = "resize"
  task_type        = "AUTOMATION"
  task_arn         = "AWS-ResizeInstance"
  service_role_arn = aws_iam_role.search_resize.arn
  priority         = 1
  max_concurrency  = "1"
  max_errors       = "0"

  targets {
    key    = "WindowTargetIds"
    values = [aws_ssm_maintenance_window_target.search.id]
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
        values = ["r7i.xlarge"]
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "search_high" {
  for_each = {
    cpu    = { namespace = "AWS/EC2", metric = "CPUUtilization", threshold = 75 }
    memory = { namespace = "everything-search", metric = "mem_used_percent", threshold = 85 }
  }

  alarm_name          = "everything-search-high-${each.key}"
  alarm_description   = "Has been high for 1h: take the next size while there is one, or divide the work over more machines (auto_scaling_group, read_replicas)."
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = { InstanceId = aws_instance.search.id }
  statistic           = "Average"
  period              = 300
  evaluation_periods  = 12
  threshold           = each.value.threshold
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "missing"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "search_low" {
  alarm_name          = "everything-search-low-cpu"
  alarm_description   = "Has been idle for a day: a smaller size may do."
  namespace           = "AWS/EC2"
  metric_name         = "CPUUtilization"
  dimensions          = { InstanceId = aws_instance.search.id }
  statistic           = "Maximum"
  period              = 3600
  evaluation_periods  = 24
  threshold           = 20
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "missing"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

# What the disk and the machine's link to it can do is part of its size too.
resource "aws_cloudwatch_metric_alarm" "search_disk" {
  for_each = toset(["InstanceEBSIOPSExceededCheck", "InstanceEBSThroughputExceededCheck"])

  alarm_name          = "everything-search-${each.key}"
  alarm_description   = "The machine's link to its disks is at its limit."
  namespace           = "AWS/EC2"
  metric_name         = each.key
  dimensions          = { InstanceId = aws_instance.search.id }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 3
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "search_status" {
  alarm_name          = "everything-search-status"
  alarm_description   = "The machine does not answer."
  namespace           = "AWS/EC2"
  metric_name         = "StatusCheckFailed"
  dimensions          = { InstanceId = aws_instance.search.id }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}
