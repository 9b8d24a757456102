pattern "circuit_breaker" {
  title       = "Circuit breaker"
  summary     = "Calls to something that keeps failing are stopped at the caller, answered with a fallback, and let through again little by little."
  attaches    = [service]
  quality     = 9
  difficulty  = 6
  performance = "High"
  when = [
    "Many services call each other",
    "The service depends on something outside",
    "It makes calls over the network all the time",
    "One failing service must not take the others with it",
  ]

  # The pattern document's tables; coarse heuristics, not measurements.
  metrics {
    availability = "99.99%"
  }

  input "max_errors" {
    type    = number
    default = 5
    range   = [1, 1000]
    summary = "Failures in a row from which a host gets no more calls."
  }
  input "error_percent" {
    type    = percent
    default = 50
    range   = [1, 100]
    summary = "Share of failures from which a host gets no more calls, once it has had min_requests."
  }
  input "min_requests" {
    type    = number
    default = 20
    range   = [1, 100000]
    summary = "Calls to a host before its share of failures means anything."
  }
  input "interval" {
    type    = duration
    default = "5s"
    range   = ["100ms", "10m"]
    summary = "How often failures are counted up."
  }
  input "open_for" {
    type    = duration
    default = "30s"
    range   = ["100ms", "1h"]
    summary = "How long a host is left alone before it is tried again. Twice as long the second time, and so on."
  }
  input "open_for_most" {
    type    = duration
    default = max(300, 10 * self.open_for)
    range   = ["100ms", "24h"]
    summary = "The longest that a host is left alone."
  }
  input "max_ejected" {
    type    = percent
    default = 50
    range   = [1, 100]
    summary = "Share of the hosts that may be left alone at once. With 100 the circuit opens wholly: every call fails fast until open_for has passed."
  }
  input "max_requests" {
    type    = number
    default = min([for d in self.destinations : d.min_instances * d.concurrency]...)
    range   = [1, 1000000]
    summary = "Calls at work at once to one destination: what its fewest instances take. More fail at once instead of queueing."
  }
  input "max_pending" {
    type    = number
    default = max(1, floor(self.max_requests / 4))
    range   = [1, 1000000]
    summary = "Calls that may wait for a connection to one destination."
  }
  input "max_connections" {
    type    = number
    default = max(1, floor(self.max_requests / 2))
    range   = [1, 1000000]
    summary = "Connections to one destination."
  }
  input "connect_timeout" {
    type    = duration
    default = min(0.25, self.per_try)
    range   = ["1ms", "30s"]
    summary = "When an unanswered connection has failed."
  }
  input "retries" {
    type = number
    # TIME-005: two hops with one retry each make four calls of one; deeper hops leave it to them.
    default = self.guards_itself || service.call_depth > 1 ? 0 : 1
    range   = [0, 5]
    summary = "How often a failed call is tried again: once near the edge, not at all deeper down, for repeats multiply."
  }
  input "backoff" {
    type    = duration
    default = "25ms"
    range   = ["1ms", "10s"]
    summary = "How long a repeat waits."
  }
  input "per_try" {
    type    = duration
    default = min(self.slowest, (service.request_timeout - self.retries * self.backoff) / (1 + self.retries))
    range   = ["1ms", "1h"]
    summary = "The longest that one try may take: what the destination allows itself, or an equal part of the caller's time."
  }
  input "timeout" {
    type = duration
    # TIME-004
    default = min(service.request_timeout, (1 + self.retries) * self.per_try + self.retries * self.backoff)
    range   = ["1ms", "1h"]
    summary = "The longest that a call may take, repeats and waiting included."
  }
  input "retry_budget" {
    type    = percent
    default = 20
    range   = [1, 100]
    summary = "Share of the calls at work that may be repeats."
  }
  input "fallback" {
    type     = ref(service)
    nullable = true
    summary  = "The service that answers in place of a destination that does not. Without one the caller gets fallback_status at once."
  }
  input "fallback_status" {
    type    = number
    default = 503
    range   = [200, 599]
    summary = "The status of the answer that replaces a call which was not let through."
  }
  input "fallback_body" {
    type    = string
    default = "{\"status\":\"degraded\"}"
    length  = [0, 1000]
    summary = "The body of that answer."
  }
  input "retry_after" {
    type    = duration
    default = "5s"
    range   = ["1s", "1h"]
    summary = "When that answer tells the client to come again."
  }
  input "ramp" {
    type    = duration
    default = self.open_for
    range   = ["0s", "15m"]
    summary = "Over how long a host that is tried again gets its full share."
  }

  block "external" {
    summary = "Something outside the blueprint that is called through a breaker as well."
    label   = "name"
    many    = true

    input "host" {
      type    = string
      matches = "(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}"
      hint    = "a host name such as api.payments.example.com"
      summary = "Its host name."
    }
    input "port" {
      type    = number
      default = 443
      range   = [1, 65535]
      summary = "Its port. 443 is spoken to with TLS."
    }
    input "fallback_host" {
      type     = string
      nullable = true
      matches  = "(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}"
      hint     = "a host name"
      summary  = "Another host that can do the same."
    }
  }

  derived "guards_itself" {
    value   = length(service.callees) == 0
    summary = "Whether the service calls no other, so that its breaker stands in front of itself."
  }
  derived "destinations" {
    value   = concat(service.callees, [for s in [service] : s if length(service.callees) == 0])
    summary = "Services whose calls go through the breaker: those that this one calls, or else itself, on behalf of whoever calls it."
  }
  derived "slowest" {
    value   = min([for d in self.destinations : d.request_timeout]...)
    summary = "The longest that a destination allows itself, of the quickest one."
  }
  derived "fewest" {
    value   = min([for d in self.destinations : d.min_instances]...)
    summary = "The fewest instances of a destination."
  }
  derived "min_healthy" {
    value   = max(0, 50 - self.max_ejected / 2)
    summary = "Share of healthy hosts below which no more are left alone."
  }
  derived "retry_safe" {
    value   = !alltrue([for d in self.destinations : d.idempotent])
    summary = "Whether only calls are repeated that surely were not worked on."
  }

  point "thresholds" { summary = "Failures in a row, their share, and calls at work say when to stop calling." }
  point "timeouts" { summary = "A try, a call and a connection have a limit, and they add up." }
  point "fallback" { summary = "A call that is not let through gets an answer at once." }
  point "states" { summary = "Open, closed and overflowing are measured and told." }
  point "half_open" { summary = "A host is tried again after a while, with a little traffic first." }

  # TIME-004
  check "tries_fit" {
    condition = (1 + self.retries) * self.per_try + self.retries * self.backoff <= self.timeout + 0.0005
    message   = "${1 + self.retries} tries of ${span(self.per_try)} and ${self.retries} pauses of ${span(self.backoff)} make ${span((1 + self.retries) * self.per_try + self.retries * self.backoff)}, the whole call has ${span(self.timeout)}: the last try never ends."
    fix       = "Lower per_try or retries, or raise timeout."
    at        = self.per_try
    related   = [self.retries, self.backoff, self.timeout]
  }
  # TIME-003
  check "timeout_below_caller" {
    condition = self.timeout <= service.request_timeout
    message   = "A call may take ${span(self.timeout)}, but ${service.name} itself has to answer within ${span(service.request_timeout)}."
    fix       = "Lower timeout, or raise request_timeout."
    at        = self.timeout
    related   = [service.request_timeout]
  }
  check "connect_timeout" {
    condition = self.connect_timeout <= self.per_try
    message   = "Connecting may take ${span(self.connect_timeout)}, a whole try only ${span(self.per_try)}."
    fix       = "Lower connect_timeout."
    at        = self.connect_timeout
    related   = [self.per_try]
  }
  # TIME-006
  check "probe_ends" {
    condition = self.per_try < self.open_for && self.interval <= self.open_for
    message   = "A host is tried again after ${span(self.open_for)}, but a try takes up to ${span(self.per_try)} and failures are counted every ${span(self.interval)}: it comes back before its failures are known."
    fix       = "Raise open_for."
    at        = self.open_for
    related   = [self.per_try, self.interval]
  }
  check "ejects_one" {
    condition = floor(self.max_ejected * self.fewest / 100) >= 1 || self.guards_itself || self.fewest == 1
    message   = "${self.max_ejected} % of ${self.fewest} instances is less than one: no host is ever left alone."
    fix       = "Raise max_ejected to ${ceil(100 / self.fewest)} or more."
    at        = self.max_ejected
    related   = [for d in self.destinations : d.min_instances]
  }
  check "leaves_some" {
    condition = self.max_ejected < 100 || self.fewest == 1
    message   = "All hosts may be left alone at once: then every call gets the fallback, though some of them might answer."
    fix       = "Keep max_ejected below 100, if half an answer is better than none."
    at        = self.max_ejected
    severity  = "warning"
  }
  check "pending_below_requests" {
    condition = self.max_pending <= self.max_requests
    message   = "${self.max_pending} calls may wait, ${self.max_requests} may be at work: the queue takes longer than anybody waits."
    fix       = "Lower max_pending."
    at        = self.max_pending
    related   = [self.max_requests]
  }
  check "open_for_grows" {
    condition = self.open_for <= self.open_for_most
    message   = "A host is left alone for ${span(self.open_for)}, but for ${span(self.open_for_most)} at most."
    fix       = "Raise open_for_most to ${span(self.open_for)} or more."
    at        = self.open_for_most
    related   = [self.open_for]
  }
  check "fallback_is_another" {
    condition = self.fallback == null ? true : self.fallback.name != service.name && !contains(service.callee_names, self.fallback.name)
    message   = "${self.fallback == null ? "" : self.fallback.name} cannot stand in for itself."
    fix       = "Name a service that ${service.name} does not call anyway."
    at        = self.fallback
    related   = [service.needs]
    firm      = true
  }
  check "speaks_http" {
    condition = alltrue([for d in self.destinations : contains(["http", "grpc"], d.protocol)])
    message   = "Failures can only be seen in HTTP and gRPC, not in: ${join(", ", [for d in self.destinations : "${d.name} (${d.protocol})" if !contains(["http", "grpc"], d.protocol)])}."
    fix       = "Take the breaker off, or set the protocol of the callee."
    at        = service.needs
    related   = [for d in self.destinations : d.protocol]
    firm      = true
  }
}
