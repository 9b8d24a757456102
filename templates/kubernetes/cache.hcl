# Valkey or Redis as a StatefulSet: a single node, a primary with copies, or the
# nodes of a cluster.
template "cache" {
  for  = cache
  when = target.provider == "kubernetes" && cache.engine != "memcached"
  file = "${cache.name}/cache.yaml"

  ignores = {
    was              = cache.was == null ? null : "What has a name keeps it in a cluster: another one makes a new cache, and the old one stays until somebody deletes it."
    machine          = contains(keys(cache.machine), target.provider) ? "Pods have no machine type; memory says what they get." : null
    maintenance_day  = "There is no window: nodes are replaced when their manifest changes."
    maintenance_hour = "There is no window: nodes are replaced when their manifest changes."
  }

  check "zones" {
    condition = cache.zones <= target.zones
    message   = "${cache.name} is to stand in ${cache.zones} zones, and the cluster has ${target.zones}."
    fix       = "Lower zones, or raise zones of the target if the cluster has more."
    at        = cache.zones
    related   = [target.zones]
  }
  check "room_to_fork" {
    # CACHE-002: whoever writes its memory to a disk or to a copy needs what changes meanwhile twice.
    condition = !let.forks || cache.reserve >= 10
    message   = "${cache.name} copies its memory now and then, and only ${cache.reserve} % of it are free for what changes meanwhile."
    fix       = "Raise reserve to 25."
    at        = cache.reserve
    related   = [cache.replicas]
  }
  check "backup_on_the_same_storage" {
    condition = let.backup_days == 0 || target.backup_url != null
    message   = "The pictures of ${cache.name} stay in the cluster, the last three of them, for the target names no place outside."
    fix       = "Set backup_url of the target."
    at        = cache.backup_days
    related   = [target.backup_url]
    severity  = "warning"
  }
}

