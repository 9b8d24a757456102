# How requests reach a service from outside.
template "routing" {
  for  = service
  when = (target.provider == "kubernetes" || service.runs_on != null) && service.balancer != null
  file = "${service.name}/routing.yaml"

  check "public_name" {
    condition = !let.routed || !service.balancer.public || let.entry != null
    message   = "The internet reaches ${service.name}, but it has no name for which TLS could end."
    fix       = "Set domain, here or in the target, or public = false."
    at        = service.balancer.public
    related   = [service.balancer.domain]
  }
  check "unknown_cloud" {
    condition = service.balancer.public || let.cloud != "none"
    message   = "What keeps a balancer off the internet is an annotation of the cluster's cloud, and the target names none: that of ${service.name} is made like any other, and lets private networks in only."
    fix       = "Set cloud of the target, or annotate it by hand where it is not one of those."
    at        = service.balancer.public
    related   = let.bare ? [target.cloud] : []
    severity  = "warning"
  }
  check "firewall" {
    condition = !service.balancer.firewall
    message   = "Nothing in the cluster inspects requests to ${service.name} for attacks."
    fix       = "Put a firewall in front of the gateway's address, and set firewall = false."
    at        = service.balancer.firewall
    severity  = "warning"
  }
}

let {
  gateway = service.balancer == null ? "internal" : service.balancer.public ? "public" : "internal"
  # The name in the request: the service's own, one below the target's domain, or one that only the network around knows.
  entry = (
    service.balancer == null ? null :
    service.balancer.domain != null ? service.balancer.domain :
    service.balancer.public ? (let.parent == null ? null : "${service.name}.${let.parent}") :
    "${service.name}.${let.namespace}.internal"
  )
  ends_tls   = !let.routed || let.entry == null ? false : service.balancer.domain != null || service.balancer.public
  listener   = let.entry == null ? "http" : shortname(replace(replace(let.entry, "*", "any"), ".", "-"), 58)
  restricted = service.balancer == null ? false : length([for n in service.balancer.allow : n if n == "0.0.0.0/0"]) == 0
}

manifest "gateway.networking.k8s.io/v1" "HTTPRoute" "this" {
  when       = let.routed
  written_as = ["gateway.networking.k8s.io/v1", let.route]
  metadata = {
    name      = service.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
  }
  spec = {
    parentRefs = [{ name = let.gateway, sectionName = let.ends_tls ? let.listener : "http" }]
    hostnames  = let.entry == null ? null : [let.entry]
    rules = [
      {
        name = "live"
        matches = length(service.balancer.paths) == 0 || let.route == "GRPCRoute" ? null : [for path in service.balancer.paths : {
          path = (
            endswith(path, "/*") && !can(regex("\\*.", path)) ? { type = "PathPrefix", value = path == "/*" ? "/" : trimsuffix(path, "/*") } :
            can(regex("\\*", path)) ? { type = "RegularExpression", value = replace(replace(path, ".", "\\."), "*", ".*") } :
            { type = "Exact", value = path }
          )
        }]
        # After the program has given up. What is pushed through a WebSocket has no end.
        timeouts = let.route == "GRPCRoute" ? null : {
          request        = service.balancer.websocket ? "0s" : duration(service.request_timeout)
          backendRequest = service.balancer.websocket ? "0s" : duration(service.request_timeout)
        }
        backendRefs = let.route_backends
      },
    ]
  }
}

