# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_service_account" "ledger" {
  account_id   = "load-balancer-types-ledger"
  display_name = "ledger of load-balancer-types"
}

# The program writes logs and measurements as its account.
resource "google_project_iam_member" "ledger" {
  for_each = toset(["roles/logging.logWriter", "roles/monitoring.metricWriter"])

  project = local.project
  role    = each.value
  member  = google_service_account.ledger.member
}

# Google asks from these addresses whether instances are well, and its global proxies come from them too.
resource "google_compute_firewall" "ledger_from_google" {
  name                    = "load-balancer-types-ledger-from-google"
  network                 = local.network_id
  direction               = "INGRESS"
  source_ranges           = ["35.191.0.0/16", "130.211.0.0/22", "209.85.152.0/22", "209.85.204.0/22"]
  target_service_accounts = [google_service_account.ledger.email]

  allow {
    protocol = "tcp"
    ports    = ["9000"]
  }
}

# Alive rather than ready: what fails this is replaced, and everything must not be replaced while a database is away.
# It takes longer to fail than the load balancer's check, which only takes the traffic away.
resource "google_compute_health_check" "ledger" {
  name                = "load-balancer-types-ledger-alive"
  check_interval_sec  = 10
  timeout_sec         = 5
  healthy_threshold   = 2
  unhealthy_threshold = 5

  http_health_check {
    port         = 9000
    request_path = "/healthz"
  }

  log_config {
    enable = true
  }
}

# Templates cannot be changed: every change is a new one, which exists before the group lets go of the old one.
resource "google_compute_region_instance_template" "ledger" {
  name_prefix  = "load-balancer-types-ledger-"
  region       = "europe-west1"
  machine_type = "e2-standard-2"
  labels       = { service = "ledger" }

  metadata = {
    block-project-ssh-keys    = "true"
    enable-oslogin            = "TRUE"
    google-monitoring-enabled = "true"

    user-data = join("\n", ["#cloud-config", yamlencode({
      write_files = [
        {
          path        = "/etc/app/instance.env"
          permissions = "0600"
          content = join("\n", [
            "IMAGE=ghcr.io/acme/ledger:1.0.3",
            "SERVICE=ledger",
            "PROJECT=${local.project}",
            "REGISTRY=",
            "PORTS=9000",
            "DRAIN=30",
            "VOLUME=",
            "",
          ])
        },
        {
          path        = "/etc/app/app.env"
          permissions = "0600"
          content     = "PORT=9000"
        },
        {
          path        = "/etc/app/secrets"
          permissions = "0600"
          content     = ""
        },
        {
          path        = "/etc/app/app.sh"
          permissions = "0700"
          content     = file("${path.module}/instance/app.sh")
        },
        {
          path        = "/etc/systemd/system/app.service"
          permissions = "0644"
          content     = file("${path.module}/instance/app.service")
        },
      ]
      runcmd = [
        ["systemctl", "daemon-reload"],
        ["systemctl", "start", "app.service"],
      ]
    })])
  }

  disk {
    source_image = "projects/cos-cloud/global/images/family/cos-stable"
    boot         = true
    auto_delete  = true
    disk_type    = "pd-balanced"
    disk_size_gb = 30
  }

  network_interface {
    subnetwork = local.subnetwork_id
    nic_type   = "GVNIC"
  }

  service_account {
    email  = google_service_account.ledger.email
    scopes = ["https://www.googleapis.com/auth/cloud-platform"]
  }

  shielded_instance_config {
    enable_secure_boot          = true
    enable_vtpm                 = true
    enable_integrity_monitoring = true
  }

  scheduling {
    automatic_restart   = true
    on_host_maintenance = "MIGRATE"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_compute_region_instance_group_manager" "ledger" {
  name                             = "load-balancer-types-ledger"
  region                           = "europe-west1"
  base_instance_name               = "load-balancer-types-ledger"
  distribution_policy_zones        = ["europe-west1-b", "europe-west1-c", "europe-west1-d"]
  distribution_policy_target_shape = "EVEN"

  # An apply ends when every instance runs what is written here and is well, and fails when that takes too long.
  wait_for_instances        = true
  wait_for_instances_status = "UPDATED"

  version {
    name              = "main"
    instance_template = google_compute_region_instance_template.ledger.self_link
  }

  named_port {
    name = "app"
    port = 9000
  }

  auto_healing_policies {
    health_check      = google_compute_health_check.ledger.id
    initial_delay_sec = 120
  }

  instance_lifecycle_policy {
    force_update_on_repair    = "YES"
    default_action_on_failure = "REPAIR"
  }

  # A group over several zones adds or takes away none, or at least one for each zone.
  update_policy {
    type                           = "PROACTIVE"
    minimal_action                 = "REPLACE"
    most_disruptive_allowed_action = "REPLACE"
    replacement_method             = "SUBSTITUTE"
    instance_redistribution_type   = "PROACTIVE"
    max_surge_fixed                = 3
    max_unavailable_fixed          = 0
  }

  timeouts {
    create = "1200s"
    update = "1800s"
  }

  # Booted and stopped: growing takes as long as starting the program.
  target_stopped_size = 1

  standby_policy {
    mode              = "SCALE_OUT_POOL"
    initial_delay_sec = 120
  }
}

# It follows whichever signal asks for the most. The group itself names no size: the two would fight over it.
resource "google_compute_region_autoscaler" "ledger" {
  name   = "load-balancer-types-ledger"
  region = "europe-west1"
  target = google_compute_region_instance_group_manager.ledger.id

  autoscaling_policy {
    min_replicas         = 3
    max_replicas         = 6
    mode                 = "ON"
    cooldown_period      = 120 # younger instances are not measured
    stabilization_period = 300 # shrinks to the most that was needed in that time

    cpu_utilization {
      target            = 0.56
      predictive_method = "NONE"
    }

    # Not seen from outside: something on the instance measures it.
    metric {
      name   = "compute.googleapis.com/guest/memory/percent_used"
      type   = "GAUGE"
      target = 75
      filter = "resource.type = \"gce_instance\" AND metric.labels.state = \"used\""
    }

    # It grows at once and gives back a little at a time.
    scale_in_control {
      time_window_sec = 300

      max_scaled_in_replicas {
        percent = 10
      }
    }
  }
}

resource "google_monitoring_alert_policy" "ledger_at_max" {
  display_name          = "load-balancer-types-ledger: as large as it may be"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "at its maximum for 15 minutes"

    condition_threshold {
      filter          = "resource.type = \"instance_group\" AND resource.labels.instance_group_name = \"${google_compute_region_instance_group_manager.ledger.name}\" AND metric.type = \"compute.googleapis.com/instance_group/size\""
      comparison      = "COMPARISON_GT"
      threshold_value = 5.5
      duration        = "900s"

      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_MEAN"
      }
    }
  }

  documentation {
    content = "The group cannot grow any further: raise its maximum, or find out what drives it."
  }
}

