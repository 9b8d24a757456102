# The mesh of a cluster. What it comes to stands with each service, for proxies
# have an identity and a size each; here is what says so.
template "service_mesh" {
  for = cluster

  # A cluster without services has nothing to show, and only requests are steered.
  covers = {
    sidecars = [
      length(cluster.services) == 0 ? null : self.mode == "ambient" ? Gateway.waypoint.spec.gatewayClassName : Sidecar.this.spec.egress.hosts,
      length(cluster.services) == 0 ? null : Deployment.this.spec.template.metadata.labels,
      length(cluster.services) == 0 || self.mode == "ambient" ? null : Deployment.this.spec.template.metadata.annotations,
    ]
    traffic_policies = [
      !anytrue([for s in cluster.services : contains(["http", "grpc"], s.protocol)]) ? null : self.mode == "ambient" ? HTTPRoute.this_mesh.spec.rules.timeouts : VirtualService.this.spec.http.timeout,
      !anytrue([for s in cluster.services : contains(["http", "grpc"], s.protocol) && (s.breaker == null ? true : !s.breaker.guards_itself)]) ? null : DestinationRule.this.spec.trafficPolicy.connectionPool,
    ]
    latency = [
      length(cluster.services) == 0 ? null : PrometheusRule.this.spec.groups.rules.alert,
      length(cluster.services) == 0 || self.mode == "ambient" ? null : Telemetry.this.spec.tracing.randomSamplingPercentage,
    ]
    mtls = [
      length(cluster.services) == 0 ? null : PeerAuthentication.this.spec.mtls.mode,
      length(cluster.services) == 0 || self.calls != "declared" ? null : AuthorizationPolicy.this.spec.action,
    ]
    overhead = [
      ResourceQuota.quota.spec.hard,
      length(cluster.services) == 0 || self.mode == "ambient" ? null : Deployment.this.spec.template.metadata.annotations,
      cluster.peak_cpu,
    ]
  }

  ignores = {
    control_plane        = target.provider == "gcp" || self.control_plane == "own" ? null : "The cluster runs the control plane."
    certificate_lifetime = target.provider == "gcp" || self.certificate_lifetime == 86400 ? null : "The control plane decides how long its certificates live: a day, if nobody has set it otherwise there."
  }
}
