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

  # What an alarm turns, and how a person turns it back.
  front  = let.balancer_kind == "global" ? "global" : let.balancer_kind == "internal" ? (service.balancer.tls ? "secure" : "plain") : "none"
  turned = concat(let.front == "none" ? [] : [let.front], let.inside == "http" ? ["inside"] : [])
  back = { for front in let.turned : front =>
    "gcloud compute target-${front == "plain" || front == "inside" ? "http" : "https"}-proxies update ${let.name}-${let.release}${front == "inside" ? "-inside" : ""} --url-map=${let.name}${front == "inside" ? "-inside" : ""} ${front == "global" ? "--global --global-url-map" : "--region=${target.region} --url-map-region=${target.region}"}"
  }
  turned_text = service.blue_green_deployment != null ? "An alarm gave all requests of ${service.name} to ${service.blue_green_deployment.idle}: set live = \"${service.blue_green_deployment.idle}\" before anything else is changed." : "An alarm gave all requests of ${service.name} to the stable version: name another canary_image, or none."
  turned_back = join(" && ", values(let.back))
}

# All requests to one version, whatever the shares are: only who names the other in a header gets it.
resource "google_compute_url_map" "this_kept" {
  when     = let.turns && let.front == "global"
  for_each = service.blue_green_deployment != null ? let.kept : null

  name            = service.blue_green_deployment != null ? "${let.name}-${each.key}" : "${let.name}-stable"
  default_service = service.blue_green_deployment != null ? google_compute_backend_service.this[each.key].id : google_compute_backend_service.this["stable"].id

  host_rule {
    hosts        = ["*"]
    path_matcher = "kept"
  }

  path_matcher {
    name            = "kept"
    default_service = length(service.balancer.paths) > 0 ? null : service.blue_green_deployment != null ? google_compute_backend_service.this[each.key].id : google_compute_backend_service.this["stable"].id

    # Only the paths below; the rest is nobody's.
    default_route_action {
      when = length(service.balancer.paths) > 0

      weighted_backend_services {
        backend_service = service.blue_green_deployment != null ? google_compute_backend_service.this[each.key].id : google_compute_backend_service.this["stable"].id
        weight          = 100
      }

      fault_injection_policy {
        abort {
          http_status = 404
          percentage  = 100
        }
      }
    }

    route_rules {
      priority = 10
      service  = service.blue_green_deployment != null ? google_compute_backend_service.this[each.value].id : google_compute_backend_service.this["canary"].id

      dynamic "match_rules" {
        for_each = let.routes

        content {
          prefix_match    = match_rules.value.begins
          full_path_match = match_rules.value.is

          header_matches {
            header_name = let.track_headers[0].name
            exact_match = let.track_headers[0].value
          }
        }
      }
    }

    route_rules {
      when = length(service.balancer.paths) > 0

      priority = 20
      service  = service.blue_green_deployment != null ? google_compute_backend_service.this[each.key].id : google_compute_backend_service.this["stable"].id

      dynamic "match_rules" {
        for_each = let.routes

        content {
          prefix_match    = match_rules.value.begins
          full_path_match = match_rules.value.is
        }
      }
    }
  }
}

# All requests to one version, whatever the shares are: only who names the other in a header gets it.
resource "google_compute_region_url_map" "this_kept" {
  when     = let.turns && (let.front == "secure" || let.front == "plain")
  for_each = service.blue_green_deployment != null ? let.kept : null

  name            = service.blue_green_deployment != null ? "${let.name}-${each.key}" : "${let.name}-stable"
  default_service = service.blue_green_deployment != null ? google_compute_region_backend_service.this[each.key].id : google_compute_region_backend_service.this["stable"].id

  host_rule {
    hosts        = ["*"]
    path_matcher = "kept"
  }

  path_matcher {
    name            = "kept"
    default_service = length(service.balancer.paths) > 0 ? null : service.blue_green_deployment != null ? google_compute_region_backend_service.this[each.key].id : google_compute_region_backend_service.this["stable"].id

    # Only the paths below; the rest is nobody's.
    default_route_action {
      when = length(service.balancer.paths) > 0

      weighted_backend_services {
        backend_service = service.blue_green_deployment != null ? google_compute_region_backend_service.this[each.key].id : google_compute_region_backend_service.this["stable"].id
        weight          = 100
      }

      fault_injection_policy {
        abort {
          http_status = 404
          percentage  = 100
        }
      }
    }

    route_rules {
      priority = 10
      service  = service.blue_green_deployment != null ? google_compute_region_backend_service.this[each.value].id : google_compute_region_backend_service.this["canary"].id

      dynamic "match_rules" {
        for_each = let.routes

        content {
          prefix_match    = match_rules.value.begins
          full_path_match = match_rules.value.is

          header_matches {
            header_name = let.track_headers[0].name
            exact_match = let.track_headers[0].value
          }
        }
      }
    }

    route_rules {
      when = length(service.balancer.paths) > 0

      priority = 20
      service  = service.blue_green_deployment != null ? google_compute_region_backend_service.this[each.key].id : google_compute_region_backend_service.this["stable"].id

      dynamic "match_rules" {
        for_each = let.routes

        content {
          prefix_match    = match_rules.value.begins
          full_path_match = match_rules.value.is
        }
      }
    }
  }
}

