# Groups and URL maps of Google Cloud do not turn back by themselves: an alert starts a workflow that does it.
template "rollback" {
  for  = service
  when = service.runs_on == null && (service.rolling_updates != null || service.blue_green_deployment != null || service.canary_deployment != null)
  file = "service_${service.name}_rollout.tf"
}

let {
  # What the balancer in front counts.
  watch_resource = let.watch == "global" ? "https_lb_rule" : "internal_http_lb_rule"
  watch_backends = let.watch == "edges" ? flatten([for s in service.clients : [for key, line in s.let.lines : shortname("${s.let.name}-to-${key}", 63) if line.to.name == service.name] if s.runs_on == null && s.breaker != null]) : [let.watch == "inside" ? "${let.name}-inside" : let.name]
  watched        = "resource.type = \"${let.watch_resource}\" AND resource.labels.backend_target_name = ${length(let.watch_backends) == 1 ? "\"${let.watch_backends[0]}\"" : "one_of(${join(", ", [for name in let.watch_backends : "\"${name}\""])})"}"
  watch_metrics = let.watch == "global" ? {
    requests  = "loadbalancing.googleapis.com/https/backend_request_count"
    latencies = "loadbalancing.googleapis.com/https/backend_latencies"
    } : {
    requests  = "loadbalancing.googleapis.com/https/internal/request_count"
    latencies = "loadbalancing.googleapis.com/https/internal/backend_latencies"
  }
  watch_queries = let.watch == "global" ? {
    requests  = "loadbalancing_googleapis_com:https_backend_request_count"
    latencies = "loadbalancing_googleapis_com:https_backend_latencies_bucket"
    } : {
    requests  = "loadbalancing_googleapis_com:https_internal_request_count"
    latencies = "loadbalancing_googleapis_com:https_internal_backend_latencies_bucket"
  }
  window_text = let.rollout == null ? "60s" : "${60 * max(1, floor(let.rollout.window / 60))}s"

  # Who gets the traffic back.
  keep = service.blue_green_deployment != null ? service.blue_green_deployment.idle : "stable"
}

resource "google_pubsub_topic" "this_rollback" {
  when = let.rolls_back

  name = "${let.name}-rollback"
}

resource "google_monitoring_notification_channel" "this_rollback" {
  when = let.rolls_back

  display_name = "Rollback of ${let.name}"
  type         = "pubsub"
  labels       = { topic = google_pubsub_topic.this_rollback.id }
}

resource "google_pubsub_topic_iam_member" "this_rollback" {
  when = let.rolls_back

  topic  = google_pubsub_topic.this_rollback.name
  role   = "roles/pubsub.publisher"
  member = "serviceAccount:service-${local.project_number}@gcp-sa-monitoring-notification.iam.gserviceaccount.com"

  # Google makes the account when there is a channel for it.
  depends_on = [google_monitoring_notification_channel.this_rollback]
}

resource "google_service_account" "this_rollback" {
  when = let.rolls_back

  account_id   = shortname("${let.prefix}-${service.name}-rollback", 30)
  display_name = "Rollback of ${let.name}"
}

resource "google_project_iam_member" "this_rollback" {
  when = let.rolls_back
  for_each = toset([
    let.tracked ? "roles/compute.loadBalancerAdmin" : "roles/compute.instanceAdmin.v1",
    "roles/eventarc.eventReceiver",
    "roles/logging.logWriter",
    "roles/workflows.invoker",
  ])

  project = local.project
  role    = each.value
  member  = google_service_account.this_rollback.member
}

# The group starts instances that run as the service's account.
resource "google_service_account_iam_member" "this_rollback" {
  when = let.rolls_back && !let.tracked

  service_account_id = google_service_account.this.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.this_rollback.member
}

