# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

locals {
  assets_requests = "resource.type = \"https_lb_rule\" AND resource.labels.url_map_name = \"${google_compute_url_map.assets.name}\""
}

# By continent: each has places of its own.
resource "google_monitoring_alert_policy" "assets_hits" {
  display_name          = "cdn-distribution-assets: hits"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "less than 80 % of the requests of a continent are answered by the network"

    condition_threshold {
      filter             = "${local.assets_requests} AND metric.type = \"loadbalancing.googleapis.com/https/request_count\" AND metric.labels.cache_result = \"HIT\""
      denominator_filter = "${local.assets_requests} AND metric.type = \"loadbalancing.googleapis.com/https/request_count\""
      comparison         = "COMPARISON_LT"
      threshold_value    = 0.8
      duration           = "1800s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["metric.label.proxy_continent"]
      }

      denominator_aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["metric.label.proxy_continent"]
      }
    }
  }

  documentation {
    content = "Files live too short, or are asked for under ever new names. x-cache-status in an answer says what the network did."
  }
}

resource "google_monitoring_alert_policy" "assets_errors" {
  display_name          = "cdn-distribution-assets: errors"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.notification_channels

  conditions {
    display_name = "more than 1 % of the requests fail"

    condition_threshold {
      filter             = "${local.assets_requests} AND metric.type = \"loadbalancing.googleapis.com/https/request_count\" AND metric.labels.response_code_class = 500"
      denominator_filter = "${local.assets_requests} AND metric.type = \"loadbalancing.googleapis.com/https/request_count\""
      comparison         = "COMPARISON_GT"
      threshold_value    = 0.01
      duration           = "300s"

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

  documentation {
    content = "Neither the network nor what is behind it can answer."
  }
}

resource "google_monitoring_alert_policy" "assets" {
  for_each = {
    bytes = {
      metric    = "response_bytes_count"
      threshold = 1099511627776
      period    = "86400s"
      aligner   = "ALIGN_DELTA"
      reducer   = "REDUCE_SUM"
      means     = "More than 1024 GiB were sent in a day: traffic is what a network costs."
    }
    origin = {
      metric    = "backend_latencies"
      threshold = 500
      period    = "300s"
      aligner   = "ALIGN_PERCENTILE_95"
      reducer   = "REDUCE_MAX"
      means     = "What is behind the network takes longer than 500ms for one request in twenty."
    }
  }

  display_name          = "cdn-distribution-assets: ${each.key}"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = each.key

    condition_threshold {
      filter          = "${local.assets_requests} AND metric.type = \"loadbalancing.googleapis.com/https/${each.value.metric}\""
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.threshold
      duration        = each.key == "bytes" ? "0s" : "900s"

      aggregations {
        alignment_period     = each.value.period
        per_series_aligner   = each.value.aligner
        cross_series_reducer = each.value.reducer
      }
    }
  }

  documentation {
    content = each.value.means
  }
}

resource "google_monitoring_dashboard" "assets" {
  dashboard_json = jsonencode({
    displayName = "cdn-distribution-assets"
    mosaicLayout = {
      columns = 12
      tiles = [
        for i, chart in local.assets_charts : {
          xPos   = 6 * (i % 2)
          yPos   = 4 * floor(i / 2)
          width  = 6
          height = 4
          widget = { title = chart.title, xyChart = { dataSets = [{ timeSeriesQuery = { prometheusQuery = chart.query } }] } }
        }
      ]
    }
  })
}

locals {
  assets_charts = [
    { title = "Hits by continent", query = "sum by (proxy_continent) (rate(loadbalancing_googleapis_com:https_request_count{url_map_name=\"cdn-distribution-assets\",cache_result=\"HIT\"}[5m])) / sum by (proxy_continent) (rate(loadbalancing_googleapis_com:https_request_count{url_map_name=\"cdn-distribution-assets\"}[5m]))" },
    { title = "Requests by result", query = "sum by (cache_result) (rate(loadbalancing_googleapis_com:https_request_count{url_map_name=\"cdn-distribution-assets\"}[5m]))" },
    { title = "Latency by country (95 %, ms)", query = "histogram_quantile(0.95, sum by (le, client_country) (rate(loadbalancing_googleapis_com:https_total_latencies_bucket{url_map_name=\"cdn-distribution-assets\"}[5m])))" },
    { title = "Bytes by country", query = "sum by (client_country) (rate(loadbalancing_googleapis_com:https_response_bytes_count{url_map_name=\"cdn-distribution-assets\"}[5m]))" },
  ]
}

# Logs of what is sent, apart from all others, and for as long as they are wanted.
resource "google_logging_project_bucket_config" "assets" {
  project        = local.project
  location       = "global"
  bucket_id      = "cdn-distribution-assets"
  retention_days = 90
}

resource "google_logging_project_sink" "assets" {
  name                   = "cdn-distribution-assets"
  destination            = "logging.googleapis.com/${google_logging_project_bucket_config.assets.id}"
  filter                 = "resource.type=\"http_load_balancer\" AND resource.labels.url_map_name=\"${google_compute_url_map.assets.name}\""
  unique_writer_identity = true
}
