component "cluster" {
  title   = "Cluster"
  plural  = "clusters"
  summary = "A Kubernetes cluster that services run on. Where the target is a cluster already, its services go there."

  input "version" {
    type    = string
    default = "1.33"
    matches = "1\\.[2-9][0-9]"
    hint    = "a minor version such as 1.33"
    summary = "The Kubernetes version. Pinned: an upgrade is a change that you see."
  }
  input "zones" {
    type    = number
    default = 3
    range   = [1, 6]
    summary = "Over how many zones its nodes stand."
  }
  input "node_cpu" {
    type    = number
    default = max(4, ceil(2 * max(0, [for s in self.services : s.total_cpu]...)))
    range   = [2, 192]
    summary = "vCPUs of a node: 4, or room for two of its largest pods."
  }
  input "node_memory" {
    type    = bytes
    default = max(17179869184, 2 * max(0, [for s in self.services : s.total_memory]...))
    range   = ["4GiB", "1536GiB"]
    summary = "Memory of a node: 16 GiB, or room for two of its largest pods."
  }
  input "node_disk" {
    type    = bytes
    default = "100GiB"
    range   = ["20GiB", "16TiB"]
    summary = "Disk of a node, for images and logs."
  }
  input "machine" {
    type    = map(string)
    default = {}
    matches = "[A-Za-z0-9][A-Za-z0-9.-]{1,40}"
    hint    = "{ aws = \"m7i.xlarge\" }"
    summary = "The machine type of a node by target, for where the smallest fit is not what you want."
  }
  input "min_nodes" {
    type    = number
    default = self.zones
    range   = [1, 1000]
    summary = "The fewest nodes, over all zones: one in each."
  }
  input "max_nodes" {
    type    = number
    default = max(2 * self.zones, self.zones + max(ceil(self.peak_cpu / self.node_cpu_usable), ceil(self.peak_memory / self.node_memory_usable)))
    range   = [1, 5000]
    summary = "The most nodes, over all zones: what its pods ask for at their largest, and one more in each zone."
  }
  input "spot" {
    type    = percent
    default = 0
    summary = "Share of nodes that the target may take back at short notice, for less money."
  }
  input "admins" {
    type     = list(string)
    distinct = true
    default  = []
    matches  = "[0-9]{1,3}(?:\\.[0-9]{1,3}){3}/[0-9]{1,2}"
    hint     = "a network such as 203.0.113.0/24"
    summary  = "Networks that may reach the control plane from outside. None: only from within the network."
  }
  input "availability" {
    type    = percent
    default = 99.9
    range   = [90, 99.999]
    summary = "The share of time that it has to answer."
  }

  derived "services" {
    value   = [for r in self.referrers : r if r.kind == "service"]
    summary = "The services that run on it."
  }
  derived "node_cpu_usable" {
    # The kubelet, the system and daemonsets take about 0.4 vCPU and a tenth of the rest.
    value   = floor(900 * self.node_cpu - 300) / 1000
    summary = "vCPUs of a node that pods can ask for."
  }
  derived "node_memory_usable" {
    value   = floor(85 * self.node_memory / 100)
    summary = "Memory of a node that pods can ask for."
  }
  derived "peak_cpu" {
    # SCALE-004: sidecars and rollouts count.
    value   = floor(1000 * sum([for s in self.services : s.peak_instances * s.total_cpu]) + 0.5) / 1000
    summary = "vCPUs that all pods ask for at their largest and in the middle of a rollout."
  }
  derived "peak_memory" {
    value   = sum([for s in self.services : s.peak_instances * s.total_memory])
    summary = "Memory that all pods ask for at their largest and in the middle of a rollout."
  }

  # SCALE-004
  check "node_bounds" {
    condition = self.min_nodes <= self.max_nodes
    message   = "min_nodes is ${self.min_nodes}, max_nodes ${self.max_nodes}."
    fix       = "Raise max_nodes or lower min_nodes."
    at        = self.min_nodes
    related   = [self.max_nodes]
    firm      = true
  }
  check "room_for_cpu" {
    condition = self.peak_cpu <= self.max_nodes * self.node_cpu_usable
    message   = "Its pods can ask for ${self.peak_cpu} vCPUs, proxies and rollouts included, but ${self.max_nodes} nodes give ${self.max_nodes * self.node_cpu_usable}: ${join("; ", [for s in self.services : "${s.name} ${s.peak_instances} × ${s.total_cpu}"])}. The last pods would stay pending."
    fix       = "Raise max_nodes to ${ceil(self.peak_cpu / self.node_cpu_usable)} or more, or lower a service's max."
    at        = self.max_nodes
    related   = concat([self.node_cpu], [for s in self.services : s.autoscaler == null ? s.replicas : s.autoscaler.max])
  }
  check "room_for_memory" {
    condition = self.peak_memory <= self.max_nodes * self.node_memory_usable
    message   = "Its pods can ask for ${ceil(gib(self.peak_memory))} GiB, proxies and rollouts included, but ${self.max_nodes} nodes give ${floor(gib(self.max_nodes * self.node_memory_usable))} GiB: ${join("; ", [for s in self.services : "${s.name} ${s.peak_instances} × ${ceil(mib(s.total_memory))} MiB"])}."
    fix       = "Raise max_nodes to ${ceil(self.peak_memory / self.node_memory_usable)} or more, or lower a service's max."
    at        = self.max_nodes
    related   = concat([self.node_memory], [for s in self.services : s.autoscaler == null ? s.replicas : s.autoscaler.max])
  }
  check "largest_pod_fits" {
    condition = alltrue([for s in self.services : s.total_cpu <= self.node_cpu_usable && s.total_memory <= self.node_memory_usable])
    message   = "No node of ${self.node_cpu} vCPUs and ${floor(gib(self.node_memory))} GiB has room for one pod of: ${join(", ", [for s in self.services : "${s.name} (${s.total_cpu} vCPUs, ${ceil(mib(s.total_memory))} MiB)" if s.total_cpu > self.node_cpu_usable || s.total_memory > self.node_memory_usable])}."
    fix       = "Make the nodes larger."
    at        = self.node_cpu
    related   = concat([self.node_memory], [for s in self.services : s.total_cpu])
  }
  check "node_in_every_zone" {
    condition = self.availability < 99.9 || self.min_nodes >= self.zones
    message   = "${self.availability} % has to survive the loss of a zone, but at the least ${self.min_nodes} nodes stand in ${self.zones} zones."
    fix       = "Set min_nodes to ${self.zones} or more."
    at        = self.min_nodes
    related   = [self.zones, self.availability]
  }
  check "spot_keeps_a_floor" {
    condition = self.spot <= 80
    message   = "${self.spot} % of the nodes may be taken away at once."
    fix       = "Keep a fifth of the nodes out of it."
    at        = self.spot
    severity  = "warning"
  }
}
