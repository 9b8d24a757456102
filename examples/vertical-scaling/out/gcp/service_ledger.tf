# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_service_account" "ledger" {
  account_id   = "vertical-scaling-ledger"
  display_name = "ledger of vertical-scaling"
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
  name                    = "vertical-scaling-ledger-from-google"
  network                 = local.network_id
  direction               = "INGRESS"
  source_ranges           = ["35.191.0.0/16", "130.211.0.0/22"]
  target_service_accounts = [google_service_account.ledger.email]

  allow {
    protocol = "tcp"
    ports    = ["9000"]
  }
}

resource "google_compute_disk" "ledger" {
  name = "vertical-scaling-ledger-data"
  zone = "europe-west1-b"
  type = "hyperdisk-balanced"
  size = 50

  lifecycle {
    prevent_destroy = true
  }
}

# A snapshot every day, an hour before the machine may be stopped.
resource "google_compute_resource_policy" "ledger" {
  name   = "vertical-scaling-ledger-snapshots"
  region = "europe-west1"

  snapshot_schedule_policy {
    schedule {
      daily_schedule {
        days_in_cycle = 1
        start_time    = "02:00"
      }
    }

    retention_policy {
      max_retention_days    = 14
      on_source_disk_delete = "KEEP_AUTO_SNAPSHOTS"
    }
  }
}

resource "google_compute_disk_resource_policy_attachment" "ledger" {
  name = google_compute_resource_policy.ledger.name
  disk = google_compute_disk.ledger.name
  zone = "europe-west1-b"
}

# The address outlives the machine.
resource "google_compute_address" "ledger" {
  name         = "vertical-scaling-ledger"
  address_type = "INTERNAL"
  subnetwork   = local.subnetwork_id
}

resource "google_compute_instance" "ledger" {
  name                = "vertical-scaling-ledger"
  zone                = "europe-west1-b"
  machine_type        = "c4-highmem-4"
  deletion_protection = true
  labels              = { service = "ledger" }

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
            "VOLUME=/mnt/disks/data:/data",
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
        {
          path        = "/etc/app/data.sh"
          permissions = "0700"
          content     = file("${path.module}/instance/data.sh")
        },
        {
          path        = "/etc/systemd/system/data.service"
          permissions = "0644"
          content     = file("${path.module}/instance/data.service")
        },
      ]
      runcmd = [
        ["systemctl", "daemon-reload"],
        ["systemctl", "start", "data.service", "app.service"],
      ]
    })])
  }

  boot_disk {
    auto_delete = true

    initialize_params {
      image = "projects/cos-cloud/global/images/family/cos-stable"
      type  = "hyperdisk-balanced"
      size  = 30
    }
  }

  attached_disk {
    source      = google_compute_disk.ledger.id
    device_name = "data"
  }

  network_interface {
    subnetwork = local.subnetwork_id
    network_ip = google_compute_address.ledger.address
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

  # A host that fails is left for another, with the same disks and address.
  scheduling {
    automatic_restart   = true
    on_host_maintenance = "MIGRATE"
  }

  lifecycle {
    # A new image would replace the machine. Its size is the workflow's, in the window.
    ignore_changes = [boot_disk[0].initialize_params[0].image, machine_type]
  }
}

# Load balancers lead to groups.
resource "google_compute_instance_group" "ledger" {
  name      = "vertical-scaling-ledger"
  zone      = "europe-west1-b"
  network   = local.network_id
  instances = [google_compute_instance.ledger.self_link]

  named_port {
    name = "app"
    port = 9000
  }
}

# A new size stops the machine for some minutes, so a workflow takes it in the window: it compares, and does nothing
# while the machine has its size.
resource "google_service_account" "ledger_resize" {
  account_id   = "vertical-scaling-ledger-resize"
  display_name = "Resizes vertical-scaling-ledger"
}

resource "google_project_iam_member" "ledger_resize" {
  for_each = toset([
    "roles/compute.instanceAdmin.v1",
    "roles/logging.logWriter",
    "roles/workflows.invoker",
  ])

  project = local.project
  role    = each.value
  member  = google_service_account.ledger_resize.member
}

# Who starts a machine must be allowed to act as its account.
resource "google_service_account_iam_member" "ledger_resize" {
  service_account_id = google_service_account.ledger.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.ledger_resize.member
}

resource "google_workflows_workflow" "ledger_resize" {
  name                = "vertical-scaling-ledger-resize"
  region              = "europe-west1"
  description         = "Gives ledger the size that the blueprint states"
  service_account     = google_service_account.ledger_resize.id
  call_log_level      = "LOG_ALL_CALLS"
  deletion_protection = false # it keeps nothing
  source_contents     = file("${path.module}/instance/resize.yaml")

  user_env_vars = {
    PROJECT  = local.project
    ZONE     = "europe-west1-b"
    INSTANCE = google_compute_instance.ledger.name
    DISK     = google_compute_disk.ledger.name
    MACHINE  = "c4-highmem-4"
  }
}

resource "google_cloud_scheduler_job" "ledger_resize" {
  name      = "vertical-scaling-ledger-resize"
  region    = "europe-west1"
  schedule  = "0 3 * * SUN"
  time_zone = "Etc/UTC"

  http_target {
    http_method = "POST"
    uri         = "https://workflowexecutions.googleapis.com/v1/${google_workflows_workflow.ledger_resize.id}/executions"

    oauth_token {
      service_account_email = google_service_account.ledger_resize.email
    }
  }
}

