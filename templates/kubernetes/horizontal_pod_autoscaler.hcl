# The autoscaler of the cluster sets the number of pods.
template "horizontal_pod_autoscaler" {
  for  = service
  when = target.provider == "kubernetes" || service.runs_on != null
  file = "${service.name}/autoscaling.yaml"

  covers = {
    requests          = [Deployment.this.spec.template.spec.containers.resources.requests, Deployment.this.spec.template.spec.containers.resources.limits]
    metrics           = [HorizontalPodAutoscaler.this.spec.metrics.containerResource.target.averageUtilization, self.target_in_flight != null ? HorizontalPodAutoscaler.this.spec.metrics.pods.metric.name : null, length(self.queue) > 0 ? HorizontalPodAutoscaler.this.spec.metrics.external.metric.name : null]
    probes            = [let.probe == "none" ? null : Deployment.this.spec.template.spec.containers.readinessProbe, let.probe == "none" ? null : Deployment.this.spec.template.spec.containers.startupProbe, Deployment.this.spec.minReadySeconds]
    disruption_budget = [PodDisruptionBudget.this.spec.maxUnavailable, PodDisruptionBudget.this.spec.unhealthyPodEvictionPolicy, HorizontalPodAutoscaler.this.spec.minReplicas]
    behaviour         = [HorizontalPodAutoscaler.this.spec.behavior.scaleDown.stabilizationWindowSeconds, PrometheusRule.this.spec.groups.rules.alert]
  }
}

manifest "autoscaling/v2" "HorizontalPodAutoscaler" "this" {
  metadata = {
    name      = service.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
    annotations = let.rollout ? {
      # kube-score does not know the kind Rollout.
      "kube-score/ignore" = "horizontalpodautoscaler-has-target"
    } : null
  }
  spec = {
    scaleTargetRef = {
      apiVersion = let.workload[0]
      kind       = let.workload[1]
      name       = service.name
    }
    minReplicas = self.min
    maxReplicas = self.max
    metrics = concat(
      [
        # Of the program's own container: a proxy's idle share would hide its load.
        {
          type = "ContainerResource"
          containerResource = {
            name      = "cpu"
            container = service.name
            target    = { type = "Utilization", averageUtilization = self.target_cpu }
          }
        },
      ],
      self.target_memory == null ? [] : [
        {
          type = "ContainerResource"
          containerResource = {
            name      = "memory"
            container = service.name
            target    = { type = "Utilization", averageUtilization = self.target_memory }
          }
        },
      ],
      self.target_in_flight == null ? [] : [
        {
          type = "Pods"
          pods = {
            metric = { name = "http_server_active_requests" }
            target = { type = "AverageValue", averageValue = tostring(self.target_in_flight) }
          }
        },
      ],
      [for q in self.queue : {
        type = "External"
        external = {
          metric = {
            name     = q.metric
            selector = { matchLabels = { queue = q.name } }
          }
          target = { type = "AverageValue", averageValue = tostring(q.target) }
        }
      }],
    )
    # Grows at once and shrinks slowly, so that it does not swing.
    behavior = {
      scaleUp = {
        stabilizationWindowSeconds = 0
        selectPolicy               = "Max"
        policies = [
          { type = "Percent", value = self.scale_up_percent, periodSeconds = 30 },
          { type = "Pods", value = 4, periodSeconds = 30 },
        ]
      }
      scaleDown = {
        stabilizationWindowSeconds = ceil(self.scale_down_wait)
        selectPolicy               = "Min"
        policies = [
          { type = "Percent", value = self.scale_down_percent, periodSeconds = 60 },
        ]
      }
    }
  }
}

extend "monitoring.coreos.com/v1" "PrometheusRule" "this" {
  spec = {
    groups = [
      {
        name = service.name
        rules = [
          {
            alert  = "AutoscalerAtMaximum"
            expr   = <<-EOT
              kube_horizontalpodautoscaler_status_desired_replicas{namespace="${let.namespace}",horizontalpodautoscaler="${service.name}"} >= ${self.max}
            EOT
            for    = "15m"
            labels = merge({ severity = "warning" }, let.alarm)
            annotations = {
              summary = "${service.name} has run ${self.max} pods, its most, for 15 minutes"
            }
          },
          {
            alert  = "AutoscalerBlind"
            expr   = <<-EOT
              kube_horizontalpodautoscaler_status_condition{namespace="${let.namespace}",horizontalpodautoscaler="${service.name}",condition="ScalingActive",status="false"} == 1
            EOT
            for    = "10m"
            labels = merge({ severity = "critical" }, let.alarm)
            annotations = {
              summary = "The autoscaler of ${service.name} cannot read what it scales by"
            }
          },
          {
            alert  = "AutoscalerSwings"
            expr   = <<-EOT
              changes(kube_horizontalpodautoscaler_status_desired_replicas{namespace="${let.namespace}",horizontalpodautoscaler="${service.name}"}[30m]) > 12
            EOT
            for    = "15m"
            labels = merge({ severity = "warning" }, let.alarm)
            annotations = {
              summary = "The number of pods of ${service.name} has changed more than 12 times in half an hour"
            }
          },
          {
            alert  = "PodsPending"
            expr   = <<-EOT
              kube_horizontalpodautoscaler_status_desired_replicas{namespace="${let.namespace}",horizontalpodautoscaler="${service.name}"}
                - kube_horizontalpodautoscaler_status_current_replicas{namespace="${let.namespace}",horizontalpodautoscaler="${service.name}"} > 2
            EOT
            for    = "15m"
            labels = merge({ severity = "warning" }, let.alarm)
            annotations = {
              summary = "Pods of ${service.name} are asked for and do not come: look at the nodes and the quota"
            }
          },
          {
            alert  = "Throttled"
            expr   = <<-EOT
              sum(rate(container_cpu_cfs_throttled_periods_total{${let.pods}}[5m])) / sum(rate(container_cpu_cfs_periods_total{${let.pods}}[5m])) > 0.25
            EOT
            for    = "15m"
            labels = merge({ severity = "warning" }, let.alarm)
            annotations = {
              summary = "The processor limit holds ${service.name} back in a quarter of the time, which hides load from the autoscaler"
            }
          },
        ]
      },
    ]
  }
}
