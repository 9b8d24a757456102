pattern "elastic_load_balancing" {
  title       = "Elastic load balancing"
  summary     = "A managed balancer that grows with the traffic, spreads it over healthy instances in all zones and ends TLS."
  attaches    = [service]
  quality     = 9
  difficulty  = 5
  performance = "High"
  when = [
    "The amount of traffic varies",
    "No single instance may be needed for an answer",
    "Instances stand in several zones or regions",
    "There is more than one instance",
  ]

  # The pattern document's tables; coarse heuristics, not measurements.
  metrics {
    latency      = "<500ms"
    throughput   = "1k-10k RPS"
    availability = "99.9%"
  }

  input "protocol" {
    type    = string
    default = service.protocol
    one_of  = ["http", "grpc", "tcp", "udp"]
    summary = "What clients speak to the balancer."
  }
  input "public" {
    type    = bool
    default = service.public || self.domain != null
    summary = "Whether the internet may reach it, or only the network that it stands in."
  }
  input "domain" {
    type     = string
    default  = service.domain
    nullable = true
    matches  = "(?:\\*\\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}"
    hint     = "a domain name in lower case, such as shop.example.com"
    summary  = "The public DNS name that it answers on."
  }
  input "port" {
    type    = number
    default = contains(["http", "grpc"], self.protocol) ? 443 : service.port
    range   = [1, 65535]
    summary = "The port that clients connect to."
  }
  input "reach" {
    type    = string
    default = "region"
    one_of  = ["region", "world"]
    summary = "world: one address that is taken up near the client, wherever that is. region: an address in the region."
  }
  input "static_address" {
    type    = bool
    default = false
    summary = "Whether the address must never change, for firewalls that list it."
  }
  input "websocket" {
    type    = bool
    default = false
    summary = "Whether connections stay open for pushing. They are then balanced once, when they open."
  }
  input "paths" {
    type     = list(string)
    distinct = true
    default  = []
    matches  = "/[A-Za-z0-9._~/*-]{0,127}"
    hint     = "paths that start with /, such as /api/*"
    summary  = "Only these paths, where services share a domain. None: all."
  }
  input "allow" {
    type     = list(string)
    distinct = true
    default  = ["0.0.0.0/0"]
    matches  = "[0-9]{1,3}(?:\\.[0-9]{1,3}){3}/[0-9]{1,2}"
    hint     = "a network such as 203.0.113.0/24"
    summary  = "Networks whose clients may connect."
  }
  input "firewall" {
    type    = bool
    default = false
    summary = "Whether requests are inspected for attacks. It costs for every million of them."
  }
  input "algorithm" {
    type    = string
    default = self.slow_start > 0 ? "round_robin" : "least_requests"
    one_of  = ["round_robin", "least_requests", "random"]
    summary = "Who gets the next request: whoever has the fewest at work. The slow start of AWS works with round_robin only."
  }
  input "sticky" {
    type    = bool
    default = !service.stateless
    summary = "Whether a client stays with its instance. Only for programs that keep state; it unbalances the load."
  }
  input "sticky_for" {
    type    = duration
    default = "1h"
    range   = ["1s", "1d"]
    summary = "For how long a client stays with its instance."
  }
  input "slow_start" {
    type    = duration
    default = "0s"
    range   = ["0s", "15m"]
    summary = "Over how long a new instance gets its full share, where caches have to warm up. 30 s or more; 0 for none."
  }
  input "health_interval" {
    type    = duration
    default = "5s"
    range   = ["5s", "5m"]
    summary = "Between two health checks of an instance."
  }
  input "health_timeout" {
    type    = duration
    default = min(3, self.health_interval - 1)
    range   = ["1s", "2m"]
    summary = "When an unanswered health check has failed."
  }
  input "healthy_after" {
    type    = number
    default = 2
    range   = [2, 10]
    summary = "Passed checks in a row until an instance gets traffic."
  }
  input "unhealthy_after" {
    type    = number
    default = 3
    range   = [2, 10]
    summary = "Failed checks in a row until it gets no more."
  }
  input "health_port" {
    type     = number
    nullable = true
    range    = [1, 65535]
    summary  = "The port of the health check, where it is another than the service's. For TCP and UDP an HTTP check on a side port tells more than a connection."
  }
  input "idle_timeout" {
    type = duration
    # TIME-003: above the longest request; TIME-001: below the program's keep_alive. 4000 s is the most an ALB takes.
    default = max(60, service.request_timeout + 5)
    range   = ["1s", "4000s"]
    summary = "How long a silent connection is kept. Above the longest request, below the program's keep_alive."
  }
  input "min_tls" {
    type    = string
    default = "1.2"
    one_of  = ["1.2", "1.3"]
    summary = "The oldest TLS version that is spoken. 1.3 alone shuts out many clients that are not browsers."
  }
  input "access_logs" {
    type    = bool
    default = true
    summary = "Whether every request is written down."
  }
  input "log_days" {
    type    = number
    default = 90
    range   = [1, 3650]
    summary = "For how many days logs are kept."
  }

  derived "layer" {
    value   = contains(["http", "grpc"], self.protocol) ? 7 : 4
    summary = "7 where requests are read and routed, 4 where only connections are."
  }
  derived "tls" {
    value   = self.layer == 7 && (self.domain != null || self.public)
    summary = "Whether it ends TLS."
  }
  derived "health_protocol" {
    value   = self.layer == 7 || self.health_port != null ? "http" : "tcp"
    summary = "How the health check asks."
  }
  derived "detects_after" {
    value   = self.health_interval * self.unhealthy_after
    summary = "How long a dead instance still gets traffic, at most."
  }

  point "health_checks" { summary = "An instance gets traffic after two passed checks and loses it after three failed ones." }
  point "algorithm" { summary = "The next request goes to whoever has the least to do." }
  point "stickiness" { summary = "Clients stay with an instance only where the program cannot do without." }
  point "distribution" { summary = "Uneven load, unhealthy instances and errors are told, requests are logged." }
  point "tls" { summary = "TLS ends at the balancer with a version and a certificate that are stated." }

  # LB-001
  check "sticky_is_layer_7" {
    condition = self.protocol != "udp" || !self.sticky
    message   = "UDP has no connections that a client could stay with."
    fix       = "Set sticky = false."
    at        = self.sticky
    related   = [self.protocol]
    firm      = true
  }
  check "paths_need_http" {
    condition = length(self.paths) == 0 || self.layer == 7
    message   = "Paths cannot be seen in ${self.protocol}: a balancer of layer 4 forwards connections unread."
    fix       = "Set protocol = \"http\", or drop paths."
    at        = self.paths
    related   = [self.protocol]
    firm      = true
  }
  check "firewall_needs_http" {
    condition = !self.firewall || self.layer == 7
    message   = "Requests cannot be inspected in ${self.protocol}: a balancer of layer 4 forwards connections unread."
    fix       = "Set protocol = \"http\", or firewall = false."
    at        = self.firewall
    related   = [self.protocol]
    firm      = true
  }
  check "websocket_needs_http" {
    condition = !self.websocket || self.protocol == "http"
    message   = "A WebSocket begins as an HTTP request, and the protocol is ${self.protocol}."
    fix       = "Set protocol = \"http\", or websocket = false."
    at        = self.websocket
    related   = [self.protocol]
    firm      = true
  }
  check "protocol_matches" {
    condition = contains(["http", "grpc"], self.protocol) == contains(["http", "grpc"], service.protocol) || (self.protocol == "tcp" && service.protocol != "udp")
    message   = "${service.name} speaks ${service.protocol}, which a balancer of ${self.protocol} cannot pass on."
    fix       = "Leave protocol unset."
    at        = self.protocol
    related   = [service.protocol]
    firm      = true
  }
  check "slow_start_algorithm" {
    condition = self.slow_start == 0 || self.algorithm == "round_robin"
    message   = "A slow start works with round_robin only; ${self.algorithm} gives a new instance everything at once."
    fix       = "Leave algorithm unset."
    at        = self.algorithm
    related   = [self.slow_start]
    firm      = true
  }
  check "slow_start_length" {
    condition = self.slow_start == 0 || self.slow_start >= 30
    message   = "A slow start of ${span(self.slow_start)} is too short: 30 s is the least."
    fix       = "Set 30s or more, or 0s for none."
    at        = self.slow_start
    firm      = true
  }
  check "domain_is_public" {
    # Behind the edge of multi_layer_caching it answers on the edge's name, which the edge sends along.
    condition = self.domain == null || self.public || service.multi_layer_caching != null
    message   = "A balancer that only its own network reaches cannot answer on the public name ${self.domain == null ? "" : self.domain}."
    fix       = "Drop the domain, or set public = true."
    at        = self.domain
    related   = [self.public]
    severity  = "warning"
  }
  check "world_is_public" {
    condition = self.reach == "region" || self.public
    message   = "A balancer that is not public has no clients all over the world."
    fix       = "Set reach = \"region\"."
    at        = self.reach
    related   = [self.public]
    firm      = true
  }
  check "health_timeout" {
    condition = self.health_timeout < self.health_interval
    message   = "A health check may take ${span(self.health_timeout)}, the next starts after ${span(self.health_interval)}."
    fix       = "Keep health_timeout below health_interval."
    at        = self.health_timeout
    related   = [self.health_interval]
    firm      = true
  }
  # TIME-003
  check "idle_timeout" {
    condition = self.layer == 4 || self.idle_timeout > service.request_timeout
    message   = "The balancer hangs up after ${span(self.idle_timeout)} of silence, a request may take ${span(service.request_timeout)} (504)."
    fix       = "Raise idle_timeout above ${span(service.request_timeout)}."
    at        = self.idle_timeout
    related   = [service.request_timeout]
  }
  # TIME-007
  check "detection" {
    condition = self.detects_after < max(service.drain_time, 30)
    message   = "A dead instance gets traffic for ${span(self.detects_after)} (${self.unhealthy_after} checks, ${span(self.health_interval)} apart), longer than a leaving one is drained (${span(service.drain_time)}): a rollout goes on before a bad instance is noticed."
    fix       = "Check more often."
    at        = self.health_interval
    related   = [self.unhealthy_after, service.drain_time]
    severity  = "warning"
  }
}
