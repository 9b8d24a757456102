# The way in: one gateway for the internet and one for the network around the
# cluster, shared by all services that are balanced by request.
template "gateway" {
  for  = blueprint
  file = "gateway.yaml"

  check "listeners" {
    condition = alltrue([for g in let.gateways : length(g.hosts) <= 63])
    message   = "A gateway takes 64 listeners: one without TLS, and one for each name that TLS ends for. There are more names: ${join(", ", [for g in let.gateways : "${length(g.hosts)} of the ${g.name} one" if length(g.hosts) > 63])}."
    fix       = "Let services share a domain and give each its paths."
    at        = [for s in let.balanced_services : s.balancer.domain]
  }
}

let {
  balanced_services = [for s in let.pods : s if s.let.routed]
  gateways = [
    for name in ["public", "internal"] : {
      name     = name
      public   = name == "public"
      services = [for s in let.balanced_services : s.name if s.let.gateway == name]
      # A listener for each name that TLS ends for.
      hosts = distinct([for s in let.balanced_services : { host = s.let.entry, listener = s.let.listener } if s.let.gateway == name && s.let.ends_tls])
      plain = anytrue([for s in let.balanced_services : !s.let.ends_tls if s.let.gateway == name])
      idle  = max(60, [for s in let.balanced_services : s.balancer.idle_timeout if s.let.gateway == name]...)
      tls   = anytrue([for s in let.balanced_services : s.balancer.min_tls == "1.3" if s.let.gateway == name]) ? "1.3" : "1.2"
      logs  = anytrue([for s in let.balanced_services : s.balancer.access_logs if s.let.gateway == name])
      # How much comes through, for the number of proxies: one carries some thousands of requests per second.
      most = max(6, ceil(sum([for s in let.balanced_services : s.max_instances * s.instance_rps if s.let.gateway == name]) / 2000))
    } if length([for s in let.balanced_services : s if s.let.gateway == name]) > 0
  ]
  certificates = distinct(flatten([for g in let.gateways : g.hosts]))
}

manifest "gateway.networking.k8s.io/v1" "Gateway" "gateway" {
  for_each = let.gateways
  metadata = {
    name      = each.value.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/part-of" = blueprint.name }
  }
  spec = {
    gatewayClassName = target.gateway_class
    infrastructure = {
      parametersRef = {
        group = "gateway.envoyproxy.io"
        kind  = "EnvoyProxy"
        name  = each.value.name
      }
    }
    listeners = concat(
      [for h in each.value.hosts : {
        name     = h.listener
        port     = 443
        protocol = "HTTPS"
        hostname = h.host
        # TLS ends at the proxy and not in front of it, which keeps HTTP/2.
        tls = {
          mode            = "Terminate"
          certificateRefs = [{ name = "${h.listener}-tls" }]
        }
        allowedRoutes = { namespaces = { from = "Same" } }
      }],
      [
        {
          name          = "http"
          port          = 80
          protocol      = "HTTP"
          allowedRoutes = { namespaces = { from = "Same" } }
        },
      ],
    )
  }
}

# The proxies: in all zones, as many as the traffic needs.
manifest "gateway.envoyproxy.io/v1alpha1" "EnvoyProxy" "gateway" {
  for_each = let.gateways
  metadata = {
    name      = each.value.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/part-of" = blueprint.name }
  }
  spec = {
    shutdown = {
      drainTimeout     = "60s"
      minDrainDuration = "15s"
    }
    telemetry = {
      accessLog = each.value.logs ? {
        settings = [
          {
            format = {
              type = "JSON"
              json = {
                time     = "%START_TIME%"
                method   = "%REQ(:METHOD)%"
                path     = "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%"
                host     = "%REQ(:AUTHORITY)%"
                status   = "%RESPONSE_CODE%"
                flags    = "%RESPONSE_FLAGS%"
                duration = "%DURATION%"
                client   = "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"
                upstream = "%UPSTREAM_HOST%"
                route    = "%ROUTE_NAME%"
                request  = "%REQ(X-REQUEST-ID)%"
              }
            }
            sinks = [{ type = "File", file = { path = "/dev/stdout" } }]
          },
        ]
      } : { disable = true }
      # Without it nobody sees whether one pod gets more than the others.
      metrics = { enablePerEndpointStats = true }
    }
    provider = {
      type = "Kubernetes"
      kubernetes = {
        envoyDeployment = {
          strategy = {
            type          = "RollingUpdate"
            rollingUpdate = { maxSurge = "25%", maxUnavailable = 0 }
          }
          pod = {
            topologySpreadConstraints = [
              {
                maxSkew           = 1
                topologyKey       = "topology.kubernetes.io/zone"
                whenUnsatisfiable = "ScheduleAnyway"
                labelSelector     = { matchLabels = { "gateway.envoyproxy.io/owning-gateway-name" = each.value.name } }
              },
            ]
          }
          container = {
            resources = {
              requests = { cpu = "1", memory = "1Gi" }
              limits   = { cpu = "1", memory = "1Gi" }
            }
          }
        }
        envoyHpa = {
          minReplicas = 3
          maxReplicas = each.value.most
          metrics = [
            {
              type = "Resource"
              resource = {
                name   = "cpu"
                target = { type = "Utilization", averageUtilization = 60 }
              }
            },
          ]
        }
        envoyPDB = { maxUnavailable = 1 }
        envoyService = {
          type = "LoadBalancer"
          # Keeps the client's address, and a hop less.
          externalTrafficPolicy = "Local"
          loadBalancerClass     = let.cloud == "aws" ? "service.k8s.aws/nlb" : null
          # Whatever address it gets, nobody else gets in.
          loadBalancerSourceRanges = !each.value.public && let.cloud == "none" ? let.private : null
          annotations = let.cloud == "aws" ? {
            "service.beta.kubernetes.io/aws-load-balancer-scheme"                  = each.value.public ? "internet-facing" : "internal"
            "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type"         = "ip"
            "service.beta.kubernetes.io/aws-load-balancer-healthcheck-protocol"    = "http"
            "service.beta.kubernetes.io/aws-load-balancer-healthcheck-path"        = "/ready"
            "service.beta.kubernetes.io/aws-load-balancer-healthcheck-port"        = "19003"
            "service.beta.kubernetes.io/aws-load-balancer-attributes"              = "load_balancing.cross_zone.enabled=true"
            "service.beta.kubernetes.io/aws-load-balancer-target-group-attributes" = "preserve_client_ip.enabled=true,deregistration_delay.timeout_seconds=60"
            } : let.cloud == "gcp" ? {
            "networking.gke.io/load-balancer-type"                         = each.value.public ? "External" : "Internal"
            "cloud.google.com/l4-rbs"                                      = each.value.public ? "enabled" : null
            "networking.gke.io/internal-load-balancer-allow-global-access" = each.value.public ? null : "true"
          } : null
        }
      }
    }
  }
}

