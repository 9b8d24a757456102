# What the elaborate pooling adds: who leaks connections, by name.
template "database_connection_pooling" {
  for  = database
  when = target.provider == "kubernetes"
  file = "${database.name}/leaks.yaml"

  covers = {
    workload_size = [let.bouncer ? ConfigMap.this_pooler.data : Pooler.this.spec.pgbouncer.parameters.default_pool_size, database.database_connection_pooling.size, database.database_connection_pooling.transaction_time]
    validation    = [let.bouncer ? ConfigMap.this_pooler.data : Pooler.this.spec.pgbouncer.parameters.server_check_query, Cluster.this.spec.postgresql.parameters.client_connection_check_interval, Cluster.this.spec.postgresql.parameters.tcp_keepalives_idle]
    utilisation   = [PodMonitor.this_pooler.spec.podMetricsEndpoints, PrometheusRule.this_pooler.spec.groups]
    timeouts      = [Cluster.this.spec.postgresql.parameters.statement_timeout, let.bouncer ? ConfigMap.this_pooler.data : Pooler.this.spec.pgbouncer.parameters.query_wait_timeout, let.bouncer ? null : Pooler.this.spec.pgbouncer.parameters.query_timeout]
    leaks         = [Cluster.this.spec.monitoring.customQueriesConfigMap, ConfigMap.this_queries.data, Cluster.this.spec.postgresql.parameters.idle_in_transaction_session_timeout, PrometheusRule.this_leaks.spec.groups]
  }
}

manifest "v1" "ConfigMap" "this_queries" {
  metadata = {
    name      = let.queries_name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = database.name }
  }
  immutable = true
  data      = { queries = let.queries }
}

manifest "monitoring.coreos.com/v1" "PrometheusRule" "this_leaks" {
  metadata = {
    name      = "${database.name}-leaks"
    namespace = let.namespace
    labels = merge(
      { "app.kubernetes.io/name" = database.name },
      target.monitoring_labels,
    )
  }
  spec = {
    groups = [
      {
        name = "${database.name}.leaks"
        rules = [
          {
            # Just before it is cut.
            alert       = "ConnectionLeakSuspected"
            expr        = "max by (application_name, usename) (cnpg_connection_leaks_max_age_seconds{namespace=\"${let.namespace}\", pod=~\"${let.pods_named}\", state=\"idle in transaction\"}) > ${database.database_connection_pooling.leak_after * 8 / 10}"
            for         = "1m"
            labels      = { severity = "warning", database = database.name }
            annotations = { summary = "{{ $labels.application_name }} leaves transactions open; they are cut after ${duration(database.database_connection_pooling.leak_after)}" }
          },
          {
            alert       = "ConnectionsGrow"
            expr        = "min_over_time(sum by (pod) (cnpg_backends_total{namespace=\"${let.namespace}\", pod=~\"${let.pods_named}\"})[1h:5m]) > ${floor(let.pool.server_connections * 95 / 100)}"
            labels      = { severity = "warning", database = database.name }
            annotations = { summary = "For an hour {{ $labels.pod }} has had nearly all connections open that its poolers may have: somebody does not give them back" }
          },
        ]
      },
    ]
  }
}
