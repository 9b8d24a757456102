# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

# Who may reach the cache: its clients, and nobody else.
resource "aws_security_group" "products" {
  name_prefix = "everything-products-"
  description = "Clients reach products here"
  vpc_id      = local.vpc_id

  tags = {
    Name = "everything-products"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "products_from_clients" {
  for_each = {
    web      = aws_security_group.web.id
    magazine = aws_security_group.magazine.id
  }

  security_group_id            = aws_security_group.products.id
  description                  = "From ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
}

# Clients prove who they are with IAM, so there is no password to keep or to change. The user that the protocol
# takes for those who name none can do nothing.
resource "aws_elasticache_user" "products_default" {
  user_id       = "everything-products-default"
  user_name     = "default"
  engine        = "valkey"
  access_string = "off resetchannels -@all"

  authentication_mode {
    type = "no-password-required"
  }
}

resource "aws_elasticache_user" "products" {
  user_id       = "everything-products"
  user_name     = "everything-products" # IAM wants both to be the same
  engine        = "valkey"
  access_string = "on ~* &* +@all -@admin -@dangerous"

  authentication_mode {
    type = "iam"
  }
}

resource "aws_elasticache_user_group" "products" {
  user_group_id = "everything-products"
  engine        = "valkey"
  user_ids      = [aws_elasticache_user.products_default.user_id, aws_elasticache_user.products.user_id]
}

resource "aws_elasticache_parameter_group" "products" {
  # Its family cannot be changed; the name says which one it is, so that another can stand beside it.
  name        = "everything-products-valkey8"
  description = "Parameters of products"
  family      = "valkey8"

  # What gives way when the memory is full.
  parameter {
    name  = "maxmemory-policy"
    value = "allkeys-lru"
  }

  # Keys that expire or give way are announced, so that programs can forget copies of their own.
  parameter {
    name  = "notify-keyspace-events"
    value = "Exe"
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

resource "aws_cloudwatch_log_group" "products" {
  for_each = toset(["engine-log", "slow-log"])

  name              = "/aws/elasticache/everything-products/${each.key}"
  retention_in_days = 30
}

resource "aws_elasticache_replication_group" "products" {
  replication_group_id = "everything-products"
  description          = "Valkey for products"
  engine               = "valkey"
  engine_version       = "8.0"
  node_type            = "cache.r7g.large"
  port                 = 6379
  parameter_group_name = aws_elasticache_parameter_group.products.name
  subnet_group_name    = aws_elasticache_subnet_group.main.name
  security_group_ids   = [aws_security_group.products.id]
  user_group_ids       = [aws_elasticache_user_group.products.user_group_id]

  num_cache_clusters         = 2
  automatic_failover_enabled = true
  multi_az_enabled           = true

  at_rest_encryption_enabled = true
  kms_key_id                 = local.kms_key_arn
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"

  maintenance_window         = "sun:03:00-sun:04:00"
  auto_minor_version_upgrade = true
  apply_immediately          = false # what interrupts waits for the maintenance window
  notification_topic_arn     = aws_sns_topic.alarms.arn

  dynamic "log_delivery_configuration" {
    for_each = aws_cloudwatch_log_group.products

    content {
      destination      = log_delivery_configuration.value.name
      destination_type = "cloudwatch-logs"
      log_format       = "json"
      log_type         = log_delivery_configuration.key
    }
  }
}

# ElastiCache knows no lifetime for all keys: programs read these and set it with every key.
resource "aws_ssm_parameter" "products" {
  name        = "/everything/products/settings"
  description = "How programs use products"
  type        = "String"
  value = jsonencode({
    ttl_seconds          = 900
    negative_ttl_seconds = 30
    jitter_percent       = 10
    timeout_seconds      = 0.05
    coalesce             = true
    max_misses_at_once   = 150
  })
}

# Warming runs in the containers of the clients, one instance after the other; the later ones find little to do.
resource "aws_ssm_document" "products_warm" {
  name            = "everything-products-warm"
  document_type   = "Command"
  document_format = "JSON"
  content = jsonencode({
    schemaVersion = "2.2"
    description   = "Reads the hottest values into products"
    mainSteps = [{
      action = "aws:runShellScript"
      name   = "warm"
      inputs = {
        timeoutSeconds = "900"
        runCommand     = ["docker exec app /opt/app/bin/cache-warm --top 10000 --only-missing"]
      }
    }]
  })
}

data "aws_iam_policy_document" "scheduler_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "products_warm" {
  name               = "everything-products-warm"
  description        = "Starts the warming of products"
  assume_role_policy = data.aws_iam_policy_document.scheduler_assume.json
}

data "aws_iam_policy_document" "products_warm" {
  statement {
    actions   = ["ssm:SendCommand"]
    resources = [aws_ssm_document.products_warm.arn]
  }

  statement {
    actions   = ["ssm:SendCommand"]
    resources = ["arn:aws:ec2:eu-west-1:*:instance/*"]

    condition {
      test     = "StringEquals"
      variable = "ssm:resourceTag/blueprint"
      values   = ["everything"]
    }
  }
}

resource "aws_iam_role_policy" "products_warm" {
  name   = "warm"
  role   = aws_iam_role.products_warm.id
  policy = data.aws_iam_policy_document.products_warm.json
}

resource "aws_scheduler_schedule" "products_warm" {
  name                = "everything-products-warm"
  description         = "Keeps the hottest values of products where they are asked for"
  schedule_expression = "rate(60 minutes)"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = "arn:aws:scheduler:::aws-sdk:ssm:sendCommand"
    role_arn = aws_iam_role.products_warm.arn
    input = jsonencode({
      DocumentName   = aws_ssm_document.products_warm.name
      MaxConcurrency = "1"
      Targets = [{
        Key    = "tag:Name"
        Values = ["everything-web", "everything-magazine"]
      }]
    })

    retry_policy {
      maximum_retry_attempts = 2
    }
  }
}

locals {
  products_host = aws_elasticache_replication_group.products.primary_endpoint_address
}

# What clients may do, with their role.
data "aws_iam_policy_document" "products_clients" {
  # Log in as the cache's user.
  statement {
    sid       = "Connect"
    actions   = ["elasticache:Connect"]
    resources = [aws_elasticache_replication_group.products.arn, aws_elasticache_user.products.arn]
  }

  statement {
    sid       = "Settings"
    actions   = ["ssm:GetParameter"]
    resources = [aws_ssm_parameter.products.arn]
  }

  # Say what they have changed, and hear what others have.
  statement {
    sid       = "Announce"
    actions   = ["events:PutEvents"]
    resources = [aws_cloudwatch_event_bus.products.arn]
  }

  statement {
    sid       = "Listen"
    actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    resources = [aws_sqs_queue.products.arn]
  }
}

resource "aws_iam_role_policy" "products_clients" {
  for_each = {
    web      = aws_iam_role.web.id
    magazine = aws_iam_role.magazine.id
  }

  name   = "cache-products"
  role   = each.value
  policy = data.aws_iam_policy_document.products_clients.json
}
