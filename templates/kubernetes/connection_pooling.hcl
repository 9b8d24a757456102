# Poolers between the services and the servers. The operator's own (PgBouncer
# under its care) follow a failover by themselves; a Deployment of PgBouncer is
# there for who wants to have its configuration in his own hands.
template "connection_pooling" {
  for  = database
  when = target.provider == "kubernetes"
  file = "${database.name}/pooler.yaml"

  covers = {
    pool_size       = [let.bouncer ? ConfigMap.this_pooler.data : Pooler.this.spec.pgbouncer.parameters.default_pool_size, let.bouncer ? Deployment.this_pooler.spec.replicas : Pooler.this.spec.instances, database.connection_pooling.size]
    idle_timeout    = [let.bouncer ? ConfigMap.this_pooler.data : Pooler.this.spec.pgbouncer.parameters.client_idle_timeout, let.bouncer ? null : Pooler.this.spec.pgbouncer.parameters.server_idle_timeout]
    utilisation     = [PodMonitor.this_pooler.spec.podMetricsEndpoints, PrometheusRule.this_pooler.spec.groups]
    max_connections = [Cluster.this.spec.postgresql.parameters.max_connections, let.bouncer ? ConfigMap.this_pooler.data : Pooler.this.spec.pgbouncer.parameters.max_db_connections]
    validation      = [let.bouncer ? ConfigMap.this_pooler.data : Pooler.this.spec.pgbouncer.parameters.server_check_query, let.bouncer ? null : Pooler.this.spec.pgbouncer.parameters.server_check_delay]
  }

  check "router_pools" {
    condition = !let.proxied
    message   = "The router of the shards of ${database.name} pools connections itself: two poolers in a row only add a queue."
    fix       = "Drop connection_pooling, or set router = \"application\"."
    at        = database.connection_pooling.pooler
    related   = [database.connection_pooling.mode]
  }
}

let {
  pools = !let.pooled ? [] : flatten([
    for s in let.servers : [
      { name = "${s.name}-pooler", server = s.name, type = "rw" },
      [for type in ["ro"] : { name = "${s.name}-pooler-ro", server = s.name, type = type } if let.pool_ro],
    ]
  ])
  pool = database.pooler
  # The longest statement may end before a pooler does.
  pool_grace = ceil(database.statement_timeout) + 30
  # What is the same for both kinds of pooler: limits, then patience, then trust.
  pool_settings = !let.pooled ? {} : {
    max_client_conn         = tostring(let.pool.clients_each)
    default_pool_size       = tostring(let.pool.size_each)
    min_pool_size           = tostring(floor(min(let.pool.size_each, let.pool.min_size / let.pool.instances)))
    reserve_pool_size       = tostring(let.pool.reserve_each)
    max_db_connections      = tostring(let.pool.size_each + let.pool.reserve_each)
    max_prepared_statements = tostring(let.pool.mode == "session" ? 0 : let.pool.prepared_statements)
    client_idle_timeout     = tostring(ceil(let.pool.client_idle))
    server_idle_timeout     = tostring(ceil(let.pool.server_idle))
    server_lifetime         = tostring(ceil(let.pool.server_lifetime))
    query_wait_timeout      = tostring(let.pool.wait_timeout)
    # The reserve is used when a client has waited half of its time.
    reserve_pool_timeout     = tostring(let.pool.wait_timeout / 2)
    idle_transaction_timeout = tostring(ceil(let.full_pool ? database.database_connection_pooling.leak_after : database.idle_transaction_timeout))
    query_timeout            = tostring(ceil(2 * database.statement_timeout))
    server_check_delay       = tostring(ceil(let.pool.check_after))
    server_check_query       = let.pool.check_query
    tcp_keepidle             = tostring(ceil(let.full_pool ? database.database_connection_pooling.keepalive : 60))
  }
  pool_measures = let.bouncer ? {
    waiting = "pgbouncer_pools_client_waiting_connections"
    wait    = "pgbouncer_pools_client_maxwait_seconds"
    lent    = "pgbouncer_pools_server_active_connections"
    clients = "pgbouncer_pools_client_active_connections"
    } : {
    waiting = "cnpg_pgbouncer_pools_cl_waiting"
    wait    = "cnpg_pgbouncer_pools_maxwait"
    lent    = "cnpg_pgbouncer_pools_sv_active"
    clients = "cnpg_pgbouncer_pools_cl_active"
  }
  pool_of = "namespace=\"${let.namespace}\", pod=~\"(${join("|", [for p in let.pools : p.name])})-.+\""
}

