template "multi_layer_caching_alarms" {
  for     = service
  pattern = "multi_layer_caching"
  file    = "service_${service.name}_edge_alarms.tf"
}

locals {
  this_edge_requests = "resource.type = \"https_lb_rule\" AND resource.labels.url_map_name = \"${google_compute_url_map.this_edge.name}\" AND resource.labels.backend_target_name = \"${google_compute_backend_service.this_edge.name}\" AND metric.type = \"loadbalancing.googleapis.com/https/request_count\""
}

resource "google_monitoring_alert_policy" "this_edge" {
  display_name          = "${let.edge_name}: hits of the edge"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "the edge answers less than ${let.layers.min_hit_ratio} % by itself"

    condition_threshold {
      filter             = "${local.this_edge_requests} AND metric.labels.cache_result = \"HIT\""
      denominator_filter = local.this_edge_requests
      comparison         = "COMPARISON_LT"
      threshold_value    = let.layers.min_hit_ratio / 100
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
  this_layer_charts = [
    { title = "Edge: answered by itself", query = "sum(rate(loadbalancing_googleapis_com:https_request_count{url_map_name=\"${let.edge_name}-edge\",cache_result=\"HIT\"}[5m])) / sum(rate(loadbalancing_googleapis_com:https_request_count{url_map_name=\"${let.edge_name}-edge\"}[5m]))" },
    { title = "Edge: requests by result", query = "sum by (cache_result) (rate(loadbalancing_googleapis_com:https_request_count{url_map_name=\"${let.edge_name}-edge\"}[5m]))" },
    { title = "Cache: found", query = let.edge_cache.let.kind == "memcached" ? "sum(rate(memcache_googleapis_com:node_operation_count{command=\"get\",hit=\"true\",instance_id=\"${let.edge_cache.let.name}\"}[5m])) / sum(rate(memcache_googleapis_com:node_operation_count{command=\"get\",instance_id=\"${let.edge_cache.let.name}\"}[5m]))" : "sum(rate(${let.edge_cache.let.prom}_stats_total_keyspace_hits_count{${let.edge_cache.let.prom_label}=\"${let.edge_cache.let.name}\"}[5m])) / (sum(rate(${let.edge_cache.let.prom}_stats_total_keyspace_hits_count{${let.edge_cache.let.prom_label}=\"${let.edge_cache.let.name}\"}[5m])) + sum(rate(${let.edge_cache.let.prom}_stats_total_keyspace_misses_count{${let.edge_cache.let.prom_label}=\"${let.edge_cache.let.name}\"}[5m])))" },
    { title = "Program: latency (95 %, ms)", query = "histogram_quantile(0.95, sum by (le) (rate(loadbalancing_googleapis_com:https_backend_latencies_bucket{url_map_name=\"${let.edge_name}-edge\"}[5m])))" },
  ]
}

resource "google_monitoring_dashboard" "this_layers" {
  dashboard_json = jsonencode({
    displayName = "${let.edge_name} layers"
    mosaicLayout = {
      columns = 12
      tiles = [
        for i, chart in local.this_layer_charts : {
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
