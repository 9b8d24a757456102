profile "safe-deployment" {
  title    = "Safe deployment"
  summary  = "A release shows what it does to a few before it reaches all, and goes back by itself when that is bad."
  patterns = ["canary_deployment", "rolling_updates", "circuit_breaker", "blue_green_deployment", "circuit_breaker_advanced"]

  defaults "service" {
    canary_deployment {
      rollback = "alarms"
    }
    rolling_updates {
      unavailable = 0
      rollback    = "alarms"
    }
    blue_green_deployment {
      rollback = "alarms"
    }
  }
  defaults "database" {
    backup_days = 30
  }
}
