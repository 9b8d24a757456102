# What the mesh knows of one service: who may call it, what its proxy has to know,
# and how it is called by those who say nothing else.
template "mesh" {
  for  = service
  when = target.provider == "kubernetes" || service.runs_on != null
  file = "${service.name}/mesh.yaml"
}

let {
  in_mesh  = service.mesh != null
  declared = service.mesh == null ? false : service.mesh.calls == "declared"
  accounts = "${let.mesh_domain}/ns/${let.namespace}/sa"
  guards   = service.breaker == null ? false : service.breaker.guards_itself
  # Who comes without a certificate of the mesh: the gateway, and callers that have no proxy.
  outsiders = let.balanced || anytrue([for c in let.pod_callers : !c.let.meshed])
  principals = concat(
    [for c in let.pod_callers : "${let.accounts}/${c.name}" if c.let.meshed],
    service.blue_green_deployment == null ? [] : ["${let.accounts}/${service.name}-smoke"],
  )
  # All that the program connects to, by name.
  reached = distinct(concat(
    flatten([for c in let.pod_callees : concat([c.let.host], [for b in c.let.backends : "${b.name}.${let.domain}"])]),
    let.bare ? [for n in concat(service.databases, service.caches) : "${n.let.host}.cluster.local"] : [],
    let.bare ? [for n in service.databases : "${n.let.reader_host}.cluster.local" if n.readers > 0] : [],
    let.bare ? flatten([for n in service.databases : n.database_sharding == null || n.let.routed ? [] : [
      for s in n.database_sharding.ring : "${n.name}-${s.name}-${n.pooler == null ? "rw" : "pooler"}.${let.domain}"
    ]]) : [],
    [for e in let.externals : e.host],
    [for d in let.replaced : "${d.name}.${service.name}.fallback.internal"],
  ))
  backend_hosts = [for b in let.backends : { name = b.name, host = "${b.name}.${let.domain}" }]
  # What all pods together take at their most.
  capacity = service.max_instances * service.concurrency
}

manifest "security.istio.io/v1" "PeerAuthentication" "this" {
  when = let.in_mesh
  metadata = {
    name      = service.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
  }
  spec = {
    selector = { matchLabels = { "app.kubernetes.io/name" = service.name } }
    mtls     = { mode = let.strict ? "STRICT" : "PERMISSIVE" }
    portLevelMtls = let.strict && let.balanced ? {
      # The balancer stands outside of the mesh and has no certificate. Who else comes without
      # one is kept out by the NetworkPolicy.
      (tostring(service.port))                                                     = { mode = "PERMISSIVE" }
      (tostring(let.health_port == null ? service.port + 65536 : let.health_port)) = let.health_port == null ? null : { mode = "PERMISSIVE" }
    } : null
  }
}

# Only those that name it in needs. Whatever no rule allows is refused.
manifest "security.istio.io/v1" "AuthorizationPolicy" "this" {
  when = let.declared
  metadata = {
    name      = service.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
  }
  spec = {
    selector = let.waypoint ? null : { matchLabels = { "app.kubernetes.io/name" = service.name } }
    # Held at the waypoint, which sees who calls.
    targetRefs = let.waypoint ? [for name in distinct(concat([service.name], let.backends[*].name)) : { group = "", kind = "Service", name = name }] : null
    action     = "ALLOW"
    rules = length(let.principals) == 0 && !let.outsiders ? null : concat(
      length(let.principals) == 0 ? [] : [{
        from = [{ source = { principals = let.principals } }]
        to   = [{ operation = { ports = [tostring(service.port)] } }]
      }],
      let.outsiders ? [{
        # Without a certificate: the gateway, let in by the NetworkPolicy.
        from = [{ source = { notPrincipals = ["*"] } }]
        to   = [{ operation = { ports = compact([tostring(service.port), let.health_port == null ? "" : tostring(let.health_port)]) } }]
      }] : [],
    )
  }
}

# What comes to the pods themselves has been through the waypoint.
manifest "security.istio.io/v1" "AuthorizationPolicy" "this_direct" {
  when = let.declared && let.waypoint
  metadata = {
    name      = "${service.name}-direct"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
  }
  spec = {
    selector = { matchLabels = { "app.kubernetes.io/name" = service.name } }
    action   = "ALLOW"
    rules = [
      {
        from = concat(
          [{ source = { principals = ["${let.accounts}/waypoint"] } }],
          let.outsiders ? [{ source = { notPrincipals = ["*"] } }] : [],
        )
        to = [{ operation = { ports = [tostring(service.port)] } }]
      },
    ]
  }
}