let {
  clustered = cache.redis_cluster != null
  server    = "${cache.engine}-server"
  cli       = "${cache.engine}-cli"
  image = lookup({
    valkey7 = "docker.io/valkey/valkey:7.2.10"
    valkey8 = "docker.io/valkey/valkey:8.1.3"
    redis7  = "docker.io/library/redis:7.4.5"
    redis8  = "docker.io/library/redis:8.2.1"
  }, "${cache.engine}${cache.version}", cache.engine == "valkey" ? "docker.io/valkey/valkey:${cache.version}" : "docker.io/library/redis:${cache.version}")

  # How the pods find each other.
  peers = let.guarded ? "${cache.name}-nodes" : cache.name
  hosts = [for n in range(cache.nodes) : "${cache.name}-${n}.${let.peers}.${let.domain}"]

  persistence = let.clustered ? cache.redis_cluster.persistence : cache.holds == "cache" ? "none" : "log"
  # The map of a cluster has to outlast its pods, even where the data need not.
  disk        = let.persistence != "none" || let.clustered
  backup_days = let.clustered ? cache.redis_cluster.backup_days : cache.backup_days
  forks       = let.persistence != "none" || cache.replica_count > 0

  maxmemory = floor(mib(cache.node_data))
  # CACHE-002: data is at most four fifths of the container's memory, three fifths where it forks.
  limit_mib = ceil(max(mib(cache.node_memory), let.maxmemory / (let.forks ? 0.6 : 0.8), 128))
  limit     = let.limit_mib % 1024 == 0 ? "${floor(let.limit_mib / 1024)}Gi" : "${let.limit_mib}Mi"
  cpus      = let.clustered ? "2" : "1"
  # The log grows to twice the data before it is rewritten, and is there twice meanwhile.
  disk_gib = max(2, ceil(gib(cache.node_data) * (let.persistence == "log" ? 4 : let.persistence == "snapshots" ? 2.5 : 0)))

  # Somebody wants to hear of changes: the cache's own clients, or a service that keeps copies in further layers.
  announced = anytrue(concat(
    [cache.in_memory_caching == null ? false : cache.in_memory_caching.invalidation == "events"],
    [for s in cache.clients : s.multi_layer_caching == null ? false : s.multi_layer_caching.cache.name == cache.name],
  ))

  conf_always   = <<-EOT
    port 6379
    bind * -::*
    # Everybody has to say the password, and only clients get here at all.
    protected-mode no
    dir /data
    maxclients ${cache.max_clients}
    tcp-keepalive 60
    # The rest of the container's ${let.limit} is for buffers and copies.
    maxmemory ${let.maxmemory}mb
    maxmemory-policy ${cache.eviction}
    maxmemory-samples 10
    lazyfree-lazy-eviction yes
    lazyfree-lazy-expire yes
    lazyfree-lazy-server-del yes
  EOT
  conf_log      = <<-EOT
    # Every write but those of the last second.
    appendonly yes
    appendfsync everysec
    aof-use-rdb-preamble yes
    auto-aof-rewrite-percentage 100
    auto-aof-rewrite-min-size 256mb
    save ""
  EOT
  conf_pictures = <<-EOT
    # A picture every hour, if anything has changed.
    appendonly no
    save 3600 1
  EOT
  conf_nothing  = <<-EOT
    appendonly no
    save ""
  EOT
  conf_events   = <<-EOT
    # Who keeps copies of his own hears what has ended or given way, and may have his keys tracked.
    notify-keyspace-events Exeg
    tracking-table-max-keys 1000000
  EOT
  conf_copies   = <<-EOT
    # A copy that was away for a while catches up from here.
    repl-backlog-size ${max(64, floor(let.maxmemory / 20))}mb
    repl-diskless-sync yes
    # 1 would refuse writes whenever a copy restarts.
    min-replicas-to-write 0
    min-replicas-max-lag 10
  EOT
  conf_guarded  = <<-EOT
    # The guards' question who is primary needs no password, and may ask nothing else.
    user probe on nopass -@all +info +quit
  EOT
  conf_cluster  = <<-EOT
    cluster-enabled yes
    cluster-config-file /data/nodes.conf
    cluster-node-timeout ${let.clustered ? floor(1000 * cache.redis_cluster.node_timeout) : 0}
    cluster-preferred-endpoint-type hostname
    # What can be answered is answered; only the keys of a lost shard are not.
    cluster-require-full-coverage no
    cluster-allow-reads-when-down no
    cluster-allow-replica-migration yes
    cluster-migration-barrier 1
    cluster-replica-validity-factor 10
    io-threads 2
  EOT
  conf_watch    = <<-EOT
    slowlog-log-slower-than 10000
    latency-monitor-threshold 50
  EOT
  conf = join("", [
    let.conf_always,
    let.persistence == "log" ? let.conf_log : "",
    let.persistence == "snapshots" ? let.conf_pictures : "",
    let.persistence == "none" ? let.conf_nothing : "",
    let.announced ? let.conf_events : "",
    cache.replica_count > 0 ? let.conf_copies : "",
    let.guarded ? let.conf_guarded : "",
    let.clustered ? let.conf_cluster : "",
    let.conf_watch,
  ])

  alive_sh = <<-EOT
    #!/bin/sh
    # Busy with loading or with its primary is alive.
    timeout 2 ${let.cli} -h "$POD_IP" ping | grep -qE 'PONG|LOADING|MASTERDOWN'
  EOT
  ready_sh = (let.clustered ? <<-EOT
    #!/bin/sh
    set -eu
    [ "$(timeout 1 ${let.cli} -h "$POD_IP" ping)" = PONG ]
    info=$(timeout 1 ${let.cli} -h "$POD_IP" cluster info | tr -d '\r')
    # Alone: there is no cluster to belong to yet.
    if printf '%s\n' "$info" | grep -qx 'cluster_known_nodes:1'; then exit 0; fi
    printf '%s\n' "$info" | grep -qx 'cluster_state:ok'
    role=$(timeout 1 ${let.cli} -h "$POD_IP" info replication | tr -d '\r')
    case "$role" in *role:slave*) printf '%s\n' "$role" | grep -qx 'master_link_status:up' ;; esac
    EOT
    : <<-EOT
    #!/bin/sh
    set -eu
    [ "$(timeout 1 ${let.cli} -h "$POD_IP" ping)" = PONG ]
    role=$(timeout 1 ${let.cli} -h "$POD_IP" info replication | tr -d '\r')
    case "$role" in *role:slave*) printf '%s\n' "$role" | grep -qx 'master_link_status:up' ;; esac
    EOT
  )

  guard_hosts = [for n in range(3) : "${cache.name}-guard-${n}.${cache.name}-guard.${let.domain}"]

  # How a node starts and stops, where there is somebody to agree with.
  start_sh = <<-EOT
    #!/bin/sh
    # Becomes a copy of the node that the guards call primary. When there are no
    # guards yet, the first node is.
    set -eu
    me="$POD_NAME.${let.peers}.${let.domain}"
    primary=
    for _ in 1 2 3 4 5; do
      for guard in ${join(" ", let.guard_hosts)}; do
        primary=$(timeout 2 ${let.cli} -h "$guard" -p 26379 --no-auth-warning sentinel get-master-addr-by-name ${cache.name} 2>/dev/null | head -n 1) || true
        if [ -n "$primary" ]; then break 2; fi
      done
      sleep 2
    done
    : "$${primary:=${length(let.hosts) > 0 ? let.hosts[0] : ""}}"
    set -- /etc/cache/cache.conf --requirepass "$CACHE_PASSWORD" --masterauth "$CACHE_PASSWORD" --replica-announce-ip "$me"
    if [ "$primary" = "$me" ]; then exec ${let.server} "$@"; fi
    exec ${let.server} "$@" --replicaof "$primary" 6379
  EOT
  stop_sh = (let.clustered ? <<-EOT
    #!/bin/sh
    # A primary hands over before it stops: no election, no lost writes.
    set -u
    role() { timeout 2 ${let.cli} -h "$POD_IP" info replication | tr -d '\r' | sed -n 's/^role://p'; }
    [ "$(role)" = master ] || exit 0
    me=$(timeout 2 ${let.cli} -h "$POD_IP" cluster myid)
    copy=$(timeout 2 ${let.cli} -h "$POD_IP" cluster nodes |
      awk -v me="$me" '$4 == me && $8 == "connected" && $3 !~ /fail/ { split($2, at, "[:@,]"); print at[1]; exit }')
    [ -n "$copy" ] || exit 0
    timeout 2 ${let.cli} -h "$copy" cluster failover
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
      [ "$(role)" = slave ] && exit 0
      sleep 1
    done
    EOT
    : <<-EOT
    #!/bin/sh
    # A primary hands over before it stops: nobody has to find out that it is gone.
    set -u
    role() { timeout 2 ${let.cli} -h "$POD_IP" info replication | tr -d '\r' | sed -n 's/^role://p'; }
    [ "$(role)" = master ] || exit 0
    for guard in ${join(" ", let.guard_hosts)}; do
      if timeout 2 ${let.cli} -h "$guard" -p 26379 sentinel failover ${cache.name} | grep -qx OK; then break; fi
    done
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
      [ "$(role)" = slave ] && exit 0
      sleep 1
    done
    EOT
  )
  join_sh = <<-EOT
    #!/bin/sh
    # A pod that comes back has a new address. It tells the others, and hears
    # theirs, for all of them may have moved.
    set -u
    address() { getent hosts "$1" | awk '{ print $1; exit }'; }
    says() { timeout 2 ${let.cli} -h "$POD_IP" cluster info | tr -d '\r' | grep -qx "$1"; }
    tries=0
    until [ "$(timeout 1 ${let.cli} -h "$POD_IP" ping 2>/dev/null)" = PONG ]; do
      tries=$((tries + 1))
      if [ "$tries" -gt 30 ]; then exit 0; fi
      sleep 1
    done
    # New: the bootstrap job calls it.
    if says cluster_known_nodes:1; then exit 0; fi
    for _ in 1 2 3 4 5; do
      for host in ${join(" ", let.hosts)}; do
        ip=$(address "$host")
        if [ -n "$ip" ]; then timeout 2 ${let.cli} -h "$POD_IP" cluster meet "$ip" 6379 >/dev/null; fi
      done
      sleep 2
      if says cluster_state:ok; then exit 0; fi
    done
    exit 0
  EOT
  scripts = merge(
    { "cache.conf" = let.conf, "alive.sh" = let.alive_sh, "ready.sh" = let.ready_sh },
    let.guarded ? { "start.sh" = let.start_sh, "stop.sh" = let.stop_sh } : {},
    let.clustered ? { "stop.sh" = let.stop_sh, "join.sh" = let.join_sh } : {},
  )
  settings = "${cache.name}-${hash(jsonencode(let.scripts), 8)}"
  secret   = "${cache.name}-password"
}

