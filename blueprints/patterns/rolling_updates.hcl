pattern "rolling_updates" {
  title       = "Rolling updates"
  summary     = "A release replaces instances a few at a time, while the rest serve, and stops by itself when the new ones are bad."
  attaches    = [service]
  quality     = 8
  difficulty  = 6
  performance = "High"
  when = [
    "The program must not be down for a release",
    "There is more than one instance",
    "Releases are frequent",
    "Production matters, and a second environment is too much",
  ]

  # The pattern document's tables; coarse heuristics, not measurements.
  metrics {
    availability = "99.9%"
  }

  input "surge" {
    type    = percent
    default = self.unavailable > 0 ? 0 : 25
    summary = "How many more than usual may run during the update. They start before old ones go."
  }
  input "unavailable" {
    type    = percent
    default = 0
    summary = "How many fewer than usual may run during the update."
  }
  input "checkpoints" {
    type    = list(number)
    default = [25, 50, 100]
    length  = [1, 10]
    summary = "Shares of the instances at which the update pauses to be looked at; the last is 100."
  }
  input "pause" {
    type    = duration
    default = "5m"
    range   = ["0s", "48h"]
    summary = "How long it pauses there."
  }
  input "settle" {
    type    = duration
    default = service.runs_on == null ? service.boot_time : 15
    range   = ["0s", "1h"]
    summary = "How long a new instance has to be well before it counts."
  }
  input "deadline" {
    type    = duration
    default = max(600, 4 * (service.boot_time + self.settle))
    range   = ["1m", "24h"]
    summary = "When an update that makes no progress has failed."
  }
  input "rollback" {
    type    = string
    default = "alarms"
    one_of  = ["alarms", "operator"]
    summary = "Who brings the old version back: an alarm on errors or latency, or a person."
  }
  input "max_errors" {
    type    = percent
    default = 1
    range   = [0.01, 50]
    summary = "Share of failed requests from which the update is bad."
  }
  input "max_latency" {
    type    = duration
    default = min(1, service.request_timeout)
    range   = ["1ms", "10m"]
    summary = "The slowest answer but one in a hundred (p99) from which the update is bad."
  }
  input "window" {
    type    = duration
    default = "3m"
    range   = ["1m", "1h"]
    summary = "Over how long errors and latency are looked at."
  }

  derived "min_healthy" {
    value   = 100 - self.unavailable
    summary = "Share of the instances that always serves."
  }
  derived "max_healthy" {
    value   = 100 + self.surge
    summary = "Share of the instances that runs at most."
  }

  point "strategy" { summary = "How many may be added and missing is stated, and pauses let a bad release show itself." }
  point "health_checks" { summary = "A new instance counts once it has been well for a while." }
  point "rollback" { summary = "An alarm stops the update and brings the old version back." }
  point "monitoring" { summary = "Errors and latency are watched during the update, and its length is told." }
  point "compatibility" { summary = "Old and new serve side by side, so each must live with the other's data." }

  check "can_move" {
    condition = self.surge > 0 || self.unavailable > 0
    message   = "With no instance added and none missing, an update cannot begin."
    fix       = "Leave surge unset."
    at        = self.surge
    related   = [self.unavailable]
    firm      = true
  }
  check "more_than_one" {
    condition = service.min_instances > 1 || self.unavailable == 0
    message   = "There is one instance, and it may be missing during an update."
    fix       = "Set unavailable = 0, or run two."
    at        = self.unavailable
    related   = [service.min_instances]
  }
  # AVAIL-003
  check "capacity_left" {
    condition = service.peak_rps == null ? true : floor(service.max_instances * self.min_healthy / 100) * service.instance_rps >= service.peak_rps
    message   = "During an update ${self.min_healthy} % of ${service.max_instances} are left: ${floor(service.max_instances * self.min_healthy / 100) * service.instance_rps} requests per second, and the peak is ${service.peak_rps == null ? 0 : service.peak_rps}."
    fix       = "Lower unavailable, or raise the maximum."
    at        = self.unavailable
    related   = [service.peak_rps, service.instance_rps]
  }
  check "budget_left" {
    condition = service.horizontal_pod_autoscaler == null ? true : self.unavailable + service.horizontal_pod_autoscaler.max_unavailable < 100
    message   = "The update may take ${self.unavailable} % of the pods and maintenance ${service.horizontal_pod_autoscaler == null ? 0 : service.horizontal_pod_autoscaler.max_unavailable} %: together all of them."
    fix       = "Lower unavailable."
    at        = self.unavailable
    related   = service.horizontal_pod_autoscaler == null ? [] : [service.horizontal_pod_autoscaler.max_unavailable]
  }
  check "checkpoints_grow" {
    condition = alltrue([for i, c in self.checkpoints : c > (i == 0 ? 0 : self.checkpoints[i - 1])]) && self.checkpoints[length(self.checkpoints) - 1] == 100
    message   = "Checkpoints have to grow and end with 100, not ${join(", ", self.checkpoints)}."
    fix       = "Write them like [25, 50, 100]."
    at        = self.checkpoints
    firm      = true
  }
  check "spread" {
    condition = self.surge + self.unavailable <= 100
    message   = "From ${self.min_healthy} to ${self.max_healthy} % is more than targets take: 100 points at most."
    fix       = "Lower surge or unavailable."
    at        = self.surge
    related   = [self.unavailable]
    firm      = true
  }
  # SCALE-006
  check "settle" {
    condition = service.runs_on != null || self.settle >= service.boot_time
    message   = "An instance takes ${span(service.boot_time)} to start, but counts as well after ${span(self.settle)}: the update runs ahead of itself."
    fix       = "Raise settle to ${span(service.boot_time)}."
    at        = self.settle
    related   = [service.boot_time]
  }
  check "deadline" {
    condition = self.deadline > service.boot_time + self.settle
    message   = "The update has failed after ${span(self.deadline)} without progress, but one instance takes ${span(service.boot_time + self.settle)}."
    fix       = "Raise deadline above ${span(service.boot_time + self.settle)}."
    at        = self.deadline
    related   = [service.boot_time, self.settle]
  }
  check "pause_shows" {
    condition = self.rollback == "operator" || self.pause >= self.window
    message   = "The update goes on after ${span(self.pause)}, but errors are only known after ${span(self.window)}."
    fix       = "Raise pause to ${span(self.window)} or more."
    at        = self.pause
    related   = [self.window]
  }
}
