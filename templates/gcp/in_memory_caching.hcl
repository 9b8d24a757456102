# How programs are to use the cache.
template "in_memory_caching" {
  for  = cache
  file = "cache_${cache.name}.tf"

  covers = {
    hit_ratio = [google_monitoring_alert_policy.this_hits.conditions.condition_prometheus_query_language.query, google_monitoring_alert_policy.this.conditions.condition_threshold.filter]
    warming   = [length(let.warmed) > 0 ? google_cloud_scheduler_job.this_warm.schedule : null]
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
  parameter_data = jsonencode({
    ttl_seconds          = cache.in_memory_caching.ttl
    negative_ttl_seconds = cache.in_memory_caching.negative_ttl
    jitter_percent       = cache.in_memory_caching.jitter
    timeout_seconds      = cache.in_memory_caching.timeout
    coalesce             = cache.in_memory_caching.coalesce
    max_misses_at_once   = cache.in_memory_caching.origin_limit
  })

  lifecycle {
    create_before_destroy = true
  }
}

# The jobs have the images of the clients; each reads what its program asks for most.
resource "google_cloud_scheduler_job" "this_warm" {
  when     = length(let.warmed) > 0
  for_each = { for s in let.warmed : s.name => google_cloud_run_v2_job["${s.name}_warm"].id }

  name             = "${let.name}-warm-${each.key}"
  region           = target.region
  description      = "Keeps the hottest values of ${cache.name} where they are asked for"
  schedule         = "every ${ceil(cache.in_memory_caching.warm_every / 60)} minutes"
  time_zone        = "Etc/UTC"
  attempt_deadline = "60s"

  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/${each.value}:run"

    oauth_token {
      service_account_email = google_service_account.warming.email
    }
  }
}
