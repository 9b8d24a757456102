# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_compute_region_backend_service" "ledger" {
  name                            = "load-balancer-types-ledger"
  load_balancing_scheme           = "INTERNAL"
  protocol                        = "TCP"
  connection_draining_timeout_sec = 30
  health_checks                   = [google_compute_region_health_check.ledger_ready.id]
  session_affinity                = "NONE"

  backend {
    group          = google_compute_region_instance_group_manager.ledger.instance_group
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

resource "google_compute_address" "ledger_balancer" {
  name         = "load-balancer-types-ledger-balancer"
  address_type = "INTERNAL"
  subnetwork   = local.subnetwork_id
}

resource "google_compute_forwarding_rule" "ledger_balancer" {
  name                  = "load-balancer-types-ledger"
  load_balancing_scheme = "INTERNAL"
  network               = local.network_id
  subnetwork            = local.subnetwork_id
  backend_service       = google_compute_region_backend_service.ledger.id
  ip_address            = google_compute_address.ledger_balancer.id
  ip_protocol           = "TCP"
  ports                 = ["9000"]
}

# Clients are seen as themselves, so it is them whom the firewall admits.
resource "google_compute_firewall" "ledger_from_balancer" {
  name                    = "load-balancer-types-ledger-from-clients-outside"
  network                 = local.network_id
  direction               = "INGRESS"
  source_ranges           = ["0.0.0.0/0"]
  target_service_accounts = [google_service_account.ledger.email]

  allow {
    protocol = "tcp"
    ports    = ["9000"]
  }
}

output "ledger_address" {
  description = "The address of ledger, for a record of yours."
  value       = google_compute_address.ledger_balancer.address
}

# What health checks find is in their logs: there is no metric for it.
resource "google_logging_metric" "ledger_unhealthy" {
  name        = "load-balancer-types-ledger-unhealthy"
  description = "Instances of ledger that stopped answering their health check"
  filter      = "resource.type=\"gce_instance_group\" resource.labels.instance_group_name=~\"^load-balancer-types-ledger$\" jsonPayload.healthCheckProbeResult.healthState=\"UNHEALTHY\""

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }
}

resource "google_monitoring_alert_policy" "ledger_unhealthy" {
  display_name          = "load-balancer-types-ledger: instances do not answer"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "more than three in ten minutes"

    condition_threshold {
      filter          = "resource.type = \"gce_instance_group\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.ledger_unhealthy.name}\""
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
resource "google_monitoring_alert_policy" "ledger_balancer" {
  display_name          = "load-balancer-types-ledger: latency"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "one round trip in twenty takes longer than 200 ms"

    condition_threshold {
      filter          = "resource.type = \"internal_tcp_lb_rule\" AND resource.labels.backend_target_name = \"${google_compute_region_backend_service.ledger.name}\" AND metric.type = \"loadbalancing.googleapis.com/l3/internal/rtt_latencies\""
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

output "ledger_balancer" {
  description = "How ledger is balanced, and why."
  value = {
    type   = "internal passthrough Network Load Balancer"
    reason = "tcp can only be balanced by connection"
  }
}
