# Several primaries with copies: they grow with the memory in use, their copies with the load.
template "redis_cluster" {
  for  = cache
  file = "cache_${cache.name}.tf"

  covers = {
    sharding    = [aws_elasticache_replication_group.this.cluster_mode, aws_elasticache_replication_group.this.num_node_groups, aws_elasticache_parameter_group.this.parameter["cluster-enabled"], let.grows ? aws_appautoscaling_policy.this_shards.target_tracking_scaling_policy_configuration : cache.redis_cluster.shards]
    health      = [aws_elasticache_replication_group.this.notification_topic_arn, aws_elasticache_replication_group.this.log_delivery_configuration, aws_cloudwatch_metric_alarm.this.metric_name]
    backups     = [aws_elasticache_replication_group.this.snapshot_retention_limit, aws_elasticache_replication_group.this.snapshot_window, aws_elasticache_replication_group.this.final_snapshot_identifier]
    replication = [aws_elasticache_replication_group.this.replicas_per_node_group, aws_elasticache_replication_group.this.automatic_failover_enabled, aws_elasticache_replication_group.this.multi_az_enabled]
    memory      = [aws_elasticache_parameter_group.this.parameter["reserved-memory-percent"], aws_cloudwatch_metric_alarm.this.dimensions, aws_cloudwatch_dashboard.this.dashboard_body]
  }

  ignores = {
    persistence  = cache.redis_cluster.persistence == "snapshots" ? null : "ElastiCache takes a picture once a day, as backup_days says, and has no log of every write."
    backup_every = "ElastiCache takes a picture once a day."
    node_timeout = "ElastiCache decides itself when a copy takes over."
  }

  check "engine" {
    condition = cache.engine != "memcached"
    message   = "${cache.name} is Memcached, which has no primaries and no copies."
    fix       = "Use valkey."
    at        = cache.engine
  }
  check "node_that_grows" {
    condition = !let.grows || !startswith(let.node, "cache.t")
    message   = "ElastiCache does not scale ${let.node} by itself: its processor is a share that is earned by idling."
    fix       = "Choose a node of the m or r families, or set max_shards to ${cache.redis_cluster.shards}."
    at        = cache.machine
    related   = [cache.redis_cluster.max_shards]
  }
}

extend "aws_elasticache_replication_group" "this" {
  when = let.grows

  # Auto scaling owns both numbers.
  lifecycle {
    ignore_changes = [num_node_groups, replicas_per_node_group]
  }
}

resource "aws_appautoscaling_target" "this_shards" {
  when = let.grows

  service_namespace  = "elasticache"
  scalable_dimension = "elasticache:replication-group:NodeGroups"
  resource_id        = "replication-group/${aws_elasticache_replication_group.this.id}"
  min_capacity       = cache.redis_cluster.shards
  max_capacity       = cache.redis_cluster.max_shards
}

# Moving slots costs time and processor, so it shrinks seldom.
resource "aws_appautoscaling_policy" "this_shards" {
  when = let.grows

  name               = "${let.name}-memory"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this_shards.service_namespace
  scalable_dimension = aws_appautoscaling_target.this_shards.scalable_dimension
  resource_id        = aws_appautoscaling_target.this_shards.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = cache.redis_cluster.target_memory
    scale_out_cooldown = 600
    scale_in_cooldown  = 3600

    predefined_metric_specification {
      predefined_metric_type = "ElastiCacheDatabaseMemoryUsageCountedForEvictPercentage"
    }
  }
}

# ElastiCache gives a primary five copies at most.
resource "aws_appautoscaling_target" "this_copies" {
  when = let.grows

  service_namespace  = "elasticache"
  scalable_dimension = "elasticache:replication-group:Replicas"
  resource_id        = "replication-group/${aws_elasticache_replication_group.this.id}"
  min_capacity       = cache.redis_cluster.replicas
  max_capacity       = 5
}

resource "aws_appautoscaling_policy" "this_copies" {
  when = let.grows

  name               = "${let.name}-copies-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this_copies.service_namespace
  scalable_dimension = aws_appautoscaling_target.this_copies.scalable_dimension
  resource_id        = aws_appautoscaling_target.this_copies.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = cache.redis_cluster.target_cpu
    scale_out_cooldown = 300
    scale_in_cooldown  = 900

    predefined_metric_specification {
      predefined_metric_type = "ElastiCacheReplicaEngineCPUUtilization"
    }
  }
}
