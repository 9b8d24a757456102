# A service that grows vertically is one pod with a disk of its own, which two pods cannot hold.
template "rolling_updates_of_one" {
  for     = service
  pattern = "rolling_updates"
  when    = (target.provider == "kubernetes" || service.runs_on != null) && service.vertical_scaling != null

  covers = {
    health_checks = [let.probe == "none" ? null : Deployment.this.spec.template.spec.containers.readinessProbe, Deployment.this.spec.minReadySeconds]
    monitoring    = [PrometheusRule.this.spec.groups.rules.alert]
    compatibility = [service.backward_compatible, Deployment.this.spec.revisionHistoryLimit]
  }
  approximates = {
    strategy = { by = [Deployment.this.spec.updateStrategy.type], why = "The pod stops before the next one starts, for both want the same disk." }
    rollback = { by = [PrometheusRule.this.spec.groups.rules.alert], why = "The controller of a StatefulSet never goes back by itself; an alarm tells that somebody has to." }
  }
}
