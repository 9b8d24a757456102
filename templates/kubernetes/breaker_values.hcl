# What a breaker comes to, whichever of the two patterns is named.
template "breaker_values" {
  for  = service
  when = target.provider == "kubernetes" || service.runs_on != null
}

let {
  advanced    = service.circuit_breaker_advanced
  forced_open = service.circuit_breaker_advanced == null ? false : service.circuit_breaker_advanced.mode == "forced_open"
  forced_shut = service.circuit_breaker_advanced == null ? false : service.circuit_breaker_advanced.mode == "forced_closed"
  # One breaker for all calls, or one for each endpoint.
  endpoints = concat(
    [for name in ["other"] : {
      only            = true
      name            = name
      path            = "/"
      max_requests    = service.breaker.max_requests
      max_errors      = service.breaker.max_errors
      timeout         = service.breaker.timeout
      fallback_status = service.breaker.fallback_status
    } if service.breaker != null && service.circuit_breaker_advanced == null],
    [for e in(service.circuit_breaker_advanced == null ? [] : service.circuit_breaker_advanced.endpoints) : {
      only            = false
      name            = e.name
      path            = e.path
      max_requests    = e.max_requests
      max_errors      = e.max_errors
      timeout         = e.timeout
      fallback_status = e.fallback_status
    }],
  )
  # Where calls that are broken off go: what the service calls, or itself.
  guarded = concat(
    [for s in [service] : s if let.guards],
    [for c in let.pod_callees : c if service.breaker != null && c.let.layer_7],
  )
  # Another service answers in place of one that does not. Where a canary shares the traffic, the shares come first.
  stand_in = service.breaker == null ? null : service.breaker.fallback == null || let.guards ? null : service.breaker.fallback.name
  replaced = [for d in let.guarded : d if let.stand_in != null && d.name != let.stand_in && d.canary_deployment == null]
  broken = flatten([for d in let.guarded : [for b in d.let.backends : {
    name     = let.guards ? b.name : "${service.name}-${b.name}"
    to       = d.name
    replaced = contains(let.replaced[*].name, d.name)
    host     = contains(let.replaced[*].name, d.name) ? "${d.name}.${service.name}.fallback.internal" : "${b.name}.${let.domain}"
    port     = d.port
    # ISTIO_MUTUAL where the other side has a proxy for sure.
    mutual = d.let.strict
    idle   = max(1, floor(d.keep_alive - 5))
  }]])
}