# The controller makes the proxies in a namespace of its own.
manifest "monitoring.coreos.com/v1" "PodMonitor" "gateways" {
  when = length(let.gateways) > 0 || (let.bare && length(blueprint.sites) > 0)
  metadata = {
    name      = "gateways"
    namespace = target.namespace
    labels    = let.monitoring_labels
  }
  spec = {
    namespaceSelector = { matchNames = [target.gateway_namespace] }
    selector          = { matchLabels = { "gateway.envoyproxy.io/owning-gateway-namespace" = target.namespace } }
    podMetricsEndpoints = [
      {
        port     = "metrics"
        path     = "/stats/prometheus"
        interval = "15s"
      },
    ]
  }
}

manifest "gateway.envoyproxy.io/v1alpha1" "ClientTrafficPolicy" "gateway" {
  for_each = let.gateways
  metadata = {
    name      = each.value.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/part-of" = blueprint.name }
  }
  spec = {
    targetRefs = [
      {
        group = "gateway.networking.k8s.io"
        kind  = "Gateway"
        name  = each.value.name
      },
    ]
    tls = length(each.value.hosts) == 0 ? null : {
      minVersion    = each.value.tls
      alpnProtocols = ["h2", "http/1.1"]
    }
    http2 = { maxConcurrentStreams = 100 }
    timeout = {
      http = {
        requestReceivedTimeout = "30s"
        # Above the longest request and below what the programs keep open.
        idleTimeout = duration(each.value.idle)
      }
    }
    connection = {
      connectionLimit = { value = 20000, closeDelay = "1s" }
    }
  }
}

manifest "cert-manager.io/v1" "Certificate" "gateway" {
  for_each = let.certificates
  metadata = {
    name      = "${each.value.listener}-tls"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/part-of" = blueprint.name }
  }
  spec = {
    secretName  = "${each.value.listener}-tls"
    dnsNames    = [each.value.host]
    duration    = "2160h"
    renewBefore = "720h"
    privateKey = {
      algorithm      = "ECDSA"
      size           = 256
      rotationPolicy = "Always"
    }
    issuerRef = {
      group = "cert-manager.io"
      kind  = "ClusterIssuer"
      name  = target.certificate_issuer
    }
  }
}

# Whoever comes without TLS is sent where it is.
manifest "gateway.networking.k8s.io/v1" "HTTPRoute" "gateway_redirect" {
  # A route takes 16 names.
  for_each = flatten([for g in let.gateways : [for i, hosts in chunklist(g.hosts, 16) : {
    name = i == 0 ? "${g.name}-to-https" : "${g.name}-to-https-${i + 1}", gateway = g.name, hosts = hosts
  }]])
  metadata = {
    name      = each.value.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/part-of" = blueprint.name }
  }
  spec = {
    parentRefs = [{ name = each.value.gateway, sectionName = "http" }]
    hostnames  = [for h in each.value.hosts : h.host]
    rules = [
      {
        filters = [
          {
            type            = "RequestRedirect"
            requestRedirect = { scheme = "https", statusCode = 301 }
          },
        ]
      },
    ]
  }
}
