# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

# Who may reach the database: its clients, and nobody else.
resource "aws_security_group" "books" {
  name_prefix = "everything-books-"
  description = "Clients reach books here"
  vpc_id      = local.vpc_id

  tags = {
    Name = "everything-books"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "books_from_clients" {
  for_each = {
    main = aws_security_group.main.id
  }

  security_group_id            = aws_security_group.books.id
  description                  = "From ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

# RDS would keep what these logs say for ever; made beforehand, they forget.
resource "aws_cloudwatch_log_group" "books" {
  for_each = toset(["postgresql", "upgrade"])

  name              = "/aws/rds/instance/everything-books/${each.key}"
  retention_in_days = 30
}

resource "aws_db_parameter_group" "books" {
  name_prefix = "everything-books-"
  description = "Parameters of books"
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
    value = "30000"
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

  # A client that is gone without a word is noticed after this long. In seconds.
  parameter {
    name  = "tcp_keepalives_idle"
    value = "60"
  }

  # Who came and went, for when a connection is missing.
  parameter {
    name  = "log_connections"
    value = "1"
  }

  parameter {
    name  = "log_disconnections"
    value = "1"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_instance" "books" {
  identifier     = "everything-books"
  engine         = "postgres"
  engine_version = "17"
  instance_class = "db.r7g.large"

  db_name  = "books"
  username = "dbadmin"

  # RDS makes the password, keeps it in Secrets Manager and changes it every week: it is in no file and in no state.
  manage_master_user_password   = true
  master_user_secret_kms_key_id = local.kms_key_arn

  allocated_storage     = 300
  max_allocated_storage = 1500
  storage_type          = "gp3"
  storage_encrypted     = true
  kms_key_id            = local.kms_key_arn

  multi_az               = true
  db_subnet_group_name   = aws_db_subnet_group.main.name
  vpc_security_group_ids = [aws_security_group.books_server.id]
  publicly_accessible    = false
  parameter_group_name   = aws_db_parameter_group.books.name

  backup_retention_period    = 14
  backup_window              = "01:00-01:30"
  maintenance_window         = "sun:03:00-sun:03:30"
  auto_minor_version_upgrade = true
  apply_immediately          = false # true restarts it when it has to; false waits for the maintenance window
  copy_tags_to_snapshot      = true
  deletion_protection        = true
  skip_final_snapshot        = false
  final_snapshot_identifier  = "everything-books-final"

  performance_insights_enabled    = true
  performance_insights_kms_key_id = local.kms_key_arn
  monitoring_interval             = 30
  monitoring_role_arn             = aws_iam_role.rds_monitoring.arn
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]

  depends_on = [aws_cloudwatch_log_group.books]
}

resource "aws_db_event_subscription" "books" {
  name             = "everything-books"
  sns_topic        = aws_sns_topic.alarms.arn
  source_type      = "db-instance"
  source_ids       = [aws_db_instance.books.identifier]
  event_categories = ["availability", "failover", "failure", "low storage", "recovery"]
}

resource "aws_security_group" "books_server" {
  name_prefix = "everything-books-server-"
  description = "books itself, behind its pool"
  vpc_id      = local.vpc_id

  tags = {
    Name = "everything-books-server"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "books_server" {
  security_group_id            = aws_security_group.books_server.id
  description                  = "Only the pool talks to the database"
  referenced_security_group_id = aws_security_group.books.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_egress_rule" "books_server" {
  security_group_id            = aws_security_group.books.id
  description                  = "From the pool to the database"
  referenced_security_group_id = aws_security_group.books_server.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_iam_role" "books_proxy" {
  name_prefix        = "everything-books-proxy-"
  description        = "Lets the pool of books read its password"
  assume_role_policy = data.aws_iam_policy_document.rds_proxy_assume.json
}

data "aws_iam_policy_document" "books_proxy" {
  statement {
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [local.books_secret_arn]
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

resource "aws_iam_role_policy" "books_proxy" {
  name   = "password"
  role   = aws_iam_role.books_proxy.id
  policy = data.aws_iam_policy_document.books_proxy.json
}

resource "aws_db_proxy" "books" {
  name                   = "everything-books"
  engine_family          = "POSTGRESQL"
  role_arn               = aws_iam_role.books_proxy.arn
  vpc_subnet_ids         = local.database_subnet_ids
  vpc_security_group_ids = [aws_security_group.books.id]
  require_tls            = true
  idle_client_timeout    = 900
  debug_logging          = false # it would write down what is in the statements

  # Clients log in here as they would at the database, with the same secret.
  auth {
    auth_scheme               = "SECRETS"
    secret_arn                = local.books_secret_arn
    iam_auth                  = "DISABLED"
    client_password_auth_type = "POSTGRES_SCRAM_SHA_256"
  }

  depends_on = [aws_iam_role_policy.books_proxy]
}

resource "aws_db_proxy_default_target_group" "books" {
  db_proxy_name = aws_db_proxy.books.name

  # Shares of max_connections. What is left is for administration, migrations and a failover.
  connection_pool_config {
    max_connections_percent      = 3
    max_idle_connections_percent = 1
    connection_borrow_timeout    = 1
    init_query                   = "select 1" # a connection that cannot answer it is not lent
  }
}

resource "aws_db_proxy_target" "books" {
  db_proxy_name          = aws_db_proxy.books.name
  target_group_name      = aws_db_proxy_default_target_group.books.name
  db_instance_identifier = aws_db_instance.books.identifier
}

locals {
  books_pool_metrics = [
    "ClientConnections",
    "DatabaseConnections",
    "DatabaseConnectionsCurrentlyBorrowed",
    "DatabaseConnectionsBorrowLatency",
    "DatabaseConnectionsCurrentlySessionPinned",
    "QueryDatabaseResponseLatency",
  ]
}

resource "aws_cloudwatch_dashboard" "books_pool" {
  dashboard_name = "everything-books-pool"
  dashboard_body = jsonencode({
    widgets = [
      for i, metric in local.books_pool_metrics : {
        type   = "metric"
        x      = 8 * (i % 3)
        y      = 6 * floor(i / 3)
        width  = 8
        height = 6
        properties = {
          title   = metric
          region  = "eu-west-1"
          period  = 60
          stat    = "Maximum"
          metrics = [["AWS/RDS", metric, "ProxyName", aws_db_proxy.books.name]]
        }
      }
    ]
  })
}

locals {
  books_host       = aws_db_proxy.books.endpoint
  books_secret_arn = aws_db_instance.books.master_user_secret[0].secret_arn
}