manifest "postgresql.cnpg.io/v1" "Pooler" "this" {
  for_each = let.bouncer ? [] : let.pools
  metadata = {
    name      = each.value.name
    namespace = let.namespace
    labels = {
      "app.kubernetes.io/name"    = each.value.name
      "app.kubernetes.io/part-of" = blueprint.name
    }
  }
  spec = {
    cluster = { name = each.value.server }
    type    = each.value.type
    # No autoscaler on purpose: what all poolers can open together stays a fixed number.
    instances = let.pool.instances
    deploymentStrategy = {
      type          = "RollingUpdate"
      rollingUpdate = { maxSurge = 1, maxUnavailable = 0 }
    }
    pgbouncer = {
      poolMode = let.pool.mode
      parameters = {
        max_client_conn = let.pool_settings.max_client_conn
        # For each pooler: all of them and one more in an update stay below what the server has.
        default_pool_size    = let.pool_settings.default_pool_size
        min_pool_size        = let.pool_settings.min_pool_size
        reserve_pool_size    = let.pool_settings.reserve_pool_size
        reserve_pool_timeout = let.pool_settings.reserve_pool_timeout
        max_db_connections   = let.pool_settings.max_db_connections
        # Clients hear that there is no connection before they give up by themselves.
        query_wait_timeout       = let.pool_settings.query_wait_timeout
        client_idle_timeout      = let.pool_settings.client_idle_timeout
        server_idle_timeout      = let.pool_settings.server_idle_timeout
        server_lifetime          = let.pool_settings.server_lifetime
        idle_transaction_timeout = let.pool_settings.idle_transaction_timeout
        # The server's own limit comes first; this is for one that no longer answers.
        query_timeout           = let.pool_settings.query_timeout
        server_check_delay      = let.pool_settings.server_check_delay
        server_check_query      = let.pool_settings.server_check_query
        server_connect_timeout  = "5"
        server_login_retry      = "3"
        max_prepared_statements = let.pool_settings.max_prepared_statements
        tcp_keepalive           = "1"
        tcp_keepidle            = let.pool_settings.tcp_keepidle
      }
    }
    template = {
      metadata = {
        labels = {
          "app.kubernetes.io/name"    = each.value.name
          "app.kubernetes.io/part-of" = blueprint.name
          "scaffold/pooler"           = database.name
        }
      }
      spec = {
        terminationGracePeriodSeconds = let.pool_grace
        topologySpreadConstraints = [
          {
            maxSkew           = 1
            topologyKey       = "topology.kubernetes.io/zone"
            whenUnsatisfiable = "ScheduleAnyway"
            labelSelector     = { matchLabels = { "app.kubernetes.io/name" = each.value.name } }
          },
        ]
        containers = [
          {
            name = "pgbouncer"
            # One thread does all the work, so one CPU is the most that it can use.
            resources = {
              requests = { cpu = "500m", memory = "256Mi" }
              limits   = { cpu = "500m", memory = "256Mi" }
            }
          },
        ]
      }
    }
    serviceTemplate = {
      metadata = { labels = { "app.kubernetes.io/name" = each.value.name } }
      spec = {
        type                = "ClusterIP"
        trafficDistribution = "PreferSameZone"
      }
    }
  }
}

