template "cache_valkey_alarms" {
  for  = cache
  when = cache.engine != "memcached"
  file = "cache_${cache.name}_alarms.tf"
}

let {
  max_memory = cache.redis_cluster != null ? cache.redis_cluster.max_memory : cache.in_memory_caching != null ? cache.in_memory_caching.max_memory : cache.eviction == "noeviction" ? 75 : 95
}

locals {
  # ElastiCache names its nodes like this. Alarms cannot search for them, so they are listed.
  this_nodes = let.nodes

  this_alarms = {
    memory = {
      metric    = "DatabaseMemoryUsagePercentage"
      operator  = "GreaterThanThreshold"
      threshold = let.max_memory
      means     = cache.eviction == "noeviction" ? "${let.max_memory} % of a node's memory are used. When it is full, writes fail." : "${let.max_memory} % of a node's memory are used. When it is full, keys give way."
    }
    engine-cpu = {
      metric    = "EngineCPUUtilization"
      operator  = "GreaterThanThreshold"
      threshold = 80
      means     = "The one thread that answers commands is busy: look for slow commands, or add shards."
    }
    connections = {
      metric    = "CurrConnections"
      operator  = "GreaterThanThreshold"
      threshold = max(1000, 2 * cache.client_connections)
      means     = "Far more connections than the ${cache.client_connections} that all clients together should have: one of them leaks."
    }
    replication-lag = {
      metric    = "ReplicationLag"
      operator  = "GreaterThanThreshold"
      threshold = 5
      means     = "A copy is more than five seconds behind: a failover now would lose that much."
    }
    swap = {
      metric    = "SwapUsage"
      operator  = "GreaterThanThreshold"
      threshold = 52428800
      means     = "The node swaps more than 50 MiB: its answers become slow. Raise the reserve."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = {
    for pair in setproduct(local.this_nodes, keys(local.this_alarms)) :
    "${pair[0]}-${pair[1]}" => merge(local.this_alarms[pair[1]], { node = pair[0] })
  }

  alarm_name          = each.key
  alarm_description   = each.value.means
  comparison_operator = each.value.operator
  threshold           = each.value.threshold
  evaluation_periods  = 5
  datapoints_to_alarm = 4
  period              = 60
  namespace           = "AWS/ElastiCache"
  metric_name         = each.value.metric
  statistic           = "Maximum"
  dimensions          = { CacheClusterId = each.value.node }
  treat_missing_data  = "notBreaching" # primaries have no lag
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  depends_on = [aws_elasticache_replication_group.this]
}
