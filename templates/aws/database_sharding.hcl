# A database in shards: equal servers or clusters, each with a range of slots, and a map that says which.
template "database_sharding" {
  for  = database
  file = "database_${database.name}.tf"

  covers = {
    hot_spots   = [aws_cloudwatch_metric_alarm.this_shard.metric_name, database.database_sharding.shards <= 10 ? aws_cloudwatch_metric_alarm.this_hot.threshold : database.database_sharding.max_skew]
    routing     = [aws_dynamodb_table.this.stream_enabled, aws_dynamodb_table_item.this.item, aws_route53_record.this.records]
    rebalancing = [database.flavour == "cluster" ? aws_rds_cluster_parameter_group.this.parameter : database.engine == "postgres" ? aws_db_parameter_group.this.parameter["rds.logical_replication"] : aws_db_parameter_group.this.parameter["binlog_format"], length(database.database_sharding.move) > 0 ? aws_dms_replication_config.this.table_mappings : database.database_sharding.slots]
  }
  approximates = {
    key = {
      by  = [aws_dynamodb_table.this.hash_key, database.database_sharding.key]
      why = "The key is named and written into the map; hashing it is the program's part."
    }
    joins = {
      by  = [aws_dynamodb_table_item.this_settings.item, database.database_sharding.reference_tables]
      why = "Which tables are spread and which are copied is in the map; keeping queries to one shard is the program's part."
    }
  }

  check "router" {
    condition = database.database_sharding.router == "application"
    message   = "No managed proxy of AWS knows the shards of ${database.name}."
    fix       = "Set router = \"application\"; the program reads the map."
    at        = database.database_sharding.router
  }
  check "by_servers" {
    condition = database.database_sharding.by == "servers"
    message   = "Aurora Limitless, the managed kind, has no place in this pack: it wants a network, versions and classes of its own."
    fix       = "Set by = \"servers\"."
    at        = database.database_sharding.by
  }
}

let {
  shard_moves = database.database_sharding == null ? [] : database.database_sharding.move
}

locals {
  # The first and the last slot of each shard. Names are for ever; slots may move.
  this_shards = { for shard in database.database_sharding.ring : shard.name => { from = shard.from, to = shard.to } }
}

# RDS would keep what these logs say for ever; made beforehand, they forget.
resource "aws_cloudwatch_log_group" "this" {
  for_each = toset([for pair in setproduct(keys(local.this_shards), let.logs) : join("/", pair)])

  name              = "/aws/rds/${database.flavour == "server" ? "instance" : "cluster"}/${let.name}-${each.key}"
  retention_in_days = 30
}