# -- PgBouncer by itself ------------------------------------------------------

let {
  bouncers = let.bouncer ? let.pools : []
  bouncer_ini = { for p in let.bouncers : p.name => <<-EOT
    [databases]
    ${database.database_name} = host=${p.server}-${p.type}.${let.namespace}.svc port=5432 dbname=${database.database_name}

    [pgbouncer]
    listen_addr = 0.0.0.0
    listen_port = 5432
    unix_socket_dir = /tmp
    pidfile = /tmp/pgbouncer.pid
    auth_type = scram-sha-256
    auth_file = /tmp/users.txt
    stats_users = ${database.admin}
    ignore_startup_parameters = extra_float_digits,options

    ; For each of ${let.pool.instances} poolers: with one more in an update they open ${(let.pool.size_each + let.pool.reserve_each) * (let.pool.instances + 1)} of the ${database.usable_connections} connections for them.
    pool_mode = ${let.pool.mode}
    max_client_conn = ${let.pool_settings.max_client_conn}
    default_pool_size = ${let.pool_settings.default_pool_size}
    min_pool_size = ${let.pool_settings.min_pool_size}
    reserve_pool_size = ${let.pool_settings.reserve_pool_size}
    reserve_pool_timeout = ${let.pool_settings.reserve_pool_timeout}
    max_db_connections = ${let.pool_settings.max_db_connections}
    max_prepared_statements = ${let.pool_settings.max_prepared_statements}

    ; Clients hear that there is no connection before they give up by themselves.
    query_wait_timeout = ${let.pool_settings.query_wait_timeout}
    client_idle_timeout = ${let.pool_settings.client_idle_timeout}
    server_idle_timeout = ${let.pool_settings.server_idle_timeout}
    server_lifetime = ${let.pool_settings.server_lifetime}
    idle_transaction_timeout = ${let.pool_settings.idle_transaction_timeout}
    query_timeout = ${let.pool_settings.query_timeout}
    server_connect_timeout = 5
    server_login_retry = 3

    ; A connection that has lain idle is tried before it is lent.
    server_check_delay = ${let.pool_settings.server_check_delay}
    server_check_query = ${let.pool_settings.server_check_query}
    server_fast_close = 1
    tcp_keepalive = 1
    tcp_keepidle = ${let.pool_settings.tcp_keepidle}

    server_tls_sslmode = verify-full
    server_tls_ca_file = /etc/pgbouncer/ca/ca.crt
    log_connections = 0
    log_disconnections = 0
  EOT
  }
  bouncer_start = <<-EOT
    #!/bin/sh
    # The password is in a Secret that the operator makes; PgBouncer wants it in a file.
    set -eu
    umask 077
    quote() { printf '%s' "$1" | sed 's/"/""/g'; }
    printf '"%s" "%s"\n' "$(quote "$POOL_USER")" "$(quote "$POOL_PASSWORD")" >/tmp/users.txt
    exec pgbouncer /etc/pgbouncer/pgbouncer.ini
  EOT
  bouncer_stop  = <<-EOT
    #!/bin/sh
    # First out of the endpoints, then no new transactions, then gone. The kubelet
    # kills whoever takes longer than the grace period.
    set -u
    sleep 15
    kill -INT 1
    while kill -0 1 2>/dev/null; do sleep 1; done
  EOT
  bouncer_maps  = { for name, ini in let.bouncer_ini : name => "${name}-${hash(join("", [ini, let.bouncer_start, let.bouncer_stop]), 8)}" }
}

manifest "v1" "ConfigMap" "this_pooler" {
  for_each = let.bouncers
  metadata = {
    name      = let.bouncer_maps[each.value.name]
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = each.value.name }
  }
  immutable = true
  data = {
    "pgbouncer.ini" = let.bouncer_ini[each.value.name]
    "start.sh"      = let.bouncer_start
    "stop.sh"       = let.bouncer_stop
  }
}

