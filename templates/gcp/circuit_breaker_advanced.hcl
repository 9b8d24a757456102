# Every group of paths has a backend service of its own, so that its limits, its ejected hosts and its measurements are
# its own as well. They are in circuit_breaker; here is how they are looked at.
template "circuit_breaker_advanced" {
  for  = service
  when = service.runs_on == null && let.guarded_by != "none"
  file = "service_${service.name}_breaker.tf"

  covers = {
    granular_metrics = [google_monitoring_dashboard.this_breaker.dashboard_json, google_logging_metric.this_breaker.label_extractors]
    states           = [google_monitoring_alert_policy.this_breaker.conditions, google_monitoring_dashboard.this_breaker.dashboard_json]
  }
  approximates = {
    per_endpoint = {
      by  = [let.guarded_by == "edges" ? google_compute_region_url_map.this_to.path_matcher : service.circuit_breaker_advanced.endpoints]
      why = let.guarded_by == "edges" || length(service.circuit_breaker_advanced.endpoint) == 0 ? null : "Endpoints have breakers of their own where ${service.name} calls other instances. Here the general one stands before all paths."
    }
    adaptive_thresholds = {
      by  = [let.guarded_by == "edges" ? google_compute_region_backend_service.this_to.outlier_detection.success_rate_stdev_factor : service.circuit_breaker_advanced.success_deviation]
      why = "Hosts are compared with each other; a limit of calls at work that follows latency is not among the features of Google's load balancers."
    }
    fallbacks = {
      by  = [let.guarded_by == "edges" ? google_compute_region_backend_service.this_to.circuit_breakers : google_logging_metric.this_breaker.filter]
      why = "A plain refusal (503) at once, or another service for callers that ask for it; an answer by endpoint cannot be written into a regional load balancer."
    }
  }

  ignores = {
    adaptive_every = "No limit follows latency, so none is measured anew; hosts are compared with each other."
    sample         = "Google's metrics have one value a minute."
  }

  check "forced_open" {
    condition = service.circuit_breaker_advanced.mode != "forced_open" || contains(["edges", "outside"], let.guarded_by)
    message   = "Only calls that ${service.name} makes itself can be held off by hand, not those of others to it."
    fix       = "Set mode = \"automatic\"."
    at        = service.circuit_breaker_advanced.mode
  }
  check "endpoints_of_destinations" {
    condition = length(service.circuit_breaker_advanced.endpoint) == 0 || length(let.through) > 0
    message   = "A breaker for each endpoint stands between ${service.name} and the instances that it calls over HTTP, and there are none: the general breaker stands before all paths."
    fix       = "Drop the endpoints, or name in needs what is called."
    at        = service.circuit_breaker_advanced.endpoint
    related   = [service.needs]
    severity  = "warning"
  }
}

resource "google_monitoring_dashboard" "this_breaker" {
  dashboard_json = jsonencode({
    displayName = "${let.name}: breakers"
    mosaicLayout = {
      columns = 12
      tiles = [
        for i, chart in [
          { title = "Calls, by backend and status", query = "sum by (backend_target_name, response_code_class) (rate(loadbalancing_googleapis_com:https_internal_request_count{backend_target_name=~\"${let.name}-(to-.*|inside)\"}[1m]))" },
          { title = "Latency (p99, ms), by backend", query = "histogram_quantile(0.99, sum by (le, backend_target_name) (rate(loadbalancing_googleapis_com:https_internal_backend_latencies_bucket{backend_target_name=~\"${let.name}-(to-.*|inside)\"}[1m])))" },
          { title = "Calls broken off, by backend and reason", query = "sum by (backend, reason) (rate(logging_googleapis_com:user_${replace(let.name, "-", "_")}_breaker{monitored_resource=\"${let.breaker_resource}\"}[1m]))" },
          ] : {
          xPos   = 0
          yPos   = 4 * i
          width  = 12
          height = 4
          widget = {
            title   = chart.title
            xyChart = { dataSets = [{ plotType = "LINE", timeSeriesQuery = { prometheusQuery = chart.query } }] }
          }
        }
      ]
    }
  })
}