# Without a scope every proxy would hold the whole mesh's configuration in memory.
manifest "networking.istio.io/v1" "Sidecar" "this" {
  when = let.sidecar
  metadata = {
    name      = service.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
  }
  spec = {
    workloadSelector = { labels = { "app.kubernetes.io/name" = service.name } }
    outboundTrafficPolicy = {
      mode = let.egress == "declared" ? "REGISTRY_ONLY" : "ALLOW_ANY"
    }
    egress = [
      {
        hosts = concat([for host in let.reached : "./${host}"], ["${target.mesh_namespace}/*"])
      },
    ]
  }
}

# How it is called by those that have no breaker of their own for it.
manifest "networking.istio.io/v1" "DestinationRule" "this" {
  for_each = let.in_mesh && let.layer_7 && !let.guards ? let.backend_hosts : []
  metadata = {
    name      = each.value.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
  }
  spec = {
    host = each.value.host
    trafficPolicy = {
      tls = let.strict ? { mode = "ISTIO_MUTUAL" } : null
      connectionPool = {
        tcp = {
          maxConnections = let.capacity
          connectTimeout = duration(min(1, service.request_timeout))
        }
        http = {
          http2MaxRequests        = let.capacity
          http1MaxPendingRequests = max(1, floor(let.capacity / 4))
          # Closed before the program closes it.
          idleTimeout = duration(max(1, floor(service.keep_alive - 5)))
        }
      }
      outlierDetection = {
        consecutive5xxErrors = 5
        interval             = "10s"
        baseEjectionTime     = "30s"
        maxEjectionPercent   = max(34, ceil(100 / service.min_instances))
        minHealthPercent     = 25
      }
      loadBalancer = {
        simple = "LEAST_REQUEST"
        # A pod that has just come gets its share little by little.
        warmup = { duration = "30s", minimumPercent = 10, aggression = 1 }
      }
    }
  }
}

manifest "telemetry.istio.io/v1" "Telemetry" "this" {
  when = let.sidecar && (let.in_mesh || let.advanced != null)
  metadata = {
    name      = service.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
  }
  spec = {
    selector = { matchLabels = { "app.kubernetes.io/name" = service.name } }
    tracing = !let.in_mesh ? null : [
      {
        # As extensionProviders of the mesh's configuration call it.
        providers                = [{ name = "otel" }]
        randomSamplingPercentage = let.in_mesh ? service.mesh.trace_percent : 0
      },
    ]
    accessLogging = [
      {
        providers = [{ name = "envoy" }]
        filter    = { expression = "response.code >= 500 || connection.mtls == false" }
      },
    ]
    metrics = [
      {
        providers         = [{ name = "prometheus" }]
        reportingInterval = let.often ? let.scrape : null
        overrides = [
          # Labels that nobody reads cost memory in every proxy.
          {
            match = { metric = "ALL_METRICS", mode = "CLIENT_AND_SERVER" }
            tagOverrides = {
              source_canonical_revision      = { operation = "REMOVE" }
              destination_canonical_revision = { operation = "REMOVE" }
            }
          },
          let.advanced == null ? null : {
            # Calls are counted by the route that they take: one for each endpoint.
            match        = { metric = "REQUEST_COUNT", mode = "CLIENT" }
            tagOverrides = { endpoint = { operation = "UPSERT", value = "xds.route_name" } }
          },
          let.advanced == null ? null : {
            match        = { metric = "REQUEST_DURATION", mode = "CLIENT" }
            tagOverrides = { endpoint = { operation = "UPSERT", value = "xds.route_name" } }
          },
        ]
      },
    ]
  }
}

# ztunnels carry connections; whoever reads requests is the waypoint.
manifest "gateway.networking.k8s.io/v1" "Gateway" "waypoint" {
  when = let.ambient
  metadata = {
    name      = "waypoint"
    namespace = let.namespace
    labels    = { "istio.io/waypoint-for" = "service" }
  }
  spec = {
    gatewayClassName = "istio-waypoint"
    listeners = [
      {
        name     = "mesh"
        port     = 15008
        protocol = "HBONE"
      },
    ]
  }
}