resource "google_monitoring_alert_policy" "ledger_size" {
  display_name          = "vertical-scaling-ledger: too small"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "processor above 75 % for 1h"

    condition_threshold {
      filter          = "resource.type = \"gce_instance\" AND resource.labels.instance_id = \"${google_compute_instance.ledger.instance_id}\" AND metric.type = \"compute.googleapis.com/instance/cpu/utilization\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0.75
      duration        = "3600s"

      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_MEAN"
      }
    }
  }

  conditions {
    display_name = "memory above 85 % for 1h"

    condition_threshold {
      filter          = "resource.type = \"gce_instance\" AND resource.labels.instance_id = \"${google_compute_instance.ledger.instance_id}\" AND metric.type = \"compute.googleapis.com/guest/memory/percent_used\" AND metric.labels.state = \"used\""
      comparison      = "COMPARISON_GT"
      threshold_value = 85
      duration        = "3600s"

      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_MEAN"
      }
    }
  }

  documentation {
    content = "Raise cpu or memory in the blueprint: the new size is taken in the window, or at once where resize says so."
  }
}

resource "google_monitoring_alert_policy" "ledger_idle" {
  display_name          = "vertical-scaling-ledger: paid for and idle"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "processor below 20 % for a day"

    condition_threshold {
      filter          = "resource.type = \"gce_instance\" AND resource.labels.instance_id = \"${google_compute_instance.ledger.instance_id}\" AND metric.type = \"compute.googleapis.com/instance/cpu/utilization\""
      comparison      = "COMPARISON_LT"
      threshold_value = 0.2
      duration        = "82800s" # a day, less the hour that is averaged over

      aggregations {
        alignment_period   = "3600s"
        per_series_aligner = "ALIGN_MEAN"
      }
    }
  }

  documentation {
    content = "A smaller size may do."
  }
}

resource "google_monitoring_alert_policy" "ledger_gone" {
  display_name          = "vertical-scaling-ledger: the machine does not run"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.notification_channels

  conditions {
    display_name = "no sign of life for 5m"

    condition_absent {
      filter   = "resource.type = \"gce_instance\" AND resource.labels.instance_id = \"${google_compute_instance.ledger.instance_id}\" AND metric.type = \"compute.googleapis.com/instance/uptime_total\""
      duration = "300s"

      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }
}

resource "google_billing_budget" "ledger" {
  billing_account = "012345-6789AB-CDEF01"
  display_name    = "vertical-scaling-ledger"

  budget_filter {
    projects = ["projects/${local.project_number}"]
    labels   = { service = "ledger" }
  }

  amount {
    specified_amount {
      units = "600"
    }
  }

  threshold_rules {
    threshold_percent = 1
    spend_basis       = "FORECASTED_SPEND"
  }
}

# Ready rather than alive: failing it only takes the traffic away.
resource "google_compute_region_health_check" "ledger_ready" {
  name                = "vertical-scaling-ledger-ready"
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
  name                            = "vertical-scaling-ledger-inside"
  load_balancing_scheme           = "INTERNAL_MANAGED"
  protocol                        = "HTTP"
  port_name                       = "app"
  timeout_sec                     = 4
  connection_draining_timeout_sec = 30
  health_checks                   = [google_compute_region_health_check.ledger_ready.id]
  locality_lb_policy              = "LEAST_REQUEST"

  backend {
    group                 = google_compute_instance_group.ledger.self_link
    balancing_mode        = "RATE"
    max_rate_per_instance = 200
    capacity_scaler       = 1
  }

  log_config {
    enable      = true
    sample_rate = 0.1
  }
}

resource "google_compute_region_url_map" "ledger_inside" {
  name            = "vertical-scaling-ledger-inside"
  default_service = google_compute_region_backend_service.ledger_inside.id
}

resource "google_compute_region_target_http_proxy" "ledger_inside" {
  name    = "vertical-scaling-ledger-inside"
  url_map = google_compute_region_url_map.ledger_inside.id
}

resource "google_compute_forwarding_rule" "ledger_inside" {
  name                  = "vertical-scaling-ledger-inside"
  load_balancing_scheme = "INTERNAL_MANAGED"
  network               = local.network_id
  subnetwork            = local.subnetwork_id
  target                = google_compute_region_target_http_proxy.ledger_inside.id
  port_range            = "9000"

  depends_on = [google_compute_subnetwork.proxies]
}

resource "google_dns_record_set" "ledger_inside" {
  managed_zone = google_dns_managed_zone.internal.name
  name         = "ledger.vertical-scaling.internal."
  type         = "A"
  ttl          = 60
  rrdatas      = [google_compute_forwarding_rule.ledger_inside.ip_address]
}

# Requests come from the proxies of internal load balancers, not from the callers themselves.
resource "google_compute_firewall" "ledger_from_proxies" {
  name                    = "vertical-scaling-ledger-from-proxies"
  network                 = local.network_id
  direction               = "INGRESS"
  source_ranges           = [local.proxy_range]
  target_service_accounts = [google_service_account.ledger.email]

  allow {
    protocol = "tcp"
    ports    = ["9000"]
  }
}
