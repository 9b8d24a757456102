# One map that says where a row lies, for the program or for a router (PgDog) in
# front of the shards. The shards themselves are in database.yaml.
template "database_sharding" {
  for  = database
  when = target.provider == "kubernetes"
  file = "${database.name}/shards.yaml"

  covers = {
    key       = [database.database_sharding.key, let.proxied ? ConfigMap.this_router.data : ConfigMap.this_shards.data]
    hot_spots = [let.proxied ? ConfigMap.this_router.data : ConfigMap.this_shards.data, PrometheusRule.this_shards.spec.groups]
    routing   = [let.proxied ? Deployment.this_router.spec.replicas : ConfigMap.this_shards.data, let.proxied ? ExternalSecret.this_router.spec.target.template : Cluster.this.spec.instances]
  }
  approximates = {
    joins = {
      by  = [let.proxied ? ConfigMap.this_router.data : ConfigMap.this_shards.data, database.database_sharding.cross_shard]
      why = let.proxied ? "The router refuses queries that name no key, and keeps the copied tables in step; which tables are small enough for that is yours to say." : "The map lists what is spread and what is copied everywhere; that the program refuses queries that name no key is up to the program."
    }
    rebalancing = {
      by  = [Cluster.this.spec.postgresql.parameters.wal_level, length(database.database_sharding.move) == 0 ? null : Publication.this_move.spec.target, length(database.database_sharding.move) == 0 ? null : Subscription.this_move.spec.publicationName]
      why = "The operator's publications copy whole tables and cannot pick slots: after a move the rows of other slots have to be deleted on the shard that received them."
    }
  }

  check "managed" {
    condition = database.database_sharding.by == "servers"
    message   = "There is no database in a cluster of your own that spreads rows by itself and that this pack could answer for."
    fix       = "Leave out by = \"managed\": the shards are servers of their own then."
    at        = database.database_sharding.by
  }
  check "equal_ranges" {
    condition = !let.proxied || length(database.database_sharding.shard) == 0
    message   = "PgDog spreads the hashes of the key evenly over all shards; it knows no ranges of slots."
    fix       = "Set router = \"application\", or use count."
    at        = database.database_sharding.shard
    related   = [database.database_sharding.router]
  }
  check "tables_to_move" {
    condition = length(database.database_sharding.move) == 0 || length(database.database_sharding.tables) > 0
    message   = "Slots are to be moved, but nothing says in which tables."
    fix       = "List them in tables."
    at        = database.database_sharding.tables
    related   = [database.database_sharding.move]
  }
}

let {
  router_count = 3
  # SHARD-002: what one router may open on one shard, so that all and one more in an update stay below the server's limit.
  router_size = floor(min(floor(database.usable_connections * 8 / 10), max(40, 20 * database.cpu)) / (let.router_count + 1))
  sharding    = database.database_sharding

  shard_lines = let.sharding == null ? [] : [for s in let.sharding.ring : join("", [
    "{ \"name\": \"${s.name}\", \"from\": ${s.from}, \"to\": ${s.to}, ",
    "\"writer\": \"${database.name}-${s.name}-${let.pooled ? "pooler" : "rw"}.${let.namespace}.svc\"",
    let.readers == 0 ? "" : ", \"reader\": \"${database.name}-${s.name}-${let.pool_ro ? "pooler-ro" : "ro"}.${let.namespace}.svc\"",
    " }",
  ])]
  shard_map      = let.sharding == null ? "" : <<-EOT
    {
      "key": { "column": "${let.sharding.key}", "type": "${let.sharding.key_type}" },
      "hash": "crc32",
      "slots": ${let.sharding.slots},
      "spread": ${jsonencode(let.sharding.tables)},
      "copied": ${jsonencode(let.sharding.reference_tables)},
      "unkeyed": "${let.sharding.cross_shard}",
      "shards": [
        ${join(",\n    ", let.shard_lines)}
      ]
    }
  EOT
  shard_map_name = "${database.name}-shards-${hash(let.shard_map, 8)}"

  router_hosts = let.sharding == null ? [] : flatten([
    for n, s in let.sharding.ring : [for role in(let.readers == 0 ? ["rw"] : ["rw", "ro"]) : <<-EOT

      [[databases]]
      name = "${database.database_name}"
      host = "${database.name}-${s.name}-${role}.${let.namespace}.svc"
      port = 5432
      shard = ${n}
      role = "${role == "rw" ? "primary" : "replica"}"
    EOT
    ]
  ])
  router_tables = let.sharding == null ? [] : [for name in let.sharding.tables : <<-EOT

      [[sharded_tables]]
      database = "${database.database_name}"
      name = "${name}"
      column = "${let.sharding.key}"
      data_type = "${let.sharding.key_type == "text" ? "varchar" : let.sharding.key_type}"
    EOT
  ]
  router_general = <<-EOT
    [general]
    host = "0.0.0.0"
    port = 5432
    workers = 2
    pooler_mode = "transaction"
    # For each router and shard: all of them and one more in an update stay below what a server has.
    default_pool_size = ${let.router_size}
    min_pool_size = ${min(2, let.router_size)}
    checkout_timeout = ${floor(1000 * max(0.1, min(5, [for s in database.clients : s.request_timeout / 2]...)))}
    query_timeout = ${floor(2000 * database.statement_timeout)}
    idle_timeout = 60_000
    healthcheck_interval = 10_000
    ban_timeout = 30_000
    shutdown_timeout = 30_000
    load_balancing_strategy = "least_active_connections"
    # Readers are asked only outside of transactions that write.
    read_write_strategy = "conservative"
    openmetrics_port = 9090
    openmetrics_namespace = "pgdog_"
    # A query that names no key is ${let.sharding == null ? "" : let.sharding.cross_shard == "refuse" ? "an error, not a question to everybody" : "put to every shard"}.
    cross_shard_disabled = ${let.sharding == null ? true : let.sharding.cross_shard == "refuse"}
  EOT
  router_copied  = let.sharding == null ? "" : length(let.sharding.reference_tables) == 0 ? "" : <<-EOT

    # Small tables that every shard has, so that joins stay at home.
    [[omnisharded_tables]]
    database = "${database.database_name}"
    tables = ${jsonencode(let.sharding.reference_tables)}
  EOT
  router_toml    = join("", concat([let.router_general], let.router_hosts, let.router_tables, [let.router_copied]))
  router_map     = "${database.name}-router-${hash(let.router_toml, 8)}"
}

