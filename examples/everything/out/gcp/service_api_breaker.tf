# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_compute_region_backend_service" "api_to" {
  for_each = {
    search = {
      name         = "everything-api-to-search"
      group        = google_compute_instance_group.search.self_link
      check        = google_compute_region_health_check.search_ready.id
      mode         = "RATE"
      rate         = 200
      drain        = 30
      timeout      = 9
      max_requests = 50
      max_errors   = 5
    }
    "search-suggestions" = {
      name         = "everything-api-to-search-suggestions"
      group        = google_compute_instance_group.search.self_link
      check        = google_compute_region_health_check.search_ready.id
      mode         = "RATE"
      rate         = 200
      drain        = 30
      timeout      = 9
      max_requests = 50
      max_errors   = 5
    }
  }

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
    max_connections      = min(25, each.value.max_requests)
    max_pending_requests = min(12, each.value.max_requests)
    max_requests         = each.value.max_requests
    max_retries          = 10
  }

  # A host that fails is left alone, each time for longer.
  outlier_detection {
    consecutive_errors                    = each.value.max_errors
    consecutive_gateway_failure           = each.value.max_errors
    enforcing_consecutive_errors          = 100
    enforcing_consecutive_gateway_failure = 100 # 0 unless it is set
    enforcing_success_rate                = 100
    success_rate_minimum_hosts            = 2
    success_rate_request_volume           = 50
    success_rate_stdev_factor             = 1900
    max_ejection_percent                  = 50

    interval {
      seconds = 5
    }

    base_ejection_time {
      seconds = 30
    }
  }

  log_config {
    enable      = true
    sample_rate = 1 # every refused call counts
  }
}

resource "google_compute_region_url_map" "api_to" {
  for_each = { search = "everything-api-to-search" }

  name            = each.value
  default_service = google_compute_region_backend_service.api_to[each.key].id

  host_rule {
    hosts        = ["*"]
    path_matcher = "calls"
  }

  path_matcher {
    name = "calls"

    default_route_action {
      weighted_backend_services {
        backend_service = google_compute_region_backend_service.api_to[each.key].id
        weight          = 100
      }

      # The whole call, repeats included.
      timeout {
        seconds = "8"
        nanos   = 25000000
      }

      retry_policy {
        num_retries      = 1
        retry_conditions = ["connect-failure", "refused-stream"]

        per_try_timeout {
          seconds = "4"
          nanos   = 0
        }
      }
    }

    route_rules {
      priority = 10

      match_rules {
        prefix_match = "/suggestions"
      }

      route_action {
        weighted_backend_services {
          backend_service = google_compute_region_backend_service.api_to["${each.key}-suggestions"].id
          weight          = 100
        }

        timeout {
          seconds = "8"
          nanos   = 25000000
        }
      }
    }
  }
}

resource "google_compute_region_target_http_proxy" "api_to" {
  for_each = google_compute_region_url_map.api_to

  name    = each.value.name
  url_map = each.value.id
}

resource "google_compute_forwarding_rule" "api_to" {
  for_each = { search = "9200" }

  name                  = google_compute_region_url_map.api_to[each.key].name
  load_balancing_scheme = "INTERNAL_MANAGED"
  network               = local.network_id
  subnetwork            = local.subnetwork_id
  target                = google_compute_region_target_http_proxy.api_to[each.key].id
  port_range            = each.value

  depends_on = [google_compute_subnetwork.proxies]
}

# The caller finds what it calls under names of its own.
resource "google_dns_record_set" "api_to" {
  for_each = google_compute_forwarding_rule.api_to

  managed_zone = google_dns_managed_zone.internal.name
  name         = "${each.key}.api.everything.internal."
  type         = "A"
  ttl          = 60
  rrdatas      = [each.value.ip_address]
}

# There is no metric of a breaker's state: what the proxies answered themselves, with 503, is counted in their logs.
resource "google_logging_metric" "api_breaker" {
  name        = "everything-api-breaker"
  description = "Calls that were broken off before they reached what api calls"
  filter      = "resource.type=\"internal_http_lb_rule\" resource.labels.url_map_name=~\"^everything-api(-to-.*|-inside)?$\" httpRequest.status=503 jsonPayload.proxyStatus:\"error\""

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
    backend = "EXTRACT(resource.labels.backend_target_name)"
    reason  = "EXTRACT(jsonPayload.proxyStatus)"
  }
}

resource "google_monitoring_alert_policy" "api_breaker" {
  display_name          = "everything-api: a breaker is open"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.notification_channels

  conditions {
    display_name = "calls are broken off"

    condition_threshold {
      filter          = "resource.type = \"internal_http_lb_rule\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.api_breaker.name}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0.1
      duration        = "60s"

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["metric.label.backend", "metric.label.reason"]
      }
    }
  }
}

resource "google_monitoring_dashboard" "api_breaker" {
  dashboard_json = jsonencode({
    displayName = "everything-api: breakers"
    mosaicLayout = {
      columns = 12
      tiles = [
        {
          height = 4
          widget = {
            title = "Calls, by backend and status"
            xyChart = {
              dataSets = [
                {
                  plotType = "LINE"
                  timeSeriesQuery = {
                    prometheusQuery = "sum by (backend_target_name, response_code_class) (rate(loadbalancing_googleapis_com:https_internal_request_count{backend_target_name=~\"everything-api-(to-.*|inside)\"}[1m]))"
                  }
                },
              ]
            }
          }
          width = 12
          xPos  = 0
          yPos  = 0
        },
        {
          height = 4
          widget = {
            title = "Latency (p99, ms), by backend"
            xyChart = {
              dataSets = [
                {
                  plotType = "LINE"
                  timeSeriesQuery = {
                    prometheusQuery = "histogram_quantile(0.99, sum by (le, backend_target_name) (rate(loadbalancing_googleapis_com:https_internal_backend_latencies_bucket{backend_target_name=~\"everything-api-(to-.*|inside)\"}[1m])))"
                  }
                },
              ]
            }
          }
          width = 12
          xPos  = 0
          yPos  = 4
        },
        {
          height = 4
          widget = {
            title = "Calls broken off, by backend and reason"
            xyChart = {
              dataSets = [
                {
                  plotType = "LINE"
                  timeSeriesQuery = {
                    prometheusQuery = "sum by (backend, reason) (rate(logging_googleapis_com:user_everything_api_breaker{monitored_resource=\"internal_http_lb_rule\"}[1m]))"
                  }
                },
              ]
            }
          }
          width = 12
          xPos  = 0
          yPos  = 8
        },
      ]
    }
  })
}
