# Two versions at full size. The controller of Argo Rollouts keeps the colours: a
# new image is the green one, and blue stays until it is sure not to be needed.
template "blue_green_deployment" {
  for  = service
  when = target.provider == "kubernetes" || service.runs_on != null
  file = "${service.name}/analysis.yaml"

  covers = {
    double_capacity = [ResourceQuota.quota.spec.hard, Deployment.this.spec.strategy.blueGreen.scaleDownDelaySeconds, service.rollout_percent]
    shared_data     = [service.backward_compatible, service.stateless]
    smoke_tests     = [Deployment.this.spec.strategy.blueGreen.prePromotionAnalysis.templates, AnalysisTemplate.this_smoke.spec.metrics.provider.job.spec, Deployment.this.spec.strategy.blueGreen.previewService]
    fast_switch     = [Deployment.this.spec.strategy.blueGreen.activeService, Service.this.spec.selector, Deployment.this.spec.strategy.blueGreen.autoPromotionEnabled]
    rollback        = [Deployment.this.spec.rollbackWindow.revisions, Deployment.this.spec.progressDeadlineAbort, self.rollback == "alarms" ? Deployment.this.spec.strategy.blueGreen.postPromotionAnalysis.templates : Deployment.this.spec.strategy.blueGreen.scaleDownDelaySeconds]
  }

  ignores = {
    live       = self.live == "blue" ? null : "The controller makes the colours and knows which one serves: kubectl argo rollouts promote switches."
    idle_warm  = self.idle_warm ? null : "keep_old says how long the old version stays after a switch. Then it is gone."
    smoke_port = "The version that does not serve has a name of its own, with -preview at its end, on the same port."
  }

  check "colours_by_hand" {
    condition = self.blue_image == service.image && self.green_image == service.image
    message   = "In a cluster the controller makes the colours: it runs the image of ${service.name}, and blue_image and green_image say nothing."
    fix       = "Change image to release; kubectl argo rollouts promote switches, kubectl argo rollouts undo goes back."
    at        = self.green_image
    related   = [self.blue_image]
    severity  = "warning"
  }
}

let {
  preview = "${service.name}-preview"
  # What asks the new version, by protocol. Nothing of it passes through a shell.
  smoke_image = service.protocol == "http" ? "docker.io/curlimages/curl:8.15.0" : service.protocol == "grpc" ? "ghcr.io/grpc-ecosystem/grpc-health-probe:v0.4.40" : "docker.io/library/busybox:1.37.0"
}

extend "apps/v1" "Deployment" "this" {
  spec = {
    strategy = {
      blueGreen = {
        activeService  = service.name
        previewService = let.preview
        # A person switches: kubectl argo rollouts promote. Or passed tests do.
        autoPromotionEnabled = self.promote == "tests"
        maxUnavailable       = 0
        # The old version stays at full size for as long: the way back is one change of a selector.
        scaleDownDelaySeconds       = ceil(self.keep_old)
        scaleDownDelayRevisionLimit = 1
        abortScaleDownDelaySeconds  = 60
        activeMetadata              = { labels = { role = "active" } }
        previewMetadata             = { labels = { role = "preview" } }
        prePromotionAnalysis        = { templates = [{ templateName = "${service.name}-smoke" }] }
        postPromotionAnalysis = self.rollback == "alarms" ? {
          templates = [{ templateName = "${service.name}-health" }]
          args = [
            {
              name      = "hash"
              valueFrom = { podTemplateHashValue = "Latest" }
            },
          ]
        } : null
      }
    }
  }
}

manifest "v1" "ServiceAccount" "this_smoke" {
  metadata = {
    name      = "${service.name}-smoke"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${service.name}-smoke" }
  }
  automountServiceAccountToken = false
}

