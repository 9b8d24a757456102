# What somebody is told about a database. Patterns add their own.
template "database_alarms" {
  for  = database
  when = target.provider == "kubernetes"
  file = "${database.name}/monitoring.yaml"
}

manifest "monitoring.coreos.com/v1" "PodMonitor" "this" {
  metadata = {
    name      = database.name
    namespace = let.namespace
    labels = merge(
      { "app.kubernetes.io/name" = database.name },
      target.monitoring_labels,
    )
  }
  spec = {
    selector        = { matchLabels = { "scaffold/database" = database.name } }
    podTargetLabels = ["cnpg.io/cluster"]
    podMetricsEndpoints = [
      {
        port     = "metrics"
        interval = "30s"
      },
    ]
  }
}

manifest "monitoring.coreos.com/v1" "PrometheusRule" "this" {
  metadata = {
    name      = database.name
    namespace = let.namespace
    labels = merge(
      { "app.kubernetes.io/name" = database.name },
      target.monitoring_labels,
    )
  }
  spec = {
    groups = [
      {
        name = "${database.name}.database"
        rules = [
          {
            alert       = "DatabaseDown"
            expr        = "count(cnpg_collector_up{namespace=\"${let.namespace}\", pod=~\"${let.pods_named}\"} == 1) < ${length(let.servers) * let.instances} or absent(cnpg_collector_up{namespace=\"${let.namespace}\", pod=~\"${let.pods_named}\"})"
            for         = "5m"
            labels      = { severity = "critical", database = database.name }
            annotations = { summary = "Of ${length(let.servers) * let.instances} servers of ${database.name} not all answer" }
          },
          {
            # More than all clients and poolers can open together: somebody else is connected.
            alert       = "DatabaseConnectionsNearLimit"
            expr        = "sum by (pod) (cnpg_backends_total{namespace=\"${let.namespace}\", pod=~\"${let.pods_named}\"}) > ${floor(database.usable_connections * 95 / 100)}"
            for         = "5m"
            labels      = { severity = "critical", database = database.name }
            annotations = { summary = "{{ $labels.pod }} has nearly all of the ${database.usable_connections} connections in use that clients can have" }
          },
          {
            alert       = "DatabaseDiskFilling"
            expr        = "max by (persistentvolumeclaim) (kubelet_volume_stats_used_bytes{namespace=\"${let.namespace}\", persistentvolumeclaim=~\"${let.pods_named}(-wal)?\"} / kubelet_volume_stats_capacity_bytes{namespace=\"${let.namespace}\", persistentvolumeclaim=~\"${let.pods_named}(-wal)?\"}) > 0.8"
            for         = "15m"
            labels      = { severity = "critical", database = database.name }
            annotations = { summary = "{{ $labels.persistentvolumeclaim }} is four fifths full: raise storage, up to ${quantity(database.max_storage)}" }
          },
          database.backup_days == 0 ? null : {
            # A night and an hour.
            alert       = "DatabaseBackupStale"
            expr        = "time() - max by (cnpg_io_cluster) (${let.archive ? "barman_cloud_cloudnative_pg_io" : "cnpg_collector"}_last_available_backup_timestamp{namespace=\"${let.namespace}\", pod=~\"${let.pods_named}\"}) > ${25 * 3600}"
            for         = "1h"
            labels      = { severity = "critical", database = database.name }
            annotations = { summary = "The last backup of {{ $labels.cnpg_io_cluster }} is more than a day old" }
          },
          {
            alert       = "DatabaseTransactionsOld"
            expr        = "max by (pod) (cnpg_backends_max_tx_duration_seconds{namespace=\"${let.namespace}\", pod=~\"${let.pods_named}\"}) > ${ceil(2 * max(database.statement_timeout, database.idle_transaction_timeout))}"
            for         = "5m"
            labels      = { severity = "warning", database = database.name }
            annotations = { summary = "A transaction on {{ $labels.pod }} outlasts every limit: it holds its locks and keeps old rows" }
          },
        ]
      },
    ]
  }
}
