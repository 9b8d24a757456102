# A change reaches the cache first, through its topic, and the edge a little later: otherwise the edge would fetch the
# old value again. A browser cannot be told; it forgets by itself, soon.
template "multi_layer_caching_changes" {
  for     = service
  pattern = "multi_layer_caching"
  file    = "service_${service.name}_edge.tf"
}

resource "google_service_account" "this_edge" {
  account_id   = shortname("${let.prefix}-${service.name}-edge", 30)
  display_name = "Throws what has changed out of the edge of ${service.name}"
}

resource "google_project_iam_member" "this_edge" {
  for_each = {
    purge  = google_project_iam_custom_role.purge.id
    log    = "roles/logging.logWriter"
    invoke = "roles/workflows.invoker"
    event  = "roles/eventarc.eventReceiver"
  }

  project = local.project
  role    = each.value
  member  = google_service_account.this_edge.member
}

resource "google_workflows_workflow" "this_edge" {
  name                = "${let.edge_name}-edge"
  region              = target.region
  description         = "Throws what has changed out of the edge of ${service.name}"
  service_account     = google_service_account.this_edge.id
  deletion_protection = false # it keeps nothing
  source_contents     = file("${path.module}/purge/change.yaml")

  user_env_vars = {
    PROJECT = local.project
    URL_MAP = google_compute_url_map.this_edge.name
    WAIT    = tostring(ceil(max(1, let.layers.max_invalidation / 2)))
  }
}

resource "google_eventarc_trigger" "this_edge" {
  name            = "${let.edge_name}-edge"
  location        = target.region
  service_account = google_service_account.this_edge.email

  matching_criteria {
    attribute = "type"
    value     = "google.cloud.pubsub.topic.v1.messagePublished"
  }

  transport {
    pubsub {
      topic = google_pubsub_topic[let.edge_cache.name].id
    }
  }

  destination {
    workflow = google_workflows_workflow.this_edge.id
  }

  depends_on = [google_project_iam_member.this_edge]
}

file "purge/change.yaml" {
  format  = "text"
  content = <<-EOT
    # A message says what has changed: {"keys": […], "path": "/products/42*"}. The cache has heard it too, and forgets first.
    main:
      params: [event]
      steps:
        - read:
            assign:
              - change: $${json.decode(base64.decode(event.data.message.data))}
        - only_with_a_path:
            switch:
              - condition: $${not("path" in change)}
                next: end
        - cache_first:
            call: sys.sleep
            args:
              seconds: $${int(sys.get_env("WAIT"))}
        - purge:
            call: googleapis.compute.v1.urlMaps.invalidateCache
            args:
              project: $${sys.get_env("PROJECT")}
              urlMap: $${sys.get_env("URL_MAP")}
              body:
                path: $${change.path}
  EOT
}

resource "google_monitoring_alert_policy" "this_edge_changes" {
  display_name          = "${let.edge_name}: changes do not reach the edge"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.notification_channels

  conditions {
    display_name = "a change was not thrown out"

    condition_threshold {
      filter          = "resource.type = \"workflows.googleapis.com/Workflow\" AND resource.labels.workflow_id = \"${google_workflows_workflow.this_edge.name}\" AND metric.type = \"workflows.googleapis.com/finished_execution_count\" AND metric.labels.status = \"FAILED\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_DELTA"
      }
    }
  }

  documentation {
    content = "The edge goes on with an old answer until its time is over, ${span(let.layers.edge_ttl)} at the longest for what the program says nothing about."
  }
}
