template "cache_memcached" {
  for  = cache
  when = cache.engine == "memcached"
  file = "cache_${cache.name}.tf"
}

resource "aws_elasticache_parameter_group" "this" {
  # Its family cannot be changed; the name says which one it is, so that another can stand beside it.
  name        = "${let.name}-${replace(let.family, ".", "-")}"
  description = "Parameters of ${cache.name}"
  family      = let.family

  # Kept free of data, for connections and buffers. In MiB.
  parameter {
    name  = "memcached_connections_overhead"
    value = "100"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_elasticache_cluster" "this" {
  cluster_id           = let.name
  engine               = "memcached"
  engine_version       = let.version
  node_type            = let.node
  port                 = cache.port
  parameter_group_name = aws_elasticache_parameter_group.this.name
  subnet_group_name    = aws_elasticache_subnet_group.main.name
  security_group_ids   = [aws_security_group.this.id]

  # The keys are spread over all nodes by the client; a zone takes its part of them with it.
  num_cache_nodes = let.spread
  az_mode         = let.spread > 1 ? "cross-az" : "single-az"

  transit_encryption_enabled = true

  maintenance_window         = let.maintenance_window
  auto_minor_version_upgrade = true
  apply_immediately          = false # what interrupts waits for the maintenance window
  notification_topic_arn     = aws_sns_topic.alarms.arn
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = {
    cpu = {
      metric    = "CPUUtilization"
      threshold = 90
      means     = "The processor of a node is busy: add nodes or choose larger ones."
    }
    connections = {
      metric    = "CurrConnections"
      threshold = max(1000, 2 * cache.client_connections)
      means     = "Far more connections than the ${cache.client_connections} that all clients together should have: one of them leaks."
    }
    swap = {
      metric    = "SwapUsage"
      threshold = 52428800
      means     = "A node swaps more than 50 MiB: its answers become slow."
    }
  }

  alarm_name          = "${let.name}-${each.key}"
  alarm_description   = each.value.means
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  evaluation_periods  = 5
  datapoints_to_alarm = 4
  period              = 60
  namespace           = "AWS/ElastiCache"
  metric_name         = each.value.metric
  statistic           = "Maximum"
  dimensions          = { CacheClusterId = aws_elasticache_cluster.this.cluster_id }
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}
