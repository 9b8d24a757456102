# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_compute_global_address" "web_balancer" {
  name = "blue-green-deployment-web-balancer"
}

resource "google_compute_health_check" "web_ready" {
  name                = "blue-green-deployment-web-ready"
  check_interval_sec  = 5
  timeout_sec         = 3
  healthy_threshold   = 2
  unhealthy_threshold = 3

  http_health_check {
    port         = 8080
    request_path = "/readyz"
  }

  log_config {
    enable = true
  }
}

resource "google_compute_backend_service" "web" {
  for_each = local.web_tracks

  name                            = "blue-green-deployment-web-${each.key}"
  load_balancing_scheme           = "EXTERNAL_MANAGED"
  protocol                        = "HTTP"
  port_name                       = "app"
  timeout_sec                     = 10
  connection_draining_timeout_sec = 30
  health_checks                   = [google_compute_health_check.web_ready.id]

  session_affinity   = "NONE"
  locality_lb_policy = "LEAST_REQUEST"

  backend {
    group                 = google_compute_region_instance_group_manager.web[each.key].instance_group
    balancing_mode        = "RATE"
    max_rate_per_instance = 100
    capacity_scaler       = 1
  }

  log_config {
    enable      = true
    sample_rate = 1
  }
}

resource "google_compute_url_map" "web" {
  name            = "blue-green-deployment-web"
  default_service = google_compute_backend_service.web["blue"].id

  host_rule {
    hosts        = ["*"]
    path_matcher = "tracks"
  }

  path_matcher {
    name = "tracks"

    default_route_action {
      dynamic "weighted_backend_services" {
        for_each = local.web_tracks

        content {
          backend_service = google_compute_backend_service.web[weighted_backend_services.key].id
          weight          = weighted_backend_services.value.weight
        }
      }
    }

    route_rules {
      priority = 10
      service  = google_compute_backend_service.web["green"].id

      match_rules {
        prefix_match = "/"

        header_matches {
          header_name = "x-release"
          exact_match = "next"
        }
      }
    }
  }
}

resource "google_compute_ssl_policy" "web" {
  name            = "blue-green-deployment-web"
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"
}

resource "google_compute_target_https_proxy" "web" {
  name                        = "blue-green-deployment-web-03fd88"
  url_map                     = google_compute_url_map.web.id
  certificate_map             = "//certificatemanager.googleapis.com/${google_certificate_manager_certificate_map.web.id}"
  ssl_policy                  = google_compute_ssl_policy.web.id
  quic_override               = "ENABLE"
  http_keep_alive_timeout_sec = 60

  # A release has a proxy of its own, which starts with the shares. Where it leads from then on is the rollback's: no
  # later apply gives a bad version its requests back.
  lifecycle {
    create_before_destroy = true
    ignore_changes        = [url_map]
  }

  # A proxy without a certificate is refused.
  depends_on = [google_certificate_manager_certificate_map_entry.web, google_compute_url_map.web_kept]
}

resource "google_compute_global_forwarding_rule" "web" {
  name                  = "blue-green-deployment-web"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  target                = google_compute_target_https_proxy.web.id
  ip_address            = google_compute_global_address.web_balancer.id
  port_range            = "443"
}

# HTTP is only there to be sent to HTTPS.
resource "google_compute_url_map" "web_redirect" {
  name = "blue-green-deployment-web-redirect"

  default_url_redirect {
    https_redirect         = true
    redirect_response_code = "MOVED_PERMANENTLY_DEFAULT"
    strip_query            = false
  }
}

resource "google_compute_target_http_proxy" "web_redirect" {
  name    = "blue-green-deployment-web-redirect"
  url_map = google_compute_url_map.web_redirect.id
}

resource "google_compute_global_forwarding_rule" "web_redirect" {
  name                  = "blue-green-deployment-web-redirect"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  target                = google_compute_target_http_proxy.web_redirect.id
  ip_address            = google_compute_global_address.web_balancer.id
  port_range            = "80"
}

