# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_compute_region_backend_service" "checkout_to" {
  for_each = {
    payments = {
      name         = "circuit-breaker-checkout-to-payments"
      group        = google_compute_region_instance_group_manager.payments.instance_group
      check        = google_compute_region_health_check.payments_ready.id
      mode         = "RATE"
      rate         = 100
      drain        = 30
      timeout      = 9
      max_requests = 150
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
    max_connections      = min(75, each.value.max_requests)
    max_pending_requests = min(37, each.value.max_requests)
    max_requests         = each.value.max_requests
    max_retries          = 30
  }

  # A host that fails is left alone, each time for longer.
  outlier_detection {
    consecutive_errors                    = each.value.max_errors
    consecutive_gateway_failure           = each.value.max_errors
    enforcing_consecutive_errors          = 100
    enforcing_consecutive_gateway_failure = 100 # 0 unless it is set
    enforcing_success_rate                = 0
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

resource "google_compute_region_url_map" "checkout_to" {
  for_each = { payments = "circuit-breaker-checkout-to-payments" }

  name            = each.value
  default_service = google_compute_region_backend_service.checkout_to[each.key].id

  host_rule {
    hosts        = ["*"]
    path_matcher = "calls"
  }

  path_matcher {
    name = "calls"

    default_route_action {
      weighted_backend_services {
        backend_service = google_compute_region_backend_service.checkout_to[each.key].id
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
  }
}

resource "google_compute_region_target_http_proxy" "checkout_to" {
  for_each = google_compute_region_url_map.checkout_to

  name    = each.value.name
  url_map = each.value.id
}

resource "google_compute_forwarding_rule" "checkout_to" {
  for_each = { payments = "9090" }

  name                  = google_compute_region_url_map.checkout_to[each.key].name
  load_balancing_scheme = "INTERNAL_MANAGED"
  network               = local.network_id
  subnetwork            = local.subnetwork_id
  target                = google_compute_region_target_http_proxy.checkout_to[each.key].id
  port_range            = each.value

  depends_on = [google_compute_subnetwork.proxies]
}

# The caller finds what it calls under names of its own.
resource "google_dns_record_set" "checkout_to" {
  for_each = google_compute_forwarding_rule.checkout_to

  managed_zone = google_dns_managed_zone.internal.name
  name         = "${each.key}.checkout.circuit-breaker.internal."
  type         = "A"
  ttl          = 60
  rrdatas      = [each.value.ip_address]
}

# What lies outside of the network is called through the same kind of proxies.
resource "google_compute_region_network_endpoint_group" "checkout_outside" {
  for_each = local.checkout_outside

  name                  = each.value.name
  region                = "europe-west1"
  network               = local.network_id
  network_endpoint_type = "INTERNET_FQDN_PORT"
}

locals {
  checkout_outside = {
    bank = {
      host = "api.bank.example.com"
      name = "circuit-breaker-checkout-to-bank"
      port = 443
    }
  }
}

resource "google_compute_region_network_endpoint" "checkout_outside" {
  for_each = local.checkout_outside

  region_network_endpoint_group = google_compute_region_network_endpoint_group.checkout_outside[each.key].name
  fqdn                          = each.value.host
  port                          = each.value.port
}

resource "google_compute_region_backend_service" "checkout_outside" {
  for_each = local.checkout_outside

  name                  = each.value.name
  load_balancing_scheme = "INTERNAL_MANAGED"
  protocol              = each.value.port == 443 ? "HTTPS" : "HTTP"
  timeout_sec           = 9

  # Neither a health check nor a balancing mode: it is somebody else's.
  backend {
    group = google_compute_region_network_endpoint_group.checkout_outside[each.key].id
  }

  circuit_breakers {
    max_connections      = 75
    max_pending_requests = 37
    max_requests         = 150
    max_retries          = 30
  }

  outlier_detection {
    consecutive_errors                    = 5
    consecutive_gateway_failure           = 5
    enforcing_consecutive_errors          = 100
    enforcing_consecutive_gateway_failure = 100
    max_ejection_percent                  = 100 # there is one host

    interval {
      seconds = 5
    }

    base_ejection_time {
      seconds = 30
    }
  }

  log_config {
    enable      = true
    sample_rate = 1
  }
}

resource "google_compute_region_url_map" "checkout_outside" {
  for_each = local.checkout_outside

  name            = each.value.name
  default_service = google_compute_region_backend_service.checkout_outside[each.key].id

  host_rule {
    hosts        = ["*"]
    path_matcher = "calls"
  }

  path_matcher {
    name = "calls"

    default_route_action {
      weighted_backend_services {
        backend_service = google_compute_region_backend_service.checkout_outside[each.key].id
        weight          = 100
      }

      url_rewrite {
        host_rewrite = each.value.host
      }

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
  }
}

resource "google_compute_region_target_http_proxy" "checkout_outside" {
  for_each = google_compute_region_url_map.checkout_outside

  name    = each.value.name
  url_map = each.value.id
}

resource "google_compute_forwarding_rule" "checkout_outside" {
  for_each = google_compute_region_target_http_proxy.checkout_outside

  name                  = each.value.name
  load_balancing_scheme = "INTERNAL_MANAGED"
  network               = local.network_id
  subnetwork            = local.subnetwork_id
  target                = each.value.id
  port_range            = "80" # TLS begins at the proxy

  depends_on = [google_compute_subnetwork.proxies]
}

resource "google_dns_record_set" "checkout_outside" {
  for_each = google_compute_forwarding_rule.checkout_outside

  managed_zone = google_dns_managed_zone.internal.name
  name         = "${each.key}.checkout.circuit-breaker.internal."
  type         = "A"
  ttl          = 60
  rrdatas      = [each.value.ip_address]
}

# There is no metric of a breaker's state: what the proxies answered themselves, with 503, is counted in their logs.
resource "google_logging_metric" "checkout_breaker" {
  name        = "circuit-breaker-checkout-breaker"
  description = "Calls that were broken off before they reached what checkout calls"
  filter      = "resource.type=\"internal_http_lb_rule\" resource.labels.url_map_name=~\"^circuit-breaker-checkout(-to-.*|-inside)?$\" httpRequest.status=503 jsonPayload.proxyStatus:\"error\""

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

resource "google_monitoring_alert_policy" "checkout_breaker" {
  display_name          = "circuit-breaker-checkout: a breaker is open"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.notification_channels

  conditions {
    display_name = "calls are broken off"

    condition_threshold {
      filter          = "resource.type = \"internal_http_lb_rule\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.checkout_breaker.name}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0.1
      duration        = "120s"

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["metric.label.backend", "metric.label.reason"]
      }
    }
  }
}
