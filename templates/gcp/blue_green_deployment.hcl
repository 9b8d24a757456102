# Two equal groups behind one URL map. The word `live` in the blueprint decides who answers.
template "blue_green_deployment" {
  for  = service
  when = service.runs_on == null
  file = "service_${service.name}_rollout.tf"

  covers = {
    double_capacity = [let.scaled ? google_compute_region_autoscaler.this.autoscaling_policy.min_replicas : google_compute_region_instance_group_manager.this.target_size]
    smoke_tests     = [google_monitoring_uptime_check_config.this_smoke.http_check]
    fast_switch     = [let.watch == "global" ? google_compute_url_map.this.path_matcher : let.watch == "internal" ? google_compute_region_url_map.this.path_matcher : google_compute_region_url_map.this_inside.path_matcher]
    rollback        = [let.rolls_back ? google_workflows_workflow.this_rollback.source_contents : google_monitoring_alert_policy.this_rollout.documentation]
  }
  approximates = {
    shared_data = {
      by  = [service.backward_compatible]
      why = "Both colours share the data stores; that a change of the schema suits both of them is promised by the blueprint (expand, then contract) and cannot be seen in what is rendered."
    }
  }

  ignores = {
    promote    = service.blue_green_deployment.promote == "operator" ? null : "No controller runs the tests and switches. Who has seen them pass changes live."
    keep_old   = "It is for the controller of a cluster. The other colour stays as large as idle_warm says."
    smoke_port = "The colour that does not serve has no port of its own: the header x-release leads to it, on the same address."
    smoke_from = "Whoever may send requests at all reaches the colour that does not serve too, by the header x-release: a load balancer cannot ask where a header comes from. allow limits both."
  }

  check "something_switches" {
    condition = service.balancer != null || contains(["global", "internal", "inside"], let.watch)
    message   = "Nothing stands before both colours of ${service.name} and could move its requests from one to the other."
    fix       = "Give it elastic_load_balancing."
    at        = service.blue_green_deployment.live
  }
  check "callers_stay" {
    condition = !let.turns || length(service.clients) == length(let.callers)
    message   = "These break their calls to ${service.name} by themselves and reach ${service.blue_green_deployment.live} without its load balancer, so an alarm does not turn them: ${join(", ", setsubtract(service.clients[*].name, let.callers[*].name))}."
    fix       = "Count on it for the other callers only, and change live for these; or drop circuit_breaker from them."
    at        = service.blue_green_deployment.rollback
    severity  = "warning"
  }
  check "connections_stay" {
    condition = !let.turns || let.inside != "direct"
    message   = "These come to ${service.blue_green_deployment.live} of ${service.name} by connection, past the load balancer, so an alarm does not turn them: ${join(", ", let.callers[*].name)}."
    fix       = "Count on it for the other clients only, and change live for these${let.narrowed ? "; or leave allow unset" : ""}."
    at        = service.blue_green_deployment.rollback
    severity  = "warning"
  }
}

let {
  colours     = service.blue_green_deployment
  other_track = service.blue_green_deployment.idle
  # A request with this header reaches the colour that does not serve, on the same address and with the same certificate.
  track_headers = [{ name = "x-release", value = "next" }]
  live_backend  = "resource.type = \"${let.watch_resource}\" AND resource.labels.backend_target_name = \"${let.name}-${service.blue_green_deployment.live}${let.watch == "inside" ? "-inside" : ""}\""
  smokable      = let.watch == "global" && let.issued && !let.wildcard
}

locals {
  this_tracks = {
    for name, colour in let.colours.colours : name => {
      image  = colour.image
      weight = colour.weight
      min    = max(let.scaled ? 1 : 0, colour.min) # an autoscaler keeps at least one
      max    = service.max_instances
    }
  }
}

# Asks the colour that does not serve, before it gets anyone's requests.
resource "google_monitoring_uptime_check_config" "this_smoke" {
  when = let.smokable

  display_name     = "${let.name}: the next version"
  timeout          = "10s"
  period           = "60s"
  selected_regions = ["EUROPE", "USA", "ASIA_PACIFIC"]

  http_check {
    path         = let.colours.smoke_path
    port         = let.listens
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
      host       = service.balancer.domain
    }
  }
}

resource "google_monitoring_alert_policy" "this_smoke" {
  when = let.smokable

  display_name          = "${let.name}: the next version does not answer"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "it fails from more than one part of the world"

    condition_threshold {
      filter          = "resource.type = \"uptime_url\" AND metric.type = \"monitoring.googleapis.com/uptime_check/check_passed\" AND metric.labels.check_id = \"${google_monitoring_uptime_check_config.this_smoke.uptime_check_id}\""
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

resource "google_monitoring_alert_policy" "this_rollout" {
  display_name          = "${let.name}: ${let.colours.live} does badly"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = let.rolls_back ? concat(local.notification_channels, [google_monitoring_notification_channel.this_rollback.id]) : local.notification_channels

  conditions {
    display_name = "more than ${let.colours.max_errors} % of the requests fail"

    condition_threshold {
      filter             = "${let.live_backend} AND metric.type = \"${let.watch_metrics.requests}\" AND metric.labels.response_code_class = 500"
      denominator_filter = "${let.live_backend} AND metric.type = \"${let.watch_metrics.requests}\""
      comparison         = "COMPARISON_GT"
      threshold_value    = let.colours.max_errors / 100
      duration           = let.window_text

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
    display_name = "one answer in a hundred takes longer than ${duration(let.colours.max_latency)}"

    condition_threshold {
      filter          = "${let.live_backend} AND metric.type = \"${let.watch_metrics.latencies}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 1000 * let.colours.max_latency
      duration        = let.window_text

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
    content = let.rolls_back ? "${let.colours.idle} has all requests now, and later applies leave them there: set live = \"${let.colours.idle}\" in the blueprint. They are ${let.colours.live}'s again once it has another image and is live. To give them back to the same one: ${let.turned_back}" : "Roll back: set live = \"${let.colours.idle}\" in the blueprint, render and apply. All edges know within minutes."
  }
}
