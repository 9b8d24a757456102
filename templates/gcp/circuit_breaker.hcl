# The breaker stands at the caller's door: every destination has a load balancer of the caller's own, whose proxies stop
# calling what fails. A service that calls nobody has it in front of itself.
template "circuit_breaker" {
  for  = service
  when = service.runs_on == null && let.guarded_by != "none"
  file = "service_${service.name}_breaker.tf"

  approximates = {
    thresholds = {
      by  = [let.guarded_by == "edges" ? google_compute_region_backend_service.this_to.circuit_breakers : let.guarded_by == "inside" ? google_compute_region_backend_service.this_inside.circuit_breakers : let.guarded_by == "internal" ? google_compute_region_backend_service.this.circuit_breakers : let.guarded_by == "outside" ? google_compute_region_backend_service.this_outside.circuit_breakers : google_compute_backend_service.this.outlier_detection]
      why = let.guarded_by == "global" ? "The proxies at Google's edge count failures in a row; calls at work and the share of failures they do not." : "Failures in a row and calls at work are counted; the share of a host's failures is not."
    }
    timeouts = {
      by  = [let.guarded_by == "edges" ? google_compute_region_url_map.this_to.path_matcher : let.guarded_by == "inside" ? google_compute_region_backend_service.this_inside.timeout_sec : let.guarded_by == "internal" ? google_compute_region_backend_service.this.timeout_sec : let.guarded_by == "outside" ? google_compute_region_url_map.this_outside.path_matcher : google_compute_backend_service.this.timeout_sec]
      why = "A try and a call have a limit; how long connecting may take cannot be set on Google Cloud without its beta."
    }
    fallback = {
      by  = [let.guarded_by == "edges" ? google_compute_region_backend_service.this_to.circuit_breakers : let.guarded_by == "inside" ? google_compute_region_backend_service.this_inside.circuit_breakers : let.guarded_by == "internal" ? google_compute_region_backend_service.this.circuit_breakers : let.guarded_by == "outside" ? google_compute_region_backend_service.this_outside.circuit_breakers : google_compute_backend_service.this.outlier_detection]
      why = "A call that is not let through gets 503 at once. A load balancer cannot answer it in another's place: the caller asks again with the header x-fallback, which leads to the fallback where one is named."
    }
    half_open = {
      by  = [let.guarded_by == "edges" ? google_compute_region_backend_service.this_to.outlier_detection.base_ejection_time : let.guarded_by == "inside" ? google_compute_region_backend_service.this_inside.outlier_detection.base_ejection_time : let.guarded_by == "internal" ? google_compute_region_backend_service.this.outlier_detection.base_ejection_time : let.guarded_by == "outside" ? google_compute_region_backend_service.this_outside.outlier_detection.base_ejection_time : google_compute_backend_service.this.outlier_detection.base_ejection_time]
      why = "A host comes back after open_for with its full share, and is left alone for longer if it still fails; there are no trial calls."
    }
  }
  covers = {
    states = [google_logging_metric.this_breaker.filter, google_monitoring_alert_policy.this_breaker.conditions]
  }

  ignores = {
    error_percent            = "Load balancers count failures in a row, not their share."
    min_requests             = "It belongs to the share of failures, which load balancers do not count."
    open_for_most            = "How long a host that goes on failing is left alone grows without a limit that could be set."
    connect_timeout          = "Only the beta of Google's provider has it."
    fallback_body            = "A load balancer in a region refuses calls with 503 and its own words."
    retry_after              = "A load balancer in a region refuses calls with 503 and its own headers."
    ramp                     = "A host that comes back gets its whole share at once."
    "external.fallback_host" = "A load balancer calls one host; the program has to ask the other itself."
  }

  check "grpc" {
    condition = alltrue([for n in service.callees : n.runs_on != null || n.protocol == "http"])
    message   = "The proxies of a load balancer take gRPC over TLS only, so calls to instances that speak it go past the breaker of ${service.name}: ${join(", ", [for n in service.callees : n.name if n.runs_on == null && n.protocol != "http"])}."
    fix       = "Let ${service.name} and what it calls run on a cluster, or speak HTTP."
    at        = service.needs
    related   = [for n in service.callees : n.protocol if n.protocol != "http"]
    severity  = "warning"
  }
  check "interval" {
    condition = service.breaker.interval >= 1 && service.breaker.open_for >= 1
    message   = "Load balancers count failures every second at the most, not every ${duration(service.breaker.interval)}."
    fix       = "Set interval and open_for to 1s or more."
    at        = service.breaker.interval
    related   = [service.breaker.open_for]
  }
  check "fallback_on_instances" {
    condition = service.breaker.fallback == null ? true : service.breaker.fallback.runs_on == null && service.breaker.fallback.protocol == "http"
    message   = "${service.breaker.fallback == null ? "" : service.breaker.fallback.name} cannot stand in: only instances that speak HTTP stand behind the load balancer of ${service.name}'s calls."
    fix       = "Let the fallback run on instances, or drop it."
    at        = service.breaker.fallback
  }
}

