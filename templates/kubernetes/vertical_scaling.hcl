# One pod that grows: the recommender watches it and its size follows, at once in the
# running pod, or at the next restart, for which there is a window.
template "vertical_scaling" {
  for  = service
  when = target.provider == "kubernetes" || service.runs_on != null
  file = "${service.name}/autoscaling.yaml"

  covers = {
    limits      = [VerticalPodAutoscaler.this.spec.resourcePolicy.containerPolicies.maxAllowed, LimitRange.sizes.spec.limits.max, ResourceQuota.quota.spec.hard]
    downtime    = [VerticalPodAutoscaler.this.spec.updatePolicy.updateMode, Deployment.this.spec.template.spec.containers.resizePolicy, self.resize == "window" ? CronJob.this_resize.spec.schedule : PodDisruptionBudget.this.spec.maxUnavailable, self.resize == "window" ? ConfigMap.this_resize.data : null]
    utilisation = [PrometheusRule.this.spec.groups.rules.expr, VerticalPodAutoscaler.this.spec.targetRef.name]
    costs       = [PrometheusRule.this.spec.groups.rules.record, VerticalPodAutoscaler.this.spec.resourcePolicy.containerPolicies.controlledValues]
    horizontal  = [PrometheusRule.this.spec.groups.rules.alert, self.ceiling_warning]
  }

  ignores = {
    monthly_budget = service.vertical_scaling.monthly_budget == null ? null : "Pods have no price. What the nodes cost is told where they are paid."
  }
}

let {
  # Image and API of the target's version; the cluster of a cloud has its own.
  kubectl = "registry.k8s.io/kubectl:v${target.provider == "kubernetes" ? target.version : service.runs_on.version}.0"
  weekday = service.vertical_scaling == null ? 0 : index(["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"], service.vertical_scaling.window_day)

  snapshot = service.vertical_scaling == null ? "" : jsonencode({
    apiVersion = "snapshot.storage.k8s.io/v1"
    kind       = "VolumeSnapshot"
    metadata   = { generateName = "${service.name}-", namespace = let.namespace, annotations = { "keep-days" = tostring(service.vertical_scaling.snapshot_days) } }
    spec = merge(
      { source = { persistentVolumeClaimName = "data-${service.name}-0" } },
      target.snapshot_class == null ? {} : { volumeSnapshotClassName = target.snapshot_class },
    )
  })
  snapshot_name = "${service.name}-resize-${hash(let.snapshot, 8)}"
}

manifest "autoscaling.k8s.io/v1" "VerticalPodAutoscaler" "this" {
  metadata = {
    name      = service.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
  }
  spec = {
    targetRef = {
      apiVersion = let.workload[0]
      kind       = let.workload[1]
      name       = service.name
    }
    updatePolicy = {
      updateMode = self.resize == "now" ? (
        # In the running pod; a new one only where the node has no room.
        "InPlaceOrRecreate"
        ) : (
        # When the pod starts, which it does in the window.
        "Initial"
      )
      # There is one pod; the default of two would mean never.
      minReplicas = 1
    }
    resourcePolicy = {
      containerPolicies = [
        {
          containerName       = service.name
          controlledResources = ["cpu", "memory"]
          # Requests and limits stay equal, so that no neighbour can take what it has.
          controlledValues = "RequestsAndLimits"
          minAllowed       = { cpu = let.cpu, memory = let.memory }
          maxAllowed       = { cpu = tostring(self.max_cpu), memory = quantity(self.max_memory) }
        },
        let.sidecar ? { containerName = "istio-proxy", mode = "Off" } : null,
      ]
    }
  }
}

# A snapshot of the disk, taken before the pod starts anew. Delete those that are
# older than the annotation keep-days says.
manifest "v1" "ConfigMap" "this_resize" {
  when = self.resize == "window"
  metadata = {
    name      = let.snapshot_name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
  }
  immutable = true
  data      = { "snapshot.json" = let.snapshot }
}