resource "aws_rds_cluster_parameter_group" "this" {
  when = database.flavour == "cluster"

  name_prefix = "${let.name}-"
  description = "Parameters of the shards of ${database.name}"
  family      = let.family

  # No connection without TLS.
  parameter {
    name  = database.engine == "postgres" ? "rds.force_ssl" : "require_secure_transport"
    value = database.engine == "postgres" ? "1" : "ON"
  }

  # Slots are moved while everything runs. It takes a restart, so it is on from the first day.
  parameter {
    name         = database.engine == "postgres" ? "rds.logical_replication" : "binlog_format"
    value        = database.engine == "postgres" ? "1" : "ROW"
    apply_method = "pending-reboot"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${let.name}-"
  description = "Parameters of the shards of ${database.name}"
  family      = let.family

  # Pinned: the pools of all services are sized by this number, so it must not follow the instance class.
  parameter {
    name         = "max_connections"
    value        = tostring(database.max_connections)
    apply_method = "pending-reboot"
  }

  # Nobody waits for an answer after this long. In milliseconds.
  parameter {
    name  = database.engine == "postgres" ? "statement_timeout" : "max_execution_time"
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

  # No connection without TLS.
  parameter {
    when = database.flavour == "server"

    name  = database.engine == "postgres" ? "rds.force_ssl" : "require_secure_transport"
    value = "1"
  }

  # Slots are moved while everything runs. It takes a restart, so it is on from the first day.
  parameter {
    when = database.flavour == "server" && database.engine == "postgres"

    name         = "rds.logical_replication"
    value        = "1"
    apply_method = "pending-reboot"
  }

  # Slots are moved while everything runs.
  parameter {
    when = database.flavour == "server" && database.engine == "mysql"

    name  = "binlog_format"
    value = "ROW"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_instance" "this" {
  when     = database.flavour == "server"
  for_each = local.this_shards

  identifier     = "${let.name}-${each.key}"
  engine         = database.engine
  engine_version = database.version
  instance_class = let.class

  db_name  = database.database_name
  username = database.admin

  # RDS makes the password, keeps it in Secrets Manager and changes it every week: it is in no file and in no state.
  manage_master_user_password   = true
  master_user_secret_kms_key_id = local.kms_key_arn

  allocated_storage     = ceil(gib(database.storage))
  max_allocated_storage = database.max_storage > database.storage ? ceil(gib(database.max_storage)) : null
  storage_type          = "gp3"
  storage_encrypted     = true
  kms_key_id            = local.kms_key_arn

  multi_az               = database.multi_zone
  db_subnet_group_name   = aws_db_subnet_group.main.name
  vpc_security_group_ids = [aws_security_group.this.id]
  publicly_accessible    = false
  parameter_group_name   = aws_db_parameter_group.this.name

  backup_retention_period    = database.backup_days
  backup_window              = let.backup_window
  maintenance_window         = let.maintenance_window
  auto_minor_version_upgrade = true
  apply_immediately          = false # what needs a restart waits for the maintenance window
  copy_tags_to_snapshot      = true
  deletion_protection        = database.deletion_protection # a shard is emptied by moving its slots, then it goes
  skip_final_snapshot        = false
  final_snapshot_identifier  = "${let.name}-${each.key}-final"

  performance_insights_enabled    = true
  performance_insights_kms_key_id = local.kms_key_arn
  monitoring_interval             = 30
  monitoring_role_arn             = aws_iam_role.rds_monitoring.arn
  enabled_cloudwatch_logs_exports = let.logs

  tags = { Shard = each.key }

  depends_on = [aws_cloudwatch_log_group.this]
}

resource "aws_rds_cluster" "this" {
  when     = database.flavour == "cluster"
  for_each = local.this_shards

  cluster_identifier = "${let.name}-${each.key}"
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
  vpc_security_group_ids          = [aws_security_group.this.id]
  db_cluster_parameter_group_name = aws_rds_cluster_parameter_group.this.name

  backup_retention_period      = max(1, database.backup_days)
  preferred_backup_window      = let.backup_window
  preferred_maintenance_window = let.maintenance_window
  apply_immediately            = false # what needs a restart waits for the maintenance window
  copy_tags_to_snapshot        = true
  deletion_protection          = database.deletion_protection # a shard is emptied by moving its slots, then it goes
  skip_final_snapshot          = false
  final_snapshot_identifier    = "${let.name}-${each.key}-final"

  enabled_cloudwatch_logs_exports = let.logs

  tags = { Shard = each.key }

  depends_on = [aws_cloudwatch_log_group.this]
}

# In every shard a writer, and a standby that reads in each further zone.
resource "aws_rds_cluster_instance" "this" {
  when = database.flavour == "cluster"
  for_each = {
    for pair in setproduct(keys(local.this_shards), range(database.zones)) :
    "${pair[0]}-${pair[1] + 1}" => { shard = pair[0], tier = pair[1] }
  }

  identifier         = "${let.name}-${each.key}"
  cluster_identifier = aws_rds_cluster.this[each.value.shard].id
  engine             = aws_rds_cluster.this[each.value.shard].engine
  engine_version     = aws_rds_cluster.this[each.value.shard].engine_version
  instance_class     = let.class
  promotion_tier     = each.value.tier

  publicly_accessible          = false
  db_parameter_group_name      = aws_db_parameter_group.this.name
  preferred_maintenance_window = let.maintenance_window
  auto_minor_version_upgrade   = true
  copy_tags_to_snapshot        = true

  performance_insights_enabled    = true
  performance_insights_kms_key_id = local.kms_key_arn
  monitoring_interval             = 30
  monitoring_role_arn             = aws_iam_role.rds_monitoring.arn

  tags = { Shard = each.value.shard }
}

resource "aws_db_event_subscription" "this" {
  name             = let.name
  sns_topic        = aws_sns_topic.alarms.arn
  source_type      = database.flavour == "server" ? "db-instance" : "db-cluster"
  source_ids       = database.flavour == "server" ? [for shard in aws_db_instance.this : shard.identifier] : [for shard in aws_rds_cluster.this : shard.cluster_identifier]
  event_categories = database.flavour == "server" ? ["availability", "failover", "failure", "low storage", "recovery"] : ["failover", "failure", "maintenance"]
}

# Which slots lie where: programs read it when they start and follow its stream, so that they learn of a move at once.
resource "aws_dynamodb_table" "this" {
  name         = "${let.name}-shards"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "shard"

  stream_enabled   = true
  stream_view_type = "NEW_IMAGE"

  deletion_protection_enabled = database.deletion_protection

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

resource "aws_dynamodb_table_item" "this" {
  for_each = local.this_shards

  table_name = aws_dynamodb_table.this.name
  hash_key   = aws_dynamodb_table.this.hash_key
  item = jsonencode({
    shard  = { S = each.key }
    from   = { N = tostring(each.value.from) }
    to     = { N = tostring(each.value.to) }
    host   = { S = database.flavour == "server" ? aws_db_instance.this[each.key].address : aws_rds_cluster.this[each.key].endpoint }
    secret = { S = database.flavour == "server" ? aws_db_instance.this[each.key].master_user_secret[0].secret_arn : aws_rds_cluster.this[each.key].master_user_secret[0].secret_arn }
  })
}

# What all shards have in common. No shard has a name with an underscore.
resource "aws_dynamodb_table_item" "this_settings" {
  table_name = aws_dynamodb_table.this.name
  hash_key   = aws_dynamodb_table.this.hash_key
  item = jsonencode({
    shard            = { S = "_settings" }
    key              = { S = database.database_sharding.key }
    key_type         = { S = database.database_sharding.key_type }
    slots            = { N = tostring(database.database_sharding.slots) }
    tables           = { L = [for name in database.database_sharding.tables : { S = name }] }
    reference_tables = { L = [for name in database.database_sharding.reference_tables : { S = name }] }
    cross_shard      = { S = database.database_sharding.cross_shard }
  })
}

# A name for each shard, for people and scripts. Certificates name the hosts behind it.
resource "aws_route53_record" "this" {
  for_each = local.this_shards

  zone_id = aws_route53_zone.databases.zone_id
  name    = "${each.key}.${database.name}"
  type    = "CNAME"
  ttl     = 5
  records = [database.flavour == "server" ? aws_db_instance.this[each.key].address : aws_rds_cluster.this[each.key].endpoint]
}
