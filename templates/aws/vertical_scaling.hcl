# One machine, which grows. What it must not lose is on a volume of its own, so the machine itself can be replaced.
template "vertical_scaling" {
  for  = service
  when = service.runs_on == null
  file = "service_${service.name}.tf"

  covers = {
    limits      = [aws_instance.this.instance_type, service.vertical_scaling.max_cpu]
    downtime    = [aws_dlm_lifecycle_policy.this.policy_details.schedule.retain_rule, service.vertical_scaling.resize == "window" ? aws_ssm_maintenance_window_task.this.task_arn : aws_instance.this.instance_type]
    utilisation = [aws_cloudwatch_metric_alarm.this_high.metric_name, aws_cloudwatch_metric_alarm.this_low.metric_name, aws_launch_template.this.monitoring]
    costs       = [service.vertical_scaling.monthly_budget == null ? aws_cloudwatch_metric_alarm.this_low.threshold : aws_budgets_budget.this.limit_amount]
    horizontal  = [aws_cloudwatch_metric_alarm.this_high.evaluation_periods, service.vertical_scaling.ceiling_warning]
  }

  check "size_exists" {
    condition = length([for row in table.instances : row if row.arch == target.architecture && row.vcpu >= service.vertical_scaling.max_cpu && row.memory_gib >= gib(service.vertical_scaling.max_memory)]) > 0
    message   = "No machine of AWS (${target.architecture}) has the ${service.vertical_scaling.max_cpu} vCPUs and ${ceil(gib(service.vertical_scaling.max_memory))} GiB that ${service.name} may grow to."
    fix       = "Lower max_cpu or max_memory: that is where vertical growth ends."
    at        = service.vertical_scaling.max_cpu
    related   = [service.vertical_scaling.max_memory]
  }
}

let {
  growth  = service.vertical_scaling
  windows = service.vertical_scaling.resize == "window"
  home    = target.network == null ? sort(let.zones)[0] : let.zones[0] # of the first private subnet
  periods = max(1, ceil(service.vertical_scaling.observe / 300))
}

# A release replaces the machine, and the volume moves over to the new one: plan it for a quiet hour.
resource "aws_instance" "this" {
  instance_type = let.machine
  subnet_id     = local.private_subnet_ids[0]

  launch_template {
    id      = aws_launch_template.this.id
    version = aws_launch_template.this.latest_version
  }

  # A machine that fails is started anew on another host, with the same volume and address.
  maintenance_options {
    auto_recovery = "default"
  }

  tags = { Name = let.name, resize = let.name }

  lifecycle {
    when = let.windows

    # The maintenance window below sets it.
    ignore_changes = [instance_type]
  }
}

resource "aws_ebs_volume" "this" {
  availability_zone = let.home
  type              = "gp3"
  size              = ceil(gib(let.growth.disk))
  encrypted         = true
  kms_key_id        = local.kms_key_arn

  tags = { Name = "${let.name}-data", snapshots = let.name }

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_volume_attachment" "this" {
  device_name                    = "/dev/sdf"
  volume_id                      = aws_ebs_volume.this.id
  instance_id                    = aws_instance.this.id
  stop_instance_before_detaching = true
}

resource "aws_lb_target_group_attachment" "this" {
  when = service.balancer != null

  target_group_arn = aws_lb_target_group.this.arn
  target_id        = aws_instance.this.id
}

