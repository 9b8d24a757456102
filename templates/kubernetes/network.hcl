# Who may reach the pods and what they may reach. Every way is open on both ends or on none.
template "network" {
  for  = service
  when = target.provider == "kubernetes" || service.runs_on != null
  file = "${service.name}/network.yaml"
}

let {
  wire = service.protocol == "udp" ? "UDP" : "TCP"
  pod_callers = concat(
    [for c in service.clients : c if let.bare || c.runs_on != null],
    [for c in let.replaceable : c if c.breaker.fallback.name == service.name],
  )
  pod_callees = concat(
    [for c in service.callees : c if let.bare || c.runs_on != null],
    # Answers in place of the others.
    [for name in [service.name] : service.breaker.fallback if service.breaker == null ? false : service.breaker.fallback == null ? false : let.bare || service.breaker.fallback.runs_on != null],
  )
  far_callees = [for c in service.callees : c if !let.bare && c.runs_on == null]
  externals   = service.breaker == null ? [] : service.breaker.external
  egress      = service.mesh == null ? "any" : service.mesh.egress
  managed_ports = let.bare ? [] : distinct(concat(
    [for n in service.databases : { from = n.let.port, to = null, protocol = "TCP" }],
    flatten([for n in service.caches : concat([{ from = n.port, to = null, protocol = "TCP" }], n.let.node_ports)]),
    [for n in let.far_callees : { from = n.port, to = null, protocol = n.protocol == "udp" ? "UDP" : "TCP" }],
  ))
  metrics_port  = let.sidecar ? 15090 : service.port
  from_anywhere = let.balanced && !let.routed
  scraped       = !let.ambient && (let.layer_7 || let.sidecar)
  # An empty list would be stored as none, and each apply would find it changed.
  reached_by_any = length(let.pod_callers) > 0 || let.balanced || let.scraped || service.blue_green_deployment != null
  reaches_any = (
    length(let.pod_callees) + length(let.managed_ports) + length(let.externals) > 0 || let.egress == "any" || let.sidecar ||
    (let.bare ? length(service.databases) + length(service.caches) > 0 : contains(["aws", "gcp"], let.cloud))
  )
}

manifest "networking.k8s.io/v1" "NetworkPolicy" "this" {
  metadata = {
    name      = service.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
    annotations = let.rollout ? {
      # The pods come from a Rollout, a kind that kube-score does not know.
      "kube-score/ignore" = "networkpolicy-targets-pod"
    } : null
  }
  spec = {
    podSelector = { matchLabels = { "app.kubernetes.io/name" = service.name } }
    policyTypes = ["Ingress", "Egress"]
    ingress = !let.reached_by_any ? null : concat(
      length(let.pod_callers) == 0 ? [] : [{
        from  = [for c in let.pod_callers : { podSelector = { matchLabels = { "app.kubernetes.io/name" = c.name } } }]
        ports = [{ port = service.port, protocol = let.wire }]
      }],
      let.routed ? [{
        from = [{ namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = target.gateway_namespace } } }]
        ports = [
          { port = service.port, protocol = let.wire },
          let.health_port == null ? null : { port = let.health_port, protocol = "TCP" },
        ]
      }] : [],
      let.from_anywhere ? [{
        # The balancer passes connections on with the client's own address.
        from = [for network in(service.balancer == null ? [] : service.balancer.allow) : { ipBlock = { cidr = network } }]
        ports = [
          { port = service.port, protocol = let.wire },
          let.health_port == null ? null : { port = let.health_port, protocol = "TCP" },
        ]
      }] : [],
      let.scraped ? [{
        from  = [{ namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = target.monitoring_namespace } } }]
        ports = [{ port = let.metrics_port, protocol = "TCP" }]
      }] : [],
      service.blue_green_deployment == null ? [] : [{
        # The smoke test.
        from  = [{ podSelector = { matchLabels = { "app.kubernetes.io/name" = "${service.name}-smoke" } } }]
        ports = [{ port = service.port, protocol = let.wire }]
      }],
    )
    egress = !let.reaches_any ? null : concat(
      [for c in let.pod_callees : {
        to    = [{ podSelector = { matchLabels = { "app.kubernetes.io/name" = c.name } } }]
        ports = [{ port = c.port, protocol = c.protocol == "udp" ? "UDP" : "TCP" }]
      }],
      let.bare ? [for n in concat(service.databases, service.caches) : {
        to    = [for labels in n.let.pods : { podSelector = { matchLabels = labels } }]
        ports = [{ port = n.port, protocol = "TCP" }]
      }] : [],
      length(let.managed_ports) == 0 ? [] : [{
        # What the cloud runs.
        to    = [for network in let.private : { ipBlock = { cidr = network } }]
        ports = [for p in let.managed_ports : { port = p.from, endPort = p.to, protocol = p.protocol }]
      }],
      let.egress == "any" ? [{
        # The internet, but not the metadata of the node.
        to    = [{ ipBlock = { cidr = "0.0.0.0/0", except = ["169.254.0.0/16"] } }]
        ports = [{ port = 443, protocol = "TCP" }]
      }] : [],
      [for port in distinct([for e in let.externals : e.port if let.egress != "any" || e.port != 443]) : {
        to    = [{ ipBlock = { cidr = "0.0.0.0/0", except = ["169.254.0.0/16"] } }]
        ports = [{ port = port, protocol = "TCP" }]
      }],
      let.sidecar ? [{
        # Certificates and configuration of the proxy.
        to    = [{ namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = target.mesh_namespace } } }]
        ports = [{ port = 15012, protocol = "TCP" }]
      }] : [],
      let.sidecar && let.in_mesh ? [{
        # Traces, to a collector beside what else is measured (OTLP, as gRPC and as HTTP).
        to    = [{ namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = target.monitoring_namespace } } }]
        ports = [{ port = 4317, protocol = "TCP" }, { port = 4318, protocol = "TCP" }]
      }] : [],
      let.cloud == "aws" && !let.bare ? [{
        # The agent that hands out the credentials of the pod's role.
        to    = [{ ipBlock = { cidr = "169.254.170.23/32" } }]
        ports = [{ port = 80, protocol = "TCP" }]
      }] : [],
      let.cloud == "gcp" && !let.bare ? [{
        # The metadata server, which hands out the credentials of the service account.
        to = [{ ipBlock = { cidr = "169.254.169.252/32" } }, { ipBlock = { cidr = "169.254.169.254/32" } }]
        ports = [
          { port = 80, protocol = "TCP" },
          { port = 988, protocol = "TCP" },
        ]
      }] : [],
    )
  }
}