resource "google_workflows_workflow" "this_rollback" {
  when = let.rolls_back

  name                = "${let.name}-rollback"
  region              = target.region
  description         = let.tracked ? "Gives the traffic of ${service.name} back to the version before" : "Gives ${service.name} the version back that it had before the update"
  service_account     = google_service_account.this_rollback.id
  call_log_level      = "LOG_ALL_CALLS"
  deletion_protection = false # it keeps nothing
  source_contents     = let.tracked ? file("${path.module}/rollback/weights.yaml") : file("${path.module}/rollback/group.yaml")

  user_env_vars = let.tracked ? {
    KEEP     = "-${let.keep}(-inside)?$"
    URL_MAPS = jsonencode(let.watch == "global" && let.inside == "http" ? [google_compute_url_map.this.id, google_compute_region_url_map.this_inside.id] : let.watch == "global" ? [google_compute_url_map.this.id] : let.watch == "internal" ? [google_compute_region_url_map.this.id] : [google_compute_region_url_map.this_inside.id])
    } : {
    GROUP = google_compute_region_instance_group_manager.this.id
  }
}

resource "google_eventarc_trigger" "this_rollback" {
  when = let.rolls_back

  name            = "${let.name}-rollback"
  location        = target.region
  service_account = google_service_account.this_rollback.email

  matching_criteria {
    attribute = "type"
    value     = "google.cloud.pubsub.topic.v1.messagePublished"
  }

  transport {
    pubsub {
      topic = google_pubsub_topic.this_rollback.id
    }
  }

  destination {
    workflow = google_workflows_workflow.this_rollback.id
  }

  depends_on = [google_project_iam_member.this_rollback]
}

file "rollback/weights.yaml" {
  when    = let.rolls_back && let.tracked
  format  = "text"
  content = <<-EOT
    # Gives all traffic to the version that KEEP matches, in every URL map.
    main:
      params: [event]
      steps:
        - parse:
            assign:
              - alert: $${json.decode(base64.decode(event.data.message.data))}
        - only_open:
            switch:
              - condition: $${alert.incident.state != "open"}
                next: end
        - each_map:
            for:
              value: id
              in: $${json.decode(sys.get_env("URL_MAPS"))}
              steps:
                - read:
                    call: http.get
                    args:
                      url: $${"https://compute.googleapis.com/compute/v1/" + id}
                      auth:
                        type: OAuth2
                    result: map
                - weigh:
                    for:
                      value: choice
                      index: i
                      in: $${map.body.pathMatchers[0].defaultRouteAction.weightedBackendServices}
                      steps:
                        - set:
                            assign:
                              - map.body.pathMatchers[0].defaultRouteAction.weightedBackendServices[i].weight: $${if(text.match_regex(choice.backendService, sys.get_env("KEEP")), 100, 0)}
                - write:
                    call: http.patch
                    args:
                      url: $${"https://compute.googleapis.com/compute/v1/" + id}
                      auth:
                        type: OAuth2
                      body:
                        fingerprint: $${map.body.fingerprint}
                        pathMatchers: $${map.body.pathMatchers}
  EOT
}

file "rollback/group.yaml" {
  when    = let.rolls_back && !let.tracked
  format  = "text"
  content = <<-EOT
    # While an update is under way, gives the group the template back that instances still have from before it.
    main:
      params: [event]
      steps:
        - parse:
            assign:
              - alert: $${json.decode(base64.decode(event.data.message.data))}
              - url: $${"https://compute.googleapis.com/compute/v1/" + sys.get_env("GROUP")}
              - previous: ""
        - only_open:
            switch:
              - condition: $${alert.incident.state != "open"}
                next: end
        - read:
            call: http.get
            args:
              url: $${url}
              auth:
                type: OAuth2
            result: group
        - only_during_an_update:
            switch:
              - condition: $${group.body.status.versionTarget.isReached}
                next: end
        - list:
            call: http.post
            args:
              url: $${url + "/listManagedInstances"}
              auth:
                type: OAuth2
            result: instances
        - find:
            for:
              value: instance
              in: $${instances.body.managedInstances}
              steps:
                - compare:
                    switch:
                      - condition: $${instance.version.instanceTemplate != group.body.versions[0].instanceTemplate}
                        assign:
                          - previous: $${instance.version.instanceTemplate}
        - only_with_a_previous:
            switch:
              - condition: $${previous == ""}
                next: end
        - write:
            call: http.patch
            args:
              url: $${url}
              auth:
                type: OAuth2
              body:
                versions:
                  - name: rolled-back
                    instanceTemplate: $${previous}
  EOT
}
