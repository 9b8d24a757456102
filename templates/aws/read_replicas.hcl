# Replicas of a server, each with a name of its own, and one name for all that are fit to answer.
template "read_replicas" {
  for  = database
  when = database.flavour == "server"
  file = "database_${database.name}.tf"

  covers = {
    lag         = [aws_cloudwatch_metric_alarm.this_replica_unfit.metric_query.expression, aws_cloudwatch_metric_alarm.this_replica_lag.threshold, aws_db_instance.this_replica.replicate_source_db]
    splitting   = [aws_route53_record.this_reader.weighted_routing_policy.weight, aws_route53_record.this_reader.set_identifier]
    staleness   = [aws_route53_record.this_reader.health_check_id, aws_route53_health_check.this_replica.cloudwatch_alarm_name, database.read_replicas.max_staleness]
    performance = [aws_db_instance.this_replica.performance_insights_enabled, aws_db_instance.this_replica.monitoring_interval, aws_cloudwatch_metric_alarm.this_replica.dimensions]
    failover    = [aws_db_instance.this.multi_az, aws_db_instance.this.backup_retention_period, aws_db_event_subscription.this.event_categories]
  }

  ignores = {
    read_own_writes = database.read_replicas.read_own_writes == "writer" ? null : "Nothing here waits for a reader: the program asks until one has what it wrote, or asks the writer."
  }

  check "other_region" {
    condition = database.read_replicas.other_region == null
    message   = "A root renders one region, and ${database.name} wants a replica in another, whose network and key it does not know."
    fix       = "Leave other_region unset and make the replica in the root of that region."
    at        = database.read_replicas.other_region
  }
  check "does_not_grow" {
    condition = !database.read_replicas.grows
    message   = "The replicas of a server do not grow by themselves on AWS: there will be ${database.read_replicas.count}."
    fix       = "Set flavour = \"cluster\", or leave max unset."
    at        = database.read_replicas.max
    related   = [database.flavour]
    severity  = "warning"
  }
}

let {
  days           = { monday = "tue", tuesday = "wed", wednesday = "thu", thursday = "fri", friday = "sat", saturday = "sun", sunday = "mon" }
  replica_day    = let.days[database.maintenance_day]
  replica_window = format("%s:%02d:00-%s:%02d:30", let.replica_day, database.maintenance_hour, let.replica_day, database.maintenance_hour)
}

# RDS does not manage the password of a server with replicas. So it is made here, ephemerally, and written through
# write-only arguments: it reaches Secrets Manager and RDS, but neither plan nor state.
variable "this_password_version" {
  description = "Raise it by one to give ${database.name} a new password."
  type        = number
  default     = 1
}

ephemeral "aws_secretsmanager_random_password" "this" {
  # Known once there is a secret to keep it in, so that a first plan asks AWS for nothing.
  password_length     = aws_secretsmanager_secret.this.arn == "" ? 0 : 32
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "this" {
  name_prefix = "${let.name}-"
  description = "User name and password of ${database.name}"
  kms_key_id  = local.kms_key_arn
}

resource "aws_secretsmanager_secret_version" "this" {
  secret_id = aws_secretsmanager_secret.this.id
  secret_string_wo = jsonencode({
    username = database.admin
    password = ephemeral.aws_secretsmanager_random_password.this.random_password
  })
  secret_string_wo_version = var.this_password_version
}

# Read back, so that RDS gets the password that is stored and not a second random one.
ephemeral "aws_secretsmanager_secret_version" "this" {
  secret_id = aws_secretsmanager_secret_version.this.secret_id
}

extend "aws_db_parameter_group" "this" {
  # A query that is in the way of copying holds it back for this long, then it is ended. In milliseconds.
  parameter {
    when = database.engine == "postgres"

    name  = "max_standby_streaming_delay"
    value = tostring(1000 * database.read_replicas.conflict_wait)
  }

  # The primary keeps the rows that a replica still reads.
  parameter {
    when = database.engine == "postgres"

    name  = "hot_standby_feedback"
    value = "1"
  }
}

# Engine, user, password, database, disk and subnets come from the source.
resource "aws_db_instance" "this_replica" {
  for_each = toset(database.read_replicas.names)

  identifier          = "${let.name}-replica-${each.key}"
  replicate_source_db = aws_db_instance.this.identifier
  instance_class      = let.class

  max_allocated_storage = database.max_storage > database.storage ? ceil(gib(database.max_storage)) : null
  storage_type          = "gp3"
  storage_encrypted     = true

  multi_az               = false
  vpc_security_group_ids = [aws_security_group.this.id]
  publicly_accessible    = false
  parameter_group_name   = aws_db_parameter_group.this.name # max_connections must not be less than the source's

  # With backups of its own it can be promoted without a gap. It is patched a day after its source.
  backup_retention_period    = 1
  maintenance_window         = let.replica_window
  auto_minor_version_upgrade = true
  apply_immediately          = false
  copy_tags_to_snapshot      = true
  skip_final_snapshot        = true

  performance_insights_enabled    = true
  performance_insights_kms_key_id = local.kms_key_arn
  monitoring_interval             = 30
  monitoring_role_arn             = aws_iam_role.rds_monitoring.arn
}

# A replica that lags or has stopped copying leaves the readers' name by itself.
resource "aws_route53_health_check" "this_replica" {
  for_each = aws_db_instance.this_replica

  type                            = "CLOUDWATCH_METRIC"
  cloudwatch_alarm_name           = aws_cloudwatch_metric_alarm.this_replica_unfit[each.key].alarm_name
  cloudwatch_alarm_region         = target.region
  insufficient_data_health_status = "Unhealthy"

  tags = {
    Name = each.value.identifier
  }
}

# Certificates name the instances and not this record: clients of it verify the authority (sslmode=verify-ca).
resource "aws_route53_record" "this_reader" {
  for_each = aws_db_instance.this_replica

  zone_id         = aws_route53_zone.databases.zone_id
  name            = "${database.name}-reader"
  type            = "CNAME"
  ttl             = ceil(database.read_replicas.name_ttl)
  set_identifier  = each.key
  records         = [each.value.address]
  health_check_id = aws_route53_health_check.this_replica[each.key].id

  weighted_routing_policy {
    weight = 1
  }
}