let {
  guard    = service.breaker
  adaptive = service.circuit_breaker_advanced
  mode     = service.circuit_breaker_advanced == null ? "automatic" : service.circuit_breaker_advanced.mode
  closed   = let.mode == "forced_closed" ? 0 : 100 # how surely a host that fails is left alone
  rules = concat(service.circuit_breaker_advanced == null ? [] : service.circuit_breaker_advanced.endpoints, service.circuit_breaker_advanced != null ? [] : [{
    name            = "other"
    path            = "/"
    max_requests    = service.breaker.max_requests
    max_errors      = service.breaker.max_errors
    timeout         = service.breaker.timeout
    fallback_status = service.breaker.fallback_status
  }])
  # A breaker for each destination, and for each group of paths.
  lines = { for line in flatten([for n in let.through : [for rule in let.rules : { to = n, rule = rule, key = rule.name == "other" ? n.name : "${n.name}-${rule.name}" }]]) : line.key => line }
  # The general rule, for what has only one.
  general     = element([for rule in let.rules : rule if rule.name == "other"], 0)
  max_retries = max(3, ceil(service.breaker.max_requests * service.breaker.retry_budget / 100))
  tries = service.breaker.retries == 0 ? {} : {
    main = {
      conditions = service.breaker.retry_safe ? ["connect-failure", "refused-stream"] : ["connect-failure", "gateway-error", "refused-stream", "reset"]
      seconds    = tostring(floor(service.breaker.per_try))
      nanos      = floor((service.breaker.per_try - floor(service.breaker.per_try)) * 1000000000 + 0.5)
    }
  }
  # What the proxies answered themselves, by the backend that they should have asked.
  breaker_resource = let.guarded_by == "global" ? "http_load_balancer" : "internal_http_lb_rule"
  breaker_maps     = let.guarded_by == "global" ? "^${let.name}${let.other_maps}$" : "^${let.name}${let.other_maps}(-to-.*|-inside)?$"
  breaker_backend  = let.guarded_by == "global" ? "resource.labels.backend_service_name" : "resource.labels.backend_target_name"
}

resource "google_compute_region_backend_service" "this_to" {
  when = length(let.through) > 0
  for_each = { for key, line in let.lines : key => {
    name         = shortname("${let.name}-to-${key}", 63)
    group        = line.to.let.tracked ? google_compute_region_instance_group_manager[line.to.name][line.to.let.main_track].instance_group : line.to.let.fleet ? google_compute_region_instance_group_manager[line.to.name].instance_group : google_compute_instance_group[line.to.name].self_link
    check        = google_compute_region_health_check["${line.to.name}_ready"].id
    mode         = line.to.let.by_rate ? "RATE" : "UTILIZATION"
    rate         = line.to.let.by_rate ? line.to.instance_rps : null
    drain        = ceil(line.to.drain_time)
    timeout      = max(1, ceil(line.rule.timeout))
    max_requests = line.rule.max_requests
    max_errors   = line.rule.max_errors
  } }

  name                            = each.value.name
  load_balancing_scheme           = "INTERNAL_MANAGED"
  protocol                        = "HTTP"
  port_name                       = "app"
  timeout_sec                     = each.value.timeout
  connection_draining_timeout_sec = each.value.drain
  health_checks                   = [each.value.check]
  locality_lb_policy              = "LEAST_REQUEST"

  backend {
    group                 = each.value.group
    balancing_mode        = each.value.mode
    max_rate_per_instance = each.value.rate
    capacity_scaler       = 1
  }

  # More calls than these fail at once instead of queueing.
  circuit_breakers {
    when = let.mode != "forced_closed"

    max_connections      = min(let.guard.max_connections, each.value.max_requests)
    max_pending_requests = min(let.guard.max_pending, each.value.max_requests)
    max_requests         = each.value.max_requests
    max_retries          = let.max_retries
  }

  # A host that fails is left alone, each time for longer.
  outlier_detection {
    consecutive_errors                    = each.value.max_errors
    consecutive_gateway_failure           = each.value.max_errors
    enforcing_consecutive_errors          = let.closed
    enforcing_consecutive_gateway_failure = let.closed # 0 unless it is set
    enforcing_success_rate                = let.adaptive == null ? 0 : let.closed
    success_rate_minimum_hosts            = let.adaptive == null ? null : let.adaptive.success_hosts
    success_rate_request_volume           = let.adaptive == null ? null : let.adaptive.success_volume
    success_rate_stdev_factor             = let.adaptive == null ? null : floor(1000 * let.adaptive.success_deviation)
    max_ejection_percent                  = let.guard.max_ejected

    interval {
      seconds = ceil(let.guard.interval)
    }

    base_ejection_time {
      seconds = ceil(let.guard.open_for)
    }
  }

  log_config {
    enable      = true
    sample_rate = 1 # every refused call counts
  }
}

