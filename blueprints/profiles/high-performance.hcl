profile "high-performance" {
  title    = "High performance"
  summary  = "Answers come from as near as they can: the network, memory, and only then the database."
  patterns = ["cdn_distribution", "multi_layer_caching", "redis_cluster", "in_memory_caching", "multi_layer_caching_detailed", "load_balancer_types", "connection_pooling", "database_connection_pooling"]

  defaults "service" {
    auto_scaling_group {
      target_cpu = 45
      standby    = 2
    }
    horizontal_pod_autoscaler {
      target_cpu = 50
    }
    multi_layer_caching {
      browser_ttl = "60s"
      edge_ttl    = "5m"
    }
  }
  defaults "database" {
    cpu    = 4
    memory = "32GiB"

    connection_pooling {
      min_size = 20
    }
  }
  defaults "cache" {
    replicas = 2
  }
  defaults "site" {
    cdn_distribution {
      audience = "world"
    }
  }
}
