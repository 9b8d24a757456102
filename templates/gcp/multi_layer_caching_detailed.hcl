# Layers are warmed from the inside to the outside whenever the edge has gone cold.
template "multi_layer_caching_detailed" {
  for  = service
  file = "service_${service.name}_edge.tf"

  covers = {
    warming    = [let.warms ? google_workflows_workflow.this_warm.source_contents : null, let.warms ? google_cloud_run_v2_job.this_warm.template : null]
    fallback   = [google_compute_url_map.this_edge.path_matcher.default_custom_error_response_policy, google_compute_backend_service.this_edge.cdn_policy.serve_while_stale, google_compute_backend_service.this_edge.cdn_policy.negative_caching]
    cold_start = [google_monitoring_alert_policy.this_cold.conditions.condition_threshold.threshold_value, google_compute_backend_service.this_edge.cdn_policy.request_coalescing]
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

resource "google_pubsub_topic" "this_cold" {
  when = let.warms

  name = "${let.edge_name}-cold"
}

resource "google_monitoring_notification_channel" "this_cold" {
  when = let.warms

  display_name = "Warming of ${let.edge_name}"
  type         = "pubsub"
  labels       = { topic = google_pubsub_topic.this_cold.id }
}

resource "google_pubsub_topic_iam_member" "this_cold" {
  when = let.warms

  topic  = google_pubsub_topic.this_cold.name
  role   = "roles/pubsub.publisher"
  member = "serviceAccount:service-${local.project_number}@gcp-sa-monitoring-notification.iam.gserviceaccount.com"

  # Google makes the account when there is a channel for it.
  depends_on = [google_monitoring_notification_channel.this_cold]
}

# Starts the job that fills the cache, waits for it, then fetches what is asked for most through the edge.
resource "google_service_account" "this_cold" {
  when = let.warms

  account_id   = shortname("${let.prefix}-${service.name}-cold", 30)
  display_name = "Warms the layers of ${service.name}"
}

resource "google_project_iam_member" "this_cold" {
  when     = let.warms
  for_each = toset(["roles/eventarc.eventReceiver", "roles/logging.logWriter", "roles/run.viewer", "roles/workflows.invoker"])

  project = local.project
  role    = each.value
  member  = google_service_account.this_cold.member
}

resource "google_cloud_run_v2_job_iam_member" "this_cold" {
  when = let.warms

  name     = google_cloud_run_v2_job.this_warm.name
  location = google_cloud_run_v2_job.this_warm.location
  role     = "roles/run.invoker"
  member   = google_service_account.this_cold.member
}

resource "google_workflows_workflow" "this_warm" {
  when = let.warms

  name                = "${let.edge_name}-warm"
  region              = target.region
  description         = "Warms the layers of ${service.name}, from the inside to the outside"
  service_account     = google_service_account.this_cold.id
  deletion_protection = false # it keeps nothing
  source_contents     = file("${path.module}/edge/warm.yaml")

  user_env_vars = {
    JOB   = google_cloud_run_v2_job.this_warm.id
    EDGE  = let.edge_domain == null ? "https://${google_compute_global_address.this_edge.address}" : "https://${let.edge_domain}"
    PATHS = jsonencode(let.full.warm_paths)
    PAUSE = format("%.3f", 1 / let.full.warm_rate)
  }
}

resource "google_eventarc_trigger" "this_warm" {
  when = let.warms

  name            = "${let.edge_name}-warm"
  location        = target.region
  service_account = google_service_account.this_cold.email

  matching_criteria {
    attribute = "type"
    value     = "google.cloud.pubsub.topic.v1.messagePublished"
  }

  transport {
    pubsub {
      topic = google_pubsub_topic.this_cold.id
    }
  }

  destination {
    workflow = google_workflows_workflow.this_warm.id
  }

  depends_on = [google_project_iam_member.this_cold]
}

file "edge/warm.yaml" {
  when    = let.warms
  format  = "text"
  content = <<-EOT
    # Fills the cache, then the edge: the other way round the edge would keep slow answers and ask for them all at once.
    # After a release it is started by hand: gcloud workflows run NAME.
    main:
      params: [event]
      steps:
        - start:
            assign:
              - paths: $${json.decode(sys.get_env("PATHS"))}
              - pause: $${double(sys.get_env("PAUSE"))}
              - open: true
        - from_an_alert:
            switch:
              - condition: $${event != null and "data" in event}
                assign:
                  - open: $${json.decode(base64.decode(event.data.message.data)).incident.state == "open"}
        - only_open:
            switch:
              - condition: $${not open}
                next: end
        - cache:
            call: googleapis.run.v2.projects.locations.jobs.run
            args:
              name: $${sys.get_env("JOB")}
              connector_params:
                timeout: 1800
        - edge:
            for:
              value: path
              in: $${paths}
              steps:
                - fetch:
                    try:
                      call: http.get
                      args:
                        url: $${sys.get_env("EDGE") + path}
                        timeout: 30
                    except:
                      as: e
                      steps:
                        - note:
                            call: sys.log
                            args:
                              data: $${e}
                              severity: WARNING
                - slowly:
                    call: sys.sleep
                    args:
                      seconds: $${pause}
  EOT
}
