# Guards of a cache with copies: three pods that agree on which node is the
# primary (Sentinel), and pass connections on to it (HAProxy). Clients know one
# name and nothing of this.
template "cache_guard" {
  for  = cache
  when = target.provider == "kubernetes" && cache.engine != "memcached" && cache.redis_cluster == null && cache.replicas > 0
  file = "${cache.name}/guard.yaml"
}

let {
  guard_sh       = <<-EOT
    #!/bin/sh
    # Finds out who is primary and watches him. What it learns is lost with the
    # pod, so it asks first: a primary with copies, any primary, or the first node.
    set -eu
    primary=
    for host in ${join(" ", let.hosts)}; do
      info=$(timeout 2 ${let.cli} -h "$host" info replication 2>/dev/null | tr -d '\r') || continue
      case "$info" in
        *role:master*connected_slaves:[1-9]*) primary=$host; break ;;
        *role:master*) : "$${primary:=$host}" ;;
      esac
    done
    : "$${primary:=${length(let.hosts) > 0 ? let.hosts[0] : ""}}"
    umask 077
    password=$(printf '%s' "$CACHE_PASSWORD" | sed 's/["\\]/\\&/g')
    cat >/tmp/sentinel.conf <<END
    port 26379
    dir /tmp
    requirepass "$password"
    sentinel sentinel-pass "$password"
    sentinel resolve-hostnames yes
    sentinel announce-hostnames yes
    sentinel announce-ip $POD_NAME.${cache.name}-guard.${let.domain}
    sentinel monitor ${cache.name} $primary 6379 2
    sentinel auth-pass ${cache.name} "$password"
    sentinel down-after-milliseconds ${cache.name} 5000
    sentinel failover-timeout ${cache.name} 10000
    sentinel parallel-syncs ${cache.name} 1
    END
    exec ${let.server} /tmp/sentinel.conf --sentinel
  EOT
  haproxy_cfg    = <<-EOT
    global
      # Each guard can take all clients, and twice as many as they should have.
      maxconn ${max(2000, min(cache.max_clients, 2 * cache.client_connections))}
      log stderr format raw local0 warning

    defaults
      mode tcp
      timeout connect 2s
      timeout check 2s
      # Pools keep connections open; the cache itself notices dead ones.
      timeout client 30m
      timeout server 30m
      timeout tunnel 30m

    resolvers cluster
      parse-resolv-conf
      hold valid 5s

    frontend cache
      bind :6379
      default_backend primary

    backend primary
      balance first
      option tcp-check
      tcp-check connect
      tcp-check send "AUTH probe probe\r\n"
      tcp-check expect string +OK
      tcp-check send "INFO replication\r\n"
      tcp-check expect string role:master
      tcp-check send "QUIT\r\n"
      tcp-check expect string +OK
      # Whoever is no longer primary loses its connections, so that nobody writes to it.
      default-server check inter 1s fall 2 rise 1 on-marked-down shutdown-sessions resolvers cluster init-addr last,libc,none
      ${join("\n  ", [for n, host in let.hosts : "server node-${n} ${host}:6379"])}

    frontend status
      bind :8404
      mode http
      timeout client 10s
      # Without a primary this guard can help nobody.
      monitor-uri /readyz
      monitor fail if { nbsrv(primary) lt 1 }
      http-request use-service prometheus-exporter if { path /metrics }
      http-request return status 200 content-type text/plain string alive if { path /livez }
  EOT
  guard_files    = { "guard.sh" = let.guard_sh, "haproxy.cfg" = let.haproxy_cfg }
  guard_settings = "${cache.name}-guard-${hash(jsonencode(let.guard_files), 8)}"
}

manifest "v1" "ConfigMap" "this_guard" {
  metadata = {
    name      = let.guard_settings
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${cache.name}-guard" }
  }
  immutable = true
  data      = let.guard_files
}

