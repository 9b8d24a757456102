# Calls to something that keeps failing are stopped by the caller's proxy.
template "circuit_breaker" {
  for  = service
  when = target.provider == "kubernetes" || service.runs_on != null
  file = "${service.name}/breaker.yaml"

  covers = {
    thresholds = [
      length(let.broken) > 0 ? DestinationRule.this_breaker.spec.trafficPolicy.outlierDetection.consecutive5xxErrors : DestinationRule.this_external.spec.trafficPolicy.outlierDetection.consecutive5xxErrors,
      length(let.broken) > 0 ? DestinationRule.this_breaker.spec.trafficPolicy.connectionPool.http.http2MaxRequests : DestinationRule.this_external.spec.trafficPolicy.connectionPool.http.http2MaxRequests,
      length(let.broken) == 0 ? null : EnvoyFilter.this_breaker.spec.configPatches.patch.value.outlier_detection.failure_percentage_threshold,
    ]
    timeouts = [
      length(let.broken) == 0 ? null : VirtualService.this.spec.http.timeout,
      length(let.broken) > 0 ? DestinationRule.this_breaker.spec.trafficPolicy.connectionPool.tcp.connectTimeout : DestinationRule.this_external.spec.trafficPolicy.connectionPool.tcp.connectTimeout,
    ]
    fallback = [EnvoyFilter.this_breaker.spec.configPatches.patch.value.typed_config.local_reply_config.mappers, length(let.replaced) > 0 ? ServiceEntry.this_fallback.spec.endpoints : self.fallback_status]
    states   = [PrometheusRule.this.spec.groups.rules.alert, PodMonitor.this.spec.podMetricsEndpoints.path, Deployment.this.spec.template.metadata.annotations]
    half_open = [
      length(let.broken) > 0 ? DestinationRule.this_breaker.spec.trafficPolicy.outlierDetection.baseEjectionTime : DestinationRule.this_external.spec.trafficPolicy.outlierDetection.baseEjectionTime,
      length(let.broken) == 0 ? null : DestinationRule.this_breaker.spec.trafficPolicy.loadBalancer.warmup.minimumPercent,
    ]
  }

  check "ambient" {
    condition = !let.ambient
    message   = "Breakers stand in the proxy of the caller, and ${service.name} has none: its mesh is ambient, where proxies are shared and take no such limits."
    fix       = "Set mode = \"sidecar\" in the mesh."
    at        = service.mesh.mode
    related   = [service.breaker]
  }
  check "calls_pods" {
    condition = length(let.guarded) + length(self.external) > 0
    message   = "The breaker of ${service.name} has nothing to break: none of what it calls speaks HTTP or gRPC in this cluster."
    fix       = "Take the breaker off, or name what is called outside in external."
    at        = service.needs
  }
}

manifest "networking.istio.io/v1" "DestinationRule" "this_breaker" {
  for_each = let.broken
  metadata = {
    name      = each.value.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
  }
  spec = {
    host = each.value.host
    # Holds for the calls of this service only.
    workloadSelector = let.guards ? null : { matchLabels = { "app.kubernetes.io/name" = service.name } }
    trafficPolicy = {
      tls = each.value.mutual ? { mode = "ISTIO_MUTUAL" } : null
      connectionPool = {
        tcp = {
          maxConnections        = self.max_connections
          connectTimeout        = duration(self.connect_timeout)
          maxConnectionDuration = "3600s"
        }
        http = {
          http1MaxPendingRequests = self.max_pending
          http2MaxRequests        = self.max_requests
          idleTimeout             = duration(each.value.idle)
        }
      }
      # Repeats are a share of what is at work, so that they cannot multiply.
      retryBudget = {
        percent             = self.retry_budget
        budgetInterval      = "10s"
        minRetryConcurrency = 3
      }
      outlierDetection = let.forced_shut ? null : {
        splitExternalLocalOriginErrors = true
        consecutive5xxErrors           = self.max_errors
        consecutiveGatewayErrors       = self.max_errors
        consecutiveLocalOriginFailures = self.max_errors
        interval                       = duration(self.interval)
        # Half open: it comes back after this time, the second time after twice as long.
        baseEjectionTime   = duration(self.open_for)
        maxEjectionPercent = each.value.replaced ? 100 : self.max_ejected
        minHealthPercent   = each.value.replaced ? 0 : self.min_healthy
      }
      loadBalancer = {
        simple = "LEAST_REQUEST"
        localityLbSetting = each.value.replaced ? {
          enabled = true
          # The stand-in only while the other is left alone.
          failoverPriority = ["role=primary"]
        } : null
        # A host that comes back gets a tenth of its share at first.
        warmup = self.ramp < 1 ? null : { duration = duration(self.ramp), minimumPercent = 10, aggression = 1 }
      }
    }
    # A breaker for each endpoint: the same pods, counted apart.
    subsets = let.advanced == null ? null : [for e in let.endpoints : {
      name = e.name
      trafficPolicy = {
        connectionPool = {
          tcp = {
            maxConnections = min(self.max_connections, e.max_requests)
            connectTimeout = duration(self.connect_timeout)
          }
          http = {
            http1MaxPendingRequests = min(self.max_pending, e.max_requests)
            http2MaxRequests        = e.max_requests
            idleTimeout             = duration(each.value.idle)
          }
        }
        outlierDetection = let.forced_shut ? null : {
          splitExternalLocalOriginErrors = true
          consecutive5xxErrors           = e.max_errors
          consecutiveGatewayErrors       = e.max_errors
          consecutiveLocalOriginFailures = e.max_errors
          interval                       = duration(self.interval)
          baseEjectionTime               = duration(self.open_for)
          maxEjectionPercent             = each.value.replaced ? 100 : self.max_ejected
          minHealthPercent               = each.value.replaced ? 0 : self.min_healthy
        }
      }
    }]
  }
}

