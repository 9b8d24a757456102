# What is measured at a service and what somebody is told about.
template "monitoring" {
  for  = service
  when = target.provider == "kubernetes" || service.runs_on != null
  file = "${service.name}/monitoring.yaml"
}

let {
  # Requests are counted by the proxy of the mesh, or else by the program, which
  # then answers on /metrics with what OpenTelemetry's conventions (HTTP) or the
  # gRPC interceptors call them.
  measured = let.layer_7
  job      = "job=\"${let.namespace}/${service.name}\""
  where    = let.waypoint ? "reporter=\"waypoint\",destination_service_namespace=\"${let.namespace}\",destination_service_name=~\"${service.name}|${service.name}-(stable|canary|preview)\"" : let.sidecar ? "${let.job},reporter=\"destination\"" : let.job
  requests = let.meshed ? "istio_requests_total" : service.protocol == "grpc" ? "grpc_server_handled_total" : "http_server_request_duration_seconds_count"
  failed = (
    service.protocol == "grpc" ? (let.meshed ? "grpc_response_status=~\"2|4|13|14|15\"" : "grpc_code=~\"Unknown|DeadlineExceeded|Internal|Unavailable|DataLoss\"") :
    let.meshed ? "response_code=~\"5..\"" : "http_response_status_code=~\"5..\""
  )
  bucket = let.meshed ? "istio_request_duration_milliseconds_bucket" : service.protocol == "grpc" ? "grpc_server_handling_seconds_bucket" : "http_server_request_duration_seconds_bucket"
  unit   = let.meshed ? 1000 : 1
  pods   = "namespace=\"${let.namespace}\",container=\"${service.name}\""
  # Breakers are looked at more often than anything else.
  often  = service.circuit_breaker_advanced == null ? false : service.circuit_breaker_advanced.sample < 15
  scrape = let.often ? "${max(5, ceil(service.circuit_breaker_advanced.sample))}s" : "15s"

  # As its controller is scraped, the namespace is one label or the other.
  release_info = [for label in ["namespace", "exported_namespace"] : "rollout_info{${label}=\"${let.namespace}\",name=\"${service.name}\",phase=~\"PHASE\"}"]
  alarm        = { service = service.name }

  # The part of a month's error budget that an hour of this would use up is a fiftieth.
  burn = floor(14.4 * (100 - service.availability) * 10000 + 0.5) / 1000000
}

manifest "monitoring.coreos.com/v1" "PodMonitor" "this" {
  when = !let.ambient && (let.layer_7 || let.sidecar)
  metadata = {
    name      = service.name
    namespace = let.namespace
    labels    = merge(let.monitoring_labels, { "app.kubernetes.io/name" = service.name })
  }
  spec = {
    selector = { matchLabels = { "app.kubernetes.io/name" = service.name } }
    podMetricsEndpoints = [
      {
        port     = let.sidecar ? "http-envoy-prom" : service.protocol
        path     = let.sidecar ? "/stats/prometheus" : "/metrics"
        interval = let.scrape
        relabelings = let.rollout ? [
          # So that versions can be told apart.
          {
            sourceLabels = ["__meta_kubernetes_pod_label_rollouts_pod_template_hash"]
            targetLabel  = "pod_template_hash"
          },
        ] : null
      },
    ]
  }
}

manifest "monitoring.coreos.com/v1" "PrometheusRule" "this" {
  metadata = {
    name      = service.name
    namespace = let.namespace
    labels    = merge(let.monitoring_labels, { "app.kubernetes.io/name" = service.name })
  }
  spec = {
    groups = [
      {
        name = service.name
        rules = concat(
          let.measured ? [
            {
              alert  = "ErrorBudgetBurns"
              expr   = <<-EOT
                (
                  sum(rate(${let.requests}{${let.where},${let.failed}}[5m])) / sum(rate(${let.requests}{${let.where}}[5m])) > ${let.burn}
                )
                and
                (
                  sum(rate(${let.requests}{${let.where},${let.failed}}[1h])) / sum(rate(${let.requests}{${let.where}}[1h])) > ${let.burn}
                )
              EOT
              for    = "2m"
              labels = merge({ severity = "critical" }, let.alarm)
              annotations = {
                summary = "At this rate ${service.name} uses up in two days what ${service.availability} % leave for failures in a month"
              }
            },
            {
              alert  = "AnswersSlow"
              expr   = <<-EOT
                histogram_quantile(0.99, sum by (le) (rate(${let.bucket}{${let.where}}[5m]))) > ${floor(800 * let.unit * service.request_timeout + 0.5) / 1000}
              EOT
              for    = "10m"
              labels = merge({ severity = "warning" }, let.alarm)
              annotations = {
                summary = "The slowest hundredth of the answers of ${service.name} take nearly as long as a request may (${duration(service.request_timeout)})"
              }
            },
          ] : [],
          [
            {
              alert  = "PodsMissing"
              expr   = <<-EOT
                sum(kube_pod_container_status_ready{${let.pods}}) < ${service.min_instances}
              EOT
              for    = "5m"
              labels = merge({ severity = service.min_instances > 1 ? "warning" : "critical" }, let.alarm)
              annotations = {
                summary = service.min_instances == 1 ? "No pod of ${service.name} is ready" : "Fewer than ${service.min_instances} pods of ${service.name} are ready"
              }
            },
            {
              alert  = "PodsRestart"
              expr   = <<-EOT
                sum(increase(kube_pod_container_status_restarts_total{${let.pods}}[15m])) > 3
              EOT
              for    = "1m"
              labels = merge({ severity = "critical" }, let.alarm)
              annotations = {
                summary = "Pods of ${service.name} keep restarting"
              }
            },
          ],
        )
      },
    ]
  }
}
