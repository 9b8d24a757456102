# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

# Weights are thousandths of the requests.
locals {
  web_tracks = {
    stable = {
      image  = "ghcr.io/acme/web:1.4.2"
      weight = 950
      min    = 3
      max    = 9
    }
    canary = {
      image  = "ghcr.io/acme/web:1.5.0"
      weight = 50
      min    = 1
      max    = 5
    }
  }
}

# What makes a canary bad, against the version beside it. Fewer requests than are stated say nothing.
resource "google_monitoring_alert_policy" "web_rollout" {
  display_name          = "canary-deployment-web: the canary does badly"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = concat(local.notification_channels, [google_monitoring_notification_channel.web_rollback.id])

  conditions {
    display_name = "over 1 % more of its requests fail than of the other version's"

    condition_prometheus_query_language {
      query                     = "100 * ((sum(rate(loadbalancing_googleapis_com:https_backend_request_count{backend_target_name=\"canary-deployment-web-canary\", response_code_class=\"500\"}[3m])) or vector(0)) / sum(rate(loadbalancing_googleapis_com:https_backend_request_count{backend_target_name=\"canary-deployment-web-canary\"}[3m]))) - 100 * ((sum(rate(loadbalancing_googleapis_com:https_backend_request_count{backend_target_name=\"canary-deployment-web-stable\", response_code_class=\"500\"}[3m])) or vector(0)) / sum(rate(loadbalancing_googleapis_com:https_backend_request_count{backend_target_name=\"canary-deployment-web-stable\"}[3m]))) > 1 and sum(increase(loadbalancing_googleapis_com:https_backend_request_count{backend_target_name=\"canary-deployment-web-canary\"}[3m])) > 20"
      duration                  = "0s"
      evaluation_interval       = "60s"
      disable_metric_validation = true # there is no such metric before the first request
    }
  }

  conditions {
    display_name = "one answer in a hundred takes longer than 500ms"

    condition_prometheus_query_language {
      query                     = "histogram_quantile(0.99, sum by (le) (rate(loadbalancing_googleapis_com:https_backend_latencies_bucket{backend_target_name=\"canary-deployment-web-canary\"}[3m]))) > 500 and sum(increase(loadbalancing_googleapis_com:https_backend_request_count{backend_target_name=\"canary-deployment-web-canary\"}[3m])) > 20"
      duration                  = "0s"
      evaluation_interval       = "60s"
      disable_metric_validation = true
    }
  }

  alert_strategy {
    auto_close = "1800s"
  }

  documentation {
    content = "The stable version has all requests again, and no later apply or other weight changes that for this canary_image. The next canary_image starts with its share. To give this one its share back: gcloud compute target-https-proxies update canary-deployment-web-50bedb --url-map=canary-deployment-web --global --global-url-map"
  }
}

# All requests to one version, whatever the shares are: only who names the other in a header gets it.
resource "google_compute_url_map" "web_kept" {
  name            = "canary-deployment-web-stable"
  default_service = google_compute_backend_service.web["stable"].id

  host_rule {
    hosts        = ["*"]
    path_matcher = "kept"
  }

  path_matcher {
    name            = "kept"
    default_service = google_compute_backend_service.web["stable"].id

    route_rules {
      priority = 10
      service  = google_compute_backend_service.web["canary"].id

      match_rules {
        prefix_match = "/"

        header_matches {
          header_name = "X-Canary"
          exact_match = "always"
        }
      }
    }
  }
}

# Every plan says so while an alarm's decision holds.
check "web_rollback" {
  assert {
    condition     = endswith(google_compute_target_https_proxy.web.url_map, "/${google_compute_url_map.web.name}")
    error_message = "An alarm gave all requests of web to the stable version: name another canary_image, or none."
  }
}

resource "google_pubsub_topic" "web_rollback" {
  name = "canary-deployment-web-rollback"
}

resource "google_monitoring_notification_channel" "web_rollback" {
  display_name = "Rollback of canary-deployment-web"
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
  account_id   = "canary-deployment-web-rollback"
  display_name = "Rollback of canary-deployment-web"
}

# The name stays taken for weeks after the role is deleted.
resource "google_project_iam_custom_role" "web_rollback" {
  role_id     = "canary_deployment_web_rollback"
  title       = "Turn the proxies of canary-deployment-web to another URL map"
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
  name                = "canary-deployment-web-rollback"
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
        map   = google_compute_url_map.web_kept.id
      },
    ])
  }
}

resource "google_eventarc_trigger" "web_rollback" {
  name            = "canary-deployment-web-rollback"
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
