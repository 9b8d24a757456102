# Cloud Service Mesh: Google runs the control plane and renews the sidecars. What the mesh lets through, and how, is in
# the manifests: they are Istio's, whoever runs it.
template "service_mesh" {
  for  = cluster
  file = "cluster_${cluster.name}_mesh.tf"

  covers = {
    sidecars = [let.managed_mesh ? google_gke_hub_feature_membership.this.mesh : google_compute_firewall.this_webhooks.allow]
    latency  = [google_monitoring_alert_policy.this_mesh.conditions]
    mtls     = [let.managed_mesh ? google_container_cluster.this.mesh_certificates : cluster.service_mesh.mtls]
    overhead = [google_container_node_pool.this.autoscaling.total_max_node_count, google_monitoring_alert_policy.this_mesh.conditions]
  }

  ignores = {
    certificate_lifetime = "The mesh's own authority decides how long its certificates live."
  }

  check "ambient" {
    condition = cluster.service_mesh.mode != "ambient" || cluster.service_mesh.control_plane == "own"
    message   = "Cloud Service Mesh puts a proxy beside each program; it has no ambient mode."
    fix       = "Set control_plane = \"own\", or mode = \"sidecar\"."
    at        = cluster.service_mesh.mode
    related   = [cluster.service_mesh.control_plane]
  }
  check "node_size" {
    condition = cluster.node_cpu >= 4
    message   = "The mesh's own programs want nodes of 4 vCPUs or more, and those of ${cluster.name} have ${cluster.node_cpu}."
    fix       = "Set node_cpu to 4 or more."
    at        = cluster.node_cpu
  }
}

let {
  managed_mesh = cluster.service_mesh.control_plane == "managed"
}

extend "google_container_cluster" "this" {
  # The mesh is a feature of the fleet, which the cluster joins.
  fleet {
    when = let.managed_mesh

    project = local.project
  }

  mesh_certificates {
    when = let.managed_mesh

    enable_certificates = true
  }
}

resource "google_gke_hub_feature" "mesh" {
  when = let.managed_mesh

  name     = "servicemesh"
  location = "global"

  fleet_default_member_config {
    mesh {
      management = "MANAGEMENT_AUTOMATIC"
    }
  }
}

resource "google_gke_hub_feature_membership" "this" {
  when = let.managed_mesh

  feature             = google_gke_hub_feature.mesh.name
  location            = google_gke_hub_feature.mesh.location
  membership          = google_container_cluster.this.fleet[0].membership_id
  membership_location = google_container_cluster.this.fleet[0].membership_location

  mesh {
    management = "MANAGEMENT_AUTOMATIC"
  }
}

# The control plane of Kubernetes asks the one of the mesh whether a pod gets a proxy.
resource "google_compute_firewall" "this_webhooks" {
  when = !let.managed_mesh

  name                    = "${let.name}-mesh-webhooks"
  network                 = local.network_id
  direction               = "INGRESS"
  source_ranges           = ["${google_container_cluster.this.private_cluster_config[0].private_endpoint}/32"]
  target_service_accounts = [google_service_account.this_nodes.email]

  allow {
    protocol = "tcp"
    ports    = ["15017"]
  }
}

resource "google_monitoring_alert_policy" "this_mesh" {
  display_name          = "${let.name}: service mesh"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.notification_channels

  # Callers and callees measure the same call: what lies between is the proxies and the network.
  conditions {
    display_name = "a call takes ${duration(cluster.service_mesh.max_latency)} longer (p99) for the caller than for the callee"

    condition_prometheus_query_language {
      query                     = "histogram_quantile(0.99, sum by (le, destination_service_name) (rate(istio_io:service_client_roundtrip_latencies_bucket{mesh_uid!=\"\"}[5m]))) - histogram_quantile(0.99, sum by (le, destination_service_name) (rate(istio_io:service_server_response_latencies_bucket{mesh_uid!=\"\"}[5m]))) > ${1000 * cluster.service_mesh.max_latency}"
      duration                  = "300s"
      evaluation_interval       = "60s"
      disable_metric_validation = true # nothing measures before the first call
    }
  }

  conditions {
    when = cluster.service_mesh.strict

    display_name = "calls without mutual TLS"

    condition_prometheus_query_language {
      query                     = "sum by (destination_service_name) (rate(istio_io:service_server_request_count{service_authentication_policy!=\"MUTUAL_TLS\"}[5m])) > 0"
      duration                  = "300s"
      evaluation_interval       = "60s"
      disable_metric_validation = true
    }
  }

  conditions {
    when = cluster.service_mesh.mode == "sidecar"

    display_name = "proxies use over 80 % of their memory"

    condition_prometheus_query_language {
      query                     = "max by (namespace_name, pod_name) (kubernetes_io:container_memory_limit_utilization{monitored_resource=\"k8s_container\", container_name=\"istio-proxy\"}) > 0.8"
      duration                  = "600s"
      evaluation_interval       = "60s"
      disable_metric_validation = true
    }
  }
}
