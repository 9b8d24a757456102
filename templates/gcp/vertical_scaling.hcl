# One machine, which grows. What it must not lose is on a disk of its own, so the machine itself can be replaced.
template "vertical_scaling" {
  for  = service
  when = service.runs_on == null
  file = "service_${service.name}.tf"

  covers = {
    limits      = [google_compute_instance.this.machine_type, service.vertical_scaling.max_cpu]
    downtime    = [google_compute_disk_resource_policy_attachment.this.name, service.vertical_scaling.resize == "window" ? google_cloud_scheduler_job.this_resize.schedule : google_compute_instance.this.allow_stopping_for_update]
    utilisation = [google_monitoring_alert_policy.this_size.conditions, google_monitoring_alert_policy.this_idle.conditions]
    costs       = [let.budget == null || target.billing_account == null ? google_monitoring_alert_policy.this_idle.conditions : google_billing_budget.this.amount]
    horizontal  = [google_monitoring_alert_policy.this_size.severity, service.vertical_scaling.ceiling_warning]
  }

  check "size_exists" {
    condition = length([for row in table.machine_types : row if row.arch == target.architecture && contains(let.hyperdisk_only, row.series) && row.vcpu >= service.vertical_scaling.max_cpu && row.memory_gib >= gib(service.vertical_scaling.max_memory)]) > 0
    message   = "No machine of the series that ${service.name} can grow in has the ${service.vertical_scaling.max_cpu} vCPUs and ${ceil(gib(service.vertical_scaling.max_memory))} GiB that it may grow to."
    fix       = "Lower max_cpu or max_memory: that is where vertical growth ends."
    at        = service.vertical_scaling.max_cpu
    related   = [service.vertical_scaling.max_memory]
  }
  # Another series may want disks of another kind, and a disk's kind cannot change.
  check "one_series" {
    condition = contains(let.hyperdisk_only, let.series)
    message   = "${let.machine} starts from other disks than the machines that ${service.name} can grow to (${join(", ", let.hyperdisk_only)}), and a disk cannot change its kind."
    fix       = "Leave machine unset, or name a machine of these series."
    at        = service.machine
  }
  check "billing_account" {
    condition = service.vertical_scaling.monthly_budget == null || target.billing_account != null
    message   = "A budget belongs to a billing account, and the target names none: nobody is told when ${service.name} costs more than ${service.vertical_scaling.monthly_budget == null ? 0 : service.vertical_scaling.monthly_budget}."
    fix       = "Set billing_account in the target."
    at        = service.vertical_scaling.monthly_budget
    related   = [target.billing_account]
    severity  = "warning"
  }
}

let {
  growth  = service.vertical_scaling
  windows = service.vertical_scaling.resize == "window"
  home    = let.zones[0]
  largest = service.vertical_scaling.share_of_ceiling >= service.vertical_scaling.ceiling_warning
  observe = "${60 * min(1410, ceil(service.vertical_scaling.observe / 60))}s" # an alert looks back a day at the most
}

resource "google_compute_disk" "this" {
  name = "${let.name}-data"
  zone = let.home
  type = "hyperdisk-balanced"
  size = ceil(gib(let.growth.disk))

  disk_encryption_key {
    when = target.kms_key != null

    kms_key_self_link = target.kms_key
  }

  lifecycle {
    prevent_destroy = true
  }

  depends_on = target.kms_key == null ? null : [google_kms_crypto_key_iam_member.main]
}

# A snapshot every day, an hour before the machine may be stopped.
resource "google_compute_resource_policy" "this" {
  name   = "${let.name}-snapshots"
  region = target.region

  snapshot_schedule_policy {
    schedule {
      daily_schedule {
        days_in_cycle = 1
        start_time    = format("%02d:00", (let.growth.window_hour + 23) % 24)
      }
    }

    retention_policy {
      max_retention_days    = let.growth.snapshot_days
      on_source_disk_delete = "KEEP_AUTO_SNAPSHOTS"
    }
  }
}

resource "google_compute_disk_resource_policy_attachment" "this" {
  name = google_compute_resource_policy.this.name
  disk = google_compute_disk.this.name
  zone = let.home
}

# The address outlives the machine.
resource "google_compute_address" "this" {
  name         = let.name
  address_type = "INTERNAL"
  subnetwork   = local.subnetwork_id
}