resource "google_compute_region_backend_service" "this_fallback" {
  when = length(let.through) > 0 && let.guard.fallback != null

  name                            = "${let.name}-fallback"
  load_balancing_scheme           = "INTERNAL_MANAGED"
  protocol                        = "HTTP"
  port_name                       = "app"
  timeout_sec                     = max(1, ceil(let.guard.timeout))
  connection_draining_timeout_sec = ceil(let.guard.fallback.drain_time)
  health_checks                   = [google_compute_region_health_check["${let.guard.fallback.name}_ready"].id]
  locality_lb_policy              = "LEAST_REQUEST"

  backend {
    group                 = let.guard.fallback.let.tracked ? google_compute_region_instance_group_manager[let.guard.fallback.name][let.guard.fallback.let.main_track].instance_group : let.guard.fallback.let.fleet ? google_compute_region_instance_group_manager[let.guard.fallback.name].instance_group : google_compute_instance_group[let.guard.fallback.name].self_link
    balancing_mode        = let.guard.fallback.let.by_rate ? "RATE" : "UTILIZATION"
    max_rate_per_instance = let.guard.fallback.let.by_rate ? let.guard.fallback.instance_rps : null
    capacity_scaler       = 1
  }
}

resource "google_compute_region_url_map" "this_to" {
  when     = length(let.through) > 0
  for_each = { for n in let.through : n.name => shortname("${let.name}-to-${n.name}", 63) }

  name            = each.value
  default_service = google_compute_region_backend_service.this_to[each.key].id

  host_rule {
    hosts        = ["*"]
    path_matcher = "calls"
  }

  path_matcher {
    name = "calls"

    default_route_action {
      weighted_backend_services {
        backend_service = google_compute_region_backend_service.this_to[each.key].id
        weight          = 100
      }

      # Held open by hand.
      fault_injection_policy {
        when = let.mode == "forced_open"

        abort {
          http_status = let.general.fallback_status
          percentage  = 100
        }
      }

      # The whole call, repeats included.
      timeout {
        seconds = tostring(floor(let.general.timeout))
        nanos   = floor((let.general.timeout - floor(let.general.timeout)) * 1000000000 + 0.5)
      }

      dynamic "retry_policy" {
        for_each = let.tries

        content {
          num_retries      = let.guard.retries
          retry_conditions = retry_policy.value.conditions

          per_try_timeout {
            seconds = retry_policy.value.seconds
            nanos   = retry_policy.value.nanos
          }
        }
      }
    }

    # Who got a 503 asks here.
    route_rules {
      when = let.guard.fallback != null

      priority = 1
      service  = google_compute_region_backend_service.this_fallback.id

      match_rules {
        prefix_match = "/"

        header_matches {
          header_name = "x-fallback"
          exact_match = "1"
        }
      }
    }

    dynamic "route_rules" {
      for_each = [for rule in let.rules : rule if rule.name != "other"]

      content {
        priority = 10 + route_rules.key

        match_rules {
          prefix_match = route_rules.value.path
        }

        route_action {
          weighted_backend_services {
            backend_service = google_compute_region_backend_service.this_to["${each.key}-${route_rules.value.name}"].id
            weight          = 100
          }

          # Held open by hand.
          fault_injection_policy {
            when = let.mode == "forced_open"

            abort {
              http_status = route_rules.value.fallback_status
              percentage  = 100
            }
          }

          timeout {
            seconds = tostring(floor(route_rules.value.timeout))
            nanos   = floor((route_rules.value.timeout - floor(route_rules.value.timeout)) * 1000000000 + 0.5)
          }
        }
      }
    }
  }
}

resource "google_compute_region_target_http_proxy" "this_to" {
  when     = length(let.through) > 0
  for_each = google_compute_region_url_map.this_to

  name    = each.value.name
  url_map = each.value.id
}

