# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_service_account" "web" {
  account_id   = "auto-scaling-groups-web"
  display_name = "web of auto-scaling-groups"
}

# The program writes logs and measurements as its account.
resource "google_project_iam_member" "web" {
  for_each = toset(["roles/logging.logWriter", "roles/monitoring.metricWriter"])

  project = local.project
  role    = each.value
  member  = google_service_account.web.member
}

# Google asks from these addresses whether instances are well, and its global proxies come from them too.
resource "google_compute_firewall" "web_from_google" {
  name                    = "auto-scaling-groups-web-from-google"
  network                 = local.network_id
  direction               = "INGRESS"
  source_ranges           = ["35.191.0.0/16", "130.211.0.0/22"]
  target_service_accounts = [google_service_account.web.email]

  allow {
    protocol = "tcp"
    ports    = ["8080"]
  }
}

# Alive rather than ready: what fails this is replaced, and everything must not be replaced while a database is away.
# It takes longer to fail than the load balancer's check, which only takes the traffic away.
resource "google_compute_health_check" "web" {
  name                = "auto-scaling-groups-web-alive"
  check_interval_sec  = 10
  timeout_sec         = 5
  healthy_threshold   = 2
  unhealthy_threshold = 5

  http_health_check {
    port         = 8080
    request_path = "/healthz"
  }

  log_config {
    enable = true
  }
}

# Templates cannot be changed: every change is a new one, which exists before the group lets go of the old one.
resource "google_compute_region_instance_template" "web" {
  name_prefix  = "auto-scaling-groups-web-"
  region       = "europe-west1"
  machine_type = "e2-standard-2"
  labels       = { service = "web" }

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
            "IMAGE=ghcr.io/acme/web:1.4.2",
            "SERVICE=web",
            "PROJECT=${local.project}",
            "REGISTRY=",
            "PORTS=8080",
            "DRAIN=30",
            "VOLUME=",
            "",
          ])
        },
        {
          path        = "/etc/app/app.env"
          permissions = "0600"
          content     = "PORT=8080"
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
    email  = google_service_account.web.email
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

resource "google_compute_region_instance_group_manager" "web" {
  name                             = "auto-scaling-groups-web"
  region                           = "europe-west1"
  base_instance_name               = "auto-scaling-groups-web"
  distribution_policy_zones        = ["europe-west1-b", "europe-west1-c", "europe-west1-d"]
  distribution_policy_target_shape = "EVEN"

  # An apply ends when every instance runs what is written here and is well, and fails when that takes too long.
  wait_for_instances        = true
  wait_for_instances_status = "UPDATED"

  version {
    name              = "main"
    instance_template = google_compute_region_instance_template.web.self_link
  }

  named_port {
    name = "app"
    port = 8080
  }

  auto_healing_policies {
    health_check      = google_compute_health_check.web.id
    initial_delay_sec = 90
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
    initial_delay_sec = 90
  }
}

# It follows whichever signal asks for the most. The group itself names no size: the two would fight over it.
resource "google_compute_region_autoscaler" "web" {
  name   = "auto-scaling-groups-web"
  region = "europe-west1"
  target = google_compute_region_instance_group_manager.web.id

  autoscaling_policy {
    min_replicas         = 3
    max_replicas         = 12
    mode                 = "ON"
    cooldown_period      = 90  # younger instances are not measured
    stabilization_period = 300 # shrinks to the most that was needed in that time

    cpu_utilization {
      target            = 0.55
      predictive_method = "NONE"
    }

    # Requests for one instance, as a share of the backend's max_rate_per_instance.
    load_balancing_utilization {
      target = 0.7
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

    scaling_schedules {
      name                  = "morning"
      schedule              = "45 6 * * 1-5"
      time_zone             = "Europe/Berlin"
      duration_sec          = 14400
      min_required_replicas = 9
    }
  }
}

resource "google_monitoring_alert_policy" "web_at_max" {
  display_name          = "auto-scaling-groups-web: as large as it may be"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "at its maximum for 15 minutes"

    condition_threshold {
      filter          = "resource.type = \"instance_group\" AND resource.labels.instance_group_name = \"${google_compute_region_instance_group_manager.web.name}\" AND metric.type = \"compute.googleapis.com/instance_group/size\""
      comparison      = "COMPARISON_GT"
      threshold_value = 11.5
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

resource "google_billing_budget" "web" {
  billing_account = "012345-6789AB-CDEF01"
  display_name    = "auto-scaling-groups-web"

  budget_filter {
    projects = ["projects/${local.project_number}"]
    labels   = { service = "web" }
  }

  amount {
    specified_amount {
      units = "1500"
    }
  }

  threshold_rules {
    threshold_percent = 1
    spend_basis       = "FORECASTED_SPEND"
  }
}
