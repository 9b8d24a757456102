# The kind of balancer follows from what is asked of it: of requests by Envoy Gateway, of
# connections by the balancer of the cluster's network.
template "load_balancer_types" {
  for  = service
  when = target.provider == "kubernetes" || service.runs_on != null

  covers = {
    type                = [self.type, let.routed ? HTTPRoute.this.spec.rules : Service.this_balancer.spec.type]
    algorithm           = [let.routed ? BackendTrafficPolicy.this.spec.loadBalancer.type : Service.this_balancer.spec.externalTrafficPolicy]
    health_checks       = [let.routed ? BackendTrafficPolicy.this.spec.healthCheck.active.type : Deployment.this.spec.template.spec.containers.readinessProbe]
    latency_or_features = [let.route == "GRPCRoute" && let.routed ? HTTPRoute.this.spec.rules.backendRefs : let.routed ? HTTPRoute.this.spec.rules.timeouts : Service.this_balancer.spec.externalTrafficPolicy, self.reason]
    monitoring          = [PrometheusRule.this.spec.groups.rules.expr]
  }

  ignores = {
    reach          = service.balancer.reach == "region" ? null : "The address is one of the cluster's network, in its region."
    static_address = service.balancer.static_address ? "Whoever runs the cluster gives the balancer its address. One that never changes is made there and named in an annotation." : null
    private_link   = service.balancer.private_link ? "A private connection to other networks is made where the cluster's network is." : null
    log_days       = "The gateway writes its log to standard output. Whoever collects it decides how long it is kept."
  }

  check "appliance" {
    condition = !self.appliance
    message   = "Packets of others cannot be passed through pods of a cluster."
    fix       = "Set appliance = false, or render it for a cloud."
    at        = self.appliance
  }
}