# What Istio's own objects cannot say.
manifest "networking.istio.io/v1alpha3" "EnvoyFilter" "this_breaker" {
  metadata = {
    name      = "${service.name}-breaker"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
  }
  spec = {
    priority         = 10
    workloadSelector = { labels = { "app.kubernetes.io/name" = service.name } }
    configPatches = concat(
      [
        # A call that is not let through gets an answer that programs understand, instead of Envoy's bare 503:
        # overflow (UO), no healthy host (UH), no connection (UF), time over (UT).
        {
          applyTo = "NETWORK_FILTER"
          match = {
            context = let.guards ? "SIDECAR_INBOUND" : "SIDECAR_OUTBOUND"
            listener = {
              filterChain = { filter = { name = "envoy.filters.network.http_connection_manager" } }
            }
          }
          patch = {
            operation = "MERGE"
            value = {
              typed_config = {
                "@type" = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
                local_reply_config = {
                  mappers = [for e in concat([for e in let.endpoints : e if e.path != "/" && e.fallback_status != self.fallback_status], [{ path = "/", fallback_status = self.fallback_status }]) : {
                    filter = e.path == "/" ? { response_flag_filter = { flags = ["UO", "UH", "UF", "UT"] } } : {
                      and_filter = {
                        filters = [
                          { response_flag_filter = { flags = ["UO", "UH", "UF", "UT"] } },
                          { header_filter = { header = { name = ":path", string_match = { prefix = e.path } } } },
                        ]
                      }
                    }
                    status_code = e.fallback_status
                    body        = { inline_string = self.fallback_body }
                    body_format_override = {
                      text_format_source = { inline_string = "%LOCAL_REPLY_BODY%" }
                      content_type       = can(jsondecode(self.fallback_body)) ? "application/json" : "text/plain; charset=utf-8"
                    }
                    headers_to_add = [
                      { header = { key = "x-degraded", value = "circuit-open" } },
                      { header = { key = "retry-after", value = tostring(ceil(self.retry_after)) } },
                    ]
                  }]
                }
              }
            }
          }
        },
      ],
      let.forced_shut ? [] : [for b in let.broken : {
        # Failures as a share of the calls to a host, beside failures in a row.
        applyTo = "CLUSTER"
        match = {
          context = "SIDECAR_OUTBOUND"
          cluster = { service = b.host }
        }
        patch = {
          operation = "MERGE"
          value = {
            outlier_detection = {
              failure_percentage_threshold      = self.error_percent
              failure_percentage_request_volume = self.min_requests
              failure_percentage_minimum_hosts  = 2
              enforcing_failure_percentage      = 100
              max_ejection_time                 = duration(self.open_for_most)
              success_rate_minimum_hosts        = let.advanced == null ? null : let.advanced.success_hosts
              success_rate_request_volume       = let.advanced == null ? null : let.advanced.success_volume
              success_rate_stdev_factor         = let.advanced == null ? null : floor(1000 * let.advanced.success_deviation)
              enforcing_success_rate            = let.advanced == null ? null : 100
            }
          }
        }
      }],
    )
  }
}

