# Postgres, run by the CloudNativePG operator: a primary, a standby in every
# further zone, and the readers that are asked for. A sharded database is as
# many of these as it has shards.
template "database" {
  for  = database
  when = target.provider == "kubernetes"
  file = "${database.name}/database.yaml"

  ignores = {
    was              = database.was == null ? null : "What has a name keeps it in a cluster: another one makes a new database, and the old one stays with its data until somebody moves them and deletes it."
    machine          = contains(keys(database.machine), target.provider) ? "Pods have no machine type; cpu and memory say what they get." : null
    maintenance_day  = "The operator has no window: it replaces servers when their manifest changes, the primary last."
    maintenance_hour = "The operator has no window: it replaces servers when their manifest changes, the primary last."
  }

  check "engine" {
    condition = database.engine == "postgres"
    message   = "In a cluster of your own Postgres runs under the CloudNativePG operator; for ${database.engine} this pack knows no operator that it could answer for, and a StatefulSet alone would lose writes when its node is lost."
    fix       = "Use postgres, for this target alone with kubernetes { engine = \"postgres\" } in ${database.name}, or render for a cloud that runs ${database.engine} itself."
    at        = database.engine
  }
  check "flavour" {
    condition = database.flavour == "server"
    message   = "Servers that share their storage (Aurora, AlloyDB) belong to a cloud."
    fix       = "Leave flavour unset; a standby takes over here too."
    at        = database.flavour
  }
  check "zones" {
    condition = database.zones <= target.zones
    message   = "${database.name} is to stand in ${database.zones} zones, and the cluster has ${target.zones}."
    fix       = "Lower zones, or raise zones of the target if the cluster has more."
    at        = database.zones
    related   = [target.zones]
  }
  check "any_second" {
    condition = database.backup_days == 0 || target.backup_url != null
    message   = "Snapshots of volumes are all that is kept of ${database.name}, on the same storage as the data: it can be put back to ${database.backup_hour}:00, not to any second of ${database.backup_days} days, and somebody has to delete the old ones."
    fix       = "Set backup_url of the target: then every write is archived there too."
    at        = database.backup_days
    related   = [target.backup_url]
    severity  = "warning"
  }
  check "name" {
    condition = alltrue([for s in let.servers : length("${s.name}-pooler-ro") <= 50])
    message   = "The operator names pods after its servers and adds to that. It has room for 50 characters, and these have more: ${join(", ", [for s in let.servers : "${s.name}-pooler-ro" if length("${s.name}-pooler-ro") > 50])}."
    fix       = "Give the database, or the shards, a shorter name."
    at        = database.name
  }
}

