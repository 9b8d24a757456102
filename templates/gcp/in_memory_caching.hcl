# How programs are to use the cache.
template "in_memory_caching" {
  for  = cache
  file = "cache_${cache.name}.tf"

  covers = {
    hit_ratio = [google_monitoring_alert_policy.this_hits.conditions.condition_prometheus_query_language.query, google_monitoring_alert_policy.this.conditions.condition_threshold.filter]
    warming   = [length(let.warmed) > 0 ? google_cloud_scheduler_job["${let.warmed[0].name}_warm"].schedule : null]
  }
  approximates = {
    invalidation = {
      by  = [google_parameter_manager_parameter_version.this.parameter_data, let.announced ? google_pubsub_topic.this.name : cache.in_memory_caching.ttl]
      why = cache.in_memory_caching.invalidation == "events" ? "What has changed is announced to every client; throwing it out is the program's part." : "Values stay until their time is over."
    }
    ttl = {
      by  = [google_parameter_manager_parameter_version.this.parameter_data, cache.in_memory_caching.ttl]
      why = "Memorystore has no lifetime for all keys: programs read it from a parameter and set it with every key."
    }
    miss = {
      by  = [google_parameter_manager_parameter_version.this.parameter_data, let.kind == "memcached" ? google_memcache_instance.this.zones : let.kind == "redis" ? google_redis_cluster.this.replica_count : google_memorystore_instance.this.replica_count]
      why = "The cache heals itself and the limits are handed over; asking the database once for many is the program's part."
    }
  }
}

let {
  warmed = cache.in_memory_caching == null ? [] : [for s in cache.clients : s if s.runs_on == null && cache.in_memory_caching.warm]
  usage = cache.in_memory_caching == null ? null : {
    ttl_seconds          = cache.in_memory_caching.ttl
    negative_ttl_seconds = cache.in_memory_caching.negative_ttl
    jitter_percent       = cache.in_memory_caching.jitter
    timeout_seconds      = cache.in_memory_caching.timeout
    coalesce             = cache.in_memory_caching.coalesce
    max_misses_at_once   = cache.in_memory_caching.origin_limit
  }
}

# Memorystore knows no lifetime for all keys: programs read these and set it with every key.
resource "google_parameter_manager_parameter" "this" {
  parameter_id = "${let.name}-settings"
  format       = "JSON"
}

# A version cannot be changed: it is named after what is in it, and the next one is there before it goes.
resource "google_parameter_manager_parameter_version" "this" {
  parameter            = google_parameter_manager_parameter.this.id
  parameter_version_id = "v-${hash(jsonencode(let.usage), 8)}"
  parameter_data       = jsonencode(let.usage)

  lifecycle {
    create_before_destroy = true
  }
}

# A cache that is hardly asked has no share worth an alarm.
resource "google_monitoring_alert_policy" "this_hits" {
  display_name          = "${let.name}: hits"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "less than ${cache.in_memory_caching.min_hit_ratio} % of what is asked for is there"

    condition_prometheus_query_language {
      query               = local.this_hits
      duration            = "900s"
      evaluation_interval = "60s"
    }
  }

  conditions {
    when         = let.kind != "memcached"
    display_name = "more than 20 keys a second give way before their time"

    condition_threshold {
      filter          = "${local.this_cache} AND metric.type = \"${let.family}/stats/total_evicted_keys_count\""
      comparison      = "COMPARISON_GT"
      threshold_value = 20
      duration        = "300s"

      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_RATE"
      }
    }
  }

  documentation {
    content = "The cache answers less than it should, and the database answers the rest: the keys that are read often do not fit, live too short, or are asked for under ever new names."
  }
}

locals {
  this_hits = (
    let.kind == "memcached" ?
    "100 * sum(rate(memcache_googleapis_com:node_operation_count{command=\"get\",hit=\"true\",instance_id=\"${google_memcache_instance.this.name}\"}[10m])) / (sum(rate(memcache_googleapis_com:node_operation_count{command=\"get\",instance_id=\"${google_memcache_instance.this.name}\"}[10m])) > 3) < ${cache.in_memory_caching.min_hit_ratio}" :
    "100 * sum(rate(${let.prom}_stats_total_keyspace_hits_count{${let.prom_label}=\"${let.name}\"}[10m])) / (sum(rate(${let.prom}_stats_total_keyspace_hits_count{${let.prom_label}=\"${let.name}\"}[10m])) + sum(rate(${let.prom}_stats_total_keyspace_misses_count{${let.prom_label}=\"${let.name}\"}[10m])) > 3) < ${cache.in_memory_caching.min_hit_ratio}"
  )
}
