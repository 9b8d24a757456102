# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

# Who may reach the database: its clients, and nobody else.
resource "aws_security_group" "catalog" {
  name_prefix = "multi-layer-caching-catalog-"
  description = "Clients reach catalog here"
  vpc_id      = local.vpc_id

  tags = {
    Name = "multi-layer-caching-catalog"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "catalog_from_clients" {
  for_each = {
    web = aws_security_group.web.id
  }

  security_group_id            = aws_security_group.catalog.id
  description                  = "From ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

# RDS would keep what these logs say for ever; made beforehand, they forget.
resource "aws_cloudwatch_log_group" "catalog" {
  for_each = toset(["postgresql", "upgrade"])

  name              = "/aws/rds/instance/multi-layer-caching-catalog/${each.key}"
  retention_in_days = 30
}

resource "aws_db_parameter_group" "catalog" {
  name_prefix = "multi-layer-caching-catalog-"
  description = "Parameters of catalog"
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

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_instance" "catalog" {
  identifier     = "multi-layer-caching-catalog"
  engine         = "postgres"
  engine_version = "17"
  instance_class = "db.r7g.xlarge"

  db_name  = "catalog"
  username = "dbadmin"

  # RDS makes the password, keeps it in Secrets Manager and changes it every week: it is in no file and in no state.
  manage_master_user_password   = true
  master_user_secret_kms_key_id = local.kms_key_arn

  allocated_storage     = 100
  max_allocated_storage = 500
  storage_type          = "gp3"
  storage_encrypted     = true
  kms_key_id            = local.kms_key_arn

  multi_az               = true
  db_subnet_group_name   = aws_db_subnet_group.main.name
  vpc_security_group_ids = [aws_security_group.catalog.id]
  publicly_accessible    = false
  parameter_group_name   = aws_db_parameter_group.catalog.name

  backup_retention_period    = 14
  backup_window              = "01:00-01:30"
  maintenance_window         = "sun:03:00-sun:03:30"
  auto_minor_version_upgrade = true
  apply_immediately          = false # true restarts it when it has to; false waits for the maintenance window
  copy_tags_to_snapshot      = true
  deletion_protection        = true
  skip_final_snapshot        = false
  final_snapshot_identifier  = "multi-layer-caching-catalog-final"

  performance_insights_enabled    = true
  performance_insights_kms_key_id = local.kms_key_arn
  monitoring_interval             = 30
  monitoring_role_arn             = aws_iam_role.rds_monitoring.arn
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]

  depends_on = [aws_cloudwatch_log_group.catalog]
}

resource "aws_db_event_subscription" "catalog" {
  name             = "multi-layer-caching-catalog"
  sns_topic        = aws_sns_topic.alarms.arn
  source_type      = "db-instance"
  source_ids       = [aws_db_instance.catalog.identifier]
  event_categories = ["availability", "failover", "failure", "low storage", "recovery"]
}

locals {
  catalog_host       = aws_db_instance.catalog.address
  catalog_secret_arn = aws_db_instance.catalog.master_user_secret[0].secret_arn
}

# Clients on instances read the user name and the password when they start.
data "aws_iam_policy_document" "catalog_clients" {
  statement {
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [local.catalog_secret_arn]
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

resource "aws_iam_role_policy" "catalog_clients" {
  for_each = {
    web = aws_iam_role.web.id
  }

  name   = "database-catalog"
  role   = each.value
  policy = data.aws_iam_policy_document.catalog_clients.json
}