let {
  # What the operator calls a cluster: a primary with its standbys. One, or one for every shard.
  servers = database.database_sharding == null ? [{ name = database.name, shard = "", delay = 0 }] : [
    for n, s in database.database_sharding.ring : { name = "${database.name}-${s.name}", shard = s.name, delay = n }
  ]
  moves     = database.database_sharding == null ? [] : database.database_sharding.move
  readers   = database.read_replicas == null ? 0 : database.read_replicas.count
  instances = database.zones + let.readers
  # With three servers a lost one leaves enough to be sure that a commit is on two of them.
  durable = let.instances >= 3

  cpus   = database.cpu == floor(database.cpu) ? tostring(database.cpu) : "${floor(1000 * database.cpu + 0.5)}m"
  bytes  = quantity(database.memory)
  shared = floor(mib(database.memory) / 4)
  # Sorting and hashing of all connections together may take a quarter of the memory.
  work = max(4, floor(mib(database.memory) / 4 / database.max_connections))
  # The log has a disk of its own, so that a slow reader fills that and not the data's.
  log_gib = max(10, ceil(gib(database.storage) / 5))

  proxied   = database.database_sharding == null ? false : database.database_sharding.router == "proxy"
  pooled    = database.pooler != null
  bouncer   = database.pooler == null ? false : database.pooler.pooler == "pgbouncer"
  full_pool = database.database_connection_pooling != null
  pool_ro   = database.pooler == null || let.readers == 0 ? false : database.database_connection_pooling == null ? true : database.database_connection_pooling.pool_readers
  # Services, and jobs that read on their behalf.
  users = concat(database.clients[*].name, flatten([for s in database.clients : concat(
    [for c in s.caches : "${c.name}-warmer" if c.in_memory_caching == null ? false : c.in_memory_caching.warm && c.clients[0].name == s.name],
    s.multi_layer_caching_detailed == null ? [] : ["${s.name}-layers-warmer"],
  )]))
  # Who talks to the servers: the services, or whatever stands between.
  callers = concat(
    let.pooled || let.proxied ? [] : let.users,
    let.proxied ? ["${database.name}-router"] : [],
    let.pooled ? flatten([for s in let.servers : ["${s.name}-pooler", let.pool_ro ? "${s.name}-pooler-ro" : ""]]) : [],
    # Readers without a pooler are asked directly.
    let.pooled && let.readers > 0 && !let.pool_ro ? let.users : [],
  )
  pods_named = "(${join("|", let.servers[*].name)})-[0-9]+"
  archive    = target.backup_url != null && database.backup_days > 0
  to_s3      = target.backup_url == null ? false : startswith(target.backup_url, "s3://")

  # Who leaves transactions open, by the name that clients give themselves.
  queries      = <<-EOT
    connection_leaks:
      query: |
        SELECT COALESCE(NULLIF(application_name, ''), 'unnamed') AS application_name, usename, state,
               count(*) AS connections,
               COALESCE(MAX(EXTRACT(EPOCH FROM now() - state_change)), 0) AS max_age_seconds
          FROM pg_stat_activity
         WHERE backend_type = 'client backend' AND state IS NOT NULL
         GROUP BY 1, 2, 3
      metrics:
        - application_name: { usage: LABEL, description: What the client calls itself }
        - usename: { usage: LABEL, description: Its user }
        - state: { usage: LABEL, description: What the connection does }
        - connections: { usage: GAUGE, description: Connections in this state }
        - max_age_seconds: { usage: GAUGE, description: Longest time in this state }
  EOT
  queries_name = "${database.name}-queries-${hash(let.queries, 8)}"
}

