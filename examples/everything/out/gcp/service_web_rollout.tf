# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_monitoring_alert_policy" "web_rollout" {
  display_name          = "everything-web: a version that does badly"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = concat(local.notification_channels, [google_monitoring_notification_channel.web_rollback.id])

  conditions {
    display_name = "more than 1 % of the requests fail"

    condition_threshold {
      filter             = "resource.type = \"https_lb_rule\" AND resource.labels.backend_target_name = \"everything-web\" AND metric.type = \"loadbalancing.googleapis.com/https/backend_request_count\" AND metric.labels.response_code_class = 500"
      denominator_filter = "resource.type = \"https_lb_rule\" AND resource.labels.backend_target_name = \"everything-web\" AND metric.type = \"loadbalancing.googleapis.com/https/backend_request_count\""
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
      filter          = "resource.type = \"https_lb_rule\" AND resource.labels.backend_target_name = \"everything-web\" AND metric.type = \"loadbalancing.googleapis.com/https/backend_latencies\""
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
    content = "While an update is under way the group gets the version before it back. An apply that still waits for the update fails, for the template of the version before is in use again. The release is marked as withdrawn, and Terraform refuses to roll it out again: change the blueprint to another one. To try the same again, take the mark off and apply: gcloud pubsub topics update everything-web-rollback --remove-labels=withdrawn"
  }
}

resource "google_pubsub_topic" "web_rollback" {
  name = "everything-web-rollback"
}

resource "google_monitoring_notification_channel" "web_rollback" {
  display_name = "Rollback of everything-web"
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
  account_id   = "everything-web-rollback"
  display_name = "Rollback of everything-web"
}

# The name stays taken for weeks after the role is deleted.
resource "google_project_iam_custom_role" "web_rollback" {
  role_id     = "everything_web_rollback"
  title       = "Mark a release of everything-web as withdrawn"
  permissions = ["pubsub.topics.get", "pubsub.topics.update"]
}

# The mark is a label of the topic, which nothing else writes.
resource "google_pubsub_topic_iam_member" "web_withdrawn" {
  topic  = google_pubsub_topic.web_rollback.name
  role   = google_project_iam_custom_role.web_rollback.id
  member = google_service_account.web_rollback.member
}

resource "google_project_iam_member" "web_rollback" {
  for_each = {
    change = "roles/compute.instanceAdmin.v1"
    event  = "roles/eventarc.eventReceiver"
    invoke = "roles/workflows.invoker"
    log    = "roles/logging.logWriter"
  }

  project = local.project
  role    = each.value
  member  = google_service_account.web_rollback.member
}

# The group starts instances that run as the service's account.
resource "google_service_account_iam_member" "web_rollback" {
  service_account_id = google_service_account.web.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.web_rollback.member
}

resource "google_workflows_workflow" "web_rollback" {
  name                = "everything-web-rollback"
  region              = "europe-west1"
  description         = "Gives web the version back that it had before the update"
  service_account     = google_service_account.web_rollback.id
  call_log_level      = "LOG_ALL_CALLS"
  deletion_protection = false # it keeps nothing
  source_contents     = file("${path.module}/rollback/group.yaml")

  user_env_vars = {
    GROUP = google_compute_region_instance_group_manager.web.id
    TOPIC = google_pubsub_topic.web_rollback.id
  }
}

resource "google_eventarc_trigger" "web_rollback" {
  name            = "everything-web-rollback"
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