# The tunnel between all pods of the mesh. Who may use it for what, the policies of the
# mesh say.
manifest "networking.k8s.io/v1" "NetworkPolicy" "mesh-tunnel" {
  when = let.ambient
  metadata = {
    name      = "mesh-tunnel"
    namespace = let.namespace
  }
  spec = {
    podSelector = {}
    policyTypes = ["Ingress", "Egress"]
    ingress = [
      {
        from  = [{ podSelector = {} }]
        ports = [{ port = 15008, protocol = "TCP" }]
      },
    ]
    egress = [
      {
        to    = [{ podSelector = {} }]
        ports = [{ port = 15008, protocol = "TCP" }]
      },
      {
        to    = [{ namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = target.mesh_namespace } } }]
        ports = [{ port = 15012, protocol = "TCP" }]
      },
    ]
  }
}

manifest "networking.k8s.io/v1" "NetworkPolicy" "mesh-metrics" {
  when = let.ambient
  metadata = {
    name      = "mesh-metrics"
    namespace = let.namespace
  }
  spec = {
    podSelector = {}
    policyTypes = ["Ingress"]
    ingress = [
      {
        from  = [{ namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = target.monitoring_namespace } } }]
        ports = [{ port = 15020, protocol = "TCP" }]
      },
    ]
  }
}

manifest "monitoring.coreos.com/v1" "PodMonitor" "waypoint" {
  when = let.ambient
  metadata = {
    name      = "waypoint"
    namespace = let.namespace
    labels    = let.monitoring_labels
  }
  spec = {
    namespaceSelector = { matchNames = [let.namespace] }
    selector          = { matchLabels = { "gateway.networking.k8s.io/gateway-name" = "waypoint" } }
    podMetricsEndpoints = [
      {
        port     = "metrics"
        path     = "/stats/prometheus"
        interval = "15s"
      },
    ]
  }
}

# How callers in the mesh reach it: the waypoint reads requests and gives up in time.
manifest "gateway.networking.k8s.io/v1" "HTTPRoute" "this_mesh" {
  when       = let.waypoint
  written_as = ["gateway.networking.k8s.io/v1", service.protocol == "grpc" ? "GRPCRoute" : "HTTPRoute"]
  metadata = {
    name      = "${service.name}-mesh"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
  }
  spec = {
    parentRefs = [{ group = "", kind = "Service", name = service.name, port = service.port }]
    rules = [
      {
        name        = "all"
        timeouts    = service.protocol == "grpc" ? null : { request = duration(service.request_timeout) }
        backendRefs = let.route_backends
      },
    ]
  }
}

extend "monitoring.coreos.com/v1" "PrometheusRule" "this" {
  when = let.in_mesh && let.sidecar && let.layer_7
  spec = {
    groups = [
      {
        name = service.name
        rules = [
          {
            alert  = "ProxiesSlow"
            expr   = <<-EOT
              histogram_quantile(0.99, sum by (le) (rate(istio_request_duration_milliseconds_bucket{reporter="source",destination_service_name="${service.name}",destination_service_namespace="${let.namespace}"}[5m])))
                - histogram_quantile(0.99, sum by (le) (rate(istio_request_duration_milliseconds_bucket{${let.where}}[5m]))) > ${1000 * service.mesh.max_latency}
            EOT
            for    = "10m"
            labels = merge({ severity = "warning" }, let.alarm)
            annotations = {
              summary = "The proxies and the network between ${service.name} and its callers take more than ${duration(service.mesh.max_latency)} (p99)"
            }
          },
          {
            alert  = "ProxyMemory"
            expr   = <<-EOT
              max by (pod) (container_memory_working_set_bytes{namespace="${let.namespace}",pod=~"${service.name}-.*",container="istio-proxy"}) > ${floor(0.85 * service.mesh.proxy_memory)}
            EOT
            for    = "10m"
            labels = merge({ severity = "warning" }, let.alarm)
            annotations = {
              summary = "A proxy of ${service.name} is near its memory limit: raise proxy_memory"
            }
          },
          let.strict && !let.balanced ? {
            alert  = "Plaintext"
            expr   = <<-EOT
              sum(rate(istio_requests_total{${let.where},connection_security_policy!="mutual_tls"}[5m])) > 0
            EOT
            for    = "5m"
            labels = merge({ severity = "critical" }, let.alarm)
            annotations = {
              summary = "${service.name} gets requests that are not encrypted by the mesh"
            }
          } : null,
        ]
      },
    ]
  }
}
