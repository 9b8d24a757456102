# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_service_account" "search" {
  account_id   = "everything-search"
  display_name = "search of everything"
}

# The program writes logs and measurements as its account.
resource "google_project_iam_member" "search" {
  for_each = toset(["roles/logging.logWriter", "roles/monitoring.metricWriter"])

  project = local.project
  role    = each.value
  member  = google_service_account.search.member
}

# Google asks from these addresses whether instances are well, and its global proxies come from them too.
resource "google_compute_firewall" "search_from_google" {
  name                    = "everything-search-from-google"
  network                 = local.network_id
  direction               = "INGRESS"
  source_ranges           = ["35.191.0.0/16", "130.211.0.0/22"]
  target_service_accounts = [google_service_account.search.email]

  allow {
    protocol = "tcp"
    ports    = ["9200"]
  }
}

resource "google_compute_disk" "search" {
  name = "everything-search-data"
  zone = "europe-west1-b"
  type = "hyperdisk-balanced"
  size = 50

  lifecycle {
    prevent_destroy = true
  }
}

# A snapshot every day, an hour before the machine may be stopped.
resource "google_compute_resource_policy" "search" {
  name   = "everything-search-snapshots"
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

resource "google_compute_disk_resource_policy_attachment" "search" {
  name = google_compute_resource_policy.search.name
  disk = google_compute_disk.search.name
  zone = "europe-west1-b"
}

# The address outlives the machine.
resource "google_compute_address" "search" {
  name         = "everything-search"
  address_type = "INTERNAL"
  subnetwork   = local.subnetwork_id
}

resource "google_compute_instance" "search" {
  name                = "everything-search"
  zone                = "europe-west1-b"
  machine_type        = "c4-highmem-8"
  deletion_protection = true
  labels              = { service = "search" }

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
            "IMAGE=ghcr.io/acme/search:1.4.2",
            "SERVICE=search",
            "PROJECT=${local.project}",
            "REGISTRY=",
            "PORTS=9200",
            "DRAIN=30",
            "VOLUME=/mnt/disks/data:/data",
            "",
          ])
        },
        {
          path        = "/etc/app/app.env"
          permissions = "0600"
          content     = "PORT=9200"
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
    source      = google_compute_disk.search.id
    device_name = "data"
  }

  network_interface {
    subnetwork = local.subnetwork_id
    network_ip = google_compute_address.search.address
    nic_type   = "GVNIC"
  }

  service_account {
    email  = google_service_account.search.email
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
resource "google_compute_instance_group" "search" {
  name      = "everything-search"
  zone      = "europe-west1-b"
  network   = local.network_id
  instances = [google_compute_instance.search.self_link]

  named_port {
    name = "app"
    port = 9200
  }
}

# A new size stops the machine for some minutes, so a workflow takes it in the window: it compares, and does nothing
# while the machine has its size.
resource "google_service_account" "search_resize" {
  account_id   = "everything-search-resize"
  display_name = "Resizes everything-search"
}

resource "google_project_iam_member" "search_resize" {
  for_each = toset([
    "roles/compute.instanceAdmin.v1",
    "roles/logging.logWriter",
    "roles/workflows.invoker",
  ])

  project = local.project
  role    = each.value
  member  = google_service_account.search_resize.member
}

# Who starts a machine must be allowed to act as its account.
resource "google_service_account_iam_member" "search_resize" {
  service_account_id = google_service_account.search.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.search_resize.member
}

resource "google_workflows_workflow" "search_resize" {
  name                = "everything-search-resize"
  region              = "europe-west1"
  description         = "Gives search the size that the blueprint states"
  service_account     = google_service_account.search_resize.id
  call_log_level      = "LOG_ALL_CALLS"
  deletion_protection = false # it keeps nothing
  source_contents     = file("${path.module}/instance/resize.yaml")

  user_env_vars = {
    PROJECT  = local.project
    ZONE     = "europe-west1-b"
    INSTANCE = google_compute_instance.search.name
    DISK     = google_compute_disk.search.name
    MACHINE  = "c4-highmem-8"
  }
}

resource "google_cloud_scheduler_job" "search_resize" {
  name      = "everything-search-resize"
  region    = "europe-west1"
  schedule  = "0 3 * * SUN"
  time_zone = "Etc/UTC"

  http_target {
    http_method = "POST"
    uri         = "https://workflowexecutions.googleapis.com/v1/${google_workflows_workflow.search_resize.id}/executions"

    oauth_token {
      service_account_email = google_service_account.search_resize.email
    }
  }
}

resource "google_monitoring_alert_policy" "search_size" {
  display_name          = "everything-search: too small"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "processor above 75 % for 1h"

    condition_threshold {
      filter          = "resource.type = \"gce_instance\" AND resource.labels.instance_id = \"${google_compute_instance.search.instance_id}\" AND metric.type = \"compute.googleapis.com/instance/cpu/utilization\""
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
      filter          = "resource.type = \"gce_instance\" AND resource.labels.instance_id = \"${google_compute_instance.search.instance_id}\" AND metric.type = \"compute.googleapis.com/guest/memory/percent_used\" AND metric.labels.state = \"used\""
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

resource "google_monitoring_alert_policy" "search_idle" {
  display_name          = "everything-search: paid for and idle"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "processor below 20 % for a day"

    condition_threshold {
      filter          = "resource.type = \"gce_instance\" AND resource.labels.instance_id = \"${google_compute_instance.search.instance_id}\" AND metric.type = \"compute.googleapis.com/instance/cpu/utilization\""
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

resource "google_monitoring_alert_policy" "search_gone" {
  display_name          = "everything-search: the machine does not run"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.notification_channels

  conditions {
    display_name = "no sign of life for 5m"

    condition_absent {
      filter   = "resource.type = \"gce_instance\" AND resource.labels.instance_id = \"${google_compute_instance.search.instance_id}\" AND metric.type = \"compute.googleapis.com/instance/uptime_total\""
      duration = "300s"

      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }
}

# Ready rather than alive: failing it only takes the traffic away.
resource "google_compute_region_health_check" "search_ready" {
  name                = "everything-search-ready"
  check_interval_sec  = 5
  timeout_sec         = 3
  healthy_threshold   = 2
  unhealthy_threshold = 3

  http_health_check {
    port         = 9200
    request_path = "/readyz"
  }

  log_config {
    enable = true
  }
}

# Requests come from the proxies of internal load balancers, not from the callers themselves.
resource "google_compute_firewall" "search_from_proxies" {
  name                    = "everything-search-from-proxies"
  network                 = local.network_id
  direction               = "INGRESS"
  source_ranges           = [local.proxy_range]
  target_service_accounts = [google_service_account.search.email]

  allow {
    protocol = "tcp"
    ports    = ["9200"]
  }
}
