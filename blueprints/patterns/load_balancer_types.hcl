pattern "load_balancer_types" {
  title       = "Load balancer types"
  summary     = "Load balancing whose kind follows from what is asked of it: of connections or of requests, in a region or in the whole world. The reason is given."
  attaches    = [service]
  extends     = "elastic_load_balancing"
  quality     = 8
  difficulty  = 6
  performance = "High"
  when = [
    "Traffic has to be spread, and it is not clear by what",
    "There are several groups of instances behind one name",
    "Paths, headers or cookies say where a request goes",
    "Something is asked that not every balancer can do",
  ]

  # The pattern document's tables; coarse heuristics, not measurements.
  metrics {
    latency      = "<500ms"
    throughput   = "1k-10k RPS"
    availability = "99.9%"
  }

  input "protocol" {
    type    = string
    default = (self.passthrough || self.appliance) && contains(["http", "grpc"], service.protocol) ? "tcp" : service.protocol
    one_of  = ["http", "grpc", "tcp", "udp"]
    summary = "What clients speak to the balancer. What it cannot read is TCP to it."
  }
  input "latency_budget" {
    type     = duration
    nullable = true
    range    = ["1ms", "10s"]
    summary  = "What the balancer may add to a request. Reading requests costs a few milliseconds, passing connections on does not."
  }
  input "client_address" {
    type    = bool
    default = false
    summary = "Whether the program must see the client's own address in the packets, and not only in a header."
  }
  input "passthrough" {
    type    = bool
    default = false
    summary = "Whether TLS ends in the program, so that the balancer never sees what is said."
  }
  input "private_link" {
    type    = bool
    default = false
    summary = "Whether other networks or accounts reach it by a private connection."
  }
  input "appliance" {
    type    = bool
    default = false
    summary = "Whether what stands behind it looks at other people's traffic, as a firewall does."
  }

  derived "layer" {
    value   = contains(["http", "grpc"], self.protocol) && !self.passthrough && !self.appliance ? 7 : 4
    summary = "7 where requests are read and routed, 4 where only connections are."
  }
  derived "type" {
    value = (
      self.appliance ? "gateway" :
      self.layer == 7 && self.reach == "world" ? "global_application" :
      self.layer == 7 && (self.static_address || self.private_link) ? "network_before_application" :
      self.layer == 7 ? "application" :
      self.reach == "world" && self.protocol == "tcp" && !self.client_address ? "global_proxy" : "network"
    )
    summary = "The kind of balancer: application, global_application, network_before_application, network, global_proxy or gateway."
  }
  derived "reason" {
    value = (
      self.type == "gateway" ? "what stands behind it inspects traffic of others, whose packets must arrive unchanged" :
      self.type == "global_application" ? "it speaks ${self.protocol} with clients all over the world, who enter near them" :
      self.type == "network_before_application" ? "it speaks ${self.protocol}, which is routed by request, and needs ${self.static_address ? "an address that never changes" : "a private connection"}, which only a balancer of connections has: one stands before the other" :
      self.type == "application" ? "it speaks ${self.protocol}, which can be routed, retried and logged by request" :
      self.type == "global_proxy" ? "it speaks TCP with clients all over the world, whose connections end near them" :
      self.passthrough ? "TLS ends in the program, so only connections can be balanced" :
      self.client_address ? "the program has to see the client's own address in the packets" :
      "${self.protocol} can only be balanced by connection"
    )
    summary = "Why it is of that kind."
  }
  derived "added_latency" {
    value   = self.layer == 7 ? 0.005 : 0.001
    summary = "What it adds to a request, in seconds: a few milliseconds where it reads it, less than one where it does not. Coarse."
  }

  point "type" { summary = "The kind follows from stated needs, and the reason is written beside it." }
  point "algorithm" { summary = "Requests go to whoever has the least to do, connections by a hash of both ends." }
  point "health_checks" { summary = "Even for plain connections health is asked by HTTP, where there is a port for it." }
  point "latency_or_features" { summary = "Reading requests costs time, and what it buys is stated." }
  point "monitoring" { summary = "Latency, refused connections and uneven load are watched, by kind." }

  # LB-001
  check "latency_or_features" {
    condition = self.latency_budget == null ? true : self.latency_budget >= self.added_latency
    message   = "A balancer of layer ${self.layer} adds about ${span(self.added_latency)}, and ${self.latency_budget == null ? "" : span(self.latency_budget)} are allowed; it is of that layer because ${self.reason}."
    fix       = "Allow more, or balance connections: protocol = \"tcp\"."
    at        = self.latency_budget
    related   = [self.protocol]
  }
  check "client_address_or_requests" {
    condition = !self.client_address || self.layer == 4
    message   = "A balancer that reads requests makes connections of its own, so the program sees the balancer's address; the client's is in a header."
    fix       = "Read the header X-Forwarded-For, or set protocol = \"tcp\"."
    at        = self.client_address
    related   = [self.protocol]
    firm      = true
  }
  check "passthrough_or_features" {
    condition = !self.passthrough || (length(self.paths) == 0 && !self.firewall && !contains(["http", "grpc"], self.protocol))
    message   = "What is not decrypted cannot be read as requests, nor routed by path, nor inspected."
    fix       = "Set passthrough = false, or leave protocol unset and drop paths and firewall."
    at        = self.passthrough
    related   = [self.protocol, self.paths, self.firewall]
    firm      = true
  }
  check "paths_need_http" {
    condition = length(self.paths) == 0 || self.layer == 7 || self.passthrough
    message   = "Paths cannot be seen in ${self.protocol}: a balancer of layer 4 forwards connections unread."
    fix       = "Set protocol = \"http\", or drop paths."
    at        = self.paths
    related   = [self.protocol]
    firm      = true
  }
  check "firewall_needs_http" {
    condition = !self.firewall || self.layer == 7 || self.passthrough
    message   = "Requests cannot be inspected in ${self.protocol}: a balancer of layer 4 forwards connections unread."
    fix       = "Set protocol = \"http\", or firewall = false."
    at        = self.firewall
    related   = [self.protocol]
    firm      = true
  }
  check "sticky_by_address" {
    condition = !self.sticky || self.layer == 7 || !self.passthrough
    message   = "Without reading requests a client can only be known by its address, and not at all where TLS is passed through."
    fix       = "Set sticky = false."
    at        = self.sticky
    related   = [self.passthrough]
    firm      = true
  }
  check "gateway_is_plain" {
    condition = !self.appliance || (!self.public && self.domain == null)
    message   = "A gateway passes packets of others on; it has no name and no address of its own."
    fix       = "Drop domain and public."
    at        = self.appliance
    related   = [self.public, self.domain]
    firm      = true
  }
  check "health_of_connections" {
    condition = self.layer == 7 || self.health_port != null || self.protocol != "udp"
    message   = "Nothing answers a health check in UDP."
    fix       = "Set health_port to a port that answers HTTP."
    at        = self.health_port
    related   = [self.protocol]
  }
}