manifest "gateway.envoyproxy.io/v1alpha1" "BackendTrafficPolicy" "this" {
  when = let.routed
  metadata = {
    name      = service.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
  }
  spec = {
    targetRefs = [
      {
        group = "gateway.networking.k8s.io"
        kind  = let.route
        name  = service.name
      },
    ]
    loadBalancer = service.balancer.sticky ? {
      # The program keeps state, so a client comes back to its pod.
      type = "ConsistentHash"
      consistentHash = {
        type = "Cookie"
        cookie = {
          name       = "${service.name}-pod"
          ttl        = duration(service.balancer.sticky_for)
          attributes = { HttpOnly = "true", SameSite = "Lax", Secure = let.ends_tls ? "true" : "false" }
        }
      }
      } : {
      type      = lookup({ least_requests = "LeastRequest", round_robin = "RoundRobin", random = "Random" }, service.balancer.algorithm, "LeastRequest")
      slowStart = service.balancer.slow_start == 0 ? null : { window = duration(service.balancer.slow_start) }
      # Within the zone as long as it has enough pods.
      zoneAware = service.zones > 1 ? { preferLocal = { minEndpointsThreshold = 2 * service.zones, percentageEnabled = 100 } } : null
    }
    healthCheck = {
      # Below this share all pods get traffic again: some answer is better than none.
      panicThreshold = 30
      active = {
        type               = service.protocol == "grpc" && let.health_port == null ? "GRPC" : "HTTP"
        interval           = duration(service.balancer.health_interval)
        timeout            = duration(service.balancer.health_timeout)
        healthyThreshold   = service.balancer.healthy_after
        unhealthyThreshold = service.balancer.unhealthy_after
        http               = service.protocol == "grpc" && let.health_port == null ? null : { path = service.ready_path, expectedStatuses = [200] }
        grpc               = service.protocol == "grpc" && let.health_port == null ? {} : null
        overrides          = let.health_port == null ? null : { port = let.health_port }
      }
      passive = {
        consecutive5XxErrors     = service.breaker == null ? 5 : service.breaker.max_errors
        consecutiveGatewayErrors = service.breaker == null ? 5 : service.breaker.max_errors
        interval                 = "5s"
        baseEjectionTime         = "30s"
        maxEjectionPercent       = max(34, ceil(100 / service.min_instances))
      }
    }
    circuitBreaker = {
      # No more than the pods can work on; the rest is refused at once.
      maxParallelRequests = let.capacity
      maxPendingRequests  = max(1, floor(let.capacity / 4))
      maxConnections      = let.capacity
      maxParallelRetries  = max(1, floor(let.capacity / 20))
    }
    # Only what surely was not worked on.
    retry = {
      numRetries = 1
      retryOn    = { triggers = ["connect-failure", "refused-stream"] }
    }
    timeout = {
      tcp = { connectTimeout = "1s" }
      http = {
        # The side that reuses a connection is the first to close it.
        connectionIdleTimeout = duration(max(1, floor(service.keep_alive - 5)))
      }
    }
  }
}

# Who may come.
manifest "gateway.envoyproxy.io/v1alpha1" "SecurityPolicy" "this" {
  when = let.routed && let.restricted
  metadata = {
    name      = service.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
  }
  spec = {
    targetRefs = [
      {
        group = "gateway.networking.k8s.io"
        kind  = let.route
        name  = service.name
      },
    ]
    authorization = {
      defaultAction = "Deny"
      rules = [
        {
          name      = "networks"
          action    = "Allow"
          principal = { clientCIDRs = service.balancer.allow }
        },
      ]
    }
  }
}

# The colour that does not serve, for testers: with a header, from their networks.
manifest "gateway.networking.k8s.io/v1" "HTTPRoute" "this_preview" {
  when       = let.routed && service.blue_green_deployment != null
  written_as = ["gateway.networking.k8s.io/v1", let.route]
  metadata = {
    name      = "${service.name}-preview"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
  }
  spec = {
    parentRefs = [{ name = let.gateway, sectionName = let.ends_tls ? let.listener : "http" }]
    hostnames  = let.entry == null ? null : [let.entry]
    rules = [
      {
        name    = "preview"
        matches = [{ headers = [{ type = "Exact", name = "x-preview", value = "true" }] }]
        backendRefs = [
          {
            name = "${service.name}-preview"
            port = service.port
          },
        ]
      },
    ]
  }
}

manifest "gateway.envoyproxy.io/v1alpha1" "SecurityPolicy" "this_preview" {
  when = let.routed && service.blue_green_deployment != null
  metadata = {
    name      = "${service.name}-preview"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
  }
  spec = {
    targetRefs = [
      {
        group = "gateway.networking.k8s.io"
        kind  = let.route
        name  = "${service.name}-preview"
      },
    ]
    authorization = {
      defaultAction = "Deny"
      rules = [
        {
          name      = "testers"
          action    = "Allow"
          principal = { clientCIDRs = service.blue_green_deployment.smoke_from }
        },
      ]
    }
  }
}

