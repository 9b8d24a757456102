# Layers are warmed from the inside to the outside whenever the edge has gone cold.
template "multi_layer_caching_detailed" {
  for  = service
  file = "service_${service.name}_edge.tf"

  covers = {
    fallback   = [google_compute_url_map.this_edge.path_matcher.default_custom_error_response_policy, google_compute_backend_service.this_edge.cdn_policy.serve_while_stale, google_compute_backend_service.this_edge.cdn_policy.negative_caching]
    cold_start = [google_monitoring_alert_policy.this_cold.conditions.condition_threshold.threshold_value, google_compute_backend_service.this_edge.cdn_policy.request_coalescing]
  }
  misses = {
    warming = "The job that fills the cache has the image and the network of instances; pods are warmed by a job of their own in the cluster."
  }
  approximates = {
    eviction = {
      by  = [service.multi_layer_caching_detailed.cache.eviction, google_compute_backend_service.this_edge.cdn_policy.max_ttl, google_parameter_manager_parameter_version.this_layers.parameter_data]
      why = "Cloud CDN gives way by what is asked for least, and only lifetimes can be chosen there; the program limits its own memory by what it is told."
    }
    consistency = {
      by  = [google_logging_metric.this_diverged.filter, google_monitoring_alert_policy.this_edge_changes.conditions.condition_threshold.filter]
      why = "Changes that are late or lost are told. What share of its reads it compares is said to the program, and what it finds different is counted from its log."
    }
  }

  ignores = {
    edge_memory = "The edge is Google's, and so is its memory."
    grace       = "The edge is Google's: stale_if_error says how long it goes on with old answers."
    ramp        = "A load balancer gives a new instance its whole share at once."
  }

  check "fallback_is_a_bucket" {
    condition = service.multi_layer_caching_detailed.fallback == null ? true : service.multi_layer_caching_detailed.fallback.origin == null && service.multi_layer_caching_detailed.fallback.cdn_distribution != null
    message   = "The fallback of ${service.name} must have files of its own and a distribution, or it would fail together with what it stands in for."
    fix       = "Name a site without origin and with cdn_distribution."
    at        = service.multi_layer_caching_detailed.fallback
  }
}

let {
  warms = service.multi_layer_caching_detailed != null && service.runs_on == null
  full  = service.multi_layer_caching_detailed
}

# A page for when all else fails, which does not need the program.
resource "google_storage_bucket" "this_fallback" {
  when = let.fallback == null

  name                        = "${local.project}-${shortname(let.edge_name, 23)}-fallback"
  location                    = target.region
  uniform_bucket_level_access = true
  public_access_prevention    = "inherited" # everybody may read the page
  force_destroy               = true        # it has nothing else
}

resource "google_storage_bucket_iam_member" "this_fallback" {
  when = let.fallback == null

  bucket = google_storage_bucket.this_fallback.name
  role   = "roles/storage.legacyObjectReader"
  member = "allUsers"
}

resource "google_storage_bucket_object" "this_fallback" {
  when = let.fallback == null

  bucket        = google_storage_bucket.this_fallback.name
  name          = "unavailable.html"
  content_type  = "text/html; charset=utf-8"
  cache_control = "public, max-age=${ceil(let.full.error_ttl)}"
  content       = file("${path.module}/edge/unavailable.html")
}

resource "google_compute_backend_bucket" "this_fallback" {
  when = let.fallback == null

  name        = "${let.edge_name}-fallback"
  bucket_name = google_storage_bucket.this_fallback.name
  enable_cdn  = false
}

file "edge/unavailable.html" {
  when    = let.fallback == null
  format  = "text"
  content = <<-EOT
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>Back soon</title>
      </head>
      <body>
        <h1>We will be back in a moment</h1>
        <p>This page cannot be shown right now. Please try again.</p>
      </body>
    </html>
  EOT
}

# What the program has found to differ between a copy and the database.
resource "google_logging_metric" "this_diverged" {
  name        = "${let.edge_name}-diverged"
  description = "Copies of ${service.name} that differed from the database"
  filter      = "jsonPayload.event=\"cache_diverged\" AND (jsonPayload.service=\"${service.name}\" OR jsonPayload.container.metadata.service=\"${service.name}\")"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }
}

locals {
  this_edge_answers = "resource.type = \"https_lb_rule\" AND resource.labels.url_map_name = \"${google_compute_url_map.this_edge.name}\" AND resource.labels.backend_target_name = \"${google_compute_backend_service.this_edge.name}\" AND metric.type = \"loadbalancing.googleapis.com/https/request_count\""
}

# An edge that has gone cold is warmed, and somebody is told.
resource "google_monitoring_alert_policy" "this_cold" {
  display_name          = "${let.edge_name}: the edge is cold"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = let.warms ? concat(local.notification_channels, [google_monitoring_notification_channel.this_cold.id]) : local.notification_channels

  conditions {
    display_name = "the edge answers less than ${let.full.cold_below} % by itself"

    condition_threshold {
      filter             = "${local.this_edge_answers} AND metric.labels.cache_result = \"HIT\""
      denominator_filter = local.this_edge_answers
      comparison         = "COMPARISON_LT"
      threshold_value    = let.full.cold_below / 100
      duration           = "300s"

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
      }

      denominator_aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  documentation {
    content = "Copies are gone: after a purge, or while ever new things are asked for."
  }
}
