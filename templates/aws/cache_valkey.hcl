# Valkey or Redis: primaries with copies, by name and by IAM.
template "cache_valkey" {
  for  = cache
  when = cache.engine != "memcached"
  file = "cache_${cache.name}.tf"
}

# Clients prove who they are with IAM, so there is no password to keep or to change. The user that the protocol
# takes for those who name none can do nothing.
resource "aws_elasticache_user" "this_default" {
  user_id       = shortname("${let.name}-default", 40)
  user_name     = "default"
  engine        = cache.engine
  access_string = "off resetchannels -@all"

  authentication_mode {
    type = "no-password-required"
  }
}

resource "aws_elasticache_user" "this" {
  user_id       = let.name
  user_name     = let.name # IAM wants both to be the same
  engine        = cache.engine
  access_string = "on ~* &* +@all -@admin -@dangerous"

  authentication_mode {
    type = "iam"
  }
}

resource "aws_elasticache_user_group" "this" {
  user_group_id = let.name
  engine        = cache.engine
  user_ids      = [aws_elasticache_user.this_default.user_id, aws_elasticache_user.this.user_id]
}

resource "aws_elasticache_parameter_group" "this" {
  # Its family cannot be changed; the name says which one it is, so that another can stand beside it.
  name        = "${let.name}-${replace(let.family, ".", "-")}${cache.redis_cluster == null ? "" : "-cluster"}"
  description = "Parameters of ${cache.name}"
  family      = let.family

  # What gives way when the memory is full.
  parameter {
    name  = "maxmemory-policy"
    value = cache.eviction
  }

  parameter {
    when = cache.redis_cluster != null

    name  = "cluster-enabled"
    value = "yes"
  }

  # Keys that expire or give way are announced, so that programs can forget copies of their own.
  parameter {
    when = let.announced

    name  = "notify-keyspace-events"
    value = "Exe"
  }

  # Kept free of data, for snapshots, failovers and buffers.
  parameter {
    name  = "reserved-memory-percent"
    value = tostring(cache.reserve)
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(["engine-log", "slow-log"])

  name              = "/aws/elasticache/${let.name}/${each.key}"
  retention_in_days = 30
}

resource "aws_elasticache_replication_group" "this" {
  replication_group_id = let.name
  description          = "${title(cache.engine)} for ${cache.name}"
  engine               = cache.engine
  engine_version       = let.version
  node_type            = let.node
  port                 = cache.port
  parameter_group_name = aws_elasticache_parameter_group.this.name
  subnet_group_name    = aws_elasticache_subnet_group.main.name
  security_group_ids   = [aws_security_group.this.id]
  user_group_ids       = [aws_elasticache_user_group.this.user_group_id]

  num_cache_clusters         = cache.redis_cluster == null ? 1 + cache.replicas : null
  cluster_mode               = cache.redis_cluster == null ? null : "enabled"
  num_node_groups            = cache.redis_cluster == null ? null : cache.redis_cluster.shards
  replicas_per_node_group    = cache.redis_cluster == null ? null : cache.redis_cluster.replicas
  automatic_failover_enabled = cache.failover
  multi_az_enabled           = cache.failover && cache.zones > 1

  at_rest_encryption_enabled = true
  kms_key_id                 = local.kms_key_arn
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"

  snapshot_retention_limit   = let.backup_days > 0 ? let.backup_days : null
  snapshot_window            = let.backup_days > 0 ? let.snapshot_window : null
  final_snapshot_identifier  = let.backup_days > 0 ? "${let.name}-final" : null
  maintenance_window         = let.maintenance_window
  auto_minor_version_upgrade = true
  apply_immediately          = false # what interrupts waits for the maintenance window
  notification_topic_arn     = aws_sns_topic.alarms.arn

  dynamic "log_delivery_configuration" {
    for_each = aws_cloudwatch_log_group.this

    content {
      destination      = log_delivery_configuration.value.name
      destination_type = "cloudwatch-logs"
      log_format       = "json"
      log_type         = log_delivery_configuration.key
    }
  }

  # Deleting it takes two deliberate steps: this line first.
  lifecycle {
    when = cache.deletion_protection

    prevent_destroy = true
  }
}