# Layer 4: connections are passed on unread, with the client's own address.
manifest "v1" "Service" "this_balancer" {
  when = !let.routed
  metadata = {
    name      = "${service.name}-balancer"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
    annotations = !let.rollout && !contains(["aws", "gcp"], let.cloud) ? null : merge(
      let.rollout ? {
        # The pods come from a Rollout, a kind that kube-score does not know.
        "kube-score/ignore" = "service-targets-pod"
      } : {},
      let.cloud == "aws" ? {
        "service.beta.kubernetes.io/aws-load-balancer-scheme"                          = service.balancer.public ? "internet-facing" : "internal"
        "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type"                 = "ip"
        "service.beta.kubernetes.io/aws-load-balancer-healthcheck-protocol"            = service.balancer.health_protocol
        "service.beta.kubernetes.io/aws-load-balancer-healthcheck-path"                = service.balancer.health_protocol == "http" ? service.ready_path : null
        "service.beta.kubernetes.io/aws-load-balancer-healthcheck-port"                = tostring(let.health_port == null ? service.port : let.health_port)
        "service.beta.kubernetes.io/aws-load-balancer-healthcheck-interval"            = tostring(ceil(service.balancer.health_interval))
        "service.beta.kubernetes.io/aws-load-balancer-healthcheck-healthy-threshold"   = tostring(service.balancer.healthy_after)
        "service.beta.kubernetes.io/aws-load-balancer-healthcheck-unhealthy-threshold" = tostring(service.balancer.unhealthy_after)
        "service.beta.kubernetes.io/aws-load-balancer-target-group-attributes"         = "preserve_client_ip.enabled=true,stickiness.enabled=${service.balancer.sticky},deregistration_delay.timeout_seconds=${ceil(service.drain_time)}"
      } : {},
      let.cloud == "gcp" ? {
        "networking.gke.io/load-balancer-type" = service.balancer.public ? "External" : "Internal"
        "cloud.google.com/l4-rbs"              = service.balancer.public ? "enabled" : null
      } : {},
    )
  }
  spec = {
    type              = "LoadBalancer"
    loadBalancerClass = let.cloud == "aws" ? "service.k8s.aws/nlb" : null
    # Straight to pods: a hop less, and nothing listens on the nodes.
    allocateLoadBalancerNodePorts = let.cloud == "aws" ? false : null
    externalTrafficPolicy         = "Local"
    internalTrafficPolicy         = "Cluster"
    loadBalancerSourceRanges = let.restricted ? service.balancer.allow : !service.balancer.public && let.cloud == "none" ? (
      # Whatever address it gets, nobody else gets in.
      let.private
    ) : null
    sessionAffinity = service.balancer.sticky ? "ClientIP" : null
    sessionAffinityConfig = service.balancer.sticky ? {
      clientIP = { timeoutSeconds = min(86400, ceil(service.balancer.sticky_for)) }
    } : null
    selector = { "app.kubernetes.io/name" = service.name }
    ports = [
      {
        name       = service.protocol
        port       = service.balancer.port
        targetPort = service.protocol
        protocol   = let.wire
      },
    ]
  }
}

extend "monitoring.coreos.com/v1" "PrometheusRule" "this" {
  when = let.routed
  spec = {
    groups = [
      {
        name = service.name
        rules = [
          {
            alert  = "LoadUneven"
            expr   = <<-EOT
              max(rate(envoy_cluster_endpoint_rq_total{envoy_cluster_name=~"${lower(let.route)}/${let.namespace}/${service.name}/.*"}[5m]))
                / avg(rate(envoy_cluster_endpoint_rq_total{envoy_cluster_name=~"${lower(let.route)}/${let.namespace}/${service.name}/.*"}[5m])) > 1.5
            EOT
            for    = "10m"
            labels = merge({ severity = "warning" }, let.alarm)
            annotations = {
              summary = "One pod of ${service.name} gets half as much again as the average"
            }
          },
          {
            alert  = "BackendsUnhealthy"
            expr   = <<-EOT
              sum(envoy_cluster_membership_healthy{envoy_cluster_name=~"${lower(let.route)}/${let.namespace}/${service.name}/.*"})
                / sum(envoy_cluster_membership_total{envoy_cluster_name=~"${lower(let.route)}/${let.namespace}/${service.name}/.*"}) < 0.7
            EOT
            for    = "2m"
            labels = merge({ severity = "critical" }, let.alarm)
            annotations = {
              summary = "The gateway gets answers from less than seven tenths of the pods of ${service.name}"
            }
          },
          {
            alert  = "GatewayErrors"
            expr   = <<-EOT
              sum(rate(envoy_cluster_upstream_rq_xx{envoy_response_code_class="5",envoy_cluster_name=~"${lower(let.route)}/${let.namespace}/${service.name}/.*"}[5m]))
                / sum(rate(envoy_cluster_upstream_rq_xx{envoy_cluster_name=~"${lower(let.route)}/${let.namespace}/${service.name}/.*"}[5m])) > 0.05
            EOT
            for    = "5m"
            labels = merge({ severity = "critical" }, let.alarm)
            annotations = {
              summary = "A twentieth of the requests to ${service.name} fail at the gateway"
            }
          },
        ]
      },
    ]
  }
}