manifest "v1" "ServiceAccount" "this_pooler" {
  when = let.bouncer
  metadata = {
    name      = "${database.name}-pooler"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${database.name}-pooler" }
  }
  automountServiceAccountToken = false
}

manifest "apps/v1" "Deployment" "this_pooler" {
  for_each = let.bouncers
  metadata = {
    name      = each.value.name
    namespace = let.namespace
    labels = {
      "app.kubernetes.io/name"    = each.value.name
      "app.kubernetes.io/part-of" = blueprint.name
    }
  }
  spec = {
    # No autoscaler on purpose: what all poolers can open together stays a fixed number.
    replicas                = let.pool.instances
    revisionHistoryLimit    = 5
    minReadySeconds         = 10
    progressDeadlineSeconds = 600
    strategy = {
      type          = "RollingUpdate"
      rollingUpdate = { maxSurge = 1, maxUnavailable = 0 }
    }
    selector = { matchLabels = { "app.kubernetes.io/name" = each.value.name } }
    template = {
      metadata = {
        labels = {
          "app.kubernetes.io/name"    = each.value.name
          "app.kubernetes.io/part-of" = blueprint.name
          "scaffold/pooler"           = database.name
        }
      }
      spec = {
        serviceAccountName            = "${database.name}-pooler"
        automountServiceAccountToken  = false
        enableServiceLinks            = false
        imagePullSecrets              = target.pull_secret == null ? null : [{ name = target.pull_secret }]
        terminationGracePeriodSeconds = let.pool_grace
        securityContext = {
          runAsNonRoot        = true
          runAsUser           = 65532
          runAsGroup          = 65532
          fsGroup             = 65532
          fsGroupChangePolicy = "OnRootMismatch"
          seccompProfile      = { type = "RuntimeDefault" }
        }
        topologySpreadConstraints = [
          {
            maxSkew           = 1
            topologyKey       = "topology.kubernetes.io/zone"
            whenUnsatisfiable = "ScheduleAnyway"
            labelSelector     = { matchLabels = { "app.kubernetes.io/name" = each.value.name } }
            matchLabelKeys    = ["pod-template-hash"]
          },
        ]
        affinity = {
          podAntiAffinity = {
            preferredDuringSchedulingIgnoredDuringExecution = [
              {
                weight = 100
                podAffinityTerm = {
                  topologyKey   = "kubernetes.io/hostname"
                  labelSelector = { matchLabels = { "app.kubernetes.io/name" = each.value.name } }
                }
              },
            ]
          }
        }
        containers = [
          {
            name            = "pgbouncer"
            image           = "docker.io/edoburu/pgbouncer:v1.24.1-p1"
            imagePullPolicy = "Always"
            command         = ["sh", "/etc/pgbouncer/start.sh"]
            ports = [
              { name = "postgres", containerPort = 5432, protocol = "TCP" },
            ]
            env = [
              {
                name      = "POOL_USER"
                valueFrom = { secretKeyRef = { name = "${each.value.server}-app", key = "username" } }
              },
              {
                name      = "POOL_PASSWORD"
                valueFrom = { secretKeyRef = { name = "${each.value.server}-app", key = "password" } }
              },
            ]
            # One thread does all the work, so one CPU is the most that it can use.
            resources = {
              requests = { cpu = "500m", memory = "256Mi", "ephemeral-storage" = "64Mi" }
              limits   = { cpu = "500m", memory = "256Mi", "ephemeral-storage" = "64Mi" }
            }
            readinessProbe = {
              tcpSocket        = { port = "postgres" }
              periodSeconds    = 5
              timeoutSeconds   = 2
              failureThreshold = 2
            }
            # Full is not dead: a pooler that is restarted because it has no connection left takes its clients with it.
            livenessProbe = {
              exec             = { command = ["sh", "-c", "kill -0 $(cat /tmp/pgbouncer.pid)"] }
              periodSeconds    = 10
              timeoutSeconds   = 2
              failureThreshold = 6
            }
            lifecycle = { preStop = { exec = { command = ["sh", "/etc/pgbouncer/stop.sh"] } } }
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
              { name = "config", mountPath = "/etc/pgbouncer", readOnly = true },
              { name = "ca", mountPath = "/etc/pgbouncer/ca", readOnly = true },
            ]
          },
          {
            name            = "exporter"
            image           = "quay.io/prometheuscommunity/pgbouncer-exporter:v0.11.0"
            imagePullPolicy = "Always"
            ports = [
              { name = "metrics", containerPort = 9127, protocol = "TCP" },
            ]
            env = [
              {
                name      = "POOL_USER"
                valueFrom = { secretKeyRef = { name = "${each.value.server}-app", key = "username" } }
              },
              {
                name      = "POOL_PASSWORD"
                valueFrom = { secretKeyRef = { name = "${each.value.server}-app", key = "password" } }
              },
              {
                name  = "PGBOUNCER_EXPORTER_CONNECTION_STRING"
                value = "host=127.0.0.1 port=5432 dbname=pgbouncer user='$(POOL_USER)' password='$(POOL_PASSWORD)' sslmode=disable"
              },
            ]
            resources = {
              requests = { cpu = "50m", memory = "64Mi", "ephemeral-storage" = "32Mi" }
              limits   = { cpu = "50m", memory = "64Mi", "ephemeral-storage" = "32Mi" }
            }
            readinessProbe = {
              httpGet          = { path = "/metrics", port = "metrics" }
              periodSeconds    = 15
              timeoutSeconds   = 5
              failureThreshold = 2
            }
            livenessProbe = {
              tcpSocket        = { port = "metrics" }
              periodSeconds    = 15
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
          },
        ]
        volumes = [
          {
            # The password is written here, so it must not touch a disk.
            name     = "tmp"
            emptyDir = { medium = "Memory", sizeLimit = "16Mi" }
          },
          {
            name      = "config"
            configMap = { name = let.bouncer_maps[each.value.name] }
          },
          {
            name = "ca"
            secret = {
              secretName = "${each.value.server}-ca"
              # Not its key.
              items = [{ key = "ca.crt", path = "ca.crt" }]
            }
          },
        ]
      }
    }
  }
}

