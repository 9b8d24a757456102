# A breaker for each endpoint, with limits that follow what the other side can take. What
# it shares with the plain one stands in circuit_breaker.hcl and traffic.hcl.
template "circuit_breaker_advanced" {
  for  = service
  when = target.provider == "kubernetes" || service.runs_on != null

  covers = {
    granular_metrics    = [Telemetry.this.spec.metrics.overrides.tagOverrides.endpoint, PodMonitor.this.spec.podMetricsEndpoints.interval, PrometheusRule.this.spec.groups.rules.record]
    adaptive_thresholds = [let.forced_shut || length(let.broken) == 0 ? null : EnvoyFilter.this_breaker.spec.configPatches.patch.value.outlier_detection.success_rate_stdev_factor, length(let.broken) == 0 ? null : DestinationRule.this_breaker.spec.trafficPolicy.retryBudget.percent, !let.forced_shut && self.adaptive && anytrue([for d in let.guarded : d.let.sidecar]) ? EnvoyFilter.this_adaptive.spec.configPatches.patch.value : null, let.routed && !let.forced_shut ? BackendTrafficPolicy.this.spec.admissionControl.minSuccessRate : null]
    fallbacks           = [EnvoyFilter.this_breaker.spec.configPatches.patch.value.typed_config.local_reply_config.mappers, length(self.endpoint) > 0 ? self.endpoint : self.fallback_status, length(let.replaced) > 0 ? ServiceEntry.this_fallback.spec.endpoints : null]
    states              = [PrometheusRule.this.spec.groups.rules.record, PrometheusRule.this.spec.groups.rules.alert, Deployment.this.spec.template.metadata.annotations]
    per_endpoint        = [length(let.broken) == 0 ? null : DestinationRule.this_breaker.spec.subsets, length(let.broken) == 0 ? null : let.forced_open ? VirtualService.this.spec.http.directResponse : VirtualService.this.spec.http.route.destination.subset]
  }
}

let {
  # Whose proxies measure latency and set the limit: those of the other side, where it has any.
  adapting = let.guards ? [for name in [service.name] : name if let.adapts] : [for d in let.guarded : d.name if d.let.adapts]
}

# At the edge requests are refused in proportion to how many fail.
extend "gateway.envoyproxy.io/v1alpha1" "BackendTrafficPolicy" "this" {
  when = let.routed && self.mode != "forced_closed"
  spec = {
    admissionControl = {
      samplingWindow      = "60s"
      minSuccessRate      = 95
      minRequestRate      = 10
      rejectionAggression = 2
      maxRejectionPercent = 80
    }
  }
}

extend "monitoring.coreos.com/v1" "PrometheusRule" "this" {
  spec = {
    groups = [
      {
        name     = "${service.name}-breakers"
        interval = "${max(5, ceil(self.sample))}s"
        rules = [
          {
            record = "breaker:open"
            expr   = <<-EOT
              max by (cluster_name) (envoy_cluster_circuit_breakers_default_rq_pending_open{${let.job}} or envoy_cluster_circuit_breakers_default_rq_open{${let.job}})
            EOT
            labels = let.alarm
          },
          {
            record = "breaker:left_alone:ratio"
            expr   = <<-EOT
              sum by (cluster_name) (envoy_cluster_outlier_detection_ejections_active{${let.job}}) / sum by (cluster_name) (envoy_cluster_membership_total{${let.job}})
            EOT
            labels = let.alarm
          },
          {
            alert  = "CircuitFlaps"
            expr   = <<-EOT
              changes(breaker:open{service="${service.name}"}[10m]) > 6
            EOT
            labels = merge({ severity = "warning" }, let.alarm)
            annotations = {
              summary = "A breaker of ${service.name} opens and closes again and again: its limits lie at the usual load"
            }
          },
          {
            alert  = "HalfOpenFails"
            expr   = <<-EOT
              sum by (cluster_name) (increase(envoy_cluster_outlier_detection_ejections_enforced_total{${let.job}}[10m])) > 5
            EOT
            labels = merge({ severity = "critical" }, let.alarm)
            annotations = {
              summary = "Hosts that ${service.name} calls fail again as soon as they are tried again"
            }
          },
          length(let.adapting) == 0 ? null : {
            alert  = "AdaptiveLimitLow"
            expr   = <<-EOT
              min by (pod) (envoy_http_adaptive_concurrency_gradient_controller_concurrency_limit{job=~"${join("|", [for name in let.adapting : "${let.namespace}/${name}"])}"}) < 10
            EOT
            for    = "5m"
            labels = merge({ severity = "critical" }, let.alarm)
            annotations = {
              summary = "What ${service.name} calls takes hardly anything any more: it is saturated"
            }
          },
          {
            alert  = "FallbacksOften"
            expr   = <<-EOT
              sum(rate(istio_requests_total{${let.job},reporter="source",response_flags=~"UO|UH|UF|UT"}[5m])) / sum(rate(istio_requests_total{${let.job},reporter="source"}[5m])) > 0.1
            EOT
            for    = "5m"
            labels = merge({ severity = "warning" }, let.alarm)
            annotations = {
              summary = "A tenth of the calls of ${service.name} get the fallback"
            }
          },
        ]
      },
    ]
  }
}