manifest "apps/v1" "StatefulSet" "this_guard" {
  metadata = {
    name      = "${cache.name}-guard"
    namespace = let.namespace
    labels = {
      "app.kubernetes.io/name"    = "${cache.name}-guard"
      "app.kubernetes.io/part-of" = blueprint.name
    }
  }
  spec = {
    serviceName = "${cache.name}-guard"
    # Two of three have to agree.
    replicas             = 3
    revisionHistoryLimit = 5
    minReadySeconds      = 15
    podManagementPolicy  = "Parallel"
    updateStrategy       = { type = "RollingUpdate" }
    selector             = { matchLabels = { "app.kubernetes.io/name" = "${cache.name}-guard" } }
    template = {
      metadata = {
        labels = {
          "app.kubernetes.io/name"    = "${cache.name}-guard"
          "app.kubernetes.io/part-of" = blueprint.name
        }
      }
      spec = {
        serviceAccountName            = cache.name
        automountServiceAccountToken  = false
        enableServiceLinks            = false
        imagePullSecrets              = target.pull_secret == null ? null : [{ name = target.pull_secret }]
        terminationGracePeriodSeconds = 45
        securityContext = {
          runAsNonRoot        = true
          runAsUser           = 65532
          runAsGroup          = 65532
          fsGroup             = 65532
          fsGroupChangePolicy = "OnRootMismatch"
          seccompProfile      = { type = "RuntimeDefault" }
        }
        topologySpreadConstraints = cache.zones < 2 ? null : [
          {
            maxSkew           = 1
            topologyKey       = "topology.kubernetes.io/zone"
            whenUnsatisfiable = "DoNotSchedule"
            labelSelector     = { matchLabels = { "app.kubernetes.io/name" = "${cache.name}-guard" } }
          },
        ]
        affinity = {
          podAntiAffinity = {
            requiredDuringSchedulingIgnoredDuringExecution = [
              {
                topologyKey   = "kubernetes.io/hostname"
                labelSelector = { matchLabels = { "app.kubernetes.io/name" = "${cache.name}-guard" } }
              },
            ]
          }
        }
        containers = [
          {
            name            = "sentinel"
            image           = let.image
            imagePullPolicy = "Always"
            command         = ["sh", "/etc/guard/guard.sh"]
            ports = [
              { name = "sentinel", containerPort = 26379, protocol = "TCP" },
            ]
            env = [
              {
                name      = "POD_NAME"
                valueFrom = { fieldRef = { fieldPath = "metadata.name" } }
              },
              {
                name      = "CACHE_PASSWORD"
                valueFrom = { secretKeyRef = { name = let.secret, key = "password" } }
              },
              {
                # For the command line.
                name      = "REDISCLI_AUTH"
                valueFrom = { secretKeyRef = { name = let.secret, key = "password" } }
              },
            ]
            resources = {
              requests = { cpu = "100m", memory = "64Mi", "ephemeral-storage" = "32Mi" }
              limits   = { cpu = "100m", memory = "64Mi", "ephemeral-storage" = "32Mi" }
            }
            readinessProbe = {
              exec             = { command = ["sh", "-c", "timeout 2 ${let.cli} -p 26379 ping | grep -q PONG"] }
              periodSeconds    = 5
              timeoutSeconds   = 3
              failureThreshold = 2
            }
            livenessProbe = {
              tcpSocket        = { port = "sentinel" }
              periodSeconds    = 10
              timeoutSeconds   = 2
              failureThreshold = 6
            }
            securityContext = {
              allowPrivilegeEscalation = false
              privileged               = false
              readOnlyRootFilesystem   = true
              runAsNonRoot             = true
              runAsUser                = 65532
              runAsGroup               = 65532
              capabilities             = { drop = ["ALL"] }
            }
            volumeMounts = [
              { name = "tmp", mountPath = "/tmp" },
              { name = "config", mountPath = "/etc/guard", readOnly = true },
            ]
          },
          {
            name            = "haproxy"
            image           = "docker.io/library/haproxy:3.2.4"
            imagePullPolicy = "Always"
            command         = ["haproxy", "-W", "-db", "-f", "/etc/guard/haproxy.cfg"]
            ports = [
              { name = "cache", containerPort = 6379, protocol = "TCP" },
              { name = "metrics", containerPort = 8404, protocol = "TCP" },
            ]
            resources = {
              requests = { cpu = "500m", memory = "512Mi", "ephemeral-storage" = "32Mi" }
              limits   = { cpu = "500m", memory = "512Mi", "ephemeral-storage" = "32Mi" }
            }
            readinessProbe = {
              httpGet          = { path = "/readyz", port = "metrics" }
              periodSeconds    = 5
              timeoutSeconds   = 2
              failureThreshold = 2
            }
            livenessProbe = {
              httpGet          = { path = "/livez", port = "metrics" }
              periodSeconds    = 10
              timeoutSeconds   = 2
              failureThreshold = 6
            }
            # Out of the endpoints first.
            lifecycle = { preStop = { sleep = { seconds = 15 } } }
            securityContext = {
              allowPrivilegeEscalation = false
              privileged               = false
              readOnlyRootFilesystem   = true
              runAsNonRoot             = true
              runAsUser                = 65532
              runAsGroup               = 65532
              capabilities             = { drop = ["ALL"] }
            }
            volumeMounts = [
              { name = "config", mountPath = "/etc/guard", readOnly = true },
            ]
          },
        ]
        volumes = [
          {
            # What Sentinel learns, and the password that it needs.
            name     = "tmp"
            emptyDir = { medium = "Memory", sizeLimit = "16Mi" }
          },
          {
            name      = "config"
            configMap = { name = let.guard_settings }
          },
        ]
      }
    }
  }
}