# Ready rather than alive: failing it only takes the traffic away.
resource "google_compute_region_health_check" "ledger_ready" {
  name                = "load-balancer-types-ledger-ready"
  check_interval_sec  = 5
  timeout_sec         = 3
  healthy_threshold   = 2
  unhealthy_threshold = 3

  http_health_check {
    port         = 9000
    request_path = "/readyz"
  }

  log_config {
    enable = true
  }
}

resource "google_compute_region_backend_service" "ledger_inside" {
  name                            = "load-balancer-types-ledger-inside"
  load_balancing_scheme           = "INTERNAL_MANAGED"
  protocol                        = "HTTP"
  port_name                       = "app"
  timeout_sec                     = 4
  connection_draining_timeout_sec = 30
  health_checks                   = [google_compute_region_health_check.ledger_ready.id]
  locality_lb_policy              = "LEAST_REQUEST"

  backend {
    group           = google_compute_region_instance_group_manager.ledger.instance_group
    balancing_mode  = "UTILIZATION"
    max_utilization = 0.8
    capacity_scaler = 1
  }

  log_config {
    enable      = true
    sample_rate = 0.1
  }
}

resource "google_compute_region_url_map" "ledger_inside" {
  name            = "load-balancer-types-ledger-inside"
  default_service = google_compute_region_backend_service.ledger_inside.id
}

resource "google_compute_region_target_http_proxy" "ledger_inside" {
  name    = "load-balancer-types-ledger-inside"
  url_map = google_compute_region_url_map.ledger_inside.id
}

resource "google_compute_forwarding_rule" "ledger_inside" {
  name                  = "load-balancer-types-ledger-inside"
  load_balancing_scheme = "INTERNAL_MANAGED"
  network               = local.network_id
  subnetwork            = local.subnetwork_id
  target                = google_compute_region_target_http_proxy.ledger_inside.id
  port_range            = "9000"

  depends_on = [google_compute_subnetwork.proxies]
}

resource "google_dns_record_set" "ledger_inside" {
  managed_zone = google_dns_managed_zone.internal.name
  name         = "ledger.load-balancer-types.internal."
  type         = "A"
  ttl          = 60
  rrdatas      = [google_compute_forwarding_rule.ledger_inside.ip_address]
}

# Requests come from the proxies of internal load balancers, not from the callers themselves.
resource "google_compute_firewall" "ledger_from_proxies" {
  name                    = "load-balancer-types-ledger-from-proxies"
  network                 = local.network_id
  direction               = "INGRESS"
  source_ranges           = [local.proxy_range]
  target_service_accounts = [google_service_account.ledger.email]

  allow {
    protocol = "tcp"
    ports    = ["9000"]
  }
}
