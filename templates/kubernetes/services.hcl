# The names under which the pods of a service are found.
template "services" {
  for  = service
  when = target.provider == "kubernetes" || service.runs_on != null
  file = "${service.name}/service.yaml"
}

let {
  host = "${service.name}.${let.domain}"
  # Where requests go: a canary's pods and the others have names of their own.
  backends = service.canary_deployment == null ? [{ name = service.name, weight = 100 }] : [
    { name = "${service.name}-stable", weight = 100 },
    { name = "${service.name}-canary", weight = 0 },
  ]
  route = service.balancer == null ? "HTTPRoute" : service.balancer.protocol == "grpc" ? "GRPCRoute" : "HTTPRoute"
  route_backends = [for b in let.backends : {
    name   = b.name
    port   = service.port
    weight = length(let.backends) == 1 ? null : b.weight
  }]
  further_services = concat(
    service.blue_green_deployment == null ? [] : [{ name = "${service.name}-preview" }],
    service.canary_deployment == null ? [] : [for b in let.backends : { name = b.name }],
  )
}

manifest "v1" "Service" "this" {
  metadata = {
    name      = service.name
    namespace = let.namespace
    labels = {
      "app.kubernetes.io/name"    = service.name
      "app.kubernetes.io/part-of" = blueprint.name
      # Requests to it go through the mesh's proxy of the namespace.
      "istio.io/use-waypoint" = let.ambient ? "waypoint" : null
    }
    annotations = let.rollout ? {
      # The pods come from a Rollout, a kind that kube-score does not know.
      "kube-score/ignore" = "service-targets-pod"
    } : null
  }
  spec = {
    # Within the zone while it has pods that are well: faster, and nothing is paid for crossing.
    trafficDistribution = service.zones > 1 ? "PreferSameZone" : null
    selector            = { "app.kubernetes.io/name" = service.name }
    ports = [
      {
        name       = service.protocol
        port       = service.port
        targetPort = service.protocol
        protocol   = service.protocol == "udp" ? "UDP" : "TCP"
      },
    ]
  }
}

# The Rollout's controller adds the hash of a version to the selector.
manifest "v1" "Service" "this_part" {
  for_each = let.further_services
  metadata = {
    name      = each.value.name
    namespace = let.namespace
    labels = {
      "app.kubernetes.io/name"    = service.name
      "app.kubernetes.io/part-of" = blueprint.name
      "istio.io/use-waypoint"     = let.ambient ? "waypoint" : null
    }
    annotations = {
      # The pods come from a Rollout, a kind that kube-score does not know.
      "kube-score/ignore" = "service-targets-pod"
    }
  }
  spec = {
    selector = { "app.kubernetes.io/name" = service.name }
    ports = [
      {
        name       = service.protocol
        port       = service.port
        targetPort = service.protocol
        protocol   = service.protocol == "udp" ? "UDP" : "TCP"
      },
    ]
  }
}

# Gives the pod a name that outlasts it.
manifest "v1" "Service" "this_peers" {
  when = let.vertical
  metadata = {
    name      = "${service.name}-peers"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
  }
  spec = {
    clusterIP                = "None"
    publishNotReadyAddresses = true
    selector                 = { "app.kubernetes.io/name" = service.name }
    ports = [
      {
        name       = service.protocol
        port       = service.port
        targetPort = service.protocol
        protocol   = service.protocol == "udp" ? "UDP" : "TCP"
      },
    ]
  }
}
