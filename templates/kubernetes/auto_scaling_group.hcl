# Instances are pods here: KEDA grows and shrinks their number by what wears them
# out, ahead of known load, and does not freeze it when measurements fail.
template "auto_scaling_group" {
  for  = service
  when = target.provider == "kubernetes"
  file = "${service.name}/autoscaling.yaml"

  covers = {
    metrics       = [ScaledObject.this.spec.triggers.metricType, let.scale_by_requests ? ScaledObject.this.spec.triggers.metadata.query : null]
    policies      = [ScaledObject.this.spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleUp.policies, ScaledObject.this.spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleDown.stabilizationWindowSeconds]
    health_checks = [let.probe == "none" ? PodDisruptionBudget.this.spec.unhealthyPodEvictionPolicy : Deployment.this.spec.template.spec.containers.readinessProbe, PodDisruptionBudget.this.spec.unhealthyPodEvictionPolicy]
    warm_up       = [Deployment.this.spec.minReadySeconds, ScaledObject.this.spec.initialCooldownPeriod, let.buffered ? CapacityBuffer.this.spec.replicas : null]
    costs         = [PrometheusRule.this.spec.groups.rules.alert, ResourceQuota.quota.spec.hard]
  }

  ignores = {
    forecast       = service.auto_scaling_group.forecast == "off" ? null : "Nothing forecasts load. What is known beforehand stands in a schedule."
    standby        = service.auto_scaling_group.standby == 0 || let.buffered ? null : "Room for pods is kept free only where Karpenter adds nodes, which node_provisioner of the target says."
    spot           = service.auto_scaling_group.spot == 0 ? null : "Pods do not choose what their nodes cost; whoever makes the nodes does."
    max_lifetime   = service.auto_scaling_group.max_lifetime == null ? null : "Pods are not replaced for their age; a new image does."
    monthly_budget = service.auto_scaling_group.monthly_budget == null ? null : "Pods have no price. What the nodes cost is told where they are paid."
  }

  check "schedules" {
    condition = alltrue([for s in self.schedule : can(regex("^[0-9]{1,2} [0-9]{1,2} ", s.cron)) && s.duration < 86400])
    message   = "KEDA wants the end of a schedule as a time of its own, which can only be computed for a plain minute and hour and less than a day: ${join(", ", [for s in self.schedule : "${s.name} (${s.cron} for ${span(s.duration)})" if !can(regex("^[0-9]{1,2} [0-9]{1,2} ", s.cron)) || s.duration >= 86400])}."
    fix       = "Write the time like 45 7 * * 1-5, with a duration below 24h."
    at        = [for s in self.schedule : s.cron if !can(regex("^[0-9]{1,2} [0-9]{1,2} ", s.cron)) || s.duration >= 86400]
    related   = [for s in self.schedule : s.duration if !can(regex("^[0-9]{1,2} [0-9]{1,2} ", s.cron)) || s.duration >= 86400]
  }
  check "schedules_end_on_their_day" {
    condition = length(let.overnight) == 0
    message   = "A schedule that holds over midnight has to hold on every day, for the end would be sought on the wrong ones: ${join(", ", let.overnight)}."
    fix       = "Split it at midnight, or let it hold every day."
    at        = [for s in self.schedule : s.cron if contains(let.overnight, s.name)]
    related   = [for s in self.schedule : s.duration if contains(let.overnight, s.name)]
  }
}

let {
  overnight = service.auto_scaling_group == null ? [] : [
    for s in service.auto_scaling_group.schedule : s.name
    if !endswith(s.cron, " * * *") && try(60 * tonumber(split(" ", s.cron)[1]) + tonumber(split(" ", s.cron)[0]) + s.duration / 60 >= 1440, false)
  ]
  scale_by_requests = let.measured && (service.auto_scaling_group == null ? false : service.auto_scaling_group.target_requests != null)
  buffered          = service.auto_scaling_group == null ? false : service.auto_scaling_group.standby > 0 && target.node_provisioner == "karpenter"
  asked             = let.scale_by_requests || length(service.auto_scaling_group == null ? [] : [for m in service.auto_scaling_group.metric : m if m.query != null]) > 0
}

