pattern "service_mesh" {
  title       = "Service mesh"
  summary     = "Proxies beside the programs carry the traffic between services: encrypted both ways, measured and steered, without a change to the programs."
  attaches    = [cluster, service]
  quality     = 9
  difficulty  = 8
  performance = "High"
  when = [
    "Many services with many connections between them",
    "Every call has to be seen: how often, how slow, how wrong",
    "Traffic inside has to be encrypted, and callers have to prove who they are",
    "Services speak several protocols",
  ]

  # The pattern document's tables; coarse heuristics, not measurements.
  metrics {
    availability = "99.99%"
  }

  input "mtls" {
    type    = string
    default = "strict"
    one_of  = ["strict", "permissive"]
    summary = "strict: nobody gets in without a certificate of the mesh. permissive: both ways work, for moving in."
  }
  input "mode" {
    type    = string
    default = "sidecar"
    one_of  = ["sidecar", "ambient"]
    summary = "sidecar: a proxy beside each program. ambient: proxies that programs on a node share, for clusters; fewer controls, less memory."
  }
  input "control_plane" {
    type    = string
    default = "managed"
    one_of  = ["managed", "own"]
    summary = "Whether the target runs the control plane, where it can, or the cluster does."
  }
  input "proxy_cpu" {
    type    = number
    default = component.kind == "cluster" ? 0.1 : 0.25
    range   = [0.01, 16]
    summary = "vCPUs of the proxy beside each pod or instance."
  }
  input "proxy_memory" {
    type    = bytes
    default = component.kind == "cluster" ? "128MiB" : "256MiB"
    range   = ["32MiB", "16GiB"]
    summary = "Memory of the proxy beside each pod or instance."
  }
  input "certificate_lifetime" {
    type = duration
    # The most that a CA for short-lived certificates of AWS Private CA issues: 7 days.
    default = "24h"
    range   = ["1h", "7d"]
    summary = "How long a program's certificate is valid. Short enough that none has to be called back."
  }
  input "calls" {
    type    = string
    default = "declared"
    one_of  = ["declared", "any"]
    summary = "declared: a service is reached only by those that name it in needs."
  }
  input "egress" {
    type    = string
    default = "any"
    one_of  = ["declared", "any"]
    summary = "Where programs may connect to outside the mesh: anywhere, or only to what their breakers name as external."
  }
  input "max_latency" {
    type    = duration
    default = "10ms"
    range   = ["1ms", "1s"]
    summary = "What the proxies may add to a call (p99) before it is told."
  }
  input "trace_percent" {
    type    = percent
    default = 1
    summary = "Share of the requests that are traced through all services."
  }
  input "drain" {
    type    = duration
    default = max(5, min(30, [for s in self.members : s.drain_time]...))
    range   = ["1s", "10m"]
    summary = "How long a proxy goes on when its program stops."
  }

  derived "members" {
    value   = component.kind == "cluster" ? component.services : component.runs_on == null ? [component] : []
    summary = "The services whose proxies it describes: those of the cluster, or the service itself."
  }
  derived "outsiders" {
    value = component.kind != "cluster" ? [] : flatten([for s in self.members : [
      for c in s.clients : "${c.name} calls ${s.name}" if(c.runs_on == null ? true : c.runs_on.name != component.name)
    ]])
    summary = "Who calls a pod of the mesh from outside of its cluster."
  }
  derived "strict" {
    value   = self.mtls == "strict"
    summary = "Whether nobody gets in without a certificate."
  }

  point "sidecars" { summary = "The proxy has a size, starts before the program and ends after it." }
  point "traffic_policies" { summary = "Timeouts, repeats and breakers are set for every call, in one place." }
  point "latency" { summary = "What the proxies add to a call is measured." }
  point "mtls" { summary = "Callers prove who they are, and only those that are named get in." }
  point "overhead" { summary = "What the proxies take is counted in sizes, quotas and node pools." }

  check "once" {
    condition = component.kind == "cluster" ? true : component.runs_on == null
    message   = "${component.name} runs on a cluster, and a mesh is the cluster's matter."
    fix       = "Move service_mesh to the cluster."
    at        = self.mtls
    firm      = true
  }
  check "ambient_on_a_cluster" {
    condition = self.mode == "sidecar" || component.kind == "cluster"
    message   = "Instances share no node, so each needs a proxy of its own."
    fix       = "Leave mode unset."
    at        = self.mode
    firm      = true
  }
  # MESH-001
  check "overhead" {
    condition = alltrue([for s in self.members : self.proxy_cpu <= s.cpu / 3]) || self.mode == "ambient"
    message   = "The proxy takes more than a quarter of the whole in: ${join(", ", [for s in self.members : "${s.name} (${s.cpu} vCPUs and ${self.proxy_cpu} for the proxy)" if self.proxy_cpu > s.cpu / 3])}."
    fix       = "Make the services larger and fewer, or set mode = \"ambient\" on a cluster."
    at        = self.proxy_cpu
    related   = [for s in self.members : s.cpu]
    severity  = "warning"
  }
  check "strict_callers" {
    condition = !self.strict || component.kind == "cluster" || alltrue([for c in(component.kind == "cluster" ? [] : component.clients) : c.mesh != null])
    message   = "${component.name} lets nobody in without a certificate, and these callers are in no mesh: ${join(", ", [for c in(component.kind == "cluster" ? [] : component.clients) : c.name if c.mesh == null])}."
    fix       = "Give the callers service_mesh too, or set mtls = \"permissive\" while they move in."
    at        = self.mtls
    related   = component.kind == "cluster" ? [] : component.clients
  }
  check "strict_callers_of_pods" {
    condition = !self.strict || length(self.outsiders) == 0
    message   = "Nobody gets into ${component.name} without a certificate, and these callers stand outside: ${join(", ", self.outsiders)}. They have to come in through the mesh's gateway."
    fix       = "Let them run on ${component.name}, or set mtls = \"permissive\"."
    at        = self.mtls
    severity  = "warning"
  }
}