# One user and one password on all shards. It is yours to put into the store.
manifest "external-secrets.io/v1" "ExternalSecret" "this" {
  metadata = {
    name      = let.secret
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = database.name }
  }
  spec = {
    refreshInterval = "1h"
    secretStoreRef = {
      kind = "ClusterSecretStore"
      name = target.secret_store
    }
    target = {
      name           = let.secret
      creationPolicy = "Owner"
      template = {
        type = "kubernetes.io/basic-auth"
        data = {
          username = database.admin
          password = "{{ .password }}"
        }
      }
    }
    data = [
      {
        secretKey = "password"
        remoteRef = { key = "${blueprint.name}-${database.name}", property = "password" }
      },
    ]
  }
}

manifest "v1" "ConfigMap" "this_shards" {
  when = !let.proxied
  metadata = {
    name      = let.shard_map_name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = database.name }
  }
  immutable = true
  # A row lies in the slot crc32(key as text) modulo slots.
  data = { "shards.json" = let.shard_map }
}

manifest "postgresql.cnpg.io/v1" "Publication" "this_move" {
  for_each = let.moves
  metadata = {
    name      = "${database.name}-${each.value.name}"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = database.name }
  }
  spec = {
    # Publish, subscribe, wait until nothing is behind, change the map, then take the move out of the blueprint.
    cluster                  = { name = "${database.name}-${each.value.from_shard}" }
    dbname                   = database.database_name
    name                     = "move_${replace(each.value.name, "-", "_")}"
    publicationReclaimPolicy = "delete"
    target                   = { objects = [for name in let.sharding.tables : { table = { schema = "public", name = name } }] }
  }
}

manifest "postgresql.cnpg.io/v1" "Subscription" "this_move" {
  for_each = let.moves
  metadata = {
    name      = "${database.name}-${each.value.name}"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = database.name }
  }
  spec = {
    cluster                   = { name = "${database.name}-${each.value.to_shard}" }
    dbname                    = database.database_name
    name                      = "move_${replace(each.value.name, "-", "_")}"
    externalClusterName       = "${database.name}-${each.value.from_shard}"
    publicationName           = "move_${replace(each.value.name, "-", "_")}"
    publicationDBName         = database.database_name
    subscriptionReclaimPolicy = "delete"
    parameters = {
      copy_data = "true"
      streaming = tonumber(split(".", database.version)[0]) >= 16 ? "parallel" : "on"
    }
  }
}

