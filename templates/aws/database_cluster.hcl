# A writer and readers that share their storage: Aurora.
template "database_cluster" {
  for  = database
  when = database.flavour == "cluster" && database.database_sharding == null
  file = "database_${database.name}.tf"
}

let {
  # A standby in each further zone, or the readers that read_replicas asks for. The first instance is 1, so a reader 1
  # is 2, and who remains keeps the name when another goes.
  readers = max(database.zones - 1, database.read_replicas == null ? 0 : database.read_replicas.count)
  named   = database.read_replicas == null ? [] : [for name in database.read_replicas.names : can(tonumber(name)) ? tostring(tonumber(name) + 1) : name]
  others  = [for n in range(2, 20) : tostring(n) if !contains(let.named, tostring(n))]
  members = { for i, name in concat(["1"], slice(concat(let.named, let.others), 0, let.readers)) : name => min(i, 15) }
}

# RDS would keep what these logs say for ever; made beforehand, they forget.
resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(let.logs)

  name              = "/aws/rds/cluster/${let.name}/${each.key}"
  retention_in_days = 30
}

resource "aws_rds_cluster_parameter_group" "this" {
  name_prefix = "${let.name}-"
  description = "Parameters of the cluster ${database.name}"
  family      = let.family

  # No connection without TLS.
  parameter {
    name  = database.engine == "postgres" ? "rds.force_ssl" : "require_secure_transport"
    value = database.engine == "postgres" ? "1" : "ON"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${let.name}-"
  description = "Parameters of the instances of ${database.name}"
  family      = let.family

  # Pinned: the pools of all services are sized by this number, so it must not follow the instance class.
  parameter {
    name         = "max_connections"
    value        = tostring(database.max_connections)
    apply_method = database.engine == "postgres" ? "pending-reboot" : null
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

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_rds_cluster" "this" {
  cluster_identifier = let.name
  engine             = let.engine
  engine_version     = database.version

  database_name   = database.database_name
  master_username = database.admin

  # RDS makes the password, keeps it in Secrets Manager and changes it every week: it is in no file and in no state.
  manage_master_user_password   = true
  master_user_secret_kms_key_id = local.kms_key_arn

  storage_encrypted = true
  kms_key_id        = local.kms_key_arn

  db_subnet_group_name            = aws_db_subnet_group.main.name
  vpc_security_group_ids          = [database.pooler == null ? aws_security_group.this.id : aws_security_group.this_server.id]
  db_cluster_parameter_group_name = aws_rds_cluster_parameter_group.this.name

  backup_retention_period      = max(1, database.backup_days)
  preferred_backup_window      = let.backup_window
  preferred_maintenance_window = let.maintenance_window
  apply_immediately            = let.resize_now # true restarts it when it has to; false waits for the maintenance window
  copy_tags_to_snapshot        = true
  deletion_protection          = database.deletion_protection
  skip_final_snapshot          = false
  final_snapshot_identifier    = "${let.name}-final"

  enabled_cloudwatch_logs_exports = let.logs

  depends_on = [aws_cloudwatch_log_group.this]
}

# The value is the order in which the instances are promoted when the writer is lost.
resource "aws_rds_cluster_instance" "this" {
  for_each = let.members

  identifier         = "${let.name}-${each.key}"
  cluster_identifier = aws_rds_cluster.this.id
  engine             = aws_rds_cluster.this.engine
  engine_version     = aws_rds_cluster.this.engine_version
  instance_class     = let.class
  promotion_tier     = each.value

  publicly_accessible          = false
  db_parameter_group_name      = aws_db_parameter_group.this.name
  preferred_maintenance_window = let.maintenance_window
  auto_minor_version_upgrade   = true
  copy_tags_to_snapshot        = true

  performance_insights_enabled    = true
  performance_insights_kms_key_id = local.kms_key_arn
  monitoring_interval             = 30
  monitoring_role_arn             = aws_iam_role.rds_monitoring.arn
}

resource "aws_db_event_subscription" "this" {
  name             = let.name
  sns_topic        = aws_sns_topic.alarms.arn
  source_type      = "db-cluster"
  source_ids       = [aws_rds_cluster.this.cluster_identifier]
  event_categories = ["failover", "failure", "maintenance"]
}
