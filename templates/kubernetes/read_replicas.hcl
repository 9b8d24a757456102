# Readers of a database: further servers of the same cluster, reached under the
# name NAME-ro. What they are is in database.yaml; here is what is watched.
template "read_replicas" {
  for  = database
  when = target.provider == "kubernetes"
  file = "${database.name}/readers.yaml"

  covers = {
    lag         = [PrometheusRule.this_readers.spec.groups, PodMonitor.this.spec.podMetricsEndpoints, database.read_replicas.max_lag]
    splitting   = [Cluster.this.spec.managed.services.disabledDefaultServices, let.pool_ro && !let.bouncer ? Pooler.this.spec.type : null, ConfigMap.this_readers.data]
    staleness   = [Cluster.this.spec.probes.readiness.maximumLag, Cluster.this.spec.probes.readiness.type, ConfigMap.this_readers.data, database.read_replicas.max_staleness]
    performance = [PrometheusRule.this_readers.spec.groups, Cluster.this.spec.resources, Cluster.this.spec.postgresql.parameters.hot_standby_feedback]
    failover    = [Cluster.this.spec.postgresql.synchronous.dataDurability, Cluster.this.spec.instances, Cluster.this.spec.probes.liveness.isolationCheck, database.backup_days > 0 ? ScheduledBackup.this.spec.method : null]
  }

  ignores = {
    names      = "The operator gives its servers numbers."
    target_cpu = "The operator does not add readers under load."
  }

  check "other_region" {
    condition = database.read_replicas.other_region == null
    message   = "The manifests are for one cluster in one region; a copy of ${database.name} in another is made there, from the archive."
    fix       = "Leave other_region unset."
    at        = database.read_replicas.other_region
  }
  check "does_not_grow" {
    condition = !database.read_replicas.grows
    message   = "The operator does not add readers under load: there will be ${database.read_replicas.count}."
    fix       = "Leave max unset."
    at        = database.read_replicas.max
    related   = [database.read_replicas.count]
    severity  = "warning"
  }
}

let {
  reading = "namespace=\"${let.namespace}\", pod=~\"${let.pods_named}\""
  reader_contract = {
    # What the program has to know besides the two hosts.
    READ_OWN_WRITES = database.read_replicas == null ? "" : database.read_replicas.read_own_writes
    MAX_STALENESS   = database.read_replicas == null ? "" : duration(database.read_replicas.max_staleness)
    NAME_TTL        = database.read_replicas == null ? "" : duration(database.read_replicas.name_ttl)
  }
  readers_map = "${database.name}-readers-${hash(jsonencode([let.host, let.reader_host, let.reader_contract]), 8)}"
}

manifest "v1" "ConfigMap" "this_readers" {
  metadata = {
    name      = let.readers_map
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = database.name }
  }
  immutable = true
  data = {
    "${let.word}_WRITER_HOST" = let.host
    "${let.word}_READER_HOST" = let.reader_host
    # How somebody sees what he has just written, and how old anything else may be.
    "${let.word}_READ_OWN_WRITES" = let.reader_contract.READ_OWN_WRITES
    "${let.word}_MAX_STALENESS"   = let.reader_contract.MAX_STALENESS
    "${let.word}_NAME_TTL"        = let.reader_contract.NAME_TTL
  }
}

manifest "monitoring.coreos.com/v1" "PrometheusRule" "this_readers" {
  metadata = {
    name      = "${database.name}-readers"
    namespace = let.namespace
    labels = merge(
      { "app.kubernetes.io/name" = database.name },
      target.monitoring_labels,
    )
  }
  spec = {
    groups = [
      {
        name = "${database.name}.readers"
        rules = [
          {
            alert       = "ReplicationLag"
            expr        = "max by (pod) (cnpg_pg_replication_lag{${let.reading}}) > ${database.read_replicas.warn_lag}"
            for         = "2m"
            labels      = { severity = "warning", database = database.name }
            annotations = { summary = "{{ $labels.pod }} is more than ${duration(database.read_replicas.warn_lag)} behind" }
          },
          {
            alert       = "ReplicationLagTooLong"
            expr        = "max by (pod) (cnpg_pg_replication_lag{${let.reading}}) > ${database.read_replicas.max_lag}"
            for         = "1m"
            labels      = { severity = "critical", database = database.name }
            annotations = { summary = "{{ $labels.pod }} is more than ${duration(database.read_replicas.max_lag)} behind: answers get older than ${duration(database.read_replicas.max_staleness)}" }
          },
          {
            alert       = "ReaderMissing"
            expr        = "max by (cnpg_io_cluster) (cnpg_pg_replication_streaming_replicas{${let.reading}}) < ${let.instances - 1}"
            for         = "5m"
            labels      = { severity = "critical", database = database.name }
            annotations = { summary = let.instances == 2 ? "No server copies from the primary of ${database.name}" : "Fewer than ${let.instances - 1} servers copy from the primary of ${database.name}" }
          },
          {
            alert       = "ReaderBusy"
            expr        = "max by (pod) (rate(container_cpu_usage_seconds_total{${let.reading}, container=\"postgres\"}[5m])) > ${floor(database.cpu * 85) / 100}"
            for         = "15m"
            labels      = { severity = "warning", database = database.name }
            annotations = { summary = "{{ $labels.pod }} uses more than 85 % of its ${database.cpu} vCPUs: add a reader" }
          },
          {
            alert       = "ReaderConnections"
            expr        = "sum by (pod) (cnpg_backends_total{${let.reading}}) > ${floor(database.usable_connections * 8 / 10)}"
            for         = "10m"
            labels      = { severity = "warning", database = database.name }
            annotations = { summary = "{{ $labels.pod }} has four fifths of its connections in use" }
          },
          {
            alert       = "ReaderCancelsQueries"
            expr        = "sum by (pod) (rate(cnpg_pg_stat_database_conflicts{${let.reading}}[15m])) > 0.1"
            for         = "15m"
            labels      = { severity = "warning", database = database.name }
            annotations = { summary = "{{ $labels.pod }} ends queries because they are in the way of copying for ${duration(database.read_replicas.conflict_wait)}" }
          },
          {
            alert       = "ReplicationSlotHoldsLog"
            expr        = "max by (slot_name) (cnpg_pg_replication_slots_pg_wal_lsn_diff{${let.reading}}) > ${floor(let.log_gib / 4) * 1073741824}"
            for         = "10m"
            labels      = { severity = "critical", database = database.name }
            annotations = { summary = "{{ $labels.slot_name }} holds back a quarter of the log's disk; at a half its reader is copied anew" }
          },
        ]
      },
    ]
  }
}