manifest "monitoring.coreos.com/v1" "PrometheusRule" "this_shards" {
  metadata = {
    name      = "${database.name}-shards"
    namespace = let.namespace
    labels = merge(
      { "app.kubernetes.io/name" = database.name },
      target.monitoring_labels,
    )
  }
  spec = {
    groups = [
      {
        name = "${database.name}.shards"
        rules = [
          {
            record = "scaffold:shard_transactions:rate5m"
            expr   = "sum by (cnpg_io_cluster) (rate(cnpg_pg_stat_database_xact_commit{namespace=\"${let.namespace}\", pod=~\"${let.pods_named}\", datname=\"${database.database_name}\"}[5m]))"
            labels = { database = database.name }
          },
          {
            alert       = "ShardBusierThanOthers"
            expr        = "max by (database) (scaffold:shard_transactions:rate5m{database=\"${database.name}\"}) / avg by (database) (scaffold:shard_transactions:rate5m{database=\"${database.name}\"}) > ${let.sharding.max_skew}"
            for         = "15m"
            labels      = { severity = "warning", database = database.name }
            annotations = { summary = "One shard of ${database.name} does ${let.sharding.max_skew} times the work of the average: one key is hot, or its slots should move" }
          },
          {
            alert       = "ShardLargerThanOthers"
            expr        = "max(max by (cnpg_io_cluster) (cnpg_pg_database_size_bytes{namespace=\"${let.namespace}\", pod=~\"${let.pods_named}\", datname=\"${database.database_name}\"})) / avg(max by (cnpg_io_cluster) (cnpg_pg_database_size_bytes{namespace=\"${let.namespace}\", pod=~\"${let.pods_named}\", datname=\"${database.database_name}\"})) > ${let.sharding.max_skew}"
            for         = "1h"
            labels      = { severity = "warning", database = database.name }
            annotations = { summary = "One shard of ${database.name} holds ${let.sharding.max_skew} times as much as the average: plan a move" }
          },
          length(let.moves) == 0 ? null : {
            alert       = "MoveBehind"
            expr        = "max by (slot_name) (cnpg_pg_replication_slots_pg_wal_lsn_diff{namespace=\"${let.namespace}\", pod=~\"${let.pods_named}\", slot_type=\"logical\"}) > 1e9"
            for         = "10m"
            labels      = { severity = "warning", database = database.name }
            annotations = { summary = "The move {{ $labels.slot_name }} is more than 1 GB behind" }
          },
        ]
      },
    ]
  }
}

# -- The router ---------------------------------------------------------------

manifest "external-secrets.io/v1" "ExternalSecret" "this_router" {
  when = let.proxied
  metadata = {
    name      = "${database.name}-router"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${database.name}-router" }
  }
  spec = {
    refreshInterval = "1h"
    secretStoreRef = {
      kind = "ClusterSecretStore"
      name = target.secret_store
    }
    target = {
      name           = "${database.name}-router"
      creationPolicy = "Owner"
      template = {
        data = {
          "users.toml" = <<-EOT
            [[users]]
            name = "${database.admin}"
            database = "${database.database_name}"
            password = {{ .password | toJson }}
          EOT
        }
      }
    }
    data = [
      {
        secretKey = "password"
        remoteRef = { key = "${blueprint.name}-${database.name}", property = "password" }
      },
    ]
  }
}

manifest "v1" "ConfigMap" "this_router" {
  when = let.proxied
  metadata = {
    name      = let.router_map
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${database.name}-router" }
  }
  immutable = true
  data      = { "pgdog.toml" = let.router_toml }
}

manifest "v1" "ServiceAccount" "this_router" {
  when = let.proxied
  metadata = {
    name      = "${database.name}-router"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${database.name}-router" }
  }
  automountServiceAccountToken = false
}

