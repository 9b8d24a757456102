# The autoscaler itself is a manifest; here is what it stands on, and what Cloud Monitoring sees of it.
template "horizontal_pod_autoscaler" {
  for  = service
  when = service.runs_on != null
  file = "cluster_${service.runs_on.name}_services.tf"

  covers = {
    behaviour = [google_monitoring_alert_policy.this_at_max.conditions]
  }
}

resource "google_monitoring_alert_policy" "this_at_max" {
  display_name          = "${let.name}: as many pods as may run"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "at its maximum for 15 minutes"

    condition_prometheus_query_language {
      query                     = "kube_horizontalpodautoscaler_status_current_replicas{cluster=\"${google_container_cluster[service.runs_on.name].name}\", namespace=\"${target.namespace}\", horizontalpodautoscaler=~\"(keda-hpa-)?${service.name}\"} >= ${service.horizontal_pod_autoscaler.max}"
      duration                  = "900s"
      evaluation_interval       = "60s"
      disable_metric_validation = true # nothing measures before the first pod
    }
  }

  documentation {
    content = "No more pods can be added: raise the maximum, or find out what drives it."
  }
}
