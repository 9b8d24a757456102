# A small share first. The controller of Argo Rollouts goes through the steps and
# owns the weights: of the mesh's routes, of the gateway's, or of neither, where
# shares are numbers of pods.
template "canary_deployment" {
  for  = service
  when = target.provider == "kubernetes" || service.runs_on != null
  file = "${service.name}/analysis.yaml"

  covers = {
    traffic_split = [Deployment.this.spec.strategy.canary.steps.setWeight, let.split_by_mesh && length(let.route_names) > 0 ? VirtualService.this.spec.http.route.weight : let.ambient ? HTTPRoute.this_mesh.spec.rules.backendRefs.weight : null]
    metrics       = [let.judged ? AnalysisTemplate.this_health.spec.metrics.provider.prometheus.query : PrometheusRule.this.spec.groups.rules.expr, let.ambient ? PodMonitor.waypoint.spec.selector : PodMonitor.this.spec.podMetricsEndpoints.relabelings]
    criteria      = [let.judged ? AnalysisTemplate.this_health.spec.metrics.successCondition : self.max_errors, let.judged ? AnalysisTemplate.this_health.spec.metrics.failureCondition : self.max_latency]
    rollback      = [Deployment.this.spec.progressDeadlineAbort, let.judged ? Deployment.this.spec.strategy.canary.analysis.templates : self.rollback]
    segments      = [let.split ? Deployment.this.spec.strategy.canary.steps.setHeaderRoute.match : null, let.split ? Deployment.this.spec.strategy.canary.trafficRouting.managedRoutes : null]
  }

  ignores = {
    weight     = "The controller goes through the steps by itself."
    sticky_for = "Each request goes to either version by its share alone. Only those that have the header or the segment stay with the canary."
  }

  check "canary_by_hand" {
    condition = self.canary_image == service.image
    message   = "In a cluster the controller makes the canary: it runs the image of ${service.name}, and canary_image and weight say nothing."
    fix       = "Change image to release; the controller takes the steps by itself, kubectl argo rollouts abort goes back."
    at        = self.canary_image
    related   = [self.weight]
    severity  = "warning"
  }
  check "a_whole_pod" {
    condition = let.split || service.min_instances * self.steps[0] / 100 >= 1
    message   = "Neither a mesh nor a gateway splits the traffic of ${service.name}, so shares are numbers of pods, and ${self.steps[0]} % of ${service.min_instances} is less than one."
    fix       = "Put it into a mesh or behind a balancer, or start with a larger share."
    at        = self.steps
    related   = [service.min_instances]
  }
}

let {
  split_by_mesh    = let.steered && !let.vertical
  split_by_gateway = let.routed || let.waypoint
  # Routes of the Gateway API whose weights the controller sets, by its plugin for them.
  http_routes = concat(
    [for name in [service.name] : name if let.routed && let.route == "HTTPRoute"],
    [for name in ["${service.name}-mesh"] : name if let.waypoint && service.protocol == "http"],
  )
  grpc_routes = concat(
    [for name in [service.name] : name if let.routed && let.route == "GRPCRoute"],
    [for name in ["${service.name}-mesh"] : name if let.waypoint && service.protocol == "grpc"],
  )
  split = let.split_by_mesh || let.split_by_gateway
}

extend "apps/v1" "Deployment" "this" {
  spec = {
    strategy = {
      canary = {
        stableService  = "${service.name}-stable"
        canaryService  = "${service.name}-canary"
        maxSurge       = "25%"
        maxUnavailable = 0
        canaryMetadata = { labels = { role = "canary" } }
        stableMetadata = { labels = { role = "stable" } }
        # The old version shrinks as the new one grows, so that both together stay within
        # the quota and the connections that were counted.
        dynamicStableScale   = let.split ? true : null
        minPodsPerReplicaSet = let.split ? 2 : null
        trafficRouting = let.split ? {
          # In the order in which they are tried.
          managedRoutes = [{ name = "testers" }, { name = "segment" }]
          istio = let.split_by_mesh ? {
            virtualServices = [{ name = service.name, routes = let.route_names }]
          } : null
          plugins = let.split_by_gateway ? {
            "argoproj-labs/gatewayAPI" = {
              namespace  = let.namespace
              httpRoutes = length(let.http_routes) == 0 ? null : [for name in let.http_routes : { name = name, useHeaderRoutes = true }]
              grpcRoutes = length(let.grpc_routes) == 0 ? null : [for name in let.grpc_routes : { name = name, useHeaderRoutes = true }]
            }
          } : null
        } : null
        # Runs to the end. A failed measurement gives all traffic back to the old version.
        analysis = let.judged ? {
          startingStep = let.split ? 4 : 1
          templates    = [{ templateName = "${service.name}-health" }]
          args = [
            {
              name      = "hash"
              valueFrom = { podTemplateHashValue = "Latest" }
            },
          ]
        } : null
        steps = concat(
          let.split ? [
            # First those who ask for it.
            { setCanaryScale = { weight = self.steps[0] } },
            { setHeaderRoute = { name = "testers", match = [{ headerName = self.header, headerValue = { exact = self.header_value } }] } },
            { setHeaderRoute = { name = "segment", match = [{ headerName = "segment", headerValue = { exact = self.segment } }] } },
            { pause = { duration = "${ceil(self.step_time)}s" } },
            { setCanaryScale = { matchTrafficWeight = true } },
          ] : [],
          flatten([for share in self.steps : [
            { setWeight = share },
            { pause = { duration = "${ceil(self.step_time)}s" } },
          ]]),
        )
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
            alert  = "CanaryUndone"
            expr   = <<-EOT
              max(${replace(join(" or ", let.release_info), "PHASE", "Degraded")}) > 0
            EOT
            for    = "1m"
            labels = merge({ severity = "critical" }, let.alarm)
            annotations = {
              summary = "The canary of ${service.name} did worse than the version before, which has all the traffic again"
            }
          },
          {
            alert  = "CanaryStuck"
            expr   = <<-EOT
              max(${replace(join(" or ", let.release_info), "PHASE", "Paused|Progressing")}) > 0
            EOT
            for    = "${ceil((3600 + (length(self.steps) + 1) * self.step_time) / 60)}m"
            labels = merge({ severity = "warning" }, let.alarm)
            annotations = {
              summary = "The canary of ${service.name} should have ended an hour ago"
            }
          },
        ]
      },
    ]
  }
}
