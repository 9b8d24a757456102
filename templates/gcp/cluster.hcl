# A regional GKE cluster: three control planes, nodes in every zone, and an account for them that may do little. What it
# runs is in manifests of their own, which are applied once it stands.
template "cluster" {
  for  = cluster
  file = "cluster_${cluster.name}.tf"

  check "zones" {
    condition = cluster.zones <= target.zones
    message   = "${cluster.name} is to stand in ${cluster.zones} zones, and the target has ${target.zones}: ${join(", ", let.all_zones)}."
    fix       = "Lower zones, or give the target more."
    at        = cluster.zones
    related   = [target.zones]
  }
  # A range for pods cannot be changed, so it does not follow max_nodes.
  check "pods" {
    condition = target.network == null || cluster.max_nodes < 128
    message   = "The range for pods that GKE takes in your network is enough for 128 nodes, one of them for upgrades, and ${cluster.name} may have ${cluster.max_nodes}."
    fix       = "Give the cluster larger nodes and fewer of them."
    at        = cluster.max_nodes
  }
  check "machine" {
    condition = lookup(cluster.machine, "gcp", "") != "" || length(let.fitting) > 0
    message   = "No machine type for ${target.architecture} has ${cluster.node_cpu} vCPUs and ${ceil(gib(cluster.node_memory))} GiB."
    fix       = "Make the nodes smaller, and more of them."
    at        = cluster.node_cpu
    related   = [cluster.node_memory, target.architecture]
  }
}

let {
  name       = shortname("${let.prefix}-${cluster.name}", 40)
  size       = { vcpu = cluster.node_cpu, memory_gib = gib(cluster.node_memory), arch = target.architecture }
  fitting    = [for row in table.machine_types : row if row.arch == let.size.arch && row.vcpu >= let.size.vcpu && row.memory_gib >= let.size.memory_gib && row.series != "e2-shared"]
  machine    = lookup(cluster.machine, "gcp", "") != "" ? lookup(cluster.machine, "gcp", "") : length(let.fitting) > 0 ? let.fitting[0].name : ""
  vcpus      = ceil(element(concat([for row in table.machine_types : row.vcpu if row.name == let.machine], [cluster.node_cpu]), 0))
  disk       = contains(let.hyperdisk_only, split("-", let.machine)[0]) ? "hyperdisk-balanced" : "pd-balanced"
  node_zones = slice(let.all_zones, 0, min(cluster.zones, length(let.all_zones)))
  spot_nodes = floor(cluster.spot * cluster.max_nodes / 100)
  # Secrets that pods are given by external-secrets.
  secrets = distinct(flatten([for s in cluster.services : values(s.secrets)]))
  # Databases whose clients share a user, with a password.
  pools = distinct(flatten([for s in cluster.services : [for d in s.databases : d.name if d.let.pool_user]]))
}

resource "google_service_account" "this_nodes" {
  account_id   = shortname("${let.prefix}-${cluster.name}-nodes", 30)
  display_name = "Nodes of ${cluster.name}"
}

resource "google_project_iam_member" "this_nodes" {
  for_each = toset(["roles/artifactregistry.reader", "roles/container.defaultNodeServiceAccount"])

  project = local.project
  role    = each.value
  member  = google_service_account.this_nodes.member
}

resource "google_container_cluster" "this" {
  name       = let.name
  location   = target.region # regional: the control plane stands three times
  network    = local.network_id
  subnetwork = local.subnetwork_id

  node_locations           = let.node_zones
  min_master_version       = cluster.version
  remove_default_node_pool = true
  initial_node_count       = 1
  deletion_protection      = true
  datapath_provider        = "ADVANCED_DATAPATH" # it enforces the network policies in the manifests

  release_channel {
    channel = "REGULAR"
  }

  ip_allocation_policy {
    cluster_secondary_range_name  = target.network == null ? "pods" : null
    services_secondary_range_name = target.network == null ? "services" : null
    cluster_ipv4_cidr_block       = target.network == null ? null : "/17"
    services_ipv4_cidr_block      = target.network == null ? null : "/22"
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
      enabled = length(cluster.admins) > 0
    }
  }

  master_authorized_networks_config {
    when = length(cluster.admins) > 0

    dynamic "cidr_blocks" {
      for_each = cluster.admins

      content {
        cidr_block = cidr_blocks.value
      }
    }
  }

  workload_identity_config {
    workload_pool = "${local.project}.svc.id.goog"
  }

  database_encryption {
    when = target.kms_key != null

    state    = "ENCRYPTED"
    key_name = target.kms_key
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

  depends_on = target.kms_key == null ? null : [google_kms_crypto_key_iam_member.main]
}