resource "google_compute_forwarding_rule" "this_to" {
  when     = length(let.through) > 0
  for_each = { for n in let.through : n.name => tostring(n.port) }

  name                  = google_compute_region_url_map.this_to[each.key].name
  load_balancing_scheme = "INTERNAL_MANAGED"
  network               = local.network_id
  subnetwork            = local.subnetwork_id
  target                = google_compute_region_target_http_proxy.this_to[each.key].id
  port_range            = each.value

  depends_on = let.own_proxy ? [google_compute_subnetwork.proxies] : null
}

# The caller finds what it calls under names of its own.
resource "google_dns_record_set" "this_to" {
  when     = length(let.through) > 0
  for_each = google_compute_forwarding_rule.this_to

  managed_zone = google_dns_managed_zone.internal.name
  name         = "${each.key}.${service.name}.${let.namespace}."
  type         = "A"
  ttl          = 60
  rrdatas      = [each.value.ip_address]
}

# What lies outside of the network is called through the same kind of proxies.
resource "google_compute_region_network_endpoint_group" "this_outside" {
  when     = length(let.outside) > 0
  for_each = local.this_outside

  name                  = each.value.name
  region                = target.region
  network               = local.network_id
  network_endpoint_type = "INTERNET_FQDN_PORT"
}

locals {
  when = length(let.outside) > 0

  this_outside = { for n in let.outside : n.name => { name = shortname("${let.name}-to-${n.name}", 63), host = n.host, port = n.port } }
}

resource "google_compute_region_network_endpoint" "this_outside" {
  when     = length(let.outside) > 0
  for_each = local.this_outside

  region_network_endpoint_group = google_compute_region_network_endpoint_group.this_outside[each.key].name
  fqdn                          = each.value.host
  port                          = each.value.port
}

resource "google_compute_region_backend_service" "this_outside" {
  when     = length(let.outside) > 0
  for_each = local.this_outside

  name                  = each.value.name
  load_balancing_scheme = "INTERNAL_MANAGED"
  protocol              = each.value.port == 443 ? "HTTPS" : "HTTP"
  timeout_sec           = max(1, ceil(let.guard.timeout))

  # Neither a health check nor a balancing mode: it is somebody else's.
  backend {
    group = google_compute_region_network_endpoint_group.this_outside[each.key].id
  }

  circuit_breakers {
    when = let.mode != "forced_closed"

    max_connections      = let.guard.max_connections
    max_pending_requests = let.guard.max_pending
    max_requests         = let.general.max_requests
    max_retries          = let.max_retries
  }

  outlier_detection {
    consecutive_errors                    = let.general.max_errors
    consecutive_gateway_failure           = let.general.max_errors
    enforcing_consecutive_errors          = let.closed
    enforcing_consecutive_gateway_failure = let.closed
    max_ejection_percent                  = 100 # there is one host

    interval {
      seconds = ceil(let.guard.interval)
    }

    base_ejection_time {
      seconds = ceil(let.guard.open_for)
    }
  }

  log_config {
    enable      = true
    sample_rate = 1
  }
}

resource "google_compute_region_url_map" "this_outside" {
  when     = length(let.outside) > 0
  for_each = local.this_outside

  name            = each.value.name
  default_service = google_compute_region_backend_service.this_outside[each.key].id

  host_rule {
    hosts        = ["*"]
    path_matcher = "calls"
  }

  path_matcher {
    name = "calls"

    default_route_action {
      weighted_backend_services {
        backend_service = google_compute_region_backend_service.this_outside[each.key].id
        weight          = 100
      }

      url_rewrite {
        host_rewrite = each.value.host
      }

      # Held open by hand.
      fault_injection_policy {
        when = let.mode == "forced_open"

        abort {
          http_status = let.general.fallback_status
          percentage  = 100
        }
      }

      timeout {
        seconds = tostring(floor(let.general.timeout))
        nanos   = floor((let.general.timeout - floor(let.general.timeout)) * 1000000000 + 0.5)
      }

      dynamic "retry_policy" {
        for_each = let.tries

        content {
          num_retries      = let.guard.retries
          retry_conditions = retry_policy.value.conditions

          per_try_timeout {
            seconds = retry_policy.value.seconds
            nanos   = retry_policy.value.nanos
          }
        }
      }
    }
  }
}

resource "google_compute_region_target_http_proxy" "this_outside" {
  when     = length(let.outside) > 0
  for_each = google_compute_region_url_map.this_outside

  name    = each.value.name
  url_map = each.value.id
}