resource "google_compute_instance" "this" {
  name                      = let.name
  zone                      = let.home
  machine_type              = let.machine
  allow_stopping_for_update = let.windows ? null : true # or a new size is refused
  deletion_protection       = true
  labels                    = { service = service.name }

  metadata = {
    block-project-ssh-keys    = "true"
    enable-oslogin            = "TRUE"
    google-monitoring-enabled = let.bare_image ? "true" : null

    user-data = join("\n", ["#cloud-config", yamlencode({
      write_files = [
        {
          path        = "/etc/app/instance.env"
          permissions = "0600"
          content = join("\n", [
            "IMAGE=${service.image}",
            "SERVICE=${service.name}",
            "PROJECT=${local.project}",
            "REGISTRY=${let.registry}",
            "PORTS=${join(",", let.ports)}",
            "DRAIN=${ceil(service.drain_time)}",
            "VOLUME=/mnt/disks/data:/data",
            "",
          ])
        },
        {
          path        = "/etc/app/app.env"
          permissions = "0600"
          content     = join("\n", [for v in let.environment : v.host == "" ? "${v.name}=${v.value}" : v.host == "account" ? "${v.name}=${trimsuffix(google_service_account.this.email, ".gserviceaccount.com")}" : "${v.name}=${local[v.host]}"])
        },
        {
          path        = "/etc/app/secrets"
          permissions = "0600"
          content     = join("", [for name, secret in let.secrets : "${name} ${secret}\n"])
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
    auto_delete       = true
    kms_key_self_link = target.kms_key

    initialize_params {
      image = target.image
      type  = "hyperdisk-balanced"
      size  = 30
    }
  }

  attached_disk {
    source            = google_compute_disk.this.id
    device_name       = "data"
    kms_key_self_link = target.kms_key
  }

  network_interface {
    subnetwork = local.subnetwork_id
    network_ip = google_compute_address.this.address
    nic_type   = "GVNIC"
  }

  service_account {
    email  = google_service_account.this.email
    scopes = ["https://www.googleapis.com/auth/cloud-platform"]
  }

  shielded_instance_config {
    enable_secure_boot          = target.architecture != "arm64"
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

    when = let.windows
  }

  lifecycle {
    ignore_changes = [boot_disk[0].initialize_params[0].image] # a new one would replace the machine

    when = !let.windows
  }
}

# Load balancers lead to groups.
resource "google_compute_instance_group" "this" {
  when = service.balancer != null || let.inside != "none" || let.stands_in || length(service.clients) > length(let.callers)

  name      = let.name
  zone      = let.home
  network   = local.network_id
  instances = [google_compute_instance.this.self_link]

  named_port {
    name = "app"
    port = service.port
  }
}

# A new size stops the machine for some minutes, so a workflow takes it in the window: it compares, and does nothing
# while the machine has its size.
resource "google_service_account" "this_resize" {
  when = let.windows

  account_id   = shortname("${let.prefix}-${service.name}-resize", 30)
  display_name = "Resizes ${let.name}"
}

resource "google_project_iam_member" "this_resize" {
  when = let.windows
  for_each = toset([
    "roles/compute.instanceAdmin.v1",
    "roles/logging.logWriter",
    "roles/workflows.invoker",
  ])

  project = local.project
  role    = each.value
  member  = google_service_account.this_resize.member
}

# Who starts a machine must be allowed to act as its account.
resource "google_service_account_iam_member" "this_resize" {
  when = let.windows

  service_account_id = google_service_account.this.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.this_resize.member
}

resource "google_workflows_workflow" "this_resize" {
  when = let.windows

  name                = "${let.name}-resize"
  region              = target.region
  description         = "Gives ${service.name} the size that the blueprint states"
  service_account     = google_service_account.this_resize.id
  call_log_level      = "LOG_ALL_CALLS"
  deletion_protection = false # it keeps nothing
  source_contents     = file("${path.module}/instance/resize.yaml")

  user_env_vars = {
    PROJECT  = local.project
    ZONE     = let.home
    INSTANCE = google_compute_instance.this.name
    DISK     = google_compute_disk.this.name
    MACHINE  = let.machine
  }
}

resource "google_cloud_scheduler_job" "this_resize" {
  when = let.windows

  name      = "${let.name}-resize"
  region    = target.region
  schedule  = "0 ${let.growth.window_hour} * * ${upper(substr(let.growth.window_day, 0, 3))}"
  time_zone = "Etc/UTC"

  http_target {
    http_method = "POST"
    uri         = "https://workflowexecutions.googleapis.com/v1/${google_workflows_workflow.this_resize.id}/executions"

    oauth_token {
      service_account_email = google_service_account.this_resize.email
    }
  }
}

resource "google_monitoring_alert_policy" "this_size" {
  display_name          = let.largest ? "${let.name}: too small, and near the largest size" : "${let.name}: too small"
  combiner              = "OR"
  severity              = let.largest ? "ERROR" : "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "processor above ${let.growth.high_cpu} % for ${span(let.growth.observe)}"

    condition_threshold {
      filter          = "resource.type = \"gce_instance\" AND resource.labels.instance_id = \"${google_compute_instance.this.instance_id}\" AND metric.type = \"compute.googleapis.com/instance/cpu/utilization\""
      comparison      = "COMPARISON_GT"
      threshold_value = let.growth.high_cpu / 100
      duration        = let.observe

      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_MEAN"
      }
    }
  }

  conditions {
    display_name = "memory above ${let.growth.high_memory} % for ${span(let.growth.observe)}"

    condition_threshold {
      filter          = "resource.type = \"gce_instance\" AND resource.labels.instance_id = \"${google_compute_instance.this.instance_id}\" AND metric.type = \"${let.memory_metric}\" AND metric.labels.state = \"used\""
      comparison      = "COMPARISON_GT"
      threshold_value = let.growth.high_memory
      duration        = let.observe

      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_MEAN"
      }
    }
  }

  documentation {
    content = let.largest ? "${let.growth.share_of_ceiling} % of the largest size is taken. Plan for more machines instead of a larger one: auto_scaling_group, once the program keeps no state." : "Raise cpu or memory in the blueprint: the new size is taken in the window, or at once where resize says so."
  }
}

resource "google_monitoring_alert_policy" "this_idle" {
  display_name          = "${let.name}: paid for and idle"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "processor below ${let.growth.low_cpu} % for a day"

    condition_threshold {
      filter          = "resource.type = \"gce_instance\" AND resource.labels.instance_id = \"${google_compute_instance.this.instance_id}\" AND metric.type = \"compute.googleapis.com/instance/cpu/utilization\""
      comparison      = "COMPARISON_LT"
      threshold_value = let.growth.low_cpu / 100
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

resource "google_monitoring_alert_policy" "this_gone" {
  display_name          = "${let.name}: the machine does not run"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.notification_channels

  conditions {
    display_name = "no sign of life for ${span(max(300, let.growth.downtime))}"

    condition_absent {
      filter   = "resource.type = \"gce_instance\" AND resource.labels.instance_id = \"${google_compute_instance.this.instance_id}\" AND metric.type = \"compute.googleapis.com/instance/uptime_total\""
      duration = "${60 * min(1410, ceil(max(300, let.growth.downtime) / 60))}s"

      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }
}

resource "google_billing_budget" "this" {
  when = let.budget != null && target.billing_account != null

  billing_account = target.billing_account
  display_name    = let.name

  budget_filter {
    projects = ["projects/${local.project_number}"]
    labels   = { service = service.name }
  }

  amount {
    specified_amount {
      units = tostring(let.budget)
    }
  }

  threshold_rules {
    threshold_percent = 1
    spend_basis       = "FORECASTED_SPEND"
  }

  all_updates_rule {
    when = length(let.told) > 0 && length(let.told) <= 5

    monitoring_notification_channels = local.notification_channels
  }

  # A budget tells five at the most.
  all_updates_rule {
    when = length(let.told) > 5

    monitoring_notification_channels = slice(local.notification_channels, 0, 5)
  }
}

file "instance/data.service" {
  format  = "ini"
  content = <<-EOT
    [Unit]
    Description=The data disk
    Before=app.service

    [Service]
    Type=oneshot
    RemainAfterExit=yes
    ExecStart=/bin/bash /etc/app/data.sh
    ExecStop=/bin/umount /mnt/disks/data

    [Install]
    WantedBy=multi-user.target
  EOT
}

file "instance/data.sh" {
  format  = "sh"
  content = <<-EOT
    #!/bin/bash
    # Mounts the data disk, and makes a file system on it if it has none.
    set -euo pipefail

    disk=/dev/disk/by-id/google-data
    until [[ -b $disk ]]; do sleep 2; done
    if ! blkid "$disk" >/dev/null; then
      mkfs.ext4 -m 0 "$disk"
    fi
    mkdir -p /mnt/disks/data
    mount -o discard,defaults "$disk" /mnt/disks/data
    resize2fs "$disk"
  EOT
}

file "instance/resize.yaml" {
  when    = let.windows
  format  = "text"
  content = <<-EOT
    # Gives a machine another size: a snapshot of its data, then a stop, the change and a start.
    main:
      steps:
        - init:
            assign:
              - project: $${sys.get_env("PROJECT")}
              - zone: $${sys.get_env("ZONE")}
              - instance: $${sys.get_env("INSTANCE")}
              - machine: $${"zones/" + sys.get_env("ZONE") + "/machineTypes/" + sys.get_env("MACHINE")}
        - read:
            call: googleapis.compute.v1.instances.get
            args:
              project: $${project}
              zone: $${zone}
              instance: $${instance}
            result: current
        - only_another_size:
            switch:
              - condition: $${text.match_regex(current.machineType, "/" + sys.get_env("MACHINE") + "$")}
                next: end
        - snapshot:
            call: googleapis.compute.v1.disks.createSnapshot
            args:
              project: $${project}
              zone: $${zone}
              disk: $${sys.get_env("DISK")}
              body:
                name: $${instance + "-" + string(int(sys.now()))}
        - stop:
            call: googleapis.compute.v1.instances.stop
            args:
              project: $${project}
              zone: $${zone}
              instance: $${instance}
        - resize:
            call: googleapis.compute.v1.instances.setMachineType
            args:
              project: $${project}
              zone: $${zone}
              instance: $${instance}
              body:
                machineType: $${machine}
        - start:
            call: googleapis.compute.v1.instances.start
            args:
              project: $${project}
              zone: $${zone}
              instance: $${instance}
  EOT
}
