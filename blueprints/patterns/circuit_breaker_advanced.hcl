pattern "circuit_breaker_advanced" {
  title       = "Circuit breaker (advanced)"
  summary     = "A breaker for every endpoint, with limits that follow what the other side can take, states that are seen within seconds and a choice of fallbacks."
  attaches    = [service]
  extends     = "circuit_breaker"
  quality     = 9
  difficulty  = 7
  performance = "High"
  when = [
    "What the service depends on is critical to it",
    "Answers are owed to somebody within a stated time",
    "It has to hold out when much around it does not",
    "There are many places where it can break, and they break differently",
  ]

  # The pattern document's tables; coarse heuristics, not measurements.
  metrics {
    availability = "99.99%"
  }

  input "adaptive" {
    type    = bool
    default = true
    summary = "Whether the number of calls at work follows measured latency instead of standing still."
  }
  input "adaptive_every" {
    type    = duration
    default = "60s"
    range   = ["1s", "1h"]
    summary = "How often the latency without load is measured anew."
  }
  input "success_deviation" {
    type    = number
    default = 1.9
    range   = [0.1, 10]
    summary = "By how many standard deviations a host's share of successes may lie below the others' before it is left alone."
  }
  input "success_hosts" {
    type    = number
    default = max(2, min(5, self.fewest))
    range   = [2, 1000]
    summary = "Hosts that are needed to compare."
  }
  input "success_volume" {
    type    = number
    default = 50
    range   = [1, 1000000]
    summary = "Calls to a host in an interval that are needed to compare."
  }
  input "sample" {
    type    = duration
    default = "10s"
    range   = ["1s", "60s"]
    summary = "How often states are measured."
  }
  input "open_alarm" {
    type    = duration
    default = "30s"
    range   = ["10s", "1h"]
    summary = "How long a breaker may be open before somebody is called."
  }
  input "mode" {
    type    = string
    default = "automatic"
    one_of  = ["automatic", "forced_open", "forced_closed"]
    summary = "automatic, or held open or closed by hand while something is being mended."
  }

  block "endpoint" {
    summary = "A group of paths with a breaker of its own. Paths without one share the general breaker."
    label   = "name"
    many    = true

    input "path" {
      type    = string
      matches = "/[A-Za-z0-9._~/-]{0,127}"
      hint    = "a path that starts with /"
      summary = "The beginning of the paths."
    }
    input "max_requests" {
      type     = number
      nullable = true
      range    = [1, 1000000]
      summary  = "Calls at work at once; null: as the general breaker."
    }
    input "max_errors" {
      type     = number
      nullable = true
      range    = [1, 1000]
      summary  = "Failures in a row; null: as the general breaker."
    }
    input "timeout" {
      type     = duration
      nullable = true
      range    = ["1ms", "1h"]
      summary  = "The longest that a call may take; null: as the general breaker."
    }
    input "fallback_status" {
      type     = number
      nullable = true
      range    = [200, 599]
      summary  = "The status of the answer in place of a call; 202 for what is put off. Null: as the general breaker."
    }
  }

  derived "endpoints" {
    value = concat(
      [for e in self.endpoint : {
        name            = e.name
        path            = e.path
        max_requests    = e.max_requests == null ? self.max_requests : e.max_requests
        max_errors      = e.max_errors == null ? self.max_errors : e.max_errors
        timeout         = e.timeout == null ? self.timeout : e.timeout
        fallback_status = e.fallback_status == null ? self.fallback_status : e.fallback_status
      }],
      [{
        name            = "other"
        path            = "/"
        max_requests    = self.max_requests
        max_errors      = self.max_errors
        timeout         = self.timeout
        fallback_status = self.fallback_status
      }]
    )
    summary = "All breakers, the general one last: name, path and limits."
  }

  point "granular_metrics" { summary = "Every endpoint is measured by itself, every few seconds." }
  point "adaptive_thresholds" { summary = "Limits follow latency and the other hosts, not a guess." }
  point "fallbacks" { summary = "Another host, a put-off answer or a plain refusal, by endpoint." }
  point "states" { summary = "Open, half open and swinging breakers are seen at once." }
  point "per_endpoint" { summary = "One slow report does not stop the orders." }

  check "hosts_to_compare" {
    condition = self.fewest < 2 || self.fewest >= self.success_hosts
    message   = "${self.success_hosts} hosts are needed to compare, and a destination may have ${self.fewest}."
    fix       = "Lower success_hosts, or run more."
    at        = self.success_hosts
    related   = [for d in self.destinations : d.min_instances]
  }
  check "endpoint_name" {
    condition = !contains([for e in self.endpoint : e.name], "other")
    message   = "\"other\" is the name of the general breaker."
    fix       = "Give the endpoint another name."
    at        = self.endpoint
    firm      = true
  }
  check "endpoint_paths" {
    condition = length(distinct([for e in self.endpoint : e.path])) == length(self.endpoint)
    message   = "Two endpoints have one path: ${join(", ", [for e in self.endpoint : "${e.name} ${e.path}"])}."
    fix       = "Give each a path of its own."
    at        = self.endpoint
    related   = [for e in self.endpoint : e.path]
    firm      = true
  }
  check "endpoint_timeouts" {
    condition = alltrue([for e in self.endpoints : e.timeout <= service.request_timeout])
    message   = "A call may take longer than ${service.name} itself has (${span(service.request_timeout)}): ${join(", ", [for e in self.endpoints : "${e.name} ${span(e.timeout)}" if e.timeout > service.request_timeout])}."
    fix       = "Lower the endpoint's timeout."
    at        = self.endpoint
    related   = [for e in self.endpoint : e.timeout]
  }
  check "not_forced" {
    condition = self.mode == "automatic"
    message   = "The breaker of ${service.name} is ${replace(self.mode, "_", " ")}: it does not follow what it measures."
    fix       = "Set mode = \"automatic\" once the mending is done."
    at        = self.mode
    severity  = "warning"
  }
}