# The password is yours to put into the store; it is in no file.
manifest "external-secrets.io/v1" "ExternalSecret" "this" {
  metadata = {
    name      = let.secret
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = cache.name }
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
    }
    data = [
      {
        secretKey = "password"
        remoteRef = { key = "${blueprint.name}-${cache.name}", property = "password" }
      },
    ]
  }
}

manifest "v1" "ConfigMap" "this" {
  metadata = {
    name      = let.settings
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = cache.name }
  }
  immutable = true
  data      = let.scripts
}

manifest "v1" "ServiceAccount" "this" {
  metadata = {
    name      = cache.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = cache.name }
  }
  automountServiceAccountToken = false
}

manifest "apps/v1" "StatefulSet" "this" {
  metadata = {
    name      = cache.name
    namespace = let.namespace
    labels = {
      "app.kubernetes.io/name"    = cache.name
      "app.kubernetes.io/part-of" = blueprint.name
      "scaffold/protected"        = cache.deletion_protection ? "true" : null
    }
  }
  spec = {
    serviceName          = let.peers
    replicas             = cache.nodes
    revisionHistoryLimit = 5
    # A copy is in step again before the next pod is replaced.
    minReadySeconds     = cache.nodes > 1 ? 30 : 10
    podManagementPolicy = "Parallel"
    updateStrategy      = { type = "RollingUpdate" }
    persistentVolumeClaimRetentionPolicy = let.disk ? {
      whenDeleted = "Retain"
      whenScaled  = "Retain"
    } : null
    selector = { matchLabels = { "app.kubernetes.io/name" = cache.name } }
    template = {
      metadata = {
        labels = {
          "app.kubernetes.io/name"    = cache.name
          "app.kubernetes.io/part-of" = blueprint.name
        }
      }
      spec = {
        serviceAccountName           = cache.name
        automountServiceAccountToken = false
        enableServiceLinks           = false
        imagePullSecrets             = target.pull_secret == null ? null : [{ name = target.pull_secret }]
        # Handing over takes seconds, writing everything to the disk can take longer.
        terminationGracePeriodSeconds = let.disk ? 120 : 60
        securityContext = {
          runAsNonRoot        = true
          runAsUser           = 65532
          runAsGroup          = 65532
          fsGroup             = 65532
          fsGroupChangePolicy = "OnRootMismatch"
          seccompProfile      = { type = "RuntimeDefault" }
        }
        topologySpreadConstraints = cache.zones < 2 || cache.nodes < 2 ? null : [
          {
            maxSkew           = 1
            topologyKey       = "topology.kubernetes.io/zone"
            whenUnsatisfiable = "DoNotSchedule"
            labelSelector     = { matchLabels = { "app.kubernetes.io/name" = cache.name } }
          },
        ]
        affinity = {
          podAntiAffinity = {
            # Never two on one machine.
            requiredDuringSchedulingIgnoredDuringExecution = [
              {
                topologyKey   = "kubernetes.io/hostname"
                labelSelector = { matchLabels = { "app.kubernetes.io/name" = cache.name } }
              },
            ]
          }
        }
        containers = [
          {
            name            = cache.engine
            image           = let.image
            imagePullPolicy = "Always"
            command         = let.guarded ? ["sh", "/etc/cache/start.sh"] : [let.server, "/etc/cache/cache.conf"]
            args = let.guarded ? null : [
              "--requirepass",
              "$(CACHE_PASSWORD)",
              let.clustered ? "--masterauth" : null,
              let.clustered ? "$(CACHE_PASSWORD)" : null,
              # The name outlasts the pod, its address does not.
              let.clustered ? "--cluster-announce-hostname" : null,
              let.clustered ? "$(POD_NAME).${let.peers}.${let.domain}" : null,
              let.clustered ? "--cluster-announce-ip" : null,
              let.clustered ? "$(POD_IP)" : null,
            ]
            ports = [
              { name = "cache", containerPort = 6379, protocol = "TCP" },
              let.clustered ? { name = "bus", containerPort = 16379, protocol = "TCP" } : null,
            ]
            env = [
              {
                name      = "POD_NAME"
                valueFrom = { fieldRef = { fieldPath = "metadata.name" } }
              },
              {
                name      = "POD_IP"
                valueFrom = { fieldRef = { fieldPath = "status.podIP" } }
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
              requests = { cpu = let.cpus, memory = let.limit, "ephemeral-storage" = "128Mi" }
              limits   = { cpu = let.cpus, memory = let.limit, "ephemeral-storage" = "128Mi" }
            }
            # Reading a large log takes minutes.
            startupProbe = {
              exec             = { command = ["sh", "/etc/cache/alive.sh"] }
              periodSeconds    = 2
              timeoutSeconds   = 3
              failureThreshold = 60
            }
            readinessProbe = {
              exec             = { command = ["sh", "/etc/cache/ready.sh"] }
              periodSeconds    = 5
              timeoutSeconds   = 4
              failureThreshold = 2
            }
            livenessProbe = {
              exec             = { command = ["sh", "/etc/cache/alive.sh"] }
              periodSeconds    = 10
              timeoutSeconds   = 3
              failureThreshold = 6
            }
            lifecycle = !let.guarded && !let.clustered ? null : {
              postStart = let.clustered ? { exec = { command = ["sh", "/etc/cache/join.sh"] } } : null
              preStop   = { exec = { command = ["sh", "/etc/cache/stop.sh"] } }
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
              { name = "config", mountPath = "/etc/cache", readOnly = true },
              { name = "data", mountPath = "/data" },
            ]
          },
          {
            name            = "exporter"
            image           = "docker.io/oliver006/redis_exporter:v1.76.0"
            imagePullPolicy = "Always"
            ports = [
              { name = "metrics", containerPort = 9121, protocol = "TCP" },
            ]
            env = [
              { name = "REDIS_ADDR", value = "redis://127.0.0.1:6379" },
              let.clustered ? { name = "REDIS_EXPORTER_IS_CLUSTER", value = "true" } : null,
              {
                name      = "REDIS_PASSWORD"
                valueFrom = { secretKeyRef = { name = let.secret, key = "password" } }
              },
            ]
            resources = {
              requests = { cpu = "100m", memory = "64Mi", "ephemeral-storage" = "32Mi" }
              limits   = { cpu = "100m", memory = "64Mi", "ephemeral-storage" = "32Mi" }
            }
            readinessProbe = {
              httpGet          = { path = "/metrics", port = "metrics" }
              periodSeconds    = 15
              timeoutSeconds   = 5
              failureThreshold = 2
            }
            livenessProbe = {
              httpGet          = { path = "/health", port = "metrics" }
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
            name      = "config"
            configMap = { name = let.settings }
          },
          let.disk ? null : {
            # Nothing is kept.
            name     = "data"
            emptyDir = { sizeLimit = "64Mi" }
          },
        ]
      }
    }
    volumeClaimTemplates = let.disk ? [
      {
        metadata = { name = "data" }
        spec = {
          accessModes      = ["ReadWriteOnce"]
          storageClassName = target.storage_class
          resources        = { requests = { storage = "${let.disk_gib}Gi" } }
        }
      },
    ] : null
  }
}

manifest "v1" "Service" "this_nodes" {
  metadata = {
    name      = let.peers
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = cache.name }
  }
  spec = {
    # Each pod by its own name, also before it is ready: that is how they find each other.
    clusterIP                = "None"
    publishNotReadyAddresses = true
    selector                 = { "app.kubernetes.io/name" = cache.name }
    ports = [
      { name = "tcp-cache", port = 6379, targetPort = "cache", protocol = "TCP" },
    ]
  }
}

manifest "policy/v1" "PodDisruptionBudget" "this" {
  when = cache.nodes > 1
  metadata = {
    name      = cache.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = cache.name }
  }
  spec = {
    # One at a time: never a primary together with its copy.
    maxUnavailable             = 1
    unhealthyPodEvictionPolicy = "AlwaysAllow"
    selector                   = { matchLabels = { "app.kubernetes.io/name" = cache.name } }
  }
}

