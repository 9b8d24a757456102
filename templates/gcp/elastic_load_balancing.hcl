# A load balancer in front of a service on instances. What is asked for decides on its kind: requests from the internet
# are balanced globally, requests from the network regionally, connections are passed through or, world-wide, ended at
# the edge. The templates balancer_* have one kind each; here is what they have in common.
template "elastic_load_balancing" {
  for  = service
  when = service.runs_on == null
  file = "service_${service.name}_balancer.tf"

  check "world_udp" {
    condition = service.balancer.reach == "region" || service.balancer.protocol != "udp"
    message   = "Only HTTP, gRPC and TCP have an address that the whole world takes up; the one of ${service.name} is in ${target.region}. Google's network carries packets to it from near the client, but a second region could not stand behind it."
    fix       = "Set reach = \"region\" if that is enough, or speak TCP."
    at        = service.balancer.reach
    related   = [service.balancer.protocol]
    severity  = "warning"
  }
  check "private_grpc" {
    condition = service.balancer.protocol != "grpc" || service.balancer.layer == 4 || service.balancer.tls
    message   = "A load balancer that reads gRPC speaks it over TLS only, and without a domain the one of ${service.name} has no certificate."
    fix       = "Give it a domain, or set protocol = \"tcp\"."
    at        = service.balancer.protocol
    related   = [service.balancer.public]
  }
  check "slow_start" {
    condition = service.balancer.slow_start == 0
    message   = "Load balancers of Google Cloud give a new instance its whole share at once; ${duration(service.balancer.slow_start)} of slow start cannot be had."
    fix       = "Leave slow_start unset for this target, and let ready_path pass only once the program is warm."
    at        = service.balancer.slow_start
    severity  = "warning"
  }
  # Google's proxies keep connections to instances for 600 s, whatever a load balancer is told.
  check "keep_alive" {
    condition = service.balancer.layer == 4 || service.keep_alive > 600
    message   = "${service.name} closes idle connections after ${duration(service.keep_alive)}, Google's proxies after ten minutes: some requests will meet closed connections (502)."
    fix       = "Let the program keep connections for longer than that, and set keep_alive = \"620s\"."
    at        = service.keep_alive
    severity  = "warning"
  }
  check "paths" {
    condition = alltrue([for path in service.balancer.paths : can(regex("^/[^*]*$|^/(?:[^*]*/)?\\*$", path))])
    message   = "A path may end with /* and has no other star: ${join(", ", [for path in service.balancer.paths : path if !can(regex("^/[^*]*$|^/(?:[^*]*/)?\\*$", path))])}."
    fix       = "Write it like /api/*."
    at        = service.balancer.paths
  }
  check "tracks_need_requests" {
    condition = service.balancer.layer == 7 || (service.blue_green_deployment == null && service.canary_deployment == null)
    message   = "Two versions share requests out, not connections: the load balancer of ${service.name} only passes ${service.balancer.protocol} on."
    fix       = "Use rolling_updates, or set protocol = \"http\"."
    at        = service.balancer.protocol
  }
}

let {
  balancer   = service.balancer
  listens    = service.balancer.layer == 7 && !service.balancer.tls && service.balancer.port == 443 ? 80 : service.balancer.port
  restricted = !contains(service.balancer.allow, "0.0.0.0/0")
  guarded    = let.balancer_kind != "passthrough" && (service.balancer.firewall || let.restricted)
  hosted     = service.balancer.domain != null && target.dns_zone != null && service.balancer.public
  issued     = service.balancer.tls && service.balancer.domain != null # else Terraform asks for a map of certificates
  # Where requests go, as a URL map says it that reads headers too. A star in the end is the rest of the path.
  routes = length(service.balancer.paths) == 0 ? [{ begins = "/", is = null }] : [for path in service.balancer.paths : {
    begins = endswith(path, "*") ? trimsuffix(path, "*") : null
    is     = endswith(path, "*") ? null : path
  }]
  wildcard = service.balancer.domain == null ? false : startswith(service.balancer.domain, "*.")

  # Google names metrics and what they are about after the kind.
  lb_resource = { global = "https_lb_rule", internal = "internal_http_lb_rule", proxy = "tcp_ssl_proxy_rule", passthrough = service.balancer.public ? "tcp_lb_rule" : "internal_tcp_lb_rule" }[let.balancer_kind]
  lb_metrics  = { global = "loadbalancing.googleapis.com/https", internal = "loadbalancing.googleapis.com/https/internal", proxy = "loadbalancing.googleapis.com/tcp_ssl_proxy", passthrough = service.balancer.public ? "loadbalancing.googleapis.com/l3/external" : "loadbalancing.googleapis.com/l3/internal" }[let.balancer_kind]
  lb_requests = let.balancer_kind == "global" ? "${let.lb_metrics}/backend_request_count" : "${let.lb_metrics}/request_count"
}

# What health checks find is in their logs: there is no metric for it.
resource "google_logging_metric" "this_unhealthy" {
  name        = "${let.name}-unhealthy"
  description = "Instances of ${service.name} that stopped answering their health check"
  filter      = "resource.type=\"gce_instance_group\" resource.labels.instance_group_name=~\"^${let.name}${let.tracked ? "-(${let.main_track}|${let.other_track})" : ""}$\" jsonPayload.healthCheckProbeResult.healthState=\"UNHEALTHY\""

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }
}