# The window: a new size costs a restart. Announce it.
manifest "batch/v1" "CronJob" "this_resize" {
  when = self.resize == "window"
  metadata = {
    name      = "${service.name}-resize"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${service.name}-resize" }
  }
  spec = {
    schedule                   = "0 ${self.window_hour} * * ${let.weekday}"
    timeZone                   = "Etc/UTC"
    concurrencyPolicy          = "Forbid"
    startingDeadlineSeconds    = 1800
    successfulJobsHistoryLimit = 3
    failedJobsHistoryLimit     = 3
    jobTemplate = {
      spec = {
        backoffLimit          = 1
        activeDeadlineSeconds = 600
        template = {
          metadata = { labels = { "app.kubernetes.io/name" = "${service.name}-resize" } }
          spec = {
            serviceAccountName            = "${service.name}-resize"
            automountServiceAccountToken  = true
            enableServiceLinks            = false
            restartPolicy                 = "Never"
            terminationGracePeriodSeconds = 10
            securityContext = {
              runAsNonRoot   = true
              runAsUser      = 65532
              runAsGroup     = 65532
              fsGroup        = 65532
              seccompProfile = { type = "RuntimeDefault" }
            }
            initContainers = [
              {
                name            = "snapshot"
                image           = let.kubectl
                imagePullPolicy = "Always"
                args            = ["create", "--filename=/etc/resize/snapshot.json"]
                resources = {
                  requests = { cpu = "100m", memory = "128Mi", "ephemeral-storage" = "64Mi" }
                  limits   = { cpu = "100m", memory = "128Mi", "ephemeral-storage" = "64Mi" }
                }
                securityContext = {
                  allowPrivilegeEscalation = false
                  privileged               = false
                  readOnlyRootFilesystem   = true
                  runAsNonRoot             = true
                  runAsUser                = 65532
                  runAsGroup               = 65532
                  capabilities             = { drop = ["ALL"] }
                }
                volumeMounts = [{ name = "snapshot", mountPath = "/etc/resize", readOnly = true }]
              },
            ]
            containers = [
              {
                name            = "restart"
                image           = let.kubectl
                imagePullPolicy = "Always"
                args            = ["rollout", "restart", "statefulset/${service.name}", "--namespace=${let.namespace}"]
                resources = {
                  requests = { cpu = "100m", memory = "128Mi", "ephemeral-storage" = "64Mi" }
                  limits   = { cpu = "100m", memory = "128Mi", "ephemeral-storage" = "64Mi" }
                }
                securityContext = {
                  allowPrivilegeEscalation = false
                  privileged               = false
                  readOnlyRootFilesystem   = true
                  runAsNonRoot             = true
                  runAsUser                = 65532
                  runAsGroup               = 65532
                  capabilities             = { drop = ["ALL"] }
                }
              },
            ]
            volumes = [
              {
                name      = "snapshot"
                configMap = { name = let.snapshot_name }
              },
            ]
          }
        }
      }
    }
  }
}

manifest "v1" "ServiceAccount" "this_resize" {
  when = self.resize == "window"
  metadata = {
    name      = "${service.name}-resize"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${service.name}-resize" }
  }
  automountServiceAccountToken = false
}

manifest "rbac.authorization.k8s.io/v1" "Role" "this_resize" {
  when = self.resize == "window"
  metadata = {
    name      = "${service.name}-resize"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${service.name}-resize" }
  }
  rules = [
    {
      apiGroups     = ["apps"]
      resources     = ["statefulsets"]
      resourceNames = [service.name]
      verbs         = ["get", "patch"]
    },
    {
      apiGroups = ["snapshot.storage.k8s.io"]
      resources = ["volumesnapshots"]
      verbs     = ["create"]
    },
  ]
}

manifest "rbac.authorization.k8s.io/v1" "RoleBinding" "this_resize" {
  when = self.resize == "window"
  metadata = {
    name      = "${service.name}-resize"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${service.name}-resize" }
  }
  roleRef = {
    apiGroup = "rbac.authorization.k8s.io"
    kind     = "Role"
    name     = "${service.name}-resize"
  }
  subjects = [
    {
      kind      = "ServiceAccount"
      name      = "${service.name}-resize"
      namespace = let.namespace
    },
  ]
}

