pattern "auto_scaling_group" {
  title       = "Auto scaling group"
  summary     = "A group of equal instances that grows and shrinks with the load, measured by processor, memory and requests."
  attaches    = [service]
  quality     = 9
  difficulty  = 6
  performance = "High"
  when = [
    "Traffic differs much between day and night, or between weeks",
    "Nobody wants to pay for idle machines, nor to watch them",
    "The program was written for a cloud: any instance can come and go",
    "The load follows a rhythm that can be forecast",
  ]

  # The pattern document's tables; coarse heuristics, not measurements.
  metrics {
    throughput   = "100-1k RPS"
    availability = "99.9%"
  }

  input "min" {
    type    = number
    default = max(2, service.zones)
    range   = [1, 1000]
    summary = "The fewest instances: one in every zone, so that the loss of a zone leaves some."
  }
  input "max" {
    type    = number
    default = max(4 * self.min, service.peak_need)
    range   = [1, 5000]
    summary = "The most instances: four times the fewest, or what the stated peak needs with one zone lost."
  }
  input "target_cpu" {
    type    = percent
    default = min(65, service.zones > 1 ? floor(85 * (service.zones - 1) / service.zones) : 60)
    range   = [10, 90]
    summary = "Processor load to aim for. Low enough that the other zones stand at 85 % when one is lost: 56 with three zones, 42 with two."
  }
  input "target_memory" {
    type     = percent
    default  = 75
    nullable = true
    range    = [10, 95]
    summary  = "Memory use from which instances are added. It never removes any, for memory is seldom given back."
  }
  input "target_requests" {
    type     = number
    default  = service.balancer == null ? null : floor(max(1, service.instance_rps * 7 / 10))
    nullable = true
    range    = [1, 1000000]
    summary  = "Requests per second for one instance to aim for, where a balancer counts them: seven tenths of what it can answer."
  }
  input "warm_up" {
    type    = duration
    default = service.boot_time
    range   = ["0s", "1h"]
    summary = "How long a new instance is left out of the measurements, and given before its health counts."
  }
  input "scale_in_wait" {
    type    = duration
    default = "5m"
    range   = ["0s", "1h"]
    summary = "How long the load has to stay low before instances go. Growing waits for nothing."
  }
  input "scale_in_percent" {
    type    = percent
    default = 10
    range   = [1, 100]
    summary = "The share of instances that may go at once."
  }
  input "forecast" {
    type    = string
    default = "watch"
    one_of  = ["off", "watch", "scale"]
    summary = "watch: forecasts are made and can be compared with what came. scale: they start instances ahead of the load; after two good weeks."
  }
  input "standby" {
    type    = number
    default = self.spot > 0 ? 0 : 1
    range   = [0, 100]
    summary = "Instances that are kept booted and stopped, so that growing takes seconds. Spot instances cannot be."
  }
  input "spot" {
    type    = percent
    default = 0
    summary = "Share of instances above the fewest that the target may take back at short notice, for less money."
  }
  input "max_lifetime" {
    type     = duration
    default  = "14d"
    nullable = true
    range    = ["1d", "365d"]
    summary  = "When an instance is replaced even though nothing is wrong, so that none grows old and odd."
  }
  input "monthly_budget" {
    type     = number
    nullable = true
    range    = [1, 100000000]
    summary  = "What the instances may cost in a month, in the account's currency. A forecast above it warns."
  }

  block "schedule" {
    summary = "Other bounds at set times, for load that is known beforehand."
    label   = "name"
    many    = true

    input "cron" {
      type    = string
      matches = "[0-9*,/-]+ [0-9*,/-]+ [0-9*,/-]+ [0-9*,/A-Z-]+ [0-9*,/A-Z-]+"
      hint    = "five fields, such as 0 7 * * 1-5"
      summary = "When it starts."
    }
    input "time_zone" {
      type    = string
      default = "UTC"
      matches = "[A-Za-z]+(?:[/_+-][A-Za-z0-9]+)*"
      hint    = "a name such as Europe/Berlin"
      summary = "The time zone of cron."
    }
    input "duration" {
      type = duration
      # The least that Compute Engine's autoscaler takes: duration_sec >= 300.
      default = "8h"
      range   = ["5m", "7d"]
      summary = "How long it holds."
    }
    input "min" {
      type    = number
      range   = [1, 1000]
      summary = "The fewest instances during it."
    }
  }
  block "metric" {
    summary = "A measurement of your own to scale by, such as the length of a queue."
    label   = "name"
    many    = true

    input "target" {
      type    = number
      range   = [0.001, 1000000000]
      summary = "The value for one instance to aim for."
    }
    input "query" {
      type     = string
      nullable = true
      length   = [1, 1000]
      summary  = "How Prometheus is asked for it. Without one it is a metric of the label's name."
    }
  }

  derived "health_grace" {
    # SCALE-006
    value   = max(service.boot_time, self.warm_up)
    summary = "How long a new instance may be unhealthy without being replaced."
  }
  derived "cpu_ratio" {
    value   = self.target_cpu / 100
    summary = "target_cpu as a number from 0 to 1."
  }
  derived "drain_hook" {
    # TIME-002: the group waits for the balancer, not the other way round.
    value   = service.grace_period
    summary = "How long a leaving instance is kept so that it can finish."
  }

  point "metrics" { summary = "It scales by what wears it out: processor, memory, requests or a measurement of yours." }
  point "policies" { summary = "It grows at once and shrinks slowly, so that it does not swing." }
  point "health_checks" { summary = "An instance that does not answer is replaced, a booting one is left in peace." }
  point "warm_up" { summary = "A new instance counts only once it is warm; some wait booted." }
  point "costs" { summary = "Reaching the maximum and exceeding the budget are told." }

  check "on_instances" {
    condition = service.runs_on == null
    message   = "${service.name} runs on a cluster: its pods are scaled by horizontal_pod_autoscaler, and the cluster's nodes by the cluster."
    fix       = "Use horizontal_pod_autoscaler, or drop runs_on."
    at        = service.runs_on
    firm      = true
  }
  # SCALE-004
  check "bounds" {
    condition = self.min < self.max
    message   = "min is ${self.min} and max ${self.max}: there is nothing to scale."
    fix       = "Raise max, or drop the pattern and set replicas."
    at        = self.max
    related   = [self.min]
    firm      = true
  }
  check "reaches_its_zones" {
    condition = self.max >= service.zones
    message   = "${service.name} is spread over ${service.zones} zones and never has more than ${self.max} instances: a zone without any is taken for spare capacity that is not there."
    fix       = "Raise max to ${service.zones}, or spread over fewer zones."
    at        = self.max
    related   = [service.zones]
    severity  = "warning"
  }
  # SCALE-006
  check "warm_up" {
    condition = self.warm_up >= service.boot_time
    message   = "An instance takes ${span(service.boot_time)} to start, but counts after ${span(self.warm_up)}: while it boots its idle processor makes the group believe that there is enough."
    fix       = "Raise warm_up to ${span(service.boot_time)} or leave it unset."
    at        = self.warm_up
    related   = [service.boot_time]
  }
  check "room_for_a_zone" {
    condition = service.availability < 99.9 || service.zones < 2 || self.target_cpu * service.zones / (service.zones - 1) <= 100
    message   = "At ${self.target_cpu} % on ${service.zones} zones the others would need ${ceil(self.target_cpu * service.zones / max(1, service.zones - 1))} % when one is lost."
    fix       = "Lower target_cpu to ${floor(85 * (service.zones - 1) / service.zones)}."
    at        = self.target_cpu
    related   = [service.zones, service.availability]
    severity  = "warning"
  }
  check "standby_or_spot" {
    # PutWarmPool refuses groups that may start Spot instances.
    condition = self.spot == 0 || self.standby == 0
    message   = "Spot instances cannot stand by: they may be gone when they are wanted."
    fix       = "Set standby = 0 or spot = 0."
    at        = self.standby
    related   = [self.spot]
    firm      = true
  }
  check "schedule_bounds" {
    condition = alltrue([for s in self.schedule : s.min <= self.max])
    message   = "A schedule asks for more than max (${self.max}): ${join(", ", [for s in self.schedule : "${s.name} ${s.min}" if s.min > self.max])}."
    fix       = "Raise max."
    at        = self.max
    related   = [for s in self.schedule : s.min]
    firm      = true
  }
  check "stateless" {
    condition = service.stateless
    message   = "${service.name} keeps state in its instances, and the group will take some away."
    fix       = "Move sessions into a cache, or use vertical_scaling."
    at        = service.stateless
  }
}
