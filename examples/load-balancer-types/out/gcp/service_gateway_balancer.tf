# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_compute_region_backend_service" "gateway" {
  name                            = "load-balancer-types-gateway"
  load_balancing_scheme           = "EXTERNAL"
  protocol                        = "TCP"
  connection_draining_timeout_sec = 30
  health_checks                   = [google_compute_region_health_check.gateway_ready.id]
  session_affinity                = "NONE"
  locality_lb_policy              = "MAGLEV" # the hash that moves the fewest connections

  backend {
    group          = google_compute_region_instance_group_manager.gateway.instance_group
    balancing_mode = "CONNECTION"
  }

  connection_tracking_policy {
    tracking_mode                                = "PER_CONNECTION"
    connection_persistence_on_unhealthy_backends = "NEVER_PERSIST"
  }

  log_config {
    enable      = true
    sample_rate = 1
  }
}

resource "google_compute_address" "gateway_balancer" {
  name         = "load-balancer-types-gateway-balancer"
  address_type = "EXTERNAL"
}

resource "google_compute_forwarding_rule" "gateway_balancer" {
  name                  = "load-balancer-types-gateway"
  load_balancing_scheme = "EXTERNAL"
  backend_service       = google_compute_region_backend_service.gateway.id
  ip_address            = google_compute_address.gateway_balancer.id
  ip_protocol           = "TCP"
  ports                 = ["7000"]
}

# Clients are seen as themselves, so it is them whom the firewall admits.
resource "google_compute_firewall" "gateway_from_balancer" {
  name                    = "load-balancer-types-gateway-from-clients-outside"
  network                 = local.network_id
  direction               = "INGRESS"
  source_ranges           = ["0.0.0.0/0"]
  target_service_accounts = [google_service_account.gateway.email]

  allow {
    protocol = "tcp"
    ports    = ["7000"]
  }
}

output "gateway_address" {
  description = "The address of gateway, for a record of yours."
  value       = google_compute_address.gateway_balancer.address
}

# What health checks find is in their logs: there is no metric for it.
resource "google_logging_metric" "gateway_unhealthy" {
  name        = "load-balancer-types-gateway-unhealthy"
  description = "Instances of gateway that stopped answering their health check"
  filter      = "resource.type=\"gce_instance_group\" resource.labels.instance_group_name=~\"^load-balancer-types-gateway$\" jsonPayload.healthCheckProbeResult.healthState=\"UNHEALTHY\""

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }
}

resource "google_monitoring_alert_policy" "gateway_unhealthy" {
  display_name          = "load-balancer-types-gateway: instances do not answer"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "more than three in ten minutes"

    condition_threshold {
      filter          = "resource.type = \"gce_instance_group\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.gateway_unhealthy.name}\""
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

# Round trips say whether connections suffer; what is said over them is not read.
resource "google_monitoring_alert_policy" "gateway_balancer" {
  display_name          = "load-balancer-types-gateway: latency"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "one round trip in twenty takes longer than 200 ms"

    condition_threshold {
      filter          = "resource.type = \"tcp_lb_rule\" AND resource.labels.backend_target_name = \"${google_compute_region_backend_service.gateway.name}\" AND metric.type = \"loadbalancing.googleapis.com/l3/external/rtt_latencies\""
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

output "gateway_balancer" {
  description = "How gateway is balanced, and why."
  value = {
    type   = "external passthrough Network Load Balancer"
    reason = "tcp can only be balanced by connection"
  }
}
