# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

# Who may reach the database: its clients, and nobody else.
resource "aws_security_group" "orders" {
  name_prefix = "read-replicas-orders-"
  description = "Clients reach orders here"
  vpc_id      = local.vpc_id

  tags = {
    Name = "read-replicas-orders"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "orders_from_clients" {
  for_each = {
    reports = aws_security_group.reports.id
  }

  security_group_id            = aws_security_group.orders.id
  description                  = "From ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

# RDS would keep what these logs say for ever; made beforehand, they forget.
resource "aws_cloudwatch_log_group" "orders" {
  for_each = toset(["postgresql", "upgrade"])

  name              = "/aws/rds/instance/read-replicas-orders/${each.key}"
  retention_in_days = 30
}

resource "aws_db_parameter_group" "orders" {
  name_prefix = "read-replicas-orders-"
  description = "Parameters of orders"
  family      = "postgres17"

  # Pinned: the pools of all services are sized by this number, so it must not follow the instance class.
  parameter {
    name         = "max_connections"
    value        = "3604"
    apply_method = "pending-reboot"
  }

  # Nobody waits for an answer after this long, so the server need not go on looking for it. In milliseconds.
  parameter {
    name  = "statement_timeout"
    value = "30000"
  }

  # A transaction that does nothing holds its locks and keeps dead rows: it is cut. In milliseconds.
  parameter {
    name  = "idle_in_transaction_session_timeout"
    value = "60000"
  }

  # Statements of a second or more are worth reading. In milliseconds.
  parameter {
    name  = "log_min_duration_statement"
    value = "1000"
  }

  # No connection without TLS.
  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  # A query that is in the way of copying holds it back for this long, then it is ended. In milliseconds.
  parameter {
    name  = "max_standby_streaming_delay"
    value = "30000"
  }

  # The primary keeps the rows that a replica still reads.
  parameter {
    name  = "hot_standby_feedback"
    value = "1"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_instance" "orders" {
  identifier     = "read-replicas-orders"
  engine         = "postgres"
  engine_version = "17"
  instance_class = "db.r7g.xlarge"

  db_name  = "orders"
  username = "dbadmin"

  # Write-only: the password reaches RDS, but neither plan nor state.
  password_wo         = jsondecode(ephemeral.aws_secretsmanager_secret_version.orders.secret_string).password
  password_wo_version = aws_secretsmanager_secret_version.orders.secret_string_wo_version

  allocated_storage     = 500
  max_allocated_storage = 2500
  storage_type          = "gp3"
  storage_encrypted     = true
  kms_key_id            = local.kms_key_arn

  multi_az               = true
  db_subnet_group_name   = aws_db_subnet_group.main.name
  vpc_security_group_ids = [aws_security_group.orders.id]
  publicly_accessible    = false
  parameter_group_name   = aws_db_parameter_group.orders.name

  backup_retention_period    = 14
  backup_window              = "01:00-01:30"
  maintenance_window         = "sun:03:00-sun:03:30"
  auto_minor_version_upgrade = true
  apply_immediately          = false # true restarts it when it has to; false waits for the maintenance window
  copy_tags_to_snapshot      = true
  deletion_protection        = true
  skip_final_snapshot        = false
  final_snapshot_identifier  = "read-replicas-orders-final"

  performance_insights_enabled    = true
  performance_insights_kms_key_id = local.kms_key_arn
  monitoring_interval             = 30
  monitoring_role_arn             = aws_iam_role.rds_monitoring.arn
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]

  depends_on = [aws_cloudwatch_log_group.orders]
}

resource "aws_db_event_subscription" "orders" {
  name        = "read-replicas-orders"
  sns_topic   = aws_sns_topic.alarms.arn
  source_type = "db-instance"
  source_ids = concat(
    [aws_db_instance.orders.identifier],
    [for replica in aws_db_instance.orders_replica : replica.identifier],
  )
  event_categories = ["availability", "failover", "failure", "low storage", "recovery", "read replica"]
}

# RDS does not manage the password of a server with replicas. So it is made here, ephemerally, and written through
# write-only arguments: it reaches Secrets Manager and RDS, but neither plan nor state.
variable "orders_password_version" {
  description = "Raise it by one to give orders a new password."
  type        = number
  default     = 1
}

ephemeral "aws_secretsmanager_random_password" "orders" {
  # Known once there is a secret to keep it in, so that a first plan asks AWS for nothing.
  password_length     = aws_secretsmanager_secret.orders.arn == "" ? 0 : 32
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "orders" {
  name_prefix = "read-replicas-orders-"
  description = "User name and password of orders"
  kms_key_id  = local.kms_key_arn
}

resource "aws_secretsmanager_secret_version" "orders" {
  secret_id = aws_secretsmanager_secret.orders.id
  secret_string_wo = jsonencode({
    username = "dbadmin"
    password = ephemeral.aws_secretsmanager_random_password.orders.random_password
  })
  secret_string_wo_version = var.orders_password_version
}

# Read back, so that RDS gets the password that is stored and not a second random one.
ephemeral "aws_secretsmanager_secret_version" "orders" {
  secret_id = aws_secretsmanager_secret_version.orders.secret_id
}

# Engine, user, password, database, disk and subnets come from the source.
resource "aws_db_instance" "orders_replica" {
  for_each = toset(["1", "2"])

  identifier          = "read-replicas-orders-replica-${each.key}"
  replicate_source_db = aws_db_instance.orders.identifier
  instance_class      = "db.r7g.xlarge"

  max_allocated_storage = 2500
  storage_type          = "gp3"
  storage_encrypted     = true

  multi_az               = false
  vpc_security_group_ids = [aws_security_group.orders.id]
  publicly_accessible    = false
  parameter_group_name   = aws_db_parameter_group.orders.name # max_connections must not be less than the source's

  # With backups of its own it can be promoted without a gap. It is patched a day after its source.
  backup_retention_period    = 1
  maintenance_window         = "mon:03:00-mon:03:30"
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
resource "aws_route53_health_check" "orders_replica" {
  for_each = aws_db_instance.orders_replica

  type                            = "CLOUDWATCH_METRIC"
  cloudwatch_alarm_name           = aws_cloudwatch_metric_alarm.orders_replica_unfit[each.key].alarm_name
  cloudwatch_alarm_region         = "eu-west-1"
  insufficient_data_health_status = "Unhealthy"

  tags = {
    Name = each.value.identifier
  }
}

# Certificates name the instances and not this record: clients of it verify the authority (sslmode=verify-ca).
resource "aws_route53_record" "orders_reader" {
  for_each = aws_db_instance.orders_replica

  zone_id         = aws_route53_zone.databases.zone_id
  name            = "orders-reader"
  type            = "CNAME"
  ttl             = 5
  set_identifier  = each.key
  records         = [each.value.address]
  health_check_id = aws_route53_health_check.orders_replica[each.key].id

  weighted_routing_policy {
    weight = 1
  }
}

locals {
  orders_host        = aws_db_instance.orders.address
  orders_reader_host = aws_route53_record.orders_reader["1"].fqdn
  orders_secret_arn  = aws_secretsmanager_secret.orders.arn
}

# Clients on instances read the user name and the password when they start.
data "aws_iam_policy_document" "orders_clients" {
  statement {
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [local.orders_secret_arn]
  }

  statement {
    actions   = ["kms:Decrypt"]
    resources = [local.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.eu-west-1.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "orders_clients" {
  for_each = {
    reports = aws_iam_role.reports.id
  }

  name   = "database-orders"
  role   = each.value
  policy = data.aws_iam_policy_document.orders_clients.json
}
