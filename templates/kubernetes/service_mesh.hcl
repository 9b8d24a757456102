# The mesh of a cluster. What it comes to stands with each service, for proxies
# have an identity and a size each; here is what says so.
template "service_mesh" {
  for = cluster

  covers = {
    sidecars         = [self.mode == "ambient" ? Gateway.waypoint.spec.gatewayClassName : Sidecar.this.spec.egress.hosts, Deployment.this.spec.template.metadata.labels, self.mode == "ambient" ? null : Deployment.this.spec.template.metadata.annotations]
    traffic_policies = [self.mode == "ambient" ? HTTPRoute.this_mesh.spec.rules.timeouts : VirtualService.this.spec.http.timeout, DestinationRule.this.spec.trafficPolicy.connectionPool]
    latency          = [PrometheusRule.this.spec.groups.rules.alert, self.mode == "ambient" ? null : Telemetry.this.spec.tracing.randomSamplingPercentage]
    mtls             = [PeerAuthentication.this.spec.mtls.mode, self.calls == "declared" ? AuthorizationPolicy.this.spec.rules.from.source : null]
    overhead         = [ResourceQuota.quota.spec.hard, self.mode == "ambient" ? null : Deployment.this.spec.template.metadata.annotations, component.peak_cpu]
  }
}