# A callee and the service that stands in for it, as one destination.
manifest "networking.istio.io/v1" "ServiceEntry" "this_fallback" {
  for_each = [for d in let.replaced : { name = d.name, port = d.port, protocol = d.protocol, meshed = d.let.sidecar && self.fallback.let.sidecar }]
  metadata = {
    name      = "${service.name}-${each.value.name}-or-${self.fallback.name}"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
  }
  spec = {
    hosts      = ["${each.value.name}.${service.name}.fallback.internal"]
    location   = "MESH_INTERNAL"
    resolution = "DNS"
    exportTo   = ["."]
    ports = [
      {
        number   = each.value.port
        name     = each.value.protocol
        protocol = upper(each.value.protocol)
      },
    ]
    endpoints = [
      {
        address = "${each.value.name}.${let.domain}"
        ports   = { (each.value.protocol) = each.value.port }
        labels  = { role = "primary", "security.istio.io/tlsMode" = each.value.meshed ? "istio" : null }
      },
      {
        address = "${self.fallback.name}.${let.domain}"
        ports   = { (each.value.protocol) = self.fallback.port }
        labels  = { role = "fallback", "security.istio.io/tlsMode" = each.value.meshed ? "istio" : null }
      },
    ]
    subjectAltNames = each.value.meshed ? ["spiffe://${let.accounts}/${each.value.name}", "spiffe://${let.accounts}/${self.fallback.name}"] : null
  }
}

# What is called outside, as this one calls it. What it is stands in outside.yaml.
manifest "networking.istio.io/v1" "DestinationRule" "this_external" {
  for_each = let.externals
  metadata = {
    name      = "${service.name}-${replace(each.value.name, "_", "-")}"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
  }
  spec = {
    host             = each.value.host
    workloadSelector = { matchLabels = { "app.kubernetes.io/name" = service.name } }
    trafficPolicy = {
      tls = each.value.port != 443 ? null : {
        mode            = "SIMPLE"
        sni             = each.value.host
        caCertificates  = "system"
        subjectAltNames = each.value.fallback_host == null ? [each.value.host] : [each.value.host, each.value.fallback_host]
      }
      connectionPool = {
        tcp = {
          maxConnections = self.max_connections
          connectTimeout = duration(max(self.connect_timeout, 0.5))
        }
        http = {
          http1MaxPendingRequests = self.max_pending
          http2MaxRequests        = self.max_requests
        }
      }
      outlierDetection = {
        splitExternalLocalOriginErrors = true
        consecutive5xxErrors           = self.max_errors
        consecutiveLocalOriginFailures = self.max_errors
        interval                       = duration(self.interval)
        baseEjectionTime               = duration(self.open_for)
        # There is one address: while it is left alone every call fails fast, or goes to the other host.
        maxEjectionPercent = 100
      }
      loadBalancer = each.value.fallback_host == null ? null : {
        simple = "ROUND_ROBIN"
        localityLbSetting = {
          enabled = true
          # The other host only while the first is left alone.
          failoverPriority = ["role=primary"]
        }
      }
    }
  }
}

extend "monitoring.coreos.com/v1" "PrometheusRule" "this" {
  spec = {
    groups = [
      {
        name = service.name
        rules = [
          {
            alert  = "CircuitOpen"
            expr   = <<-EOT
              max by (cluster_name) (envoy_cluster_circuit_breakers_default_rq_pending_open{${let.job}} or envoy_cluster_circuit_breakers_default_rq_open{${let.job}}) > 0
            EOT
            for    = let.advanced == null ? "1m" : "${ceil(let.advanced.open_alarm)}s"
            labels = merge({ severity = "warning" }, let.alarm)
            annotations = {
              summary = "${service.name} has too many calls at work at once: further ones get the fallback"
            }
          },
          {
            alert  = "HostsLeftAlone"
            expr   = <<-EOT
              sum by (cluster_name) (envoy_cluster_outlier_detection_ejections_active{${let.job}}) / sum by (cluster_name) (envoy_cluster_membership_total{${let.job}}) > 0.25
            EOT
            for    = "2m"
            labels = merge({ severity = "critical" }, let.alarm)
            annotations = {
              summary = "More than a quarter of the hosts that ${service.name} calls fail and are left alone"
            }
          },
          {
            alert  = "RepeatsDropped"
            expr   = <<-EOT
              sum by (cluster_name) (rate(envoy_cluster_upstream_rq_retry_overflow{${let.job}}[5m])) > 0
            EOT
            for    = "5m"
            labels = merge({ severity = "warning" }, let.alarm)
            annotations = {
              summary = "So many calls of ${service.name} are repeated that the budget for it is used up"
            }
          },
        ]
      },
    ]
  }
}