# The same for callers from the network.
resource "google_compute_region_url_map" "this_kept_inside" {
  when     = let.turns && let.inside == "http"
  for_each = service.blue_green_deployment != null ? let.kept : null

  name            = service.blue_green_deployment != null ? "${let.name}-${each.key}-inside" : "${let.name}-stable-inside"
  default_service = service.blue_green_deployment != null ? google_compute_region_backend_service.this_inside[each.key].id : google_compute_region_backend_service.this_inside["stable"].id

  host_rule {
    hosts        = ["*"]
    path_matcher = "kept"
  }

  path_matcher {
    name            = "kept"
    default_service = service.blue_green_deployment != null ? google_compute_region_backend_service.this_inside[each.key].id : google_compute_region_backend_service.this_inside["stable"].id

    route_rules {
      priority = 10
      service  = service.blue_green_deployment != null ? google_compute_region_backend_service.this_inside[each.value].id : google_compute_region_backend_service.this_inside["canary"].id

      match_rules {
        prefix_match = "/"

        header_matches {
          header_name = let.track_headers[0].name
          exact_match = let.track_headers[0].value
        }
      }
    }
  }
}

# A release has a proxy of its own, which starts with the shares. Where it leads from then on is the rollback's: no
# later apply gives a bad version its requests back.
extend "google_compute_target_https_proxy" "this" {
  when = let.turns && let.front == "global"

  lifecycle {
    create_before_destroy = true
    ignore_changes        = [url_map]
  }

  depends_on = [google_compute_url_map.this_kept]
}

# With rollback = "alarms" it has another name, and the address needs one all the time.
extend "google_compute_target_https_proxy" "this" {
  when = let.tracked && !let.turns && let.front == "global"

  lifecycle {
    create_before_destroy = true
  }
}

# A release has a proxy of its own, which starts with the shares. Where it leads from then on is the rollback's: no
# later apply gives a bad version its requests back.
extend "google_compute_region_target_https_proxy" "this" {
  when = let.turns && let.front == "secure"

  lifecycle {
    create_before_destroy = true
    ignore_changes        = [url_map]
  }

  depends_on = [google_compute_region_url_map.this_kept]
}

# With rollback = "alarms" it has another name, and the address needs one all the time.
extend "google_compute_region_target_https_proxy" "this" {
  when = let.tracked && !let.turns && let.front == "secure"

  lifecycle {
    create_before_destroy = true
  }
}

# A release has a proxy of its own, which starts with the shares. Where it leads from then on is the rollback's: no
# later apply gives a bad version its requests back.
extend "google_compute_region_target_http_proxy" "this" {
  when = let.turns && let.front == "plain"

  lifecycle {
    create_before_destroy = true
    ignore_changes        = [url_map]
  }

  depends_on = [google_compute_region_url_map.this_kept]
}

# With rollback = "alarms" it has another name, and the address needs one all the time.
extend "google_compute_region_target_http_proxy" "this" {
  when = let.tracked && !let.turns && let.front == "plain"

  lifecycle {
    create_before_destroy = true
  }
}

# A release has a proxy of its own, which starts with the shares. Where it leads from then on is the rollback's: no
# later apply gives a bad version its requests back.
extend "google_compute_region_target_http_proxy" "this_inside" {
  when = let.turns && let.inside == "http"

  lifecycle {
    create_before_destroy = true
    ignore_changes        = [url_map]
  }

  depends_on = [google_compute_region_url_map.this_kept_inside]
}

# With rollback = "alarms" it has another name, and the address needs one all the time.
extend "google_compute_region_target_http_proxy" "this_inside" {
  when = let.tracked && !let.turns && let.inside == "http"

  lifecycle {
    create_before_destroy = true
  }
}