resource "google_compute_forwarding_rule" "this_outside" {
  when     = length(let.outside) > 0
  for_each = google_compute_region_target_http_proxy.this_outside

  name                  = each.value.name
  load_balancing_scheme = "INTERNAL_MANAGED"
  network               = local.network_id
  subnetwork            = local.subnetwork_id
  target                = each.value.id
  port_range            = "80" # TLS begins at the proxy

  depends_on = let.own_proxy ? [google_compute_subnetwork.proxies] : null
}

resource "google_dns_record_set" "this_outside" {
  when     = length(let.outside) > 0
  for_each = google_compute_forwarding_rule.this_outside

  managed_zone = google_dns_managed_zone.internal.name
  name         = "${each.key}.${service.name}.${let.namespace}."
  type         = "A"
  ttl          = 60
  rrdatas      = [each.value.ip_address]
}

# In front of the service itself, where it calls nobody.

extend "google_compute_region_backend_service" "this_inside" {
  when = let.self_guarded && let.inside == "http"

  circuit_breakers {
    when = let.mode != "forced_closed"

    max_connections      = let.guard.max_connections
    max_pending_requests = let.guard.max_pending
    max_requests         = let.general.max_requests
    max_retries          = let.max_retries
  }

  outlier_detection {
    consecutive_errors                    = let.general.max_errors
    consecutive_gateway_failure           = let.general.max_errors
    enforcing_consecutive_errors          = let.closed
    enforcing_consecutive_gateway_failure = let.closed
    max_ejection_percent                  = let.guard.max_ejected

    interval {
      seconds = ceil(let.guard.interval)
    }

    base_ejection_time {
      seconds = ceil(let.guard.open_for)
    }
  }
}

extend "google_compute_region_backend_service" "this" {
  when = let.self_guarded && let.balancer_kind == "internal"

  circuit_breakers {
    when = let.mode != "forced_closed"

    max_connections      = let.guard.max_connections
    max_pending_requests = let.guard.max_pending
    max_requests         = let.general.max_requests
    max_retries          = let.max_retries
  }

  outlier_detection {
    consecutive_errors                    = let.general.max_errors
    consecutive_gateway_failure           = let.general.max_errors
    enforcing_consecutive_errors          = let.closed
    enforcing_consecutive_gateway_failure = let.closed
    max_ejection_percent                  = let.guard.max_ejected

    interval {
      seconds = ceil(let.guard.interval)
    }

    base_ejection_time {
      seconds = ceil(let.guard.open_for)
    }
  }
}

extend "google_compute_backend_service" "this" {
  when = let.self_guarded && let.balancer_kind == "global"

  # Limits of calls at work are not for global load balancers; these leave out a host that fails.
  outlier_detection {
    consecutive_errors                    = let.general.max_errors
    consecutive_gateway_failure           = let.general.max_errors
    enforcing_consecutive_errors          = let.closed
    enforcing_consecutive_gateway_failure = let.closed
    max_ejection_percent                  = let.guard.max_ejected

    interval {
      seconds = ceil(let.guard.interval)
    }

    base_ejection_time {
      seconds = ceil(let.guard.open_for)
    }
  }
}

# There is no metric of a breaker's state: what the proxies answered themselves, with 503, is counted in their logs.
resource "google_logging_metric" "this_breaker" {
  name        = "${let.name}-breaker"
  description = "Calls that were broken off before they reached what ${service.name} calls"
  filter      = "resource.type=\"${let.breaker_resource}\" resource.labels.url_map_name=~\"${let.breaker_maps}\" httpRequest.status=503 jsonPayload.proxyStatus:\"error\""

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"

    labels {
      key        = "backend"
      value_type = "STRING"
    }

    labels {
      key        = "reason"
      value_type = "STRING"
    }
  }

  label_extractors = {
    backend = "EXTRACT(${let.breaker_backend})"
    reason  = "EXTRACT(jsonPayload.proxyStatus)"
  }
}

resource "google_monitoring_alert_policy" "this_breaker" {
  display_name          = "${let.name}: a breaker is open"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.notification_channels

  conditions {
    display_name = "calls are broken off"

    condition_threshold {
      filter          = "resource.type = \"${let.breaker_resource}\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.this_breaker.name}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0.1
      duration        = service.circuit_breaker_advanced == null ? "120s" : "${60 * max(1, ceil(service.circuit_breaker_advanced.open_alarm / 60))}s"

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["metric.label.backend", "metric.label.reason"]
      }
    }
  }
}
