# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

# Who may reach the database: its clients, and nobody else.
resource "aws_security_group" "catalog" {
  name_prefix = "everything-catalog-"
  description = "Clients reach catalog here"
  vpc_id      = local.vpc_id

  tags = {
    Name = "everything-catalog"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "catalog_from_clients" {
  for_each = {
    web      = aws_security_group.web.id
    magazine = aws_security_group.magazine.id
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

  name              = "/aws/rds/instance/everything-catalog/${each.key}"
  retention_in_days = 30
}

resource "aws_db_parameter_group" "catalog" {
  name_prefix = "everything-catalog-"
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

resource "aws_db_instance" "catalog" {
  identifier     = "everything-catalog"
  engine         = "postgres"
  engine_version = "17"
  instance_class = "db.r7g.xlarge"

  db_name  = "catalog"
  username = "dbadmin"

  # Write-only: the password reaches RDS, but neither plan nor state.
  password_wo         = jsondecode(ephemeral.aws_secretsmanager_secret_version.catalog.secret_string).password
  password_wo_version = aws_secretsmanager_secret_version.catalog.secret_string_wo_version

  allocated_storage     = 200
  max_allocated_storage = 1000
  storage_type          = "gp3"
  storage_encrypted     = true
  kms_key_id            = local.kms_key_arn

  multi_az               = true
  db_subnet_group_name   = aws_db_subnet_group.main.name
  vpc_security_group_ids = [aws_security_group.catalog_server.id]
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
  final_snapshot_identifier  = "everything-catalog-final"

  performance_insights_enabled    = true
  performance_insights_kms_key_id = local.kms_key_arn
  monitoring_interval             = 30
  monitoring_role_arn             = aws_iam_role.rds_monitoring.arn
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]

  depends_on = [aws_cloudwatch_log_group.catalog]
}

resource "aws_db_event_subscription" "catalog" {
  name        = "everything-catalog"
  sns_topic   = aws_sns_topic.alarms.arn
  source_type = "db-instance"
  source_ids = concat(
    [aws_db_instance.catalog.identifier],
    [for replica in aws_db_instance.catalog_replica : replica.identifier],
  )
  event_categories = ["availability", "failover", "failure", "low storage", "recovery", "read replica"]
}

# RDS does not manage the password of a server with replicas. So it is made here, ephemerally, and written through
# write-only arguments: it reaches Secrets Manager and RDS, but neither plan nor state.
variable "catalog_password_version" {
  description = "Raise it by one to give catalog a new password."
  type        = number
  default     = 1
}

ephemeral "aws_secretsmanager_random_password" "catalog" {
  # Known once there is a secret to keep it in, so that a first plan asks AWS for nothing.
  password_length     = aws_secretsmanager_secret.catalog.arn == "" ? 0 : 32
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "catalog" {
  name_prefix = "everything-catalog-"
  description = "User name and password of catalog"
  kms_key_id  = local.kms_key_arn
}

resource "aws_secretsmanager_secret_version" "catalog" {
  secret_id = aws_secretsmanager_secret.catalog.id
  secret_string_wo = jsonencode({
    username = "dbadmin"
    password = ephemeral.aws_secretsmanager_random_password.catalog.random_password
  })
  secret_string_wo_version = var.catalog_password_version
}

# Read back, so that RDS gets the password that is stored and not a second random one.
ephemeral "aws_secretsmanager_secret_version" "catalog" {
  secret_id = aws_secretsmanager_secret_version.catalog.secret_id
}

# Engine, user, password, database, disk and subnets come from the source.
resource "aws_db_instance" "catalog_replica" {
  for_each = toset(["1", "2"])

  identifier          = "everything-catalog-replica-${each.key}"
  replicate_source_db = aws_db_instance.catalog.identifier
  instance_class      = "db.r7g.xlarge"

  max_allocated_storage = 1000
  storage_type          = "gp3"
  storage_encrypted     = true

  multi_az               = false
  vpc_security_group_ids = [aws_security_group.catalog.id]
  publicly_accessible    = false
  parameter_group_name   = aws_db_parameter_group.catalog.name # max_connections must not be less than the source's

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
resource "aws_route53_health_check" "catalog_replica" {
  for_each = aws_db_instance.catalog_replica

  type                            = "CLOUDWATCH_METRIC"
  cloudwatch_alarm_name           = aws_cloudwatch_metric_alarm.catalog_replica_unfit[each.key].alarm_name
  cloudwatch_alarm_region         = "eu-west-1"
  insufficient_data_health_status = "Unhealthy"

  tags = {
    Name = each.value.identifier
  }
}

# Certificates name the instances and not this record: clients of it verify the authority (sslmode=verify-ca).
resource "aws_route53_record" "catalog_reader" {
  for_each = aws_db_instance.catalog_replica

  zone_id         = aws_route53_zone.databases.zone_id
  name            = "catalog-reader"
  type            = "CNAME"
  ttl             = 5
  set_identifier  = each.key
  records         = [each.value.address]
  health_check_id = aws_route53_health_check.catalog_replica[each.key].id

  weighted_routing_policy {
    weight = 1
  }
}

resource "aws_security_group" "catalog_server" {
  name_prefix = "everything-catalog-server-"
  description = "catalog itself, behind its pool"
  vpc_id      = local.vpc_id

  tags = {
    Name = "everything-catalog-server"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "catalog_server" {
  security_group_id            = aws_security_group.catalog_server.id
  description                  = "Only the pool talks to the database"
  referenced_security_group_id = aws_security_group.catalog.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_egress_rule" "catalog_server" {
  security_group_id            = aws_security_group.catalog.id
  description                  = "From the pool to the database"
  referenced_security_group_id = aws_security_group.catalog_server.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_iam_role" "catalog_proxy" {
  name_prefix        = "everything-catalog-proxy-"
  description        = "Lets the pool of catalog read its password"
  assume_role_policy = data.aws_iam_policy_document.rds_proxy_assume.json
}

data "aws_iam_policy_document" "catalog_proxy" {
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

resource "aws_iam_role_policy" "catalog_proxy" {
  name   = "password"
  role   = aws_iam_role.catalog_proxy.id
  policy = data.aws_iam_policy_document.catalog_proxy.json
}

resource "aws_db_proxy" "catalog" {
  name                   = "everything-catalog"
  engine_family          = "POSTGRESQL"
  role_arn               = aws_iam_role.catalog_proxy.arn
  vpc_subnet_ids         = local.database_subnet_ids
  vpc_security_group_ids = [aws_security_group.catalog.id]
  require_tls            = true
  idle_client_timeout    = 900
  debug_logging          = false # it would write down what is in the statements

  # Clients log in here as they would at the database, with the same secret.
  auth {
    auth_scheme               = "SECRETS"
    secret_arn                = local.catalog_secret_arn
    iam_auth                  = "DISABLED"
    client_password_auth_type = "POSTGRES_SCRAM_SHA_256"
  }

  depends_on = [aws_iam_role_policy.catalog_proxy]
}

resource "aws_db_proxy_default_target_group" "catalog" {
  db_proxy_name = aws_db_proxy.catalog.name

  # Shares of max_connections. What is left is for administration, migrations and a failover.
  connection_pool_config {
    max_connections_percent      = 2
    max_idle_connections_percent = 1
    connection_borrow_timeout    = 5
    init_query                   = "select 1" # a connection that cannot answer it is not lent
  }
}

resource "aws_db_proxy_target" "catalog" {
  db_proxy_name          = aws_db_proxy.catalog.name
  target_group_name      = aws_db_proxy_default_target_group.catalog.name
  db_instance_identifier = aws_db_instance.catalog.identifier
}

locals {
  catalog_host        = aws_db_proxy.catalog.endpoint
  catalog_reader_host = aws_route53_record.catalog_reader["1"].fqdn
  catalog_secret_arn  = aws_secretsmanager_secret.catalog.arn
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
    web      = aws_iam_role.web.id
    magazine = aws_iam_role.magazine.id
  }

  name   = "database-catalog"
  role   = each.value
  policy = data.aws_iam_policy_document.catalog_clients.json
}
