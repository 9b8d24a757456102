# What breakers guard outside of the cluster. A proxy takes no more than one set of
# routes for a host, so callers share the object and have a route of their own in it.
template "outside" {
  for  = blueprint
  file = "outside.yaml"

  check "alike" {
    condition = length(let.unlike) == 0
    message   = "One proxy configuration serves all that call a host outside, and they name different ports or fallback hosts for ${join(", ", [for h in let.unlike : "${h.host} (${join(", ", h.calls[*].from)})"])}."
    fix       = "Name the same port and fallback_host in external of each."
    at        = [for h in let.unlike : [for c in h.calls : c.caller.breaker.external]]
    related   = [for h in let.unlike : [for c in h.calls : [for e in c.caller.breaker.external : [e.port, e.fallback_host] if e.host == h.host]]]
  }
}

let {
  outside_calls = flatten([for s in let.pods : [for e in s.let.externals : {
    from          = s.name
    caller        = s
    host          = e.host
    port          = e.port
    fallback_host = e.fallback_host
    timeout       = s.breaker.timeout
    retries       = s.breaker.retries
    per_try       = s.breaker.per_try
  }]])
  calls_by_host = { for c in let.outside_calls : c.host => c... }
  outside = [for host in distinct(let.outside_calls[*].host) : {
    host  = host
    name  = shortname(replace(host, ".", "-"), 63)
    calls = let.calls_by_host[host]
  }]
  unlike = [for h in let.outside : h if length(distinct([for c in h.calls : "${c.port} ${c.fallback_host == null ? "" : c.fallback_host}"])) > 1]
}

# The program says http://HOST, and the proxy speaks TLS from here on.
manifest "networking.istio.io/v1" "ServiceEntry" "outside" {
  for_each = let.outside
  metadata = {
    name      = each.value.name
    namespace = target.namespace
  }
  spec = {
    hosts      = [each.value.host]
    location   = "MESH_EXTERNAL"
    resolution = "DNS"
    exportTo   = ["."]
    ports = [
      {
        number     = 80
        name       = "http"
        protocol   = "HTTP"
        targetPort = each.value.calls[0].port
      },
    ]
    endpoints = each.value.calls[0].fallback_host == null ? null : [
      { address = each.value.host, labels = { role = "primary" } },
      { address = each.value.calls[0].fallback_host, labels = { role = "fallback" } },
    ]
  }
}

manifest "networking.istio.io/v1" "VirtualService" "outside" {
  for_each = let.outside
  metadata = {
    name      = each.value.name
    namespace = target.namespace
  }
  spec = {
    hosts    = [each.value.host]
    gateways = ["mesh"]
    exportTo = ["."]
    http = [for c in each.value.calls : {
      name    = "from-${c.from}"
      match   = [{ sourceLabels = { "app.kubernetes.io/name" = c.from } }]
      timeout = duration(c.timeout)
      retries = {
        attempts      = c.retries
        perTryTimeout = c.retries == 0 ? null : duration(c.per_try)
        retryOn       = c.retries == 0 ? null : "connect-failure,refused-stream,reset-before-request"
      }
      route = [
        {
          destination = {
            host = each.value.host
            port = { number = 80 }
          }
        },
      ]
    }]
  }
}
