# A few pods at a time. A Deployment stops at a bad release and stays there; where
# alarms are to bring the old version back, a Rollout takes its place.
template "rolling_updates" {
  for  = service
  when = (target.provider == "kubernetes" || service.runs_on != null) && service.vertical_scaling == null
  file = "${service.name}/autoscaling.yaml"

  covers = {
    strategy      = [let.rollout ? Deployment.this.spec.strategy.canary.maxSurge : Deployment.this.spec.strategy.rollingUpdate.maxSurge, let.rollout ? Deployment.this.spec.strategy.canary.steps.setWeight : Deployment.this.spec.strategy.rollingUpdate.maxUnavailable]
    health_checks = [let.probe == "none" ? null : Deployment.this.spec.template.spec.containers.readinessProbe, Deployment.this.spec.minReadySeconds, Deployment.this.spec.template.spec.terminationGracePeriodSeconds]
    rollback      = [let.rollout ? Deployment.this.spec.progressDeadlineAbort : Deployment.this.spec.progressDeadlineSeconds, let.rollout ? Deployment.this.spec.strategy.canary.analysis.templates : null, let.rollout ? null : self.rollback]
    monitoring    = [let.rollout ? AnalysisTemplate.this_health.spec.metrics.provider.prometheus.query : null, PrometheusRule.this.spec.groups.rules.alert]
    compatibility = [service.backward_compatible, Deployment.this.spec.revisionHistoryLimit]
  }
}

extend "apps/v1" "Deployment" "this" {
  when = !let.rollout
  spec = {
    strategy = {
      type = "RollingUpdate"
      rollingUpdate = {
        maxSurge       = self.surge > 0 ? "${self.surge}%" : 0
        maxUnavailable = self.unavailable > 0 ? "${self.unavailable}%" : 0
      }
    }
  }
}

extend "apps/v1" "Deployment" "this" {
  when = let.rollout
  spec = {
    strategy = {
      canary = {
        maxSurge       = self.surge > 0 ? "${self.surge}%" : 0
        maxUnavailable = self.unavailable > 0 ? "${self.unavailable}%" : 0
        # Runs as long as the update does. A failed measurement brings the old version back.
        analysis = {
          templates = [{ templateName = "${service.name}-health" }]
          args = [
            {
              name      = "hash"
              valueFrom = { podTemplateHashValue = "Latest" }
            },
          ]
        }
        steps = flatten([for share in self.checkpoints : [
          { setWeight = share },
          { pause = { duration = "${ceil(self.pause)}s" } },
        ] if share < 100])
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
            alert = let.rollout ? "ReleaseUndone" : "ReleaseStuck"
            expr = (let.rollout ? <<-EOT
              max(${replace(join(" or ", let.release_info), "PHASE", "Degraded")}) > 0
            EOT
              : <<-EOT
              kube_deployment_status_condition{namespace="${let.namespace}",deployment="${service.name}",condition="Progressing",status="false"} == 1
            EOT
            )
            for    = "1m"
            labels = merge({ severity = "critical" }, let.alarm)
            annotations = {
              summary = let.rollout ? "The release of ${service.name} was bad and the old version is back" : "The release of ${service.name} does not get on; kubectl rollout undo brings the old version back"
            }
          },
          {
            alert  = "VersionsMixed"
            expr   = <<-EOT
              count(count by (image_spec) (kube_pod_container_info{${let.pods}})) > 1
            EOT
            for    = "${ceil(max(3600, 2 * self.deadline + length(self.checkpoints) * self.pause) / 60)}m"
            labels = merge({ severity = "warning" }, let.alarm)
            annotations = {
              summary = "Two versions of ${service.name} have run side by side for too long"
            }
          },
        ]
      },
    ]
  }
}