manifest "postgresql.cnpg.io/v1" "Cluster" "this" {
  for_each = let.servers
  metadata = {
    name      = each.value.name
    namespace = let.namespace
    labels = {
      "app.kubernetes.io/name"    = each.value.name
      "app.kubernetes.io/part-of" = blueprint.name
      "scaffold/protected"        = database.deletion_protection ? "true" : null
    }
  }
  spec = {
    # One in every zone, and the readers.
    instances = let.instances
    imageName = "ghcr.io/cloudnative-pg/postgresql:${database.version}"
    # A budget for one server would only keep its node from being emptied.
    enablePDB             = let.instances > 1
    primaryUpdateStrategy = "unsupervised"
    # The standby takes over first, so that an update costs seconds.
    primaryUpdateMethod   = let.instances > 1 ? "switchover" : "restart"
    failoverDelay         = 0
    switchoverDelay       = 60
    smartShutdownTimeout  = 60
    stopDelay             = 180
    enableSuperuserAccess = false
    inheritedMetadata = {
      labels = {
        "app.kubernetes.io/part-of" = blueprint.name
        "scaffold/database"         = database.name
      }
    }
    bootstrap = {
      initdb = {
        database      = database.database_name
        owner         = database.admin
        dataChecksums = true
        # The same user and password on every shard.
        secret = database.database_sharding == null ? null : { name = let.secret }
      }
    }
    postgresql = {
      parameters = {
        # Clients and poolers stay below this together, whatever rolls out.
        max_connections                = tostring(database.max_connections)
        superuser_reserved_connections = tostring(min(10, database.reserved_connections))
        # A quarter of the memory; what the system caches of files counts too.
        shared_buffers       = "${let.shared}MB"
        effective_cache_size = "${3 * let.shared}MB"
        work_mem             = "${let.work}MB"
        maintenance_work_mem = "${max(64, min(2048, floor(let.shared / 4)))}MB"
        # Nobody waits any more when these are over.
        statement_timeout                   = duration(database.statement_timeout)
        idle_in_transaction_session_timeout = duration(let.full_pool ? database.database_connection_pooling.leak_after : database.idle_transaction_timeout)
        lock_timeout                        = let.full_pool ? duration(max(1, floor(database.statement_timeout / 3))) : null
        # A statement is given up when its client is gone.
        client_connection_check_interval = let.full_pool ? "10s" : null
        tcp_keepalives_idle              = let.full_pool ? tostring(ceil(database.database_connection_pooling.keepalive)) : null
        log_connections                  = let.full_pool ? (database.database_connection_pooling.log_connections ? "on" : "off") : null
        log_disconnections               = let.full_pool ? (database.database_connection_pooling.log_connections ? "on" : "off") : null
        log_min_duration_statement       = "1s"
        # A reader tells the primary what it still needs, and may hold the copying back this long.
        hot_standby_feedback        = database.read_replicas == null ? null : "on"
        max_standby_streaming_delay = database.read_replicas == null ? null : duration(database.read_replicas.conflict_wait)
        # Logical replication carries rows to another shard while they are moved.
        wal_level             = database.database_sharding == null ? null : "logical"
        max_replication_slots = database.database_sharding == null ? null : "20"
        max_wal_senders       = database.database_sharding == null ? null : "20"
        # Half of the log's disk for who has fallen behind; beyond it he is copied anew.
        max_slot_wal_keep_size = "${floor(let.log_gib / 2)}GB"
      }
      synchronous = let.instances < 2 ? null : {
        method = "any"
        number = 1
        # required: a commit is on two servers, always. preferred where there is one standby only, whose loss must not
        # stop all writes.
        dataDurability = let.durable ? "required" : "preferred"
        # Only a server takes over that is known to have every commit.
        failoverQuorum = let.durable ? true : null
      }
    }
    replicationSlots = let.instances < 2 ? null : {
      highAvailability = {
        enabled = true
        # Moves of slots survive a failover.
        synchronizeLogicalDecoding = database.database_sharding == null ? null : true
      }
      updateInterval = 30
    }
    probes = database.read_replicas == null ? null : {
      # Who is more than 16 MiB behind gets no queries: that bounds how old an answer can be.
      readiness = {
        type             = "streaming"
        maximumLag       = "16Mi"
        periodSeconds    = max(1, min(10, floor(database.read_replicas.name_ttl)))
        failureThreshold = 2
      }
      # A primary that sees neither the API nor its standbys stops, for one of them may have taken over.
      liveness = {
        isolationCheck = {
          enabled           = true
          requestTimeout    = 1000
          connectionTimeout = 1000
        }
      }
    }
    storage = {
      storageClass = target.storage_class
      size         = "${ceil(gib(database.storage))}Gi"
      # Grows when size is raised, and never shrinks.
      resizeInUseVolumes = true
    }
    walStorage = {
      storageClass       = target.storage_class
      size               = "${let.log_gib}Gi"
      resizeInUseVolumes = true
    }
    resources = {
      requests = { cpu = let.cpus, memory = let.bytes }
      limits   = { cpu = let.cpus, memory = let.bytes }
    }
    affinity = {
      enablePodAntiAffinity = true
      topologyKey           = "kubernetes.io/hostname"
      podAntiAffinityType   = "required"
    }
    topologySpreadConstraints = database.zones < 2 ? null : [
      {
        maxSkew           = 1
        topologyKey       = "topology.kubernetes.io/zone"
        whenUnsatisfiable = "DoNotSchedule"
        labelSelector     = { matchLabels = { "cnpg.io/cluster" = each.value.name } }
      },
    ]
    # Where rows come from while slots are moved here.
    externalClusters = length([for m in let.moves : m if m.to_shard == each.value.shard]) == 0 ? null : [
      for from in distinct([for m in let.moves : m.from_shard if m.to_shard == each.value.shard]) : {
        name = "${database.name}-${from}"
        connectionParameters = {
          host    = "${database.name}-${from}-rw.${let.namespace}.svc"
          user    = database.admin
          dbname  = database.database_name
          sslmode = "require"
        }
        password = { name = let.secret, key = "password" }
      }
    ]
    managed = {
      roles = length([for m in let.moves : m if m.from_shard == each.value.shard]) == 0 ? null : [
        # May be copied from, for as long as slots are moved.
        { name = database.admin, ensure = "present", login = true, replication = true },
      ]
      services = {
        # -r mixes the primary with the others: nobody should read from it by accident.
        disabledDefaultServices = ["r"]
      }
    }
    monitoring = let.full_pool ? {
      customQueriesConfigMap = [
        { name = let.queries_name, key = "queries" },
      ]
    } : null
    plugins = let.archive ? [
      {
        name          = "barman-cloud.cloudnative-pg.io"
        isWALArchiver = true
        parameters    = { barmanObjectName = database.name }
      },
    ] : null
    backup = database.backup_days == 0 ? null : {
      volumeSnapshot = {
        className = target.snapshot_class
        online    = true
        onlineConfiguration = {
          immediateCheckpoint = false
          waitForArchive      = let.archive
        }
      }
    }
  }
}

