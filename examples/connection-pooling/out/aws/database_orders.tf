# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

# Who may reach the database: its clients, and nobody else.
resource "aws_security_group" "orders" {
  name_prefix = "connection-pooling-orders-"
  description = "Clients reach orders here"
  vpc_id      = local.vpc_id

  tags = {
    Name = "connection-pooling-orders"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "orders_from_clients" {
  for_each = {
    fulfilment = aws_security_group.fulfilment.id
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

  name              = "/aws/rds/instance/connection-pooling-orders/${each.key}"
  retention_in_days = 30
}

resource "aws_db_parameter_group" "orders" {
  name_prefix = "connection-pooling-orders-"
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
  identifier     = "connection-pooling-orders"
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
  vpc_security_group_ids = [aws_security_group.orders_server.id]
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
  final_snapshot_identifier  = "connection-pooling-orders-final"

  performance_insights_enabled    = true
  performance_insights_kms_key_id = local.kms_key_arn
  monitoring_interval             = 30
  monitoring_role_arn             = aws_iam_role.rds_monitoring.arn
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]

  depends_on = [aws_cloudwatch_log_group.orders]
}

resource "aws_db_event_subscription" "orders" {
  name             = "connection-pooling-orders"
  sns_topic        = aws_sns_topic.alarms.arn
  source_type      = "db-instance"
  source_ids       = [aws_db_instance.orders.identifier]
  event_categories = ["availability", "failover", "failure", "low storage", "recovery"]
}

resource "aws_security_group" "orders_server" {
  name_prefix = "connection-pooling-orders-server-"
  description = "orders itself, behind its pool"
  vpc_id      = local.vpc_id

  tags = {
    Name = "connection-pooling-orders-server"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "orders_server" {
  security_group_id            = aws_security_group.orders_server.id
  description                  = "Only the pool talks to the database"
  referenced_security_group_id = aws_security_group.orders.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_egress_rule" "orders_server" {
  security_group_id            = aws_security_group.orders.id
  description                  = "From the pool to the database"
  referenced_security_group_id = aws_security_group.orders_server.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_iam_role" "orders_proxy" {
  name_prefix        = "connection-pooling-orders-proxy-"
  description        = "Lets the pool of orders read its password"
  assume_role_policy = data.aws_iam_policy_document.rds_proxy_assume.json
}

data "aws_iam_policy_document" "orders_proxy" {
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

resource "aws_iam_role_policy" "orders_proxy" {
  name   = "password"
  role   = aws_iam_role.orders_proxy.id
  policy = data.aws_iam_policy_document.orders_proxy.json
}

resource "aws_db_proxy" "orders" {
  name                   = "connection-pooling-orders"
  engine_family          = "POSTGRESQL"
  role_arn               = aws_iam_role.orders_proxy.arn
  vpc_subnet_ids         = local.database_subnet_ids
  vpc_security_group_ids = [aws_security_group.orders.id]
  require_tls            = true
  idle_client_timeout    = 900
  debug_logging          = false # it would write down what is in the statements

  # Clients log in here as they would at the database, with the same secret.
  auth {
    auth_scheme               = "SECRETS"
    secret_arn                = local.orders_secret_arn
    iam_auth                  = "DISABLED"
    client_password_auth_type = "POSTGRES_SCRAM_SHA_256"
  }

  depends_on = [aws_iam_role_policy.orders_proxy]
}

resource "aws_db_proxy_default_target_group" "orders" {
  db_proxy_name = aws_db_proxy.orders.name

  # Shares of max_connections. What is left is for administration, migrations and a failover.
  connection_pool_config {
    max_connections_percent      = 3
    max_idle_connections_percent = 1
    connection_borrow_timeout    = 5
    init_query                   = "select 1" # a connection that cannot answer it is not lent
  }
}

resource "aws_db_proxy_target" "orders" {
  db_proxy_name          = aws_db_proxy.orders.name
  target_group_name      = aws_db_proxy_default_target_group.orders.name
  db_instance_identifier = aws_db_instance.orders.identifier
}

locals {
  orders_host       = aws_db_proxy.orders.endpoint
  orders_secret_arn = aws_db_instance.orders.master_user_secret[0].secret_arn
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
    fulfilment = aws_iam_role.fulfilment.id
  }

  name   = "database-orders"
  role   = each.value
  policy = data.aws_iam_policy_document.orders_clients.json
}