# Every plan says so while an alarm's decision holds.
check "this_rollback" {
  when = let.turns

  assert {
    when = let.front == "global"

    condition     = endswith(google_compute_target_https_proxy.this.url_map, "/${google_compute_url_map.this.name}")
    error_message = let.turned_text
  }

  assert {
    when = let.front == "secure"

    condition     = endswith(google_compute_region_target_https_proxy.this.url_map, "/${google_compute_region_url_map.this.name}")
    error_message = let.turned_text
  }

  assert {
    when = let.front == "plain"

    condition     = endswith(google_compute_region_target_http_proxy.this.url_map, "/${google_compute_region_url_map.this.name}")
    error_message = let.turned_text
  }

  assert {
    when = let.inside == "http"

    condition     = endswith(google_compute_region_target_http_proxy.this_inside.url_map, "/${google_compute_region_url_map.this_inside.name}")
    error_message = let.turned_text
  }
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

# The name stays taken for weeks after the role is deleted.
resource "google_project_iam_custom_role" "this_rollback" {
  when = let.rolls_back

  role_id = "${replace(let.name, "-", "_")}_rollback"
  title   = let.tracked ? "Turn the proxies of ${let.name} to another URL map" : "Mark a release of ${let.name} as withdrawn"
  permissions = let.tracked ? concat(
    let.front == "global" ? ["compute.targetHttpsProxies.setUrlMap", "compute.urlMaps.use"] : [],
    let.front == "secure" ? ["compute.regionTargetHttpsProxies.setUrlMap"] : [],
    let.front == "plain" || let.inside == "http" ? ["compute.regionTargetHttpProxies.setUrlMap"] : [],
    let.front != "global" || let.inside == "http" ? ["compute.regionUrlMaps.use"] : [],
  ) : ["pubsub.topics.get", "pubsub.topics.update"]
}

# The mark is a label of the topic, which nothing else writes.
resource "google_pubsub_topic_iam_member" "this_withdrawn" {
  when = let.rolls_back && !let.tracked

  topic  = google_pubsub_topic.this_rollback.name
  role   = google_project_iam_custom_role.this_rollback.id
  member = google_service_account.this_rollback.member
}

resource "google_project_iam_member" "this_rollback" {
  when = let.rolls_back
  for_each = {
    change = let.tracked ? google_project_iam_custom_role.this_rollback.id : "roles/compute.instanceAdmin.v1"
    event  = "roles/eventarc.eventReceiver"
    invoke = "roles/workflows.invoker"
    log    = "roles/logging.logWriter"
  }

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
  source_contents     = let.tracked ? file("${path.module}/rollback/traffic.yaml") : file("${path.module}/rollback/group.yaml")

  user_env_vars = let.tracked ? {
    PROXIES = jsonencode([for front in let.turned : {
      proxy = (
        front == "global" ? "projects/${local.project}/targetHttpsProxies/${google_compute_target_https_proxy.this.name}" :
        front == "secure" ? google_compute_region_target_https_proxy.this.id :
        front == "plain" ? google_compute_region_target_http_proxy.this.id : google_compute_region_target_http_proxy.this_inside.id
      )
      map = (
        front == "global" ? (service.blue_green_deployment != null ? google_compute_url_map.this_kept[service.blue_green_deployment.idle].id : google_compute_url_map.this_kept.id) :
        front == "inside" ? (service.blue_green_deployment != null ? google_compute_region_url_map.this_kept_inside[service.blue_green_deployment.idle].id : google_compute_region_url_map.this_kept_inside.id) :
        service.blue_green_deployment != null ? google_compute_region_url_map.this_kept[service.blue_green_deployment.idle].id : google_compute_region_url_map.this_kept.id
      )
    }])
    } : {
    GROUP = google_compute_region_instance_group_manager.this.id
    TOPIC = google_pubsub_topic.this_rollback.id
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

file "rollback/traffic.yaml" {
  when    = let.rolls_back && let.tracked
  format  = "text"
  content = <<-EOT
    # Turns each proxy to the map that gives all requests to the version that is kept. The shares stay as they are written.
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
        - each_proxy:
            for:
              value: turn
              in: $${json.decode(sys.get_env("PROXIES"))}
              steps:
                - turn_it:
                    call: http.post
                    args:
                      url: $${"https://compute.googleapis.com/compute/v1/" + turn.proxy + "/setUrlMap"}
                      auth:
                        type: OAuth2
                      body:
                        urlMap: $${turn.map}
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
        # Withdrawn before it is taken back, so that no apply brings it again.
        - read_topic:
            call: http.get
            args:
              url: $${"https://pubsub.googleapis.com/v1/" + sys.get_env("TOPIC")}
              auth:
                type: OAuth2
            result: topic
        - mark:
            assign:
              - path: $${text.split(group.body.versions[0].instanceTemplate, "/")}
              - labels: $${topic.body.labels}
              - labels.withdrawn: $${path[len(path) - 1]}
        - write_topic:
            call: http.patch
            args:
              url: $${"https://pubsub.googleapis.com/v1/" + sys.get_env("TOPIC")}
              auth:
                type: OAuth2
              body:
                topic:
                  name: $${sys.get_env("TOPIC")}
                  labels: $${labels}
                updateMask: labels
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
