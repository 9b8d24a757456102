# One server with a standby.
template "database_server" {
  for  = database
  when = database.flavour == "server" && database.database_sharding == null
  file = "database_${database.name}.tf"
}

# RDS would keep what these logs say for ever; made beforehand, they forget.
resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(let.logs)

  name              = "/aws/rds/instance/${let.name}/${each.key}"
  retention_in_days = 30
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${let.name}-"
  description = "Parameters of ${database.name}"
  family      = let.family

  # Pinned: the pools of all services are sized by this number, so it must not follow the instance class.
  parameter {
    name         = "max_connections"
    value        = tostring(database.max_connections)
    apply_method = "pending-reboot"
  }

  # Nobody waits for an answer after this long, so the server need not go on looking for it. In milliseconds.
  parameter {
    when = database.engine == "postgres"

    name  = "statement_timeout"
    value = tostring(1000 * database.statement_timeout)
  }

  # The same for MySQL, which ends reading statements only. In milliseconds.
  parameter {
    when = database.engine == "mysql"

    name  = "max_execution_time"
    value = tostring(1000 * database.statement_timeout)
  }

  # A transaction that does nothing holds its locks and keeps dead rows: it is cut. In milliseconds.
  parameter {
    when = database.engine == "postgres"

    name  = "idle_in_transaction_session_timeout"
    value = tostring(1000 * let.idle_transaction)
  }

  # MySQL cannot cut an idle transaction; others give up waiting for its locks instead. In seconds.
  parameter {
    when = database.engine == "mysql"

    name  = "innodb_lock_wait_timeout"
    value = tostring(ceil(database.idle_transaction_timeout))
  }

  # Statements of a second or more are worth reading. In milliseconds.
  parameter {
    when = database.engine == "postgres"

    name  = "log_min_duration_statement"
    value = "1000"
  }

  # Statements of a second or more are worth reading.
  parameter {
    when = database.engine == "mysql"

    name  = "slow_query_log"
    value = "1"
  }

  parameter {
    when = database.engine == "mysql"

    name  = "long_query_time"
    value = "1"
  }

  parameter {
    when = database.engine == "mysql"

    name  = "log_output"
    value = "FILE"
  }

  # No connection without TLS.
  parameter {
    name  = database.engine == "postgres" ? "rds.force_ssl" : "require_secure_transport"
    value = "1"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_instance" "this" {
  identifier     = let.name
  engine         = database.engine
  engine_version = database.version
  instance_class = let.class

  db_name  = database.database_name
  username = database.admin

  # RDS makes the password, keeps it in Secrets Manager and changes it every week: it is in no file and in no state.
  manage_master_user_password   = let.own_password ? null : true
  master_user_secret_kms_key_id = let.own_password ? null : local.kms_key_arn

  # Write-only: the password reaches RDS, but neither plan nor state.
  password_wo         = let.own_password ? jsondecode(ephemeral.aws_secretsmanager_secret_version.this.secret_string).password : null
  password_wo_version = let.own_password ? aws_secretsmanager_secret_version.this.secret_string_wo_version : null

  allocated_storage     = ceil(gib(database.storage))
  max_allocated_storage = database.max_storage > database.storage ? ceil(gib(database.max_storage)) : null
  storage_type          = "gp3"
  storage_encrypted     = true
  kms_key_id            = local.kms_key_arn

  multi_az               = database.multi_zone
  db_subnet_group_name   = aws_db_subnet_group.main.name
  vpc_security_group_ids = [database.pooler == null ? aws_security_group.this.id : aws_security_group.this_server.id]
  publicly_accessible    = false
  parameter_group_name   = aws_db_parameter_group.this.name

  backup_retention_period    = database.backup_days
  backup_window              = let.backup_window
  maintenance_window         = let.maintenance_window
  auto_minor_version_upgrade = true
  apply_immediately          = let.resize_now # true restarts it when it has to; false waits for the maintenance window
  copy_tags_to_snapshot      = true
  deletion_protection        = database.deletion_protection
  skip_final_snapshot        = false
  final_snapshot_identifier  = "${let.name}-final"

  performance_insights_enabled    = true
  performance_insights_kms_key_id = local.kms_key_arn
  monitoring_interval             = 30
  monitoring_role_arn             = aws_iam_role.rds_monitoring.arn
  enabled_cloudwatch_logs_exports = let.logs

  depends_on = [aws_cloudwatch_log_group.this]
}

resource "aws_db_event_subscription" "this" {
  name        = let.name
  sns_topic   = aws_sns_topic.alarms.arn
  source_type = "db-instance"
  source_ids = database.read_replicas == null ? [aws_db_instance.this.identifier] : concat(
    [aws_db_instance.this.identifier],
    [for replica in aws_db_instance.this_replica : replica.identifier],
  )
  event_categories = database.read_replicas == null ? ["availability", "failover", "failure", "low storage", "recovery"] : ["availability", "failover", "failure", "low storage", "recovery", "read replica"]
}
