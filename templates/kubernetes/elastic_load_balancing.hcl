# Requests are balanced by the proxies of Envoy Gateway, connections by the balancer of
# the cluster's network. Both stand in routing.hcl, for they are the same for either pattern.
template "elastic_load_balancing" {
  for  = service
  when = (target.provider == "kubernetes" || service.runs_on != null) && service.load_balancer_types == null

  covers = {
    health_checks = [let.routed ? BackendTrafficPolicy.this.spec.healthCheck.active.unhealthyThreshold : Deployment.this.spec.template.spec.containers.readinessProbe, let.routed ? BackendTrafficPolicy.this.spec.healthCheck.passive : null]
    algorithm     = [let.routed ? BackendTrafficPolicy.this.spec.loadBalancer.type : Service.this_balancer.spec.externalTrafficPolicy, Service.this.spec.ports]
    stickiness    = [self.sticky && let.routed ? BackendTrafficPolicy.this.spec.loadBalancer.consistentHash.cookie : self.sticky ? Service.this_balancer.spec.sessionAffinity : service.stateless]
    distribution  = [PrometheusRule.this.spec.groups.rules.expr, let.routed ? EnvoyProxy.gateway.spec.telemetry.metrics.enablePerEndpointStats : null]
    tls           = [let.ends_tls ? Gateway.gateway.spec.listeners.tls.certificateRefs : self.tls, let.ends_tls ? ClientTrafficPolicy.gateway.spec.tls.minVersion : null, let.ends_tls ? Certificate.gateway.spec.privateKey.rotationPolicy : null]
  }

  ignores = {
    reach          = service.balancer.reach == "region" ? null : "The address is one of the cluster's network, in its region."
    static_address = service.balancer.static_address ? "Whoever runs the cluster gives the balancer its address. One that never changes is made there and named in an annotation." : null
    log_days       = "The gateway writes its log to standard output. Whoever collects it decides how long it is kept."
  }
}