let {
  # Jobs that reach the nodes besides the clients.
  jobs = concat(
    let.clustered ? ["${cache.name}-bootstrap"] : [],
    let.backup_days > 0 ? ["${cache.name}-backup"] : [],
  )
}

manifest "networking.k8s.io/v1" "NetworkPolicy" "this" {
  metadata = {
    name      = cache.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = cache.name }
  }
  spec = {
    podSelector = { matchLabels = { "app.kubernetes.io/name" = cache.name } }
    policyTypes = ["Ingress", "Egress"]
    ingress = [
      length(concat(let.guarded ? ["guard"] : let.takers, let.jobs)) == 0 ? null : {
        from  = [for c in concat(let.guarded ? ["${cache.name}-guard"] : let.takers, let.jobs) : { podSelector = { matchLabels = { "app.kubernetes.io/name" = c } } }]
        ports = [{ port = 6379, protocol = "TCP" }]
      },
      cache.nodes == 1 ? null : {
        from = [{ podSelector = { matchLabels = { "app.kubernetes.io/name" = cache.name } } }]
        ports = [
          { port = 6379, protocol = "TCP" },
          let.clustered ? { port = 16379, protocol = "TCP" } : null,
        ]
      },
      {
        from  = [{ namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = target.monitoring_namespace } } }]
        ports = [{ port = 9121, protocol = "TCP" }]
      },
    ]
    egress = [
      cache.nodes == 1 ? null : {
        to = [{ podSelector = { matchLabels = { "app.kubernetes.io/name" = cache.name } } }]
        ports = [
          { port = 6379, protocol = "TCP" },
          let.clustered ? { port = 16379, protocol = "TCP" } : null,
        ]
      },
      let.guarded ? {
        to    = [{ podSelector = { matchLabels = { "app.kubernetes.io/name" = "${cache.name}-guard" } } }]
        ports = [{ port = 26379, protocol = "TCP" }]
      } : null,
    ]
  }
}
