# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

locals {
  web_edge_requests = "resource.type = \"https_lb_rule\" AND resource.labels.url_map_name = \"${google_compute_url_map.web_edge.name}\" AND resource.labels.backend_target_name = \"${google_compute_backend_service.web_edge.name}\" AND metric.type = \"loadbalancing.googleapis.com/https/request_count\""
}

resource "google_monitoring_alert_policy" "web_edge" {
  display_name          = "everything-web: hits of the edge"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "the edge answers less than 80 % by itself"

    condition_threshold {
      filter             = "${local.web_edge_requests} AND metric.labels.cache_result = \"HIT\""
      denominator_filter = local.web_edge_requests
      comparison         = "COMPARISON_LT"
      threshold_value    = 0.8
      duration           = "1800s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
      }

      denominator_aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  documentation {
    content = "Answers live too short, are asked for under ever new names, or come with cookies. x-cache-status in an answer says what the edge did."
  }
}

locals {
  web_layer_charts = [
    { title = "Edge: answered by itself", query = "sum(rate(loadbalancing_googleapis_com:https_request_count{url_map_name=\"everything-web-edge\",cache_result=\"HIT\"}[5m])) / sum(rate(loadbalancing_googleapis_com:https_request_count{url_map_name=\"everything-web-edge\"}[5m]))" },
    { title = "Edge: requests by result", query = "sum by (cache_result) (rate(loadbalancing_googleapis_com:https_request_count{url_map_name=\"everything-web-edge\"}[5m]))" },
    { title = "Cache: found", query = "sum(rate(memorystore_googleapis_com:instance_stats_total_keyspace_hits_count{instance_id=\"everything-products\"}[5m])) / (sum(rate(memorystore_googleapis_com:instance_stats_total_keyspace_hits_count{instance_id=\"everything-products\"}[5m])) + sum(rate(memorystore_googleapis_com:instance_stats_total_keyspace_misses_count{instance_id=\"everything-products\"}[5m])))" },
    { title = "Program: latency (95 %, ms)", query = "histogram_quantile(0.95, sum by (le) (rate(loadbalancing_googleapis_com:https_backend_latencies_bucket{url_map_name=\"everything-web-edge\"}[5m])))" },
  ]
}

resource "google_monitoring_dashboard" "web_layers" {
  dashboard_json = jsonencode({
    displayName = "everything-web layers"
    mosaicLayout = {
      columns = 12
      tiles = [
        for i, chart in local.web_layer_charts : {
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