manifest "apps/v1" "Deployment" "this_router" {
  when = let.proxied
  metadata = {
    name      = "${database.name}-router"
    namespace = let.namespace
    labels = {
      "app.kubernetes.io/name"    = "${database.name}-router"
      "app.kubernetes.io/part-of" = blueprint.name
    }
  }
  spec = {
    # No autoscaler on purpose: what all routers can open together stays a fixed number.
    replicas                = let.router_count
    revisionHistoryLimit    = 5
    minReadySeconds         = 10
    progressDeadlineSeconds = 600
    strategy = {
      type          = "RollingUpdate"
      rollingUpdate = { maxSurge = 1, maxUnavailable = 0 }
    }
    selector = { matchLabels = { "app.kubernetes.io/name" = "${database.name}-router" } }
    template = {
      metadata = {
        labels = {
          "app.kubernetes.io/name"    = "${database.name}-router"
          "app.kubernetes.io/part-of" = blueprint.name
        }
      }
      spec = {
        serviceAccountName            = "${database.name}-router"
        automountServiceAccountToken  = false
        enableServiceLinks            = false
        imagePullSecrets              = target.pull_secret == null ? null : [{ name = target.pull_secret }]
        terminationGracePeriodSeconds = 60
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
            labelSelector     = { matchLabels = { "app.kubernetes.io/name" = "${database.name}-router" } }
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
                  labelSelector = { matchLabels = { "app.kubernetes.io/name" = "${database.name}-router" } }
                }
              },
            ]
          }
        }
        containers = [
          {
            name            = "pgdog"
            image           = "ghcr.io/pgdogdev/pgdog:v0.1.30"
            imagePullPolicy = "Always"
            args            = ["--config=/etc/pgdog/pgdog.toml", "--users=/etc/pgdog-users/users.toml"]
            ports = [
              { name = "postgres", containerPort = 5432, protocol = "TCP" },
              { name = "metrics", containerPort = 9090, protocol = "TCP" },
            ]
            resources = {
              requests = { cpu = "2", memory = "1Gi", "ephemeral-storage" = "128Mi" }
              limits   = { cpu = "2", memory = "1Gi", "ephemeral-storage" = "128Mi" }
            }
            readinessProbe = {
              tcpSocket        = { port = "postgres" }
              periodSeconds    = 5
              timeoutSeconds   = 2
              failureThreshold = 2
            }
            livenessProbe = {
              tcpSocket        = { port = "metrics" }
              periodSeconds    = 10
              timeoutSeconds   = 2
              failureThreshold = 6
            }
            # Out of the endpoints first; then it lets transactions finish.
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
              { name = "config", mountPath = "/etc/pgdog", readOnly = true },
              { name = "users", mountPath = "/etc/pgdog-users", readOnly = true },
            ]
          },
        ]
        volumes = [
          {
            name      = "config"
            configMap = { name = let.router_map }
          },
          {
            name   = "users"
            secret = { secretName = "${database.name}-router" }
          },
        ]
      }
    }
  }
}

manifest "v1" "Service" "this_router" {
  when = let.proxied
  metadata = {
    name      = "${database.name}-router"
    namespace = let.namespace
    labels = {
      "app.kubernetes.io/name"    = "${database.name}-router"
      "app.kubernetes.io/part-of" = blueprint.name
    }
  }
  spec = {
    trafficDistribution = "PreferSameZone"
    selector            = { "app.kubernetes.io/name" = "${database.name}-router" }
    ports = [
      { name = "postgres", port = 5432, targetPort = "postgres", protocol = "TCP" },
    ]
  }
}

manifest "policy/v1" "PodDisruptionBudget" "this_router" {
  when = let.proxied
  metadata = {
    name      = "${database.name}-router"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${database.name}-router" }
  }
  spec = {
    maxUnavailable             = 1
    unhealthyPodEvictionPolicy = "AlwaysAllow"
    selector                   = { matchLabels = { "app.kubernetes.io/name" = "${database.name}-router" } }
  }
}

manifest "networking.k8s.io/v1" "NetworkPolicy" "this_router" {
  when = let.proxied
  metadata = {
    name      = "${database.name}-router"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${database.name}-router" }
  }
  spec = {
    podSelector = { matchLabels = { "app.kubernetes.io/name" = "${database.name}-router" } }
    policyTypes = ["Ingress", "Egress"]
    ingress = [
      length(let.users) == 0 ? null : {
        from  = [for c in let.users : { podSelector = { matchLabels = { "app.kubernetes.io/name" = c } } }]
        ports = [{ port = 5432, protocol = "TCP" }]
      },
      {
        from  = [{ namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = target.monitoring_namespace } } }]
        ports = [{ port = 9090, protocol = "TCP" }]
      },
    ]
    egress = [
      {
        to    = [{ podSelector = { matchLabels = { "scaffold/database" = database.name } } }]
        ports = [{ port = 5432, protocol = "TCP" }]
      },
    ]
  }
}

manifest "monitoring.coreos.com/v1" "PodMonitor" "this_router" {
  when = let.proxied
  metadata = {
    name      = "${database.name}-router"
    namespace = let.namespace
    labels = merge(
      { "app.kubernetes.io/name" = "${database.name}-router" },
      target.monitoring_labels,
    )
  }
  spec = {
    selector = { matchLabels = { "app.kubernetes.io/name" = "${database.name}-router" } }
    podMetricsEndpoints = [
      {
        port     = "metrics"
        path     = "/metrics"
        interval = "15s"
      },
    ]
  }
}
