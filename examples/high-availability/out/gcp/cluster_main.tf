# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_service_account" "main_nodes" {
  account_id   = "shop-main-nodes"
  display_name = "Nodes of main"
}

resource "google_project_iam_member" "main_nodes" {
  for_each = toset(["roles/artifactregistry.reader", "roles/container.defaultNodeServiceAccount"])

  project = local.project
  role    = each.value
  member  = google_service_account.main_nodes.member
}

resource "google_container_cluster" "main" {
  name       = "shop-main"
  location   = "europe-west1" # regional: the control plane stands three times
  network    = local.network_id
  subnetwork = local.subnetwork_id

  node_locations           = ["europe-west1-b", "europe-west1-c", "europe-west1-d"]
  min_master_version       = "1.33"
  remove_default_node_pool = true
  initial_node_count       = 1
  deletion_protection      = true
  datapath_provider        = "ADVANCED_DATAPATH" # it enforces the network policies in the manifests

  release_channel {
    channel = "REGULAR"
  }

  ip_allocation_policy {
    cluster_secondary_range_name  = "pods"
    services_secondary_range_name = "services"
  }

  private_cluster_config {
    enable_private_nodes = true
  }

  # Its name leads to the control plane from the network only; who gets in is a matter of IAM.
  control_plane_endpoints_config {
    dns_endpoint_config {
      allow_external_traffic = false
    }

    ip_endpoints_config {
      enabled = false
    }
  }

  workload_identity_config {
    workload_pool = "${local.project}.svc.id.goog"
  }

  addons_config {
    horizontal_pod_autoscaling {
      disabled = false
    }

    http_load_balancing {
      disabled = false
    }

    dns_cache_config {
      enabled = true
    }

    gce_persistent_disk_csi_driver_config {
      enabled = true
    }
  }

  gateway_api_config {
    channel = "CHANNEL_STANDARD"
  }

  # Recommendations; what acts on them is in the manifests.
  vertical_pod_autoscaling {
    enabled = true
  }

  pod_autoscaling {
    hpa_profile = "PERFORMANCE"
  }

  cluster_autoscaling {
    autoscaling_profile = "BALANCED"
  }

  logging_config {
    enable_components = ["SYSTEM_COMPONENTS", "WORKLOADS"]
  }

  monitoring_config {
    enable_components = ["SYSTEM_COMPONENTS", "POD", "DEPLOYMENT", "STATEFULSET", "DAEMONSET", "HPA", "CADVISOR", "KUBELET"]

    managed_prometheus {
      enabled = true
    }
  }

  cost_management_config {
    enabled = true
  }

  # Patches come by themselves at the weekend. A minor version comes when it is written above.
  maintenance_policy {
    recurring_window {
      start_time = "2026-01-03T02:00:00Z"
      end_time   = "2026-01-03T08:00:00Z"
      recurrence = "FREQ=WEEKLY;BYDAY=SA,SU"
    }

    maintenance_exclusion {
      exclusion_name = "minor-versions"
      start_time     = "2026-01-01T00:00:00Z"

      exclusion_options {
        scope             = "NO_MINOR_UPGRADES"
        end_time_behavior = "UNTIL_END_OF_SUPPORT"
      }
    }
  }

  # The mesh is a feature of the fleet, which the cluster joins.
  fleet {
    project = local.project
  }

  mesh_certificates {
    enable_certificates = true
  }
}

resource "google_container_node_pool" "main" {
  name           = "general"
  cluster        = google_container_cluster.main.id
  node_locations = ["europe-west1-b", "europe-west1-c", "europe-west1-d"]

  initial_node_count = 1 # in each zone

  # Over all zones together: bounds for each would be multiplied by their number.
  autoscaling {
    total_min_node_count = 3
    total_max_node_count = 8
    location_policy      = "BALANCED"
  }

  management {
    auto_repair  = true
    auto_upgrade = true
  }

  # A new node stands before an old one is drained, and draining obeys the disruption budgets in the cluster.
  upgrade_settings {
    strategy        = "SURGE"
    max_surge       = 1
    max_unavailable = 0
  }

  node_config {
    machine_type    = "e2-standard-4"
    disk_type       = "pd-balanced"
    disk_size_gb    = 100
    image_type      = "COS_CONTAINERD"
    service_account = google_service_account.main_nodes.email
    oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"]

    shielded_instance_config {
      enable_secure_boot          = true
      enable_integrity_monitoring = true
    }

    # Pods cannot reach the nodes' account: they have accounts of their own.
    workload_metadata_config {
      mode = "GKE_METADATA"
    }

    kubelet_config {
      insecure_kubelet_readonly_port_enabled = "FALSE"
    }
  }

  lifecycle {
    ignore_changes = [initial_node_count] # the autoscaler owns the size
  }
}

# A pod that runs as its service's account in Kubernetes has the rights of the account of the same service here.
resource "google_service_account_iam_member" "main_pods" {
  for_each = {
    checkout = google_service_account.checkout.name
    payments = google_service_account.payments.name
  }

  service_account_id = each.value
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:${google_container_cluster.main.workload_identity_config[0].workload_pool}[shop/${each.key}]"
}

resource "google_monitoring_alert_policy" "main_nodes" {
  display_name          = "shop-main: nodes"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.notification_channels

  conditions {
    display_name = "pods find no node for ten minutes"

    condition_prometheus_query_language {
      query                     = "sum by (namespace) (kube_pod_status_unschedulable{cluster=\"${google_container_cluster.main.name}\"}) > 0"
      duration                  = "600s"
      evaluation_interval       = "60s"
      disable_metric_validation = true # nothing measures before the first pod
    }
  }

  documentation {
    content = "The cluster is as large as it may be, or no node is large enough."
  }
}

output "main" {
  description = "The cluster main: what `gcloud container clusters get-credentials` needs."
  value = {
    name     = google_container_cluster.main.name
    location = google_container_cluster.main.location
  }
}