resource "aws_service_discovery_instance" "this" {
  when = let.found

  service_id  = aws_service_discovery_service.this.id
  instance_id = aws_instance.this.id
  attributes  = { AWS_INSTANCE_IPV4 = aws_instance.this.private_ip }
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

resource "aws_iam_role" "this_snapshots" {
  name               = shortname("${let.name}-snapshots", 64)
  description        = "Snapshots of the volume of ${service.name}"
  assume_role_policy = data.aws_iam_policy_document.snapshots_assume.json
}

resource "aws_iam_role_policy_attachment" "this_snapshots" {
  role       = aws_iam_role.this_snapshots.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSDataLifecycleManagerServiceRole"
}

resource "aws_dlm_lifecycle_policy" "this" {
  description        = "Daily snapshots of ${let.name}"
  execution_role_arn = aws_iam_role.this_snapshots.arn
  state              = "ENABLED"

  policy_details {
    resource_types = ["VOLUME"]
    target_tags    = { snapshots = let.name }

    schedule {
      name      = "daily"
      copy_tags = true

      create_rule {
        interval      = 24
        interval_unit = "HOURS"
        times         = [format("%02d:00", (let.growth.window_hour + 23) % 24)]
      }

      retain_rule {
        count = let.growth.snapshot_days
      }
    }
  }
}

# A new size stops the machine for some minutes, so it is taken in a window: the task compares and does nothing while
# the machine has its size.
resource "aws_ssm_maintenance_window" "this" {
  when = let.windows

  name              = "${let.name}-resize"
  schedule          = "cron(0 ${let.growth.window_hour} ? * ${upper(substr(let.growth.window_day, 0, 3))} *)"
  schedule_timezone = "UTC"
  duration          = 2
  cutoff            = 1
}

resource "aws_ssm_maintenance_window_target" "this" {
  when = let.windows

  window_id     = aws_ssm_maintenance_window.this.id
  name          = let.name
  resource_type = "INSTANCE"

  targets {
    key    = "tag:resize"
    values = [let.name]
  }
}

resource "aws_iam_role" "this_resize" {
  when = let.windows

  name               = shortname("${let.name}-resize", 64)
  description        = "Resizes ${service.name} in its window"
  assume_role_policy = data.aws_iam_policy_document.automation_assume.json
}

data "aws_iam_policy_document" "this_resize" {
  when = let.windows

  statement {
    actions   = ["ec2:DescribeInstances", "ec2:DescribeInstanceStatus"]
    resources = ["*"]
  }

  statement {
    actions   = ["ec2:ModifyInstanceAttribute", "ec2:StartInstances", "ec2:StopInstances"]
    resources = [aws_instance.this.arn]
  }

  statement {
    actions   = ["ssm:GetAutomationExecution", "ssm:StartAutomationExecution"]
    resources = ["arn:aws:ssm:${target.region}::automation-definition/AWS-ResizeInstance:*", "arn:aws:ssm:${target.region}:*:automation-execution/*"]
  }

  # Its volumes are opened again with the key when it starts.
  statement {
    actions   = ["kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext"]
    resources = [local.kms_key_arn]
  }
}

resource "aws_iam_role_policy" "this_resize" {
  when = let.windows

  name   = "resize"
  role   = aws_iam_role.this_resize.id
  policy = data.aws_iam_policy_document.this_resize.json
}

resource "aws_ssm_maintenance_window_task" "this" {
  when = let.windows

  window_id        = aws_ssm_maintenance_window.this.id
  name             = "resize"
  task_type        = "AUTOMATION"
  task_arn         = "AWS-ResizeInstance"
  service_role_arn = aws_iam_role.this_resize.arn
  priority         = 1
  max_concurrency  = "1"
  max_errors       = "0"

  targets {
    key    = "WindowTargetIds"
    values = [aws_ssm_maintenance_window_target.this.id]
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
        values = [let.machine]
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this_high" {
  for_each = {
    cpu    = { namespace = "AWS/EC2", metric = "CPUUtilization", threshold = let.growth.high_cpu }
    memory = { namespace = let.name, metric = "mem_used_percent", threshold = let.growth.high_memory }
  }

  alarm_name          = "${let.name}-high-${each.key}"
  alarm_description   = "Has been high for ${span(let.growth.observe)}: take the next size while there is one, or divide the work over more machines (auto_scaling_group, read_replicas)."
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = { InstanceId = aws_instance.this.id }
  statistic           = "Average"
  period              = 300
  evaluation_periods  = let.periods
  threshold           = each.value.threshold
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "missing"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "this_low" {
  alarm_name          = "${let.name}-low-cpu"
  alarm_description   = "Has been idle for a day: a smaller size may do."
  namespace           = "AWS/EC2"
  metric_name         = "CPUUtilization"
  dimensions          = { InstanceId = aws_instance.this.id }
  statistic           = "Maximum"
  period              = 3600
  evaluation_periods  = 24
  threshold           = let.growth.low_cpu
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "missing"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

# What the disk and the machine's link to it can do is part of its size too.
resource "aws_cloudwatch_metric_alarm" "this_disk" {
  for_each = toset(["InstanceEBSIOPSExceededCheck", "InstanceEBSThroughputExceededCheck"])

  alarm_name          = "${let.name}-${each.key}"
  alarm_description   = "The machine's link to its disks is at its limit."
  namespace           = "AWS/EC2"
  metric_name         = each.key
  dimensions          = { InstanceId = aws_instance.this.id }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 3
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "this_status" {
  alarm_name          = "${let.name}-status"
  alarm_description   = "The machine does not answer."
  namespace           = "AWS/EC2"
  metric_name         = "StatusCheckFailed"
  dimensions          = { InstanceId = aws_instance.this.id }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_budgets_budget" "this" {
  when = let.growth.monthly_budget != null

  name         = let.name
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(let.growth.monthly_budget)
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

file "instance/data_volume.sh" {
  format  = "sh"
  content = <<-EOT
    #!/bin/bash
    # Mounts the data volume, and makes a file system on it if it has none.
    set -euo pipefail

    until [[ -b /dev/sdf ]]; do sleep 2; done
    if ! blkid /dev/sdf >/dev/null; then
      mkfs.xfs /dev/sdf
    fi
    mkdir -p /data
    mount /dev/sdf /data
    xfs_growfs /data
  EOT
}

file "instance/data_volume.service" {
  format  = "ini"
  content = <<-EOT
    [Unit]
    Description=The data volume
    Before=app.service

    [Service]
    Type=oneshot
    RemainAfterExit=yes
    ExecStart=/usr/local/bin/data-volume
    ExecStop=/usr/bin/umount /data

    [Install]
    WantedBy=multi-user.target
  EOT
}