resource "google_monitoring_alert_policy" "this_unhealthy" {
  display_name          = "${let.name}: instances do not answer"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "more than three in ten minutes"

    condition_threshold {
      filter          = "resource.type = \"gce_instance_group\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.this_unhealthy.name}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 3
      duration        = "0s"

      aggregations {
        alignment_period     = "600s"
        per_series_aligner   = "ALIGN_SUM"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }
}

resource "google_monitoring_alert_policy" "this_balancer" {
  when = let.balancer.layer == 7

  display_name          = "${let.name}: errors and latency"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.notification_channels

  conditions {
    display_name = "more than 1 % of the requests fail for 5 minutes"

    condition_threshold {
      filter             = "resource.type = \"${let.lb_resource}\" AND resource.labels.${let.turns ? "forwarding_rule_name" : "url_map_name"} = \"${let.balancer_kind == "global" ? (let.turns ? google_compute_global_forwarding_rule.this.name : google_compute_url_map.this.name) : (let.turns ? google_compute_forwarding_rule.this_balancer.name : google_compute_region_url_map.this.name)}\" AND metric.type = \"${let.lb_requests}\" AND metric.labels.response_code_class = 500"
      denominator_filter = "resource.type = \"${let.lb_resource}\" AND resource.labels.${let.turns ? "forwarding_rule_name" : "url_map_name"} = \"${let.balancer_kind == "global" ? (let.turns ? google_compute_global_forwarding_rule.this.name : google_compute_url_map.this.name) : (let.turns ? google_compute_forwarding_rule.this_balancer.name : google_compute_region_url_map.this.name)}\" AND metric.type = \"${let.lb_requests}\""
      comparison         = "COMPARISON_GT"
      threshold_value    = 0.01
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

  conditions {
    display_name = "one answer in a hundred takes longer than half of what a request may take"

    condition_threshold {
      filter          = "resource.type = \"${let.lb_resource}\" AND resource.labels.${let.turns ? "forwarding_rule_name" : "url_map_name"} = \"${let.balancer_kind == "global" ? (let.turns ? google_compute_global_forwarding_rule.this.name : google_compute_url_map.this.name) : (let.turns ? google_compute_forwarding_rule.this_balancer.name : google_compute_region_url_map.this.name)}\" AND metric.type = \"${let.lb_metrics}/backend_latencies\""
      comparison      = "COMPARISON_GT"
      threshold_value = 1000 * service.request_timeout / 2
      duration        = "300s"

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_PERCENTILE_99"
        cross_series_reducer = "REDUCE_MAX"
      }
    }
  }
}

resource "google_monitoring_alert_policy" "this_imbalance" {
  when = let.balancer.layer == 7 && service.zones > 1

  display_name          = "${let.name}: uneven load"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "a zone gets more than twice the requests of another for half an hour"

    condition_prometheus_query_language {
      query               = "max(sum by (backend_scope) (rate(loadbalancing_googleapis_com:${let.balancer_kind == "global" ? "https_backend_request_count" : "https_internal_request_count"}{${let.turns ? "forwarding_rule_name" : "url_map_name"}=\"${let.balancer_kind == "global" ? (let.turns ? google_compute_global_forwarding_rule.this.name : google_compute_url_map.this.name) : (let.turns ? google_compute_forwarding_rule.this_balancer.name : google_compute_region_url_map.this.name)}\"}[10m]))) / min(sum by (backend_scope) (rate(loadbalancing_googleapis_com:${let.balancer_kind == "global" ? "https_backend_request_count" : "https_internal_request_count"}{${let.turns ? "forwarding_rule_name" : "url_map_name"}=\"${let.balancer_kind == "global" ? (let.turns ? google_compute_global_forwarding_rule.this.name : google_compute_url_map.this.name) : (let.turns ? google_compute_forwarding_rule.this_balancer.name : google_compute_region_url_map.this.name)}\"}[10m]))) > 2"
      duration            = "1800s"
      evaluation_interval = "60s"
    }
  }
}

# Round trips say whether connections suffer; what is said over them is not read.
resource "google_monitoring_alert_policy" "this_balancer" {
  when = let.balancer.layer == 4 && let.transport == "tcp"

  display_name          = "${let.name}: latency"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "one round trip in twenty takes longer than 200 ms"

    condition_threshold {
      filter          = let.balancer_kind == "proxy" ? "resource.type = \"${let.lb_resource}\" AND resource.labels.backend_target_name = \"${google_compute_backend_service.this.name}\" AND metric.type = \"${let.lb_metrics}/frontend_tcp_rtt\"" : "resource.type = \"${let.lb_resource}\" AND resource.labels.backend_target_name = \"${google_compute_region_backend_service.this.name}\" AND metric.type = \"${let.lb_metrics}/rtt_latencies\""
      comparison      = "COMPARISON_GT"
      threshold_value = 200
      duration        = "300s"

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_PERCENTILE_95"
        cross_series_reducer = "REDUCE_MAX"
      }
    }
  }
}
