# Several primaries with copies.
template "redis_cluster" {
  for  = cache
  file = "cache_${cache.name}.tf"

  covers = {
    sharding    = [let.kind == "redis" ? google_redis_cluster.this.shard_count : google_memorystore_instance.this.shard_count, let.kind == "redis" ? google_redis_cluster.this.node_type : google_memorystore_instance.this.mode]
    health      = [google_monitoring_alert_policy.this.conditions.condition_threshold.filter, google_monitoring_alert_policy.this_health.conditions.condition_threshold.filter]
    backups     = [let.backup_days == 0 ? null : let.kind == "redis" ? google_redis_cluster.this.automated_backup_config.retention : google_memorystore_instance.this.automated_backup_config.retention, let.kind == "redis" ? google_redis_cluster.this.persistence_config.mode : google_memorystore_instance.this.persistence_config.mode]
    replication = [let.kind == "redis" ? google_redis_cluster.this.replica_count : google_memorystore_instance.this.replica_count, let.kind == "redis" ? google_redis_cluster.this.zone_distribution_config.mode : google_memorystore_instance.this.zone_distribution_config.mode]
    memory      = [google_monitoring_alert_policy.this_nodes.conditions.condition_threshold.filter, google_monitoring_alert_policy.this_skew.conditions.condition_prometheus_query_language.query]
  }

  ignores = {
    node_timeout = "Google decides itself when a copy takes over."
    target_cpu   = "Nothing adds copies by itself: there are as many as replicas says."
  }

  check "engine" {
    condition = cache.engine != "memcached"
    message   = "${cache.name} is Memcached, which has no primaries and no copies."
    fix       = "Use valkey."
    at        = cache.engine
  }
  check "steady_node" {
    condition = let.machine != "SHARED_CORE_NANO"
    message   = "A node that shares its core comes without a promise of availability, and ${cache.name} promises ${cache.availability} %."
    fix       = "Choose STANDARD_SMALL or a larger one."
    at        = cache.machine
    related   = [cache.availability]
  }
}
