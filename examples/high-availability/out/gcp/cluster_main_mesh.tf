# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_gke_hub_feature" "mesh" {
  name     = "servicemesh"
  location = "global"

  fleet_default_member_config {
    mesh {
      management = "MANAGEMENT_AUTOMATIC"
    }
  }
}

resource "google_gke_hub_feature_membership" "main" {
  feature             = google_gke_hub_feature.mesh.name
  location            = google_gke_hub_feature.mesh.location
  membership          = google_container_cluster.main.fleet[0].membership_id
  membership_location = google_container_cluster.main.fleet[0].membership_location

  mesh {
    management = "MANAGEMENT_AUTOMATIC"
  }
}

resource "google_monitoring_alert_policy" "main_mesh" {
  display_name          = "shop-main: service mesh"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.notification_channels

  # Callers and callees measure the same call: what lies between is the proxies and the network.
  conditions {
    display_name = "a call takes 10ms longer (p99) for the caller than for the callee"

    condition_prometheus_query_language {
      query                     = "histogram_quantile(0.99, sum by (le, destination_service_name) (rate(istio_io:service_client_roundtrip_latencies_bucket{mesh_uid!=\"\"}[5m]))) - histogram_quantile(0.99, sum by (le, destination_service_name) (rate(istio_io:service_server_response_latencies_bucket{mesh_uid!=\"\"}[5m]))) > 10"
      duration                  = "300s"
      evaluation_interval       = "60s"
      disable_metric_validation = true # nothing measures before the first call
    }
  }

  conditions {
    display_name = "calls without mutual TLS"

    condition_prometheus_query_language {
      query                     = "sum by (destination_service_name) (rate(istio_io:service_server_request_count{service_authentication_policy!=\"MUTUAL_TLS\"}[5m])) > 0"
      duration                  = "300s"
      evaluation_interval       = "60s"
      disable_metric_validation = true
    }
  }

  conditions {
    display_name = "proxies use over 80 % of their memory"

    condition_prometheus_query_language {
      query                     = "max by (namespace_name, pod_name) (kubernetes_io:container_memory_limit_utilization{monitored_resource=\"k8s_container\", container_name=\"istio-proxy\"}) > 0.8"
      duration                  = "600s"
      evaluation_interval       = "60s"
      disable_metric_validation = true
    }
  }
}
