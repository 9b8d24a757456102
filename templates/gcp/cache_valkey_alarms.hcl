template "cache_valkey_alarms" {
  for  = cache
  when = let.kind != "memcached"
  file = "cache_${cache.name}_alarms.tf"
}

let {
  family     = let.kind == "redis" ? "redis.googleapis.com/cluster" : "memorystore.googleapis.com/instance"
  prom       = let.kind == "redis" ? "redis_googleapis_com:cluster" : "memorystore_googleapis_com:instance"
  prom_label = let.kind == "redis" ? "cluster_id" : "instance_id"
  max_memory = cache.in_memory_caching != null ? cache.in_memory_caching.max_memory : cache.redis_cluster != null ? cache.redis_cluster.max_memory : 80
}

locals {
  this_cache = let.kind == "redis" ? "resource.type = \"redis.googleapis.com/Cluster\" AND resource.labels.cluster_id = \"${google_redis_cluster.this.name}\"" : "resource.type = \"memorystore.googleapis.com/Instance\" AND resource.labels.instance_id = \"${google_memorystore_instance.this.instance_id}\""
}

resource "google_monitoring_alert_policy" "this" {
  for_each = {
    memory = {
      metric    = "memory/maximum_utilization"
      threshold = let.max_memory / 100
      means     = "A node has more than ${let.max_memory} % of its memory in use: ${cache.eviction == "noeviction" ? "when it is full, every write fails" : "soon keys give way before their time"}."
    }
    cpu = {
      metric    = "cpu/maximum_utilization"
      threshold = 0.8
      means     = "The processor of a node is busy, and one thread does nearly all of the work: look for slow commands, or spread the keys over more shards."
    }
    connections = {
      metric    = "clients/maximum_connected_clients"
      threshold = max(1000, 2 * cache.client_connections)
      means     = "Far more connections than the ${cache.client_connections} that all clients together should have: one of them leaks."
    }
  }

  display_name          = "${let.name}: ${each.key}"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = each.key

    condition_threshold {
      filter          = "${local.this_cache} AND metric.type = \"${let.family}/${each.value.metric}\""
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.threshold
      duration        = "300s"

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_MEAN"
        cross_series_reducer = "REDUCE_MAX"
      }
    }
  }

  documentation {
    content = each.value.means
  }
}
