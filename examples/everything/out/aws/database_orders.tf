# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

# Who may reach the database: its clients, and nobody else.
resource "aws_security_group" "orders" {
  name_prefix = "everything-orders-"
  description = "Clients reach orders here"
  vpc_id      = local.vpc_id

  tags = {
    Name = "everything-orders"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "orders_from_clients" {
  for_each = {
    api  = aws_security_group.api.id
    main = aws_security_group.main.id
  }

  security_group_id            = aws_security_group.orders.id
  description                  = "From ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

locals {
  # The first and the last slot of each shard. Names are for ever; slots may move.
  orders_shards = {
    s00 = { from = 0, to = 255 }
    s01 = { from = 256, to = 511 }
    s02 = { from = 512, to = 767 }
    s03 = { from = 768, to = 1023 }
  }
}

# RDS would keep what these logs say for ever; made beforehand, they forget.
resource "aws_cloudwatch_log_group" "orders" {
  for_each = toset([for pair in setproduct(keys(local.orders_shards), ["postgresql", "upgrade"]) : join("/", pair)])

  name              = "/aws/rds/instance/everything-orders-${each.key}"
  retention_in_days = 30
}

resource "aws_db_parameter_group" "orders" {
  name_prefix = "everything-orders-"
  description = "Parameters of the shards of orders"
  family      = "postgres17"

  # Pinned: the pools of all services are sized by this number, so it must not follow the instance class.
  parameter {
    name         = "max_connections"
    value        = "3604"
    apply_method = "pending-reboot"
  }

  # Nobody waits for an answer after this long. In milliseconds.
  parameter {
    name  = "statement_timeout"
    value = "30000"
  }

  # A transaction that does nothing holds its locks and keeps dead rows: it is cut. In milliseconds.
  parameter {
    name  = "idle_in_transaction_session_timeout"
    value = "60000"
  }

  # No connection without TLS.
  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  # Slots are moved while everything runs. It takes a restart, so it is on from the first day.
  parameter {
    name         = "rds.logical_replication"
    value        = "1"
    apply_method = "pending-reboot"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_instance" "orders" {
  for_each = local.orders_shards

  identifier     = "everything-orders-${each.key}"
  engine         = "postgres"
  engine_version = "17"
  instance_class = "db.r7g.xlarge"

  db_name  = "orders"
  username = "dbadmin"

  # RDS makes the password, keeps it in Secrets Manager and changes it every week: it is in no file and in no state.
  manage_master_user_password   = true
  master_user_secret_kms_key_id = local.kms_key_arn

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
  apply_immediately          = false # what needs a restart waits for the maintenance window
  copy_tags_to_snapshot      = true
  deletion_protection        = true # a shard is emptied by moving its slots, then it goes
  skip_final_snapshot        = false
  final_snapshot_identifier  = "everything-orders-${each.key}-final"

  performance_insights_enabled    = true
  performance_insights_kms_key_id = local.kms_key_arn
  monitoring_interval             = 30
  monitoring_role_arn             = aws_iam_role.rds_monitoring.arn
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]

  tags = { Shard = each.key }

  depends_on = [aws_cloudwatch_log_group.orders]
}

resource "aws_db_event_subscription" "orders" {
  name             = "everything-orders"
  sns_topic        = aws_sns_topic.alarms.arn
  source_type      = "db-instance"
  source_ids       = [for shard in aws_db_instance.orders : shard.identifier]
  event_categories = ["availability", "failover", "failure", "low storage", "recovery"]
}

# Which slots lie where: programs read it when they start and follow its stream, so that they learn of a move at once.
resource "aws_dynamodb_table" "orders" {
  name         = "everything-orders-shards"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "shard"

  stream_enabled   = true
  stream_view_type = "NEW_IMAGE"

  deletion_protection_enabled = true

  attribute {
    name = "shard"
    type = "S"
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = local.kms_key_arn
  }
}

resource "aws_dynamodb_table_item" "orders" {
  for_each = local.orders_shards

  table_name = aws_dynamodb_table.orders.name
  hash_key   = aws_dynamodb_table.orders.hash_key
  item = jsonencode({
    shard  = { S = each.key }
    from   = { N = tostring(each.value.from) }
    to     = { N = tostring(each.value.to) }
    host   = { S = aws_db_instance.orders[each.key].address }
    secret = { S = aws_db_instance.orders[each.key].master_user_secret[0].secret_arn }
  })
}

# What all shards have in common. No shard has a name with an underscore.
resource "aws_dynamodb_table_item" "orders_settings" {
  table_name = aws_dynamodb_table.orders.name
  hash_key   = aws_dynamodb_table.orders.hash_key
  item = jsonencode({
    shard    = { S = "_settings" }
    key      = { S = "customer_id" }
    key_type = { S = "bigint" }
    slots    = { N = "1024" }
    tables = { L = [
      { S = "orders" },
      { S = "order_lines" },
      { S = "payments" },
    ] }
    reference_tables = { L = [
      { S = "countries" },
      { S = "currencies" },
    ] }
    cross_shard = { S = "refuse" }
  })
}

# A name for each shard, for people and scripts. Certificates name the hosts behind it.
resource "aws_route53_record" "orders" {
  for_each = local.orders_shards

  zone_id = aws_route53_zone.databases.zone_id
  name    = "${each.key}.orders"
  type    = "CNAME"
  ttl     = 5
  records = [aws_db_instance.orders[each.key].address]
}

locals {
  # A shard's name and a dot in front of it make a host.
  orders_host      = "orders.${aws_route53_zone.databases.name}"
  orders_shard_map = aws_dynamodb_table.orders.name
}

# The user names and passwords of all shards.
data "aws_iam_policy_document" "orders_secrets" {
  statement {
    actions   = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
    resources = [for shard in aws_db_instance.orders : shard.master_user_secret[0].secret_arn]
  }

  statement {
    actions   = ["kms:Decrypt"]
    resources = [local.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.eu-west-1.amazonaws.com", "dynamodb.eu-west-1.amazonaws.com"]
    }
  }
}

# Clients, on instances and as pods, read the map and the passwords.
data "aws_iam_policy_document" "orders_clients" {
  source_policy_documents = [data.aws_iam_policy_document.orders_secrets.json]

  statement {
    actions   = ["dynamodb:Scan", "dynamodb:GetItem"]
    resources = [aws_dynamodb_table.orders.arn]
  }

  statement {
    actions   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
    resources = [aws_dynamodb_table.orders.stream_arn]
  }
}

resource "aws_iam_role_policy" "orders_clients" {
  for_each = {
    api      = aws_iam_role.api.id
    checkout = aws_iam_role.checkout.id
    payments = aws_iam_role.payments.id
  }

  name   = "database-orders"
  role   = each.value
  policy = data.aws_iam_policy_document.orders_clients.json
}