# Where the log of all writes goes, and a copy every night, for as long as it is kept.
manifest "barmancloud.cnpg.io/v1" "ObjectStore" "this" {
  when = let.archive
  metadata = {
    name      = database.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = database.name }
  }
  spec = {
    retentionPolicy = "${database.backup_days}d"
    configuration = {
      destinationPath = let.archive ? trimsuffix(target.backup_url, "/") : ""
      s3Credentials = let.to_s3 ? {
        # You make the secret.
        accessKeyId     = { name = target.backup_secret, key = "AWS_ACCESS_KEY_ID" }
        secretAccessKey = { name = target.backup_secret, key = "AWS_SECRET_ACCESS_KEY" }
      } : null
      googleCredentials = let.to_s3 ? null : {
        # You make the secret.
        applicationCredentials = { name = target.backup_secret, key = "credentials.json" }
      }
      # Two at a time, so that the archive keeps up with a busy hour.
      wal  = { compression = "gzip", maxParallel = 2 }
      data = { compression = "gzip", jobs = 2 }
    }
    instanceSidecarConfiguration = {
      resources = {
        requests = { cpu = "200m", memory = "256Mi" }
        limits   = { cpu = "200m", memory = "256Mi" }
      }
    }
  }
}

manifest "postgresql.cnpg.io/v1" "ScheduledBackup" "this" {
  for_each = database.backup_days == 0 ? [] : let.servers
  metadata = {
    name      = each.value.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = each.value.name }
  }
  spec = {
    # Every night; seconds come first. Shards a quarter of an hour apart, so that no two are copied at once.
    schedule             = "0 ${each.value.delay * 15 % 60} ${(database.backup_hour + floor(each.value.delay / 4)) % 24} * * *"
    immediate            = true
    backupOwnerReference = "self"
    method               = let.archive ? "plugin" : "volumeSnapshot"
    online               = true
    target               = "prefer-standby"
    pluginConfiguration  = let.archive ? { name = "barman-cloud.cloudnative-pg.io" } : null
    cluster              = { name = each.value.name }
  }
}

# Who may reach the servers, and what they may reach.
manifest "networking.k8s.io/v1" "NetworkPolicy" "this" {
  metadata = {
    name      = database.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = database.name }
    annotations = {
      # The operator makes the pods, and kube-score cannot see them.
      "kube-score/ignore" = "networkpolicy-targets-pod"
    }
  }
  spec = {
    podSelector = { matchLabels = { "scaffold/database" = database.name } }
    policyTypes = ["Ingress", "Egress"]
    ingress = [
      length(compact(let.callers)) == 0 ? null : {
        from  = [for c in compact(let.callers) : { podSelector = { matchLabels = { "app.kubernetes.io/name" = c } } }]
        ports = [{ port = 5432, protocol = "TCP" }]
      },
      {
        # Each other, for copying and to see who is alive.
        from = [{ podSelector = { matchLabels = { "scaffold/database" = database.name } } }]
        ports = [
          { port = 5432, protocol = "TCP" },
          { port = 8000, protocol = "TCP" },
        ]
      },
      {
        from  = [{ namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = target.database_namespace } } }]
        ports = [{ port = 8000, protocol = "TCP" }]
      },
      {
        from  = [{ namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = target.monitoring_namespace } } }]
        ports = [{ port = 9187, protocol = "TCP" }]
      },
    ]
    egress = [
      {
        to = [{ podSelector = { matchLabels = { "scaffold/database" = database.name } } }]
        ports = [
          { port = 5432, protocol = "TCP" },
          { port = 8000, protocol = "TCP" },
        ]
      },
      {
        # The API of the cluster, whose address no policy can name, and the archive of the log where there is one.
        to = [{ ipBlock = { cidr = "0.0.0.0/0", except = ["169.254.0.0/16"] } }]
        ports = [
          { port = 443, protocol = "TCP" },
          { port = 6443, protocol = "TCP" },
        ]
      },
    ]
  }
}