# Asked of the new version before it gets anyone's traffic. Put a suite of your own
# beside it: one more metric.
manifest "argoproj.io/v1alpha1" "AnalysisTemplate" "this_smoke" {
  metadata = {
    name      = "${service.name}-smoke"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${service.name}-smoke" }
  }
  spec = {
    metrics = [
      {
        name         = "answers"
        count        = 3
        interval     = "10s"
        failureLimit = 0
        provider = {
          job = {
            metadata = { labels = { "app.kubernetes.io/name" = "${service.name}-smoke" } }
            spec = {
              backoffLimit            = 0
              activeDeadlineSeconds   = 120
              ttlSecondsAfterFinished = 3600
              template = {
                metadata = {
                  labels = {
                    "app.kubernetes.io/name"  = "${service.name}-smoke"
                    "sidecar.istio.io/inject" = let.sidecar ? (target.mesh_revision == null ? "true" : null) : null
                    "istio.io/rev"            = let.sidecar ? target.mesh_revision : null
                    "istio.io/dataplane-mode" = let.ambient ? "ambient" : null
                  }
                }
                spec = {
                  serviceAccountName            = "${service.name}-smoke"
                  automountServiceAccountToken  = false
                  enableServiceLinks            = false
                  restartPolicy                 = "Never"
                  terminationGracePeriodSeconds = 10
                  securityContext = {
                    runAsNonRoot   = true
                    runAsUser      = 65532
                    runAsGroup     = 65532
                    seccompProfile = { type = "RuntimeDefault" }
                  }
                  containers = [
                    {
                      name            = "smoke"
                      image           = let.smoke_image
                      imagePullPolicy = "IfNotPresent"
                      command         = service.protocol == "tcp" ? ["nc"] : null
                      args = (
                        service.protocol == "http" ? ["--fail", "--silent", "--show-error", "--max-time", tostring(ceil(service.request_timeout)), "http://${let.preview}.${let.namespace}.svc:${service.port}${self.smoke_path}"] :
                        service.protocol == "grpc" ? ["-addr=${let.preview}.${let.namespace}.svc:${service.port}", "-connect-timeout=5s", "-rpc-timeout=${duration(service.request_timeout)}"] :
                        ["-z", "-w", "5", "${let.preview}.${let.namespace}.svc", tostring(service.port)]
                      )
                      resources = {
                        requests = { cpu = "100m", memory = "64Mi", "ephemeral-storage" = "64Mi" }
                        limits   = { cpu = "100m", memory = "64Mi", "ephemeral-storage" = "64Mi" }
                      }
                      securityContext = {
                        allowPrivilegeEscalation = false
                        privileged               = false
                        readOnlyRootFilesystem   = true
                        runAsNonRoot             = true
                        capabilities             = { drop = ["ALL"] }
                      }
                    },
                  ]
                }
              }
            }
          }
        }
      },
    ]
  }
}

manifest "networking.k8s.io/v1" "NetworkPolicy" "this_smoke" {
  metadata = {
    name      = "${service.name}-smoke"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${service.name}-smoke" }
    annotations = {
      # The pods come from a Job of the analysis, which kube-score does not see.
      "kube-score/ignore" = "networkpolicy-targets-pod"
    }
  }
  spec = {
    podSelector = { matchLabels = { "app.kubernetes.io/name" = "${service.name}-smoke" } }
    policyTypes = ["Ingress", "Egress"]
    egress = concat(
      [{
        to    = [{ podSelector = { matchLabels = { "app.kubernetes.io/name" = service.name } } }]
        ports = [{ port = service.port, protocol = let.wire }]
      }],
      let.sidecar ? [{
        to    = [{ namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = target.mesh_namespace } } }]
        ports = [{ port = 15012, protocol = "TCP" }]
      }] : [],
    )
  }
}

extend "monitoring.coreos.com/v1" "PrometheusRule" "this" {
  spec = {
    groups = [
      {
        name = service.name
        rules = [
          {
            alert  = "ReleaseRefused"
            expr   = <<-EOT
              max(${replace(join(" or ", let.release_info), "PHASE", "Degraded")}) > 0
            EOT
            for    = "1m"
            labels = merge({ severity = "critical" }, let.alarm)
            annotations = {
              summary = "The new version of ${service.name} did not pass; the old one serves"
            }
          },
          {
            alert  = "ReleaseWaits"
            expr   = <<-EOT
              max(${replace(join(" or ", let.release_info), "PHASE", "Paused")}) > 0
            EOT
            for    = "2h"
            labels = merge({ severity = "warning" }, let.alarm)
            annotations = {
              summary = "The new version of ${service.name} has waited two hours for the switch, at twice the cost"
            }
          },
        ]
      },
    ]
  }
}
