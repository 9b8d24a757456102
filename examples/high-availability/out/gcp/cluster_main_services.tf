# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_monitoring_alert_policy" "checkout_at_max" {
  display_name          = "shop-checkout: as many pods as may run"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "at its maximum for 15 minutes"

    condition_prometheus_query_language {
      query                     = "kube_horizontalpodautoscaler_status_current_replicas{cluster=\"${google_container_cluster.main.name}\", namespace=\"shop\", horizontalpodautoscaler=~\"(keda-hpa-)?checkout\"} >= 12"
      duration                  = "900s"
      evaluation_interval       = "60s"
      disable_metric_validation = true # nothing measures before the first pod
    }
  }

  documentation {
    content = "No more pods can be added: raise the maximum, or find out what drives it."
  }
}

resource "google_monitoring_alert_policy" "payments_at_max" {
  display_name          = "shop-payments: as many pods as may run"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "at its maximum for 15 minutes"

    condition_prometheus_query_language {
      query                     = "kube_horizontalpodautoscaler_status_current_replicas{cluster=\"${google_container_cluster.main.name}\", namespace=\"shop\", horizontalpodautoscaler=~\"(keda-hpa-)?payments\"} >= 9"
      duration                  = "900s"
      evaluation_interval       = "60s"
      disable_metric_validation = true # nothing measures before the first pod
    }
  }

  documentation {
    content = "No more pods can be added: raise the maximum, or find out what drives it."
  }
}
