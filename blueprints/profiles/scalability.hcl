profile "scalability" {
  title    = "Scalability"
  summary  = "More load is met with more of the same: pods, readers, shards. Nothing has to be rebuilt for it."
  patterns = ["database_sharding", "horizontal_pod_autoscaler", "elastic_load_balancing", "read_replicas", "auto_scaling_group", "connection_pooling", "vertical_scaling"]

  defaults "service" {
    auto_scaling_group {
      max = max(10 * self.min, service.peak_need)
    }
    horizontal_pod_autoscaler {
      max = max(10 * self.min, service.peak_need)
    }
  }
}
