# A second, small group that takes a share of the requests. Raise `weight` in the blueprint step by step.
template "canary_deployment" {
  for  = service
  when = service.runs_on == null
  file = "service_${service.name}_rollout.tf"

  covers = {
    traffic_split = [let.watch == "global" ? google_compute_url_map.this.path_matcher : let.watch == "internal" ? google_compute_region_url_map.this.path_matcher : google_compute_region_url_map.this_inside.path_matcher]
    metrics       = [let.watch == "global" ? google_compute_backend_service.this.log_config : let.watch == "internal" ? google_compute_region_backend_service.this.log_config : google_compute_region_backend_service.this_inside.log_config]
    criteria      = [google_monitoring_alert_policy.this_rollout.conditions]
    rollback      = let.rolls_back ? google_workflows_workflow.this_rollback.source_contents : google_monitoring_alert_policy.this_rollout.documentation
    segments      = [let.watch == "global" ? google_compute_url_map.this.path_matcher.route_rules : let.watch == "internal" ? google_compute_region_url_map.this.path_matcher.route_rules : google_compute_region_url_map.this_inside.path_matcher.route_rules]
  }

  ignores = {
    step_time  = "No controller takes the steps. Who has seen the canary hold raises weight."
    sticky_for = "Each request goes to either version by its share alone. Only those that have the header or the segment stay with the canary."
  }

  check "something_splits" {
    condition = service.balancer != null || contains(["global", "internal", "inside"], let.watch)
    message   = "Nothing stands before both versions of ${service.name} and could share its requests out."
    fix       = "Give it elastic_load_balancing."
    at        = service.canary_deployment.weight
  }
}

let {
  canary      = service.canary_deployment
  other_track = "canary"
  # Who gets the canary, whatever its share.
  track_headers = [
    { name = service.canary_deployment.header, value = service.canary_deployment.header_value },
    { name = "segment", value = service.canary_deployment.segment },
  ]

  thousandths = floor(10 * service.canary_deployment.weight + 0.5)

  window = "${max(1, floor(service.canary_deployment.window / 60))}m"
  suffix = let.watch == "inside" ? "-inside" : ""
  # Share of the requests of a version that fail.
  failing = { for track in ["stable", "canary"] : track =>
    "(sum(rate(${let.watch_queries.requests}{backend_target_name=\"${let.name}-${track}${let.suffix}\", response_code_class=\"500\"}[${let.window}])) or vector(0)) / sum(rate(${let.watch_queries.requests}{backend_target_name=\"${let.name}-${track}${let.suffix}\"}[${let.window}]))"
  }
  enough = "sum(increase(${let.watch_queries.requests}{backend_target_name=\"${let.name}-canary${let.suffix}\"}[${let.window}])) > ${service.canary_deployment.min_requests}"
  slow   = "histogram_quantile(0.99, sum by (le) (rate(${let.watch_queries.latencies}{backend_target_name=\"${let.name}-canary${let.suffix}\"}[${let.window}])))"
}

# Weights are thousandths of the requests.
locals {
  this_tracks = {
    stable = {
      image  = service.image
      weight = 1000 - let.thousandths
      min    = service.min_instances
      max    = service.max_instances
    }
    canary = {
      image  = let.canary.canary_image
      weight = let.thousandths
      min    = let.canary.canary_min
      max    = let.canary.canary_max
    }
  }
}

# What makes a canary bad, against the version beside it. Fewer requests than are stated say nothing.
resource "google_monitoring_alert_policy" "this_rollout" {
  display_name          = "${let.name}: the canary does badly"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = let.rolls_back ? concat(local.notification_channels, [google_monitoring_notification_channel.this_rollback.id]) : local.notification_channels

  conditions {
    display_name = "over ${let.canary.max_errors} % more of its requests fail than of the other version's"

    condition_prometheus_query_language {
      query                     = "100 * (${let.failing.canary}) - 100 * (${let.failing.stable}) > ${let.canary.max_errors} and ${let.enough}"
      duration                  = "0s"
      evaluation_interval       = "60s"
      disable_metric_validation = true # there is no such metric before the first request
    }
  }

  conditions {
    display_name = "one answer in a hundred takes longer than ${duration(let.canary.max_latency)}"

    condition_prometheus_query_language {
      query                     = "${let.slow} > ${1000 * let.canary.max_latency} and ${let.enough}"
      duration                  = "0s"
      evaluation_interval       = "60s"
      disable_metric_validation = true
    }
  }

  alert_strategy {
    auto_close = "1800s"
  }

  documentation {
    content = let.rolls_back ? "The stable version has all requests again, and no later apply or other weight changes that for this canary_image. The next canary_image starts with its share. To give this one its share back: ${let.turned_back}" : "Set weight = 0 in the blueprint, render and apply."
  }
}
