# Where a caller's breaker is to follow latency: the callee's own proxy measures it, and
# moves the number of requests that it lets in at once.
template "adaptive" {
  for  = service
  when = target.provider == "kubernetes" || service.runs_on != null
  file = "${service.name}/traffic.yaml"
}

let {
  adaptive_for = concat(
    [for c in let.pod_callers : c.circuit_breaker_advanced.adaptive_every if c.circuit_breaker_advanced == null ? false : c.circuit_breaker_advanced.adaptive && !c.circuit_breaker_advanced.guards_itself],
    [for s in [service.name] : service.circuit_breaker_advanced.adaptive_every if let.advanced == null ? false : service.circuit_breaker_advanced.adaptive && let.guards],
  )
  adapts = let.sidecar && let.layer_7 && length(let.adaptive_for) > 0
}

manifest "networking.istio.io/v1alpha3" "EnvoyFilter" "this_adaptive" {
  when = let.adapts
  metadata = {
    name      = "${service.name}-adaptive"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
  }
  spec = {
    priority         = 10
    workloadSelector = { labels = { "app.kubernetes.io/name" = service.name } }
    configPatches = [
      {
        applyTo = "HTTP_FILTER"
        match = {
          context = "SIDECAR_INBOUND"
          listener = {
            filterChain = {
              filter = {
                name      = "envoy.filters.network.http_connection_manager"
                subFilter = { name = "envoy.filters.http.router" }
              }
            }
          }
        }
        patch = {
          operation = "INSERT_BEFORE"
          value = {
            name = "envoy.filters.http.adaptive_concurrency"
            typed_config = {
              "@type" = "type.googleapis.com/envoy.extensions.filters.http.adaptive_concurrency.v3.AdaptiveConcurrency"
              enabled = {
                default_value = true
                runtime_key   = "adaptive_concurrency.enabled"
              }
              concurrency_limit_exceeded_status = { code = "ServiceUnavailable" }
              gradient_controller_config = {
                sample_aggregate_percentile = { value = 90 }
                concurrency_limit_params = {
                  # Never more than twice what a pod says that it can work on.
                  max_concurrency_limit       = 2 * service.concurrency
                  concurrency_update_interval = "0.1s"
                }
                # The latency without load, measured anew from time to time with little traffic.
                min_rtt_calc_params = {
                  interval        = duration(max(1, min(concat(let.adaptive_for, [3600])...)))
                  request_count   = 50
                  jitter          = { value = 15 }
                  min_concurrency = 5
                  buffer          = { value = 25 }
                }
              }
            }
          }
        }
      },
    ]
  }
}