manifest "v1" "Service" "this" {
  metadata = {
    name      = cache.name
    namespace = let.namespace
    labels = {
      "app.kubernetes.io/name"    = cache.name
      "app.kubernetes.io/part-of" = blueprint.name
    }
  }
  spec = {
    trafficDistribution = cache.zones > 1 ? "PreferSameZone" : null
    selector            = { "app.kubernetes.io/name" = "${cache.name}-guard" }
    ports = [
      { name = "tcp-cache", port = 6379, targetPort = "cache", protocol = "TCP" },
    ]
  }
}

manifest "v1" "Service" "this_guard" {
  metadata = {
    name      = "${cache.name}-guard"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${cache.name}-guard" }
  }
  spec = {
    clusterIP                = "None"
    publishNotReadyAddresses = true
    selector                 = { "app.kubernetes.io/name" = "${cache.name}-guard" }
    ports = [
      { name = "tcp-sentinel", port = 26379, targetPort = "sentinel", protocol = "TCP" },
    ]
  }
}

manifest "policy/v1" "PodDisruptionBudget" "this_guard" {
  metadata = {
    name      = "${cache.name}-guard"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${cache.name}-guard" }
  }
  spec = {
    maxUnavailable             = 1
    unhealthyPodEvictionPolicy = "AlwaysAllow"
    selector                   = { matchLabels = { "app.kubernetes.io/name" = "${cache.name}-guard" } }
  }
}

manifest "networking.k8s.io/v1" "NetworkPolicy" "this_guard" {
  metadata = {
    name      = "${cache.name}-guard"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${cache.name}-guard" }
  }
  spec = {
    podSelector = { matchLabels = { "app.kubernetes.io/name" = "${cache.name}-guard" } }
    policyTypes = ["Ingress", "Egress"]
    ingress = [
      length(let.takers) == 0 ? null : {
        from  = [for c in let.takers : { podSelector = { matchLabels = { "app.kubernetes.io/name" = c } } }]
        ports = [{ port = 6379, protocol = "TCP" }]
      },
      {
        # Each other, and nodes that ask who is primary.
        from = [
          { podSelector = { matchLabels = { "app.kubernetes.io/name" = "${cache.name}-guard" } } },
          { podSelector = { matchLabels = { "app.kubernetes.io/name" = cache.name } } },
        ]
        ports = [{ port = 26379, protocol = "TCP" }]
      },
      {
        from  = [{ namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = target.monitoring_namespace } } }]
        ports = [{ port = 8404, protocol = "TCP" }]
      },
    ]
    egress = [
      {
        to    = [{ podSelector = { matchLabels = { "app.kubernetes.io/name" = cache.name } } }]
        ports = [{ port = 6379, protocol = "TCP" }]
      },
      {
        to    = [{ podSelector = { matchLabels = { "app.kubernetes.io/name" = "${cache.name}-guard" } } }]
        ports = [{ port = 26379, protocol = "TCP" }]
      },
    ]
  }
}

manifest "monitoring.coreos.com/v1" "PodMonitor" "this_guard" {
  metadata = {
    name      = "${cache.name}-guard"
    namespace = let.namespace
    labels = merge(
      { "app.kubernetes.io/name" = "${cache.name}-guard" },
      target.monitoring_labels,
    )
  }
  spec = {
    selector = { matchLabels = { "app.kubernetes.io/name" = "${cache.name}-guard" } }
    podMetricsEndpoints = [
      {
        port     = "metrics"
        path     = "/metrics"
        interval = "15s"
      },
    ]
  }
}