manifest "v1" "Service" "this_pooler" {
  for_each = let.bouncers
  metadata = {
    name      = each.value.name
    namespace = let.namespace
    labels = {
      "app.kubernetes.io/name"    = each.value.name
      "app.kubernetes.io/part-of" = blueprint.name
    }
  }
  spec = {
    trafficDistribution = "PreferSameZone"
    selector            = { "app.kubernetes.io/name" = each.value.name }
    ports = [
      { name = "postgres", port = 5432, targetPort = "postgres", protocol = "TCP" },
    ]
  }
}

# -- For both -----------------------------------------------------------------

manifest "policy/v1" "PodDisruptionBudget" "this_pooler" {
  for_each = let.pools
  metadata = {
    name      = each.value.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = each.value.name }
  }
  spec = {
    maxUnavailable             = 1
    unhealthyPodEvictionPolicy = "AlwaysAllow"
    selector                   = { matchLabels = { "app.kubernetes.io/name" = each.value.name } }
  }
}

manifest "networking.k8s.io/v1" "NetworkPolicy" "this_pooler" {
  metadata = {
    name      = "${database.name}-pooler"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${database.name}-pooler" }
    annotations = let.bouncer ? null : {
      # The operator makes the pods, and kube-score cannot see them.
      "kube-score/ignore" = "networkpolicy-targets-pod"
    }
  }
  spec = {
    podSelector = { matchLabels = { "scaffold/pooler" = database.name } }
    policyTypes = ["Ingress", "Egress"]
    ingress = [
      length(let.users) == 0 ? null : {
        from  = [for c in let.users : { podSelector = { matchLabels = { "app.kubernetes.io/name" = c } } }]
        ports = [{ port = 5432, protocol = "TCP" }]
      },
      {
        from  = [{ namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = target.monitoring_namespace } } }]
        ports = [{ port = 9127, protocol = "TCP" }]
      },
    ]
    egress = [
      {
        to    = [{ podSelector = { matchLabels = { "scaffold/database" = database.name } } }]
        ports = [{ port = 5432, protocol = "TCP" }]
      },
      let.bouncer ? null : {
        # The API of the cluster, from which it learns its configuration.
        to = [{ ipBlock = { cidr = "0.0.0.0/0", except = ["169.254.0.0/16"] } }]
        ports = [
          { port = 443, protocol = "TCP" },
          { port = 6443, protocol = "TCP" },
        ]
      },
    ]
  }
}

