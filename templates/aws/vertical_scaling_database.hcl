# A database that is made larger when it is too small: who notices, and when it happens.
template "vertical_scaling_database" {
  for     = database
  pattern = "vertical_scaling"
  when    = database.database_sharding == null
  file    = "database_${database.name}_alarms.tf"

  covers = {
    limits      = [database.vertical_scaling.max_cpu, database.vertical_scaling.share_of_ceiling, database.flavour == "cluster" ? aws_rds_cluster_instance.this.instance_class : aws_db_instance.this.instance_class]
    utilisation = [aws_cloudwatch_metric_alarm.this_size.metric_name, database.flavour == "cluster" ? aws_rds_cluster_instance.this.performance_insights_enabled : aws_db_instance.this.performance_insights_enabled]
    horizontal  = [aws_cloudwatch_metric_alarm.this_size.alarm_description, aws_cloudwatch_metric_alarm.this_size.evaluation_periods, database.vertical_scaling.ceiling_warning]
  }
  approximates = {
    downtime = {
      by = [
        database.flavour == "cluster" ? aws_rds_cluster.this.preferred_maintenance_window : aws_db_instance.this.maintenance_window,
        database.flavour == "cluster" ? aws_rds_cluster.this.apply_immediately : aws_db_instance.this.apply_immediately,
        database.flavour == "cluster" ? aws_rds_cluster.this.backup_retention_period : aws_db_instance.this.backup_retention_period,
      ]
      why = "RDS takes a new size in the window; instead of a snapshot before it, backups lead back to any second."
    }
    costs = {
      by  = [aws_cloudwatch_metric_alarm.this_size.metric_name, database.vertical_scaling.monthly_budget == null ? database.vertical_scaling.low_cpu : aws_budgets_budget.this.limit_amount]
      why = "A size that is too large is told, and a budget where one is stated; AWS Compute Optimizer is a setting of the account."
    }
  }

  check "class_exists" {
    condition = let.machine != "" || can(fit(table.database_classes, { vcpu = database.vertical_scaling.max_cpu, memory_gib = gib(database.vertical_scaling.max_memory) }))
    message   = "RDS has no class of ${database.vertical_scaling.max_cpu} vCPUs and ${floor(gib(database.vertical_scaling.max_memory))} GiB: ${database.name} cannot grow that far."
    fix       = "Lower max_cpu and max_memory."
    at        = database.vertical_scaling.max_cpu
    related   = [database.vertical_scaling.max_memory]
    severity  = "warning"
  }
}

resource "aws_cloudwatch_metric_alarm" "this_size" {
  for_each = {
    too-small = {
      metric    = "CPUUtilization"
      operator  = "GreaterThanThreshold"
      threshold = database.vertical_scaling.high_cpu
      hours     = max(1, ceil(database.vertical_scaling.observe / 3600))
      means     = "The processor is too small. It may grow to ${database.vertical_scaling.max_cpu} vCPUs, of which it has ${database.vertical_scaling.share_of_ceiling} %; beyond that only replicas or shards help."
    }
    too-little-memory = {
      metric    = "FreeableMemory"
      operator  = "LessThanThreshold"
      threshold = floor(database.memory * (100 - database.vertical_scaling.high_memory) / 100)
      hours     = max(1, ceil(database.vertical_scaling.observe / 3600))
      means     = "The memory is too small. It may grow to ${floor(gib(database.vertical_scaling.max_memory))} GiB; beyond that only replicas or shards help."
    }
    too-large = {
      metric    = "CPUUtilization"
      operator  = "LessThanThreshold"
      threshold = database.vertical_scaling.low_cpu
      hours     = 72
      means     = "The processor has had little to do for three days: a smaller class would do, and costs half."
    }
  }

  alarm_name          = "${let.name}-${each.key}"
  alarm_description   = each.value.means
  comparison_operator = each.value.operator
  threshold           = each.value.threshold
  evaluation_periods  = each.value.hours
  period              = 3600
  namespace           = "AWS/RDS"
  metric_name         = each.value.metric
  statistic           = "Average"
  dimensions          = database.flavour == "cluster" ? { DBClusterIdentifier = aws_rds_cluster.this.cluster_identifier, Role = "WRITER" } : { DBInstanceIdentifier = aws_db_instance.this.identifier }
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

extend "aws_db_instance" "this" {
  when = database.flavour == "server" && database.vertical_scaling.monthly_budget != null

  # The budget finds its costs by this tag.
  tags = { Name = let.name }
}

extend "aws_rds_cluster_instance" "this" {
  when = database.flavour == "cluster" && database.vertical_scaling.monthly_budget != null

  # The budget finds its costs by this tag.
  tags = { Name = let.name }
}

resource "aws_budgets_budget" "this" {
  when = database.vertical_scaling.monthly_budget != null

  name         = let.name
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(database.vertical_scaling.monthly_budget)
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
