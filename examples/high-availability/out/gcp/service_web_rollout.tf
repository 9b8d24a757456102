# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

locals {
  web_tracks = {
    blue = {
      image  = "ghcr.io/acme/web:1.4.2"
      max    = 12
      min    = 3
      weight = 100
    }
    green = {
      image  = "ghcr.io/acme/web:1.4.2"
      max    = 12
      min    = 3
      weight = 0
    }
  }
}

# Asks the colour that does not serve, before it gets anyone's requests.
resource "google_monitoring_uptime_check_config" "web_smoke" {
  display_name     = "shop-web: the next version"
  timeout          = "10s"
  period           = "60s"
  selected_regions = ["EUROPE", "USA", "ASIA_PACIFIC"]

  http_check {
    path         = "/readyz"
    port         = 443
    use_ssl      = true
    validate_ssl = true
    headers      = { x-release = "next" }

    accepted_response_status_codes {
      status_class = "STATUS_CLASS_2XX"
    }
  }

  monitored_resource {
    type = "uptime_url"

    labels = {
      project_id = local.project
      host       = "shop.example.com"
    }
  }
}

resource "google_monitoring_alert_policy" "web_smoke" {
  display_name          = "shop-web: the next version does not answer"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "it fails from more than one part of the world"

    condition_threshold {
      filter          = "resource.type = \"uptime_url\" AND metric.type = \"monitoring.googleapis.com/uptime_check/check_passed\" AND metric.labels.check_id = \"${google_monitoring_uptime_check_config.web_smoke.uptime_check_id}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 1
      duration        = "60s"

      aggregations {
        alignment_period     = "120s"
        per_series_aligner   = "ALIGN_NEXT_OLDER"
        cross_series_reducer = "REDUCE_COUNT_FALSE"
        group_by_fields      = ["resource.label.host"]
      }
    }
  }

  documentation {
    content = "Do not switch to it. The colour that serves is not affected."
  }
}

resource "google_monitoring_alert_policy" "web_rollout" {
  display_name          = "shop-web: blue does badly"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.notification_channels

  conditions {
    display_name = "more than 1 % of the requests fail"

    condition_threshold {
      filter             = "resource.type = \"https_lb_rule\" AND resource.labels.backend_target_name = \"shop-web-blue\" AND metric.type = \"loadbalancing.googleapis.com/https/backend_request_count\" AND metric.labels.response_code_class = 500"
      denominator_filter = "resource.type = \"https_lb_rule\" AND resource.labels.backend_target_name = \"shop-web-blue\" AND metric.type = \"loadbalancing.googleapis.com/https/backend_request_count\""
      comparison         = "COMPARISON_GT"
      threshold_value    = 0.01
      duration           = "180s"

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
      }

      denominator_aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  conditions {
    display_name = "one answer in a hundred takes longer than 1s"

    condition_threshold {
      filter          = "resource.type = \"https_lb_rule\" AND resource.labels.backend_target_name = \"shop-web-blue\" AND metric.type = \"loadbalancing.googleapis.com/https/backend_latencies\""
      comparison      = "COMPARISON_GT"
      threshold_value = 1000
      duration        = "180s"

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_PERCENTILE_99"
        cross_series_reducer = "REDUCE_MAX"
      }
    }
  }

  alert_strategy {
    auto_close = "1800s"
  }

  documentation {
    content = "Roll back: set live = \"green\" in the blueprint, render and apply. All edges know within minutes."
  }
}
