profile "high-availability" {
  title    = "High availability"
  summary  = "Nothing that breaks alone is noticed: three zones, a standby for everything that keeps data, releases without a gap."
  patterns = ["blue_green_deployment", "circuit_breaker", "service_mesh", "auto_scaling_group", "elastic_load_balancing", "horizontal_pod_autoscaler", "rolling_updates"]

  defaults "service" {
    zones        = 3
    availability = 99.95

    auto_scaling_group {
      min     = 3
      standby = 1
    }
    horizontal_pod_autoscaler {
      min = 3
    }
    rolling_updates {
      unavailable = 0
    }
  }
  defaults "database" {
    zones        = 3
    availability = 99.95
    backup_days  = 30
  }
  defaults "cache" {
    zones        = 3
    replicas     = 2
    availability = 99.95
  }
  defaults "cluster" {
    zones        = 3
    availability = 99.95
  }
}
