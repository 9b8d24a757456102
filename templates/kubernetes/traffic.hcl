# The routes to a service inside the mesh. One object holds them all, for the
# proxies take no more than one for a host: each caller has a route of its own,
# with the limits that its breaker states.
template "traffic" {
  for  = service
  when = target.provider == "kubernetes" || service.runs_on != null
  file = "${service.name}/traffic.yaml"
}

let {
  # Whether any proxy sends requests to it.
  steered         = let.layer_7 && !let.ambient && (let.in_mesh || let.guards || anytrue([for c in let.pod_callers : c.let.sidecar]))
  guarded_callers = [for c in let.pod_callers : c if c.breaker == null || !let.layer_7 ? false : !c.breaker.guards_itself]
  # A route for each caller and each of its endpoints; last of all, for everybody else.
  routes = concat(
    flatten([for c in let.guarded_callers : [for e in c.let.endpoints : {
      name    = e.only ? "from-${c.name}" : shortname("from-${c.name}-${e.name}", 60)
      from    = c.name
      path    = e.only || e.path == "/" ? null : e.path
      subset  = e.only ? null : e.name
      timeout = e.timeout
      tries   = e.timeout < c.breaker.timeout ? 0 : c.breaker.retries
      per_try = min(c.breaker.per_try, e.timeout)
      backoff = c.breaker.backoff
      blind   = service.idempotent
      status  = c.let.forced_open ? e.fallback_status : null
      body    = c.breaker.fallback_body
      host    = contains(c.let.replaced[*].name, service.name) ? "${service.name}.${c.name}.fallback.internal" : null
    }]]),
    [for e in let.endpoints : {
      name    = e.only ? "guarded" : shortname("guarded-${e.name}", 60)
      from    = null
      path    = e.only || e.path == "/" ? null : e.path
      subset  = e.only ? null : e.name
      timeout = e.timeout
      tries   = e.timeout < service.breaker.timeout ? 0 : service.breaker.retries
      per_try = min(service.breaker.per_try, e.timeout)
      backoff = service.breaker.backoff
      blind   = service.idempotent
      status  = let.forced_open ? e.fallback_status : null
      body    = service.breaker.fallback_body
      host    = null
    } if let.guards],
    [for name in ["others"] : {
      name    = name
      from    = null
      path    = null
      subset  = null
      timeout = service.request_timeout
      tries   = 0
      per_try = service.request_timeout
      backoff = 0
      blind   = false
      status  = null
      body    = ""
      host    = null
    } if !let.guards],
  )
  route_names = [for r in let.routes : r.name if r.status == null]
}

manifest "networking.istio.io/v1" "VirtualService" "this" {
  when = let.steered
  metadata = {
    name      = service.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
  }
  spec = {
    hosts    = [let.host]
    gateways = ["mesh"]
    http = [for r in let.routes : {
      name = r.name
      match = r.from == null && r.path == null ? null : [
        {
          sourceLabels = r.from == null ? null : { "app.kubernetes.io/name" = r.from }
          uri          = r.path == null ? null : { prefix = r.path }
        },
      ]
      directResponse = r.status == null ? null : {
        # Held open by hand.
        status = r.status
        body   = { string = r.body }
      }
      timeout = r.status == null ? duration(r.timeout) : null
      # All tries and the pauses between them fit into the timeout.
      retries = r.status != null ? null : {
        attempts      = r.tries
        perTryTimeout = r.tries == 0 ? null : duration(r.per_try)
        backoff       = r.tries == 0 ? null : duration(r.backoff)
        # What may be sent twice may also be repeated after it was worked on.
        retryOn                  = r.tries == 0 ? null : r.blind ? "connect-failure,refused-stream,unavailable,reset,5xx" : "connect-failure,refused-stream,unavailable,reset-before-request"
        retryIgnorePreviousHosts = r.tries == 0 ? null : true
      }
      route = r.status != null ? null : [for b in let.backends : {
        destination = {
          host   = r.host == null ? "${b.name}.${let.domain}" : r.host
          subset = r.subset
          port   = { number = service.port }
        }
        weight = length(let.backends) == 1 ? null : b.weight
      }]
    }]
  }
}