resource "google_container_node_pool" "this" {
  name           = "general"
  cluster        = google_container_cluster.this.id
  node_locations = let.node_zones

  initial_node_count = 1 # in each zone

  # Over all zones together: bounds for each would be multiplied by their number.
  autoscaling {
    total_min_node_count = cluster.min_nodes
    total_max_node_count = max(cluster.min_nodes, cluster.max_nodes - let.spot_nodes)
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
    machine_type      = let.machine
    disk_type         = let.disk
    disk_size_gb      = ceil(gib(cluster.node_disk))
    boot_disk_kms_key = target.kms_key
    image_type        = "COS_CONTAINERD"
    service_account   = google_service_account.this_nodes.email
    oauth_scopes      = ["https://www.googleapis.com/auth/cloud-platform"]

    shielded_instance_config {
      enable_secure_boot          = target.architecture != "arm64"
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

# Cheaper, and may be taken back at short notice.
resource "google_container_node_pool" "this_spot" {
  when = let.spot_nodes > 0

  name           = "spot"
  cluster        = google_container_cluster.this.id
  node_locations = let.node_zones

  initial_node_count = 0

  autoscaling {
    total_min_node_count = 0
    total_max_node_count = let.spot_nodes
    location_policy      = "ANY"
  }

  management {
    auto_repair  = true
    auto_upgrade = true
  }

  node_config {
    machine_type      = let.machine
    disk_type         = let.disk
    disk_size_gb      = ceil(gib(cluster.node_disk))
    boot_disk_kms_key = target.kms_key
    image_type        = "COS_CONTAINERD"
    service_account   = google_service_account.this_nodes.email
    oauth_scopes      = ["https://www.googleapis.com/auth/cloud-platform"]
    spot              = true

    shielded_instance_config {
      enable_secure_boot          = target.architecture != "arm64"
      enable_integrity_monitoring = true
    }

    workload_metadata_config {
      mode = "GKE_METADATA"
    }

    kubelet_config {
      insecure_kubelet_readonly_port_enabled = "FALSE"
    }
  }

  lifecycle {
    ignore_changes = [initial_node_count]
  }
}

# A pod that runs as its service's account in Kubernetes has the rights of the account of the same service here.
resource "google_service_account_iam_member" "this_pods" {
  when     = length(cluster.services) > 0
  for_each = { for s in cluster.services : s.name => google_service_account[s.name].name }

  service_account_id = each.value
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:${google_container_cluster.this.workload_identity_config[0].workload_pool}[${target.namespace}/${each.key}]"
}

# external-secrets hands them to pods; it reads these and no others.
resource "google_secret_manager_secret_iam_member" "this" {
  when     = length(let.secrets) > 0
  for_each = toset(let.secrets)

  secret_id = each.value
  role      = "roles/secretmanager.secretAccessor"
  member    = "principal://iam.googleapis.com/projects/${local.project_number}/locations/global/workloadIdentityPools/${google_container_cluster.this.workload_identity_config[0].workload_pool}/subject/ns/external-secrets/sa/external-secrets"
}

resource "google_secret_manager_secret_iam_member" "this_pools" {
  when     = length(let.pools) > 0
  for_each = { for name in let.pools : name => google_secret_manager_secret["${name}_pool"].secret_id }

  secret_id = each.value
  role      = "roles/secretmanager.secretAccessor"
  member    = "principal://iam.googleapis.com/projects/${local.project_number}/locations/global/workloadIdentityPools/${google_container_cluster.this.workload_identity_config[0].workload_pool}/subject/ns/external-secrets/sa/external-secrets"
}

resource "google_monitoring_alert_policy" "this_nodes" {
  display_name          = "${let.name}: nodes"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.notification_channels

  conditions {
    display_name = "pods find no node for ten minutes"

    condition_prometheus_query_language {
      query                     = "sum by (namespace) (kube_pod_status_unschedulable{cluster=\"${google_container_cluster.this.name}\"}) > 0"
      duration                  = "600s"
      evaluation_interval       = "60s"
      disable_metric_validation = true # nothing measures before the first pod
    }
  }

  documentation {
    content = "The cluster is as large as it may be, or no node is large enough."
  }
}

output "this" {
  description = "The cluster ${cluster.name}: what `gcloud container clusters get-credentials` needs."
  value = {
    name     = google_container_cluster.this.name
    location = google_container_cluster.this.location
  }
}
