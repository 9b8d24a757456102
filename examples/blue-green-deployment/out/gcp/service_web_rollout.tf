# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

locals {
  web_tracks = {
    blue = {
      image  = "ghcr.io/acme/web:1.4.2"
      max    = 9
      min    = 3
      weight = 100
    }
    green = {
      image  = "ghcr.io/acme/web:1.5.0"
      max    = 9
      min    = 3
      weight = 0
    }
  }
}

# Asks the colour that does not serve, before it gets anyone's requests.
resource "google_monitoring_uptime_check_config" "web_smoke" {
  display_name     = "blue-green-deployment-web: the next version"
  timeout          = "10s"
  period           = "60s"
  selected_regions = ["EUROPE", "USA", "ASIA_PACIFIC"]

  http_check {
    path         = "/readyz"
    port         = 443
    use_ssl      = true
    validate_ssl = true
    headers      = { x-release = "next" }

    accepted_response_status_codes {
      status_class = "STATUS_CLASS_2XX"
    }
  }

  monitored_resource {
    type = "uptime_url"

    labels = {
      project_id = local.project
      host       = "shop.example.com"
    }
  }
}

resource "google_monitoring_alert_policy" "web_smoke" {
  display_name          = "blue-green-deployment-web: the next version does not answer"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "it fails from more than one part of the world"

    condition_threshold {
      filter          = "resource.type = \"uptime_url\" AND metric.type = \"monitoring.googleapis.com/uptime_check/check_passed\" AND metric.labels.check_id = \"${google_monitoring_uptime_check_config.web_smoke.uptime_check_id}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 1
      duration        = "60s"

      aggregations {
        alignment_period     = "120s"
        per_series_aligner   = "ALIGN_NEXT_OLDER"
        cross_series_reducer = "REDUCE_COUNT_FALSE"
        group_by_fields      = ["resource.label.host"]
      }
    }
  }

  documentation {
    content = "Do not switch to it. The colour that serves is not affected."
  }
}

resource "google_monitoring_alert_policy" "web_rollout" {
  display_name          = "blue-green-deployment-web: blue does badly"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = concat(local.notification_channels, [google_monitoring_notification_channel.web_rollback.id])

  conditions {
    display_name = "more than 1 % of the requests fail"

    condition_threshold {
      filter             = "resource.type = \"https_lb_rule\" AND resource.labels.backend_target_name = \"blue-green-deployment-web-blue\" AND metric.type = \"loadbalancing.googleapis.com/https/backend_request_count\" AND metric.labels.response_code_class = 500"
      denominator_filter = "resource.type = \"https_lb_rule\" AND resource.labels.backend_target_name = \"blue-green-deployment-web-blue\" AND metric.type = \"loadbalancing.googleapis.com/https/backend_request_count\""
      comparison         = "COMPARISON_GT"
      threshold_value    = 0.01
      duration           = "180s"

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

  conditions {
    display_name = "one answer in a hundred takes longer than 1s"

    condition_threshold {
      filter          = "resource.type = \"https_lb_rule\" AND resource.labels.backend_target_name = \"blue-green-deployment-web-blue\" AND metric.type = \"loadbalancing.googleapis.com/https/backend_latencies\""
      comparison      = "COMPARISON_GT"
      threshold_value = 1000
      duration        = "180s"

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_PERCENTILE_99"
        cross_series_reducer = "REDUCE_MAX"
      }
    }
  }

  alert_strategy {
    auto_close = "1800s"
  }

  documentation {
    content = "green has all requests now, and later applies leave them there: set live = \"green\" in the blueprint. They are blue's again once it has another image and is live. To give them back to the same one: gcloud compute target-https-proxies update blue-green-deployment-web-03fd88 --url-map=blue-green-deployment-web --global --global-url-map"
  }
}

# All requests to one version, whatever the shares are: only who names the other in a header gets it.
resource "google_compute_url_map" "web_kept" {
  for_each = { blue = "green", green = "blue" }

  name            = "blue-green-deployment-web-${each.key}"
  default_service = google_compute_backend_service.web[each.key].id

  host_rule {
    hosts        = ["*"]
    path_matcher = "kept"
  }

  path_matcher {
    name            = "kept"
    default_service = google_compute_backend_service.web[each.key].id

    route_rules {
      priority = 10
      service  = google_compute_backend_service.web[each.value].id

      match_rules {
        prefix_match = "/"

        header_matches {
          header_name = "x-release"
          exact_match = "next"
        }
      }
    }
  }
}

# Every plan says so while an alarm's decision holds.
check "web_rollback" {
  assert {
    condition     = endswith(google_compute_target_https_proxy.web.url_map, "/${google_compute_url_map.web.name}")
    error_message = "An alarm gave all requests of web to green: set live = \"green\" before anything else is changed."
  }
}

resource "google_pubsub_topic" "web_rollback" {
  name = "blue-green-deployment-web-rollback"
}

resource "google_monitoring_notification_channel" "web_rollback" {
  display_name = "Rollback of blue-green-deployment-web"
  type         = "pubsub"
  labels       = { topic = google_pubsub_topic.web_rollback.id }
}

resource "google_pubsub_topic_iam_member" "web_rollback" {
  topic  = google_pubsub_topic.web_rollback.name
  role   = "roles/pubsub.publisher"
  member = "serviceAccount:service-${local.project_number}@gcp-sa-monitoring-notification.iam.gserviceaccount.com"

  # Google makes the account when there is a channel for it.
  depends_on = [google_monitoring_notification_channel.web_rollback]
}

resource "google_service_account" "web_rollback" {
  account_id   = "blue-green-deployment-w-0de919"
  display_name = "Rollback of blue-green-deployment-web"
}

# The name stays taken for weeks after the role is deleted.
resource "google_project_iam_custom_role" "web_rollback" {
  role_id     = "blue_green_deployment_web_rollback"
  title       = "Turn the proxies of blue-green-deployment-web to another URL map"
  permissions = ["compute.targetHttpsProxies.setUrlMap", "compute.urlMaps.use"]
}

resource "google_project_iam_member" "web_rollback" {
  for_each = {
    change = google_project_iam_custom_role.web_rollback.id
    event  = "roles/eventarc.eventReceiver"
    invoke = "roles/workflows.invoker"
    log    = "roles/logging.logWriter"
  }

  project = local.project
  role    = each.value
  member  = google_service_account.web_rollback.member
}

resource "google_workflows_workflow" "web_rollback" {
  name                = "blue-green-deployment-web-rollback"
  region              = "europe-west1"
  description         = "Gives the traffic of web back to the version before"
  service_account     = google_service_account.web_rollback.id
  call_log_level      = "LOG_ALL_CALLS"
  deletion_protection = false # it keeps nothing
  source_contents     = file("${path.module}/rollback/traffic.yaml")

  user_env_vars = {
    PROXIES = jsonencode([
      {
        proxy = "projects/${local.project}/targetHttpsProxies/${google_compute_target_https_proxy.web.name}"
        map   = google_compute_url_map.web_kept["green"].id
      },
    ])
  }
}

resource "google_eventarc_trigger" "web_rollback" {
  name            = "blue-green-deployment-web-rollback"
  location        = "europe-west1"
  service_account = google_service_account.web_rollback.email

  matching_criteria {
    attribute = "type"
    value     = "google.cloud.pubsub.topic.v1.messagePublished"
  }

  transport {
    pubsub {
      topic = google_pubsub_topic.web_rollback.id
    }
  }

  destination {
    workflow = google_workflows_workflow.web_rollback.id
  }

  depends_on = [google_project_iam_member.web_rollback]
}