manifest "networking.k8s.io/v1" "NetworkPolicy" "this_resize" {
  when = self.resize == "window"
  metadata = {
    name      = "${service.name}-resize"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${service.name}-resize" }
  }
  spec = {
    podSelector = { matchLabels = { "app.kubernetes.io/name" = "${service.name}-resize" } }
    policyTypes = ["Ingress", "Egress"]
    egress = [
      {
        # The API server, wherever it stands.
        to = [{ ipBlock = { cidr = "0.0.0.0/0", except = ["169.254.0.0/16"] } }]
        ports = [
          { port = 443, protocol = "TCP" },
          { port = 6443, protocol = "TCP" },
        ]
      },
    ]
  }
}

extend "monitoring.coreos.com/v1" "PrometheusRule" "this" {
  spec = {
    groups = [
      {
        name = service.name
        rules = [
          {
            record = "vertical:cpu_used:ratio"
            expr   = <<-EOT
              sum(rate(container_cpu_usage_seconds_total{${let.pods}}[5m])) / sum(kube_pod_container_resource_requests{${let.pods},resource="cpu"})
            EOT
            labels = let.alarm
          },
          {
            alert  = "CpuHigh"
            expr   = <<-EOT
              avg_over_time(vertical:cpu_used:ratio{service="${service.name}"}[${ceil(self.observe)}s]) > ${self.high_cpu / 100}
            EOT
            for    = "5m"
            labels = merge({ severity = "warning" }, let.alarm)
            annotations = {
              summary = "${service.name} is too small: ${self.high_cpu} % of its processors have been busy for ${span(self.observe)}"
            }
          },
          {
            alert  = "MemoryHigh"
            expr   = <<-EOT
              max(container_memory_working_set_bytes{${let.pods}}) / max(kube_pod_container_resource_limits{${let.pods},resource="memory"}) > ${self.high_memory / 100}
            EOT
            for    = "10m"
            labels = merge({ severity = "critical" }, let.alarm)
            annotations = {
              summary = "${service.name} uses more than ${self.high_memory} % of its memory"
            }
          },
          {
            alert  = "TooLarge"
            expr   = <<-EOT
              avg_over_time(vertical:cpu_used:ratio{service="${service.name}"}[1d]) < ${self.low_cpu / 100}
            EOT
            for    = "1d"
            labels = merge({ severity = "info" }, let.alarm)
            annotations = {
              summary = "${service.name} is too large: a smaller size would do for less money"
            }
          },
          {
            alert  = "ResizePending"
            expr   = <<-EOT
              max(kube_pod_status_resize{namespace="${let.namespace}",pod=~"${service.name}-[0-9]+",status=~"Infeasible|Deferred"}) > 0
            EOT
            for    = "15m"
            labels = merge({ severity = "warning" }, let.alarm)
            annotations = {
              summary = "The node of ${service.name} has no room for the size that it needs"
            }
          },
          {
            alert  = "DiskFills"
            expr   = <<-EOT
              predict_linear(kubelet_volume_stats_available_bytes{namespace="${let.namespace}",persistentvolumeclaim="data-${service.name}-0"}[6h], 7 * 86400) < 0
            EOT
            for    = "1h"
            labels = merge({ severity = "warning" }, let.alarm)
            annotations = {
              summary = "The disk of ${service.name} is full within a week"
            }
          },
          {
            alert  = "CeilingNear"
            expr   = <<-EOT
              max(kube_customresource_vpa_containerrecommendations_uncappedtarget{namespace="${let.namespace}",container="${service.name}",resource="cpu"}) > ${floor(self.max_cpu * self.ceiling_warning) / 100}
                or max(kube_customresource_vpa_containerrecommendations_uncappedtarget{namespace="${let.namespace}",container="${service.name}",resource="memory"}) > ${floor(self.max_memory * self.ceiling_warning / 100)}
            EOT
            for    = "1d"
            labels = merge({ severity = "warning" }, let.alarm)
            annotations = {
              summary = "${service.name} needs ${self.ceiling_warning} % of the largest size that it may get: plan for more pods instead of larger ones"
            }
          },
        ]
      },
    ]
  }
}
