# A mesh that services enter one by one, where they run on no cluster of the blueprint.
template "service_mesh_of_service" {
  for     = service
  pattern = "service_mesh"
  when    = target.provider == "kubernetes" && service.runs_on == null

  covers = {
    sidecars         = [Sidecar.this.spec.egress.hosts, Deployment.this.spec.template.metadata.annotations]
    traffic_policies = [VirtualService.this.spec.http.timeout, let.guards ? DestinationRule.this_breaker.spec.trafficPolicy.connectionPool : DestinationRule.this.spec.trafficPolicy.connectionPool]
    latency          = [PrometheusRule.this.spec.groups.rules.alert, Telemetry.this.spec.tracing.randomSamplingPercentage]
    mtls             = [PeerAuthentication.this.spec.mtls.mode, self.calls == "declared" ? AuthorizationPolicy.this.spec.action : null]
    overhead         = [ResourceQuota.quota.spec.hard, service.total_cpu]
  }

  ignores = {
    control_plane        = self.control_plane == "own" ? null : "The cluster runs the control plane."
    certificate_lifetime = self.certificate_lifetime == 86400 ? null : "The control plane decides how long its certificates live: a day, if nobody has set it otherwise there."
  }
}