manifest "keda.sh/v1alpha1" "ScaledObject" "this" {
  metadata = {
    name      = service.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
  }
  spec = {
    scaleTargetRef = {
      apiVersion = let.workload[0]
      kind       = let.workload[1]
      name       = service.name
    }
    minReplicaCount = self.min
    maxReplicaCount = self.max
    pollingInterval = 15
    # A pod that is not warm yet would look like room to spare.
    initialCooldownPeriod = ceil(self.warm_up)
    # When Prometheus does not answer the pods must not stay at the size of the night.
    fallback = let.asked ? {
      failureThreshold = 4
      replicas         = ceil((self.min + self.max) / 2)
      behavior         = "currentReplicasIfHigher"
    } : null
    advanced = {
      restoreToOriginalReplicaCount = false
      horizontalPodAutoscalerConfig = {
        name = service.name
        behavior = {
          scaleUp = {
            stabilizationWindowSeconds = 0
            selectPolicy               = "Max"
            policies = [
              { type = "Percent", value = 100, periodSeconds = 30 },
              { type = "Pods", value = 4, periodSeconds = 30 },
            ]
          }
          scaleDown = {
            stabilizationWindowSeconds = ceil(self.scale_in_wait)
            selectPolicy               = "Min"
            policies = [
              { type = "Percent", value = self.scale_in_percent, periodSeconds = 60 },
            ]
          }
        }
      }
    }
    triggers = concat(
      [
        {
          type       = "cpu"
          name       = "cpu"
          metricType = "Utilization"
          metadata   = { containerName = service.name, value = tostring(self.target_cpu) }
        },
      ],
      self.target_memory == null ? [] : [
        {
          type       = "memory"
          name       = "memory"
          metricType = "Utilization"
          metadata   = { containerName = service.name, value = tostring(self.target_memory) }
        },
      ],
      let.scale_by_requests ? [
        {
          type       = "prometheus"
          name       = "requests"
          metricType = "AverageValue"
          metadata = {
            serverAddress = target.prometheus
            query         = "sum(rate(${let.requests}{${let.where}}[1m]))"
            threshold     = tostring(self.target_requests)
          }
        },
      ] : [],
      [for m in self.metric : {
        type       = "prometheus"
        name       = replace(m.name, "_", "-")
        metricType = "AverageValue"
        metadata = {
          serverAddress = target.prometheus
          query         = m.query == null ? "sum(${m.name}{${let.job}})" : m.query
          threshold     = tostring(m.target)
        }
      }],
      # Known load: be at size before it comes.
      [for s in self.schedule : {
        type = "cron"
        name = replace(s.name, "_", "-")
        metadata = {
          timezone = s.time_zone
          start    = s.cron
          end = join(" ", concat(
            [tostring((tonumber(split(" ", s.cron)[0]) + floor(s.duration / 60)) % 60)],
            [tostring(floor((60 * tonumber(split(" ", s.cron)[1]) + tonumber(split(" ", s.cron)[0]) + floor(s.duration / 60)) / 60) % 24)],
            slice(split(" ", s.cron), 2, 5),
          ))
          desiredReplicas = tostring(s.min)
        }
      }],
    )
  }
}

# Room for as many pods stands by, so that growing does not wait for a machine.
manifest "autoscaling.x-k8s.io/v1beta1" "CapacityBuffer" "this" {
  when = let.buffered
  metadata = {
    name      = service.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
  }
  spec = {
    provisioningStrategy = "buffer.x-k8s.io/active-capacity"
    scalableRef = {
      apiGroup = split("/", let.workload[0])[0]
      kind     = let.workload[1]
      name     = service.name
    }
    replicas = self.standby
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
              sum(rate(keda_scaler_detail_errors_total{scaledObject="${service.name}"}[5m])) > 0
            EOT
            for    = "5m"
            labels = merge({ severity = "warning" }, let.alarm)
            annotations = {
              summary = "KEDA cannot read what ${service.name} is scaled by"
            }
          },
          {
            alert  = "PodsIdle"
            expr   = <<-EOT
              avg_over_time(
                (sum(rate(container_cpu_usage_seconds_total{${let.pods}}[5m])) / sum(kube_pod_container_resource_requests{${let.pods},resource="cpu"}))[6h:5m]
              ) < ${floor(40 * self.target_cpu) / 10000}
            EOT
            for    = "6h"
            labels = merge({ severity = "info" }, let.alarm)
            annotations = {
              summary = "${service.name} uses less than half of what it aims for: lower min, or make its pods smaller"
            }
          },
        ]
      },
    ]
  }
}
