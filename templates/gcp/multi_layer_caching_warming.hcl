template "multi_layer_caching_warming" {
  for     = service
  pattern = "multi_layer_caching_detailed"
  when    = let.warms
  file    = "service_${service.name}_warm.tf"

  covers = {
    warming = [google_workflows_workflow.this_warm.source_contents, google_cloud_run_v2_job.this_warm.template]
  }
}

# An edge that has gone cold says so here.
resource "google_pubsub_topic" "this_cold" {
  name = "${let.edge_name}-cold"
}

resource "google_monitoring_notification_channel" "this_cold" {
  display_name = "Warming of ${let.edge_name}"
  type         = "pubsub"
  labels       = { topic = google_pubsub_topic.this_cold.id }
}

resource "google_pubsub_topic_iam_member" "this_cold" {
  topic  = google_pubsub_topic.this_cold.name
  role   = "roles/pubsub.publisher"
  member = "serviceAccount:service-${local.project_number}@gcp-sa-monitoring-notification.iam.gserviceaccount.com"

  # Google makes the account when there is a channel for it.
  depends_on = [google_monitoring_notification_channel.this_cold]
}

# Starts the job that fills the cache, waits for it, then fetches what is asked for most through the edge.
resource "google_service_account" "this_cold" {
  account_id   = shortname("${let.prefix}-${service.name}-cold", 30)
  display_name = "Warms the layers of ${service.name}"
}

resource "google_project_iam_member" "this_cold" {
  for_each = toset(["roles/eventarc.eventReceiver", "roles/logging.logWriter", "roles/run.viewer", "roles/workflows.invoker"])

  project = local.project
  role    = each.value
  member  = google_service_account.this_cold.member
}

resource "google_cloud_run_v2_job_iam_member" "this_cold" {
  name     = google_cloud_run_v2_job.this_warm.name
  location = google_cloud_run_v2_job.this_warm.location
  role     = "roles/run.invoker"
  member   = google_service_account.this_cold.member
}

resource "google_workflows_workflow" "this_warm" {
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
