# What somebody is told about a cache. Patterns add their own.
template "cache_alarms" {
  for  = cache
  when = target.provider == "kubernetes"
  file = "${cache.name}/monitoring.yaml"
}

let {
  of_cache   = "namespace=\"${let.namespace}\", pod=~\"${cache.name}-[0-9]+\""
  prefix     = cache.engine == "memcached" ? "memcached" : "redis"
  max_memory = cache.redis_cluster != null ? cache.redis_cluster.max_memory : cache.in_memory_caching != null ? cache.in_memory_caching.max_memory : cache.eviction == "noeviction" ? 75 : 95
  full       = cache.eviction == "noeviction" ? "when it is full, writes fail" : "when it is full, keys give way"
  used       = cache.engine == "memcached" ? "memcached_current_bytes{${let.of_cache}} / memcached_limit_bytes{${let.of_cache}}" : "redis_memory_used_bytes{${let.of_cache}} / redis_memory_max_bytes{${let.of_cache}}"
}

manifest "monitoring.coreos.com/v1" "PodMonitor" "this" {
  metadata = {
    name      = cache.name
    namespace = let.namespace
    labels = merge(
      { "app.kubernetes.io/name" = cache.name },
      target.monitoring_labels,
    )
  }
  spec = {
    selector = { matchLabels = { "app.kubernetes.io/name" = cache.name } }
    podMetricsEndpoints = [
      {
        port     = "metrics"
        path     = "/metrics"
        interval = "15s"
      },
    ]
  }
}

manifest "monitoring.coreos.com/v1" "PrometheusRule" "this" {
  metadata = {
    name      = cache.name
    namespace = let.namespace
    labels = merge(
      { "app.kubernetes.io/name" = cache.name },
      target.monitoring_labels,
    )
  }
  spec = {
    groups = [
      {
        name = "${cache.name}.cache"
        rules = [
          {
            alert       = "CacheNodeDown"
            expr        = "sum(${let.prefix}_up{${let.of_cache}}) < ${cache.engine == "memcached" ? cache.zones : cache.nodes} or absent(${let.prefix}_up{${let.of_cache}})"
            for         = "2m"
            labels      = { severity = "critical", cache = cache.name }
            annotations = { summary = "Of ${cache.engine == "memcached" ? cache.zones : cache.nodes} nodes of ${cache.name} not all answer" }
          },
          {
            alert       = "CacheMemoryHigh"
            expr        = "${let.used} > ${let.max_memory / 100}"
            for         = "10m"
            labels      = { severity = "warning", cache = cache.name }
            annotations = { summary = "{{ $labels.pod }} uses more than ${let.max_memory} % of its memory; ${let.full}" }
          },
          {
            # Twice what all clients together should have.
            alert       = "CacheConnectionsHigh"
            expr        = "${cache.engine == "memcached" ? "memcached_current_connections" : "redis_connected_clients"}{${let.of_cache}} > ${min(cache.max_clients * 9 / 10, max(1000, 2 * cache.client_connections))}"
            for         = "10m"
            labels      = { severity = "warning", cache = cache.name }
            annotations = { summary = "{{ $labels.pod }} has far more connections than the ${cache.client_connections} of all clients: one of them leaks" }
          },
          cache.replica_count == 0 ? null : {
            alert       = "CacheCopyBehind"
            expr        = "redis_master_link_up{${let.of_cache}} == 0"
            for         = "2m"
            labels      = { severity = "critical", cache = cache.name }
            annotations = { summary = "{{ $labels.pod }} does not hear from its primary: if that were lost now, writes would be" }
          },
          let.guarded ? {
            alert       = "CacheWithoutPrimary"
            expr        = "max(haproxy_backend_active_servers{namespace=\"${let.namespace}\", pod=~\"${cache.name}-guard-[0-9]+\", proxy=\"primary\"}) < 1"
            for         = "30s"
            labels      = { severity = "critical", cache = cache.name }
            annotations = { summary = "No guard of ${cache.name} finds a primary" }
          } : null,
          cache.engine == "memcached" ? null : {
            alert       = "CacheFragmented"
            expr        = "redis_mem_fragmentation_ratio{${let.of_cache}} > 1.5 and redis_memory_used_rss_bytes{${let.of_cache}} > 1e9"
            for         = "1h"
            labels      = { severity = "info", cache = cache.name }
            annotations = { summary = "{{ $labels.pod }} takes half as much memory again as it uses" }
          },
        ]
      },
    ]
  }
}