manifest "monitoring.coreos.com/v1" "PodMonitor" "this_pooler" {
  metadata = {
    name      = "${database.name}-pooler"
    namespace = let.namespace
    labels = merge(
      { "app.kubernetes.io/name" = "${database.name}-pooler" },
      target.monitoring_labels,
    )
  }
  spec = {
    selector = { matchLabels = { "scaffold/pooler" = database.name } }
    podMetricsEndpoints = [
      {
        port     = "metrics"
        interval = "15s"
      },
    ]
  }
}

manifest "monitoring.coreos.com/v1" "PrometheusRule" "this_pooler" {
  metadata = {
    name      = "${database.name}-pooler"
    namespace = let.namespace
    labels = merge(
      { "app.kubernetes.io/name" = "${database.name}-pooler" },
      target.monitoring_labels,
    )
  }
  spec = {
    groups = [
      {
        name = "${database.name}.pooler"
        rules = [
          {
            record = "scaffold:pool_utilisation:ratio"
            expr   = "sum by (pod) (${let.pool_measures.lent}{${let.pool_of}}) / ${let.pool.size_each + let.pool.reserve_each}"
            labels = { database = database.name }
          },
          {
            alert       = "PoolNearlyUsedUp"
            expr        = "scaffold:pool_utilisation:ratio{database=\"${database.name}\"} > ${let.pool.max_used / 100}"
            for         = "5m"
            labels      = { severity = "warning", database = database.name }
            annotations = { summary = "More than ${let.pool.max_used} % of the connections of {{ $labels.pod }} are lent: look for slow transactions before you raise size" }
          },
          {
            alert       = "PoolClientsWait"
            expr        = "sum by (pod) (${let.pool_measures.waiting}{${let.pool_of}}) > 0"
            for         = "2m"
            labels      = { severity = "warning", database = database.name }
            annotations = { summary = "Clients of {{ $labels.pod }} have been queueing for two minutes" }
          },
          {
            # Half of the time after which they are refused.
            alert       = "PoolWaitTooLong"
            expr        = "max by (pod) (${let.pool_measures.wait}{${let.pool_of}}) > ${let.pool.wait_timeout / 2}"
            for         = "1m"
            labels      = { severity = "critical", database = database.name }
            annotations = { summary = "A client of {{ $labels.pod }} waits for a connection; after ${duration(let.pool.wait_timeout)} it is refused" }
          },
          {
            alert       = "PoolClientLimitNear"
            expr        = "sum by (pod) (${let.pool_measures.clients}{${let.pool_of}} + ${let.pool_measures.waiting}{${let.pool_of}}) > ${floor(let.pool.clients_each * 90 / 100)}"
            for         = "5m"
            labels      = { severity = "critical", database = database.name }
            annotations = { summary = "{{ $labels.pod }} has nearly all of the ${let.pool.clients_each} clients that it takes" }
          },
        ]
      },
    ]
  }
}
