# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

# Who may reach the database: its clients, and nobody else.
resource "aws_security_group" "orders" {
  name_prefix = "pod-autoscaler-orders-"
  description = "Clients reach orders here"
  vpc_id      = local.vpc_id

  tags = {
    Name = "pod-autoscaler-orders"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "orders_from_clients" {
  for_each = {
    main = aws_security_group.main.id
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

  name              = "/aws/rds/instance/pod-autoscaler-orders/${each.key}"
  retention_in_days = 30
}

resource "aws_db_parameter_group" "orders" {
  name_prefix = "pod-autoscaler-orders-"
  description = "Parameters of orders"
  family      = "postgres17"

  # Pinned: the pools of all services are sized by this number, so it must not follow the instance class.
  parameter {
    name         = "max_connections"
    value        = "1802"
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

resource "aws_db_instance" "orders" {
  identifier     = "pod-autoscaler-orders"
  engine         = "postgres"
  engine_version = "17"
  instance_class = "db.r7g.large"

  db_name  = "orders"
  username = "dbadmin"

  # RDS makes the password, keeps it in Secrets Manager and changes it every week: it is in no file and in no state.
  manage_master_user_password   = true
  master_user_secret_kms_key_id = local.kms_key_arn

  allocated_storage     = 200
  max_allocated_storage = 1000
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
  final_snapshot_identifier  = "pod-autoscaler-orders-final"

  performance_insights_enabled    = true
  performance_insights_kms_key_id = local.kms_key_arn
  monitoring_interval             = 30
  monitoring_role_arn             = aws_iam_role.rds_monitoring.arn
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]

  depends_on = [aws_cloudwatch_log_group.orders]
}

resource "aws_db_event_subscription" "orders" {
  name             = "pod-autoscaler-orders"
  sns_topic        = aws_sns_topic.alarms.arn
  source_type      = "db-instance"
  source_ids       = [aws_db_instance.orders.identifier]
  event_categories = ["availability", "failover", "failure", "low storage", "recovery"]
}

locals {
  orders_host       = aws_db_instance.orders.address
  orders_secret_arn = aws_db_instance.orders.master_user_secret[0].secret_arn
}