# The name is proven by a record, so the certificate is there before the name leads here.
resource "google_certificate_manager_dns_authorization" "web" {
  name   = "blue-green-deployment-web"
  domain = "shop.example.com"
}

resource "google_certificate_manager_certificate" "web" {
  name = "blue-green-deployment-web"

  managed {
    domains            = ["shop.example.com"]
    dns_authorizations = [google_certificate_manager_dns_authorization.web.id]
  }
}

resource "google_certificate_manager_certificate_map" "web" {
  name = "blue-green-deployment-web"
}

resource "google_certificate_manager_certificate_map_entry" "web" {
  name         = "blue-green-deployment-web"
  map          = google_certificate_manager_certificate_map.web.name
  hostname     = "shop.example.com"
  certificates = [google_certificate_manager_certificate.web.id]
}

output "web_certificate_record" {
  description = "The record that proves shop.example.com: the certificate is issued once it is there."
  value       = google_certificate_manager_dns_authorization.web.dns_resource_record[0]
}

output "web_address" {
  description = "The address of web, for a record of yours."
  value       = google_compute_global_address.web_balancer.address
}

# What health checks find is in their logs: there is no metric for it.
resource "google_logging_metric" "web_unhealthy" {
  name        = "blue-green-deployment-web-unhealthy"
  description = "Instances of web that stopped answering their health check"
  filter      = "resource.type=\"gce_instance_group\" resource.labels.instance_group_name=~\"^blue-green-deployment-web-(blue|green)$\" jsonPayload.healthCheckProbeResult.healthState=\"UNHEALTHY\""

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }
}

resource "google_monitoring_alert_policy" "web_unhealthy" {
  display_name          = "blue-green-deployment-web: instances do not answer"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "more than three in ten minutes"

    condition_threshold {
      filter          = "resource.type = \"gce_instance_group\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.web_unhealthy.name}\""
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

resource "google_monitoring_alert_policy" "web_balancer" {
  display_name          = "blue-green-deployment-web: errors and latency"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.notification_channels

  conditions {
    display_name = "more than 1 % of the requests fail for 5 minutes"

    condition_threshold {
      filter             = "resource.type = \"https_lb_rule\" AND resource.labels.forwarding_rule_name = \"${google_compute_global_forwarding_rule.web.name}\" AND metric.type = \"loadbalancing.googleapis.com/https/backend_request_count\" AND metric.labels.response_code_class = 500"
      denominator_filter = "resource.type = \"https_lb_rule\" AND resource.labels.forwarding_rule_name = \"${google_compute_global_forwarding_rule.web.name}\" AND metric.type = \"loadbalancing.googleapis.com/https/backend_request_count\""
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
      filter          = "resource.type = \"https_lb_rule\" AND resource.labels.forwarding_rule_name = \"${google_compute_global_forwarding_rule.web.name}\" AND metric.type = \"loadbalancing.googleapis.com/https/backend_latencies\""
      comparison      = "COMPARISON_GT"
      threshold_value = 5000
      duration        = "300s"

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_PERCENTILE_99"
        cross_series_reducer = "REDUCE_MAX"
      }
    }
  }
}

resource "google_monitoring_alert_policy" "web_imbalance" {
  display_name          = "blue-green-deployment-web: uneven load"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "a zone gets more than twice the requests of another for half an hour"

    condition_prometheus_query_language {
      query               = "max(sum by (backend_scope) (rate(loadbalancing_googleapis_com:https_backend_request_count{forwarding_rule_name=\"${google_compute_global_forwarding_rule.web.name}\"}[10m]))) / min(sum by (backend_scope) (rate(loadbalancing_googleapis_com:https_backend_request_count{forwarding_rule_name=\"${google_compute_global_forwarding_rule.web.name}\"}[10m]))) > 2"
      duration            = "1800s"
      evaluation_interval = "60s"
    }
  }
}
