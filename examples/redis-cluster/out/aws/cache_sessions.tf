# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

# Who may reach the cache: its clients, and nobody else.
resource "aws_security_group" "sessions" {
  name_prefix = "redis-cluster-sessions-"
  description = "Clients reach sessions here"
  vpc_id      = local.vpc_id

  tags = {
    Name = "redis-cluster-sessions"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "sessions_from_clients" {
  for_each = {
    web = aws_security_group.web.id
  }

  security_group_id            = aws_security_group.sessions.id
  description                  = "From ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
}

# Clients prove who they are with IAM, so there is no password to keep or to change. The user that the protocol
# takes for those who name none can do nothing.
resource "aws_elasticache_user" "sessions_default" {
  user_id       = "redis-cluster-sessions-default"
  user_name     = "default"
  engine        = "valkey"
  access_string = "off resetchannels -@all"

  authentication_mode {
    type = "no-password-required"
  }
}

resource "aws_elasticache_user" "sessions" {
  user_id       = "redis-cluster-sessions"
  user_name     = "redis-cluster-sessions" # IAM wants both to be the same
  engine        = "valkey"
  access_string = "on ~* &* +@all -@admin -@dangerous"

  authentication_mode {
    type = "iam"
  }
}

resource "aws_elasticache_user_group" "sessions" {
  user_group_id = "redis-cluster-sessions"
  engine        = "valkey"
  user_ids      = [aws_elasticache_user.sessions_default.user_id, aws_elasticache_user.sessions.user_id]
}

resource "aws_elasticache_parameter_group" "sessions" {
  # Its family cannot be changed; the name says which one it is, so that another can stand beside it.
  name        = "redis-cluster-sessions-valkey8-cluster"
  description = "Parameters of sessions"
  family      = "valkey8"

  # What gives way when the memory is full.
  parameter {
    name  = "maxmemory-policy"
    value = "volatile-lru"
  }

  parameter {
    name  = "cluster-enabled"
    value = "yes"
  }

  # Kept free of data, for snapshots, failovers and buffers.
  parameter {
    name  = "reserved-memory-percent"
    value = "25"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudwatch_log_group" "sessions" {
  for_each = toset(["engine-log", "slow-log"])

  name              = "/aws/elasticache/redis-cluster-sessions/${each.key}"
  retention_in_days = 30
}

resource "aws_elasticache_replication_group" "sessions" {
  replication_group_id = "redis-cluster-sessions"
  description          = "Valkey for sessions"
  engine               = "valkey"
  engine_version       = "8.0"
  node_type            = "cache.r7g.large"
  port                 = 6379
  parameter_group_name = aws_elasticache_parameter_group.sessions.name
  subnet_group_name    = aws_elasticache_subnet_group.main.name
  security_group_ids   = [aws_security_group.sessions.id]
  user_group_ids       = [aws_elasticache_user_group.sessions.user_group_id]

  cluster_mode               = "enabled"
  num_node_groups            = 3
  replicas_per_node_group    = 1
  automatic_failover_enabled = true
  multi_az_enabled           = true

  at_rest_encryption_enabled = true
  kms_key_id                 = local.kms_key_arn
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"

  snapshot_retention_limit   = 7
  snapshot_window            = "01:00-02:00"
  final_snapshot_identifier  = "redis-cluster-sessions-final"
  maintenance_window         = "sun:03:00-sun:04:00"
  auto_minor_version_upgrade = true
  apply_immediately          = false # what interrupts waits for the maintenance window
  notification_topic_arn     = aws_sns_topic.alarms.arn

  dynamic "log_delivery_configuration" {
    for_each = aws_cloudwatch_log_group.sessions

    content {
      destination      = log_delivery_configuration.value.name
      destination_type = "cloudwatch-logs"
      log_format       = "json"
      log_type         = log_delivery_configuration.key
    }
  }

  # Deleting it takes two deliberate steps: this line first.
  lifecycle {
    prevent_destroy = true
  }
}

locals {
  sessions_host = aws_elasticache_replication_group.sessions.configuration_endpoint_address
}

# What clients may do, with their role.
data "aws_iam_policy_document" "sessions_clients" {
  # Log in as the cache's user.
  statement {
    sid       = "Connect"
    actions   = ["elasticache:Connect"]
    resources = [aws_elasticache_replication_group.sessions.arn, aws_elasticache_user.sessions.arn]
  }
}

resource "aws_iam_role_policy" "sessions_clients" {
  for_each = {
    web = aws_iam_role.web.id
  }

  name   = "cache-sessions"
  role   = each.value
  policy = data.aws_iam_policy_document.sessions_clients.json
}
