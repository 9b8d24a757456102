pattern "vertical_scaling" {
  title       = "Vertical scaling"
  summary     = "One machine that is made larger when it is too small: processors, memory, disk. Simple, with an end that is known."
  attaches    = [service, database]
  quality     = 6
  difficulty  = 4
  performance = "Medium"
  when = [
    "The program is one piece",
    "It cannot be copied, as it is built",
    "The work cannot be divided",
    "It is meant to last for a while, until something better is there",
  ]
  excludes = {
    auto_scaling_group        = "One machine that grows has no group of machines to grow instead."
    horizontal_pod_autoscaler = "One pod that grows has no number of pods to grow instead."
  }

  # The pattern document's tables; coarse heuristics, not measurements.
  metrics {
    throughput   = "<100 RPS"
    availability = "95%"
  }

  input "max_cpu" {
    type    = number
    default = min(192, max(8, 4 * component.cpu))
    range   = [1, 448]
    summary = "The largest that it may get, in vCPUs: four times what it is."
  }
  input "max_memory" {
    type    = bytes
    default = min(1649267441664, max(34359738368, 4 * component.memory))
    range   = ["1GiB", "24TiB"]
    summary = "The largest that it may get, in memory."
  }
  input "ceiling_warning" {
    type    = percent
    default = 75
    range   = [10, 100]
    summary = "Share of the largest from which it is told that there is little left."
  }
  input "high_cpu" {
    type    = percent
    default = 75
    range   = [10, 100]
    summary = "Processor load from which it is told that it is too small."
  }
  input "high_memory" {
    type    = percent
    default = 85
    range   = [10, 100]
    summary = "Memory use from which it is told that it is too small."
  }
  input "low_cpu" {
    type    = percent
    default = 20
    range   = [0, 90]
    summary = "Processor load below which it is told that it is too large."
  }
  input "observe" {
    type    = duration
    default = "1h"
    range   = ["5m", "7d"]
    summary = "How long a load has to last before it is told."
  }
  input "resize" {
    type    = string
    default = "window"
    one_of  = ["window", "now"]
    summary = "When a new size is taken: in the maintenance window, or as soon as it is applied."
  }
  input "window_day" {
    type    = string
    default = component.kind == "database" ? component.maintenance_day : "sunday"
    one_of  = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    summary = "The day on which it may be stopped."
  }
  input "window_hour" {
    type    = number
    default = component.kind == "database" ? component.maintenance_hour : 3
    range   = [0, 23]
    summary = "The hour (UTC) at which it may be stopped."
  }
  input "downtime" {
    type    = duration
    default = "5m"
    range   = ["0s", "4h"]
    summary = "How long a new size takes it away. Announce it."
  }
  input "snapshot_days" {
    type    = number
    default = 14
    range   = [1, 365]
    summary = "For how many days snapshots of its disk are kept. One is taken before every new size."
  }
  input "disk" {
    type    = bytes
    default = component.kind == "database" ? component.storage : 53687091200
    range   = ["20GiB", "64TiB"]
    summary = "The disk that holds its data, apart from the machine's own."
  }
  input "monthly_growth" {
    type     = percent
    nullable = true
    range    = [0, 100]
    summary  = "By how much the load grows in a month. Then it is computed when the largest is reached."
  }
  input "monthly_budget" {
    type     = number
    nullable = true
    range    = [1, 100000000]
    summary  = "What it may cost in a month, in the account's currency. A forecast above it warns."
  }

  derived "share_of_ceiling" {
    value   = max(ceil(100 * component.cpu / self.max_cpu), ceil(100 * component.memory / self.max_memory))
    summary = "How much of the largest size it has, in percent."
  }
  derived "months_left" {
    value   = self.monthly_growth == null ? null : self.monthly_growth == 0 ? 1200 : floor(log(max(1, min(self.max_cpu / component.cpu, self.max_memory / component.memory)), 2.718281828) / log(1 + self.monthly_growth / 100, 2.718281828))
    summary = "Months until the largest size is reached at the stated growth; null without."
  }

  point "limits" { summary = "The largest size is known, and how near it is." }
  point "downtime" { summary = "A new size is taken in a window, after a snapshot." }
  point "utilisation" { summary = "Processor, memory and disk are watched, in both directions." }
  point "costs" { summary = "Advice on the right size, and a budget." }
  point "horizontal" { summary = "When it nears its end, somebody is told to think about more machines instead." }

  # SCALE-007
  check "below_the_ceiling" {
    condition = component.cpu <= self.max_cpu && component.memory <= self.max_memory
    message   = "${component.name} has ${component.cpu} vCPUs and ${ceil(gib(component.memory))} GiB, more than the largest that it may get: ${self.max_cpu} vCPUs and ${floor(gib(self.max_memory))} GiB."
    fix       = "Raise max_cpu and max_memory, or scale horizontally."
    at        = component.cpu
    related   = [component.memory, self.max_cpu, self.max_memory]
  }
  check "near_the_ceiling" {
    condition = self.share_of_ceiling <= self.ceiling_warning || self.share_of_ceiling > 100
    message   = "${component.name} has ${self.share_of_ceiling} % of the largest size."
    fix       = component.kind == "database" ? "Plan for read_replicas or database_sharding." : "Plan for auto_scaling_group: make the program stateless first."
    at        = component.cpu
    related   = [self.max_cpu, component.memory, self.max_memory]
    severity  = "warning"
  }
  check "growth" {
    condition = self.months_left == null ? true : self.months_left >= 6
    message   = "At ${self.monthly_growth == null ? 0 : self.monthly_growth} % a month the largest size is reached in ${self.months_left == null ? 0 : self.months_left} months, and each step there costs ${span(self.downtime)} of downtime."
    fix       = component.kind == "database" ? "Plan for read_replicas or database_sharding." : "Plan for auto_scaling_group: make the program stateless first."
    at        = self.monthly_growth
    related   = [self.max_cpu, component.cpu, self.downtime]
    severity  = "warning"
  }
  check "downtime" {
    condition = component.availability < 99.9 || (component.kind == "database" ? component.zones > 1 : false)
    message   = "${component.name} promises ${component.availability} %, but every new size stops it for ${span(self.downtime)}."
    fix       = component.kind == "database" ? "Set zones = 2: then a standby answers meanwhile." : "Promise less, or scale horizontally."
    at        = component.availability
    related   = [self.downtime]
  }
  check "one_instance" {
    condition = component.kind == "database" ? true : component.replicas == 1
    message   = "${component.name} has more than one instance: it scales horizontally already."
    fix       = "Leave replicas unset, or use auto_scaling_group."
    at        = component.kind == "database" ? component.cpu : component.replicas
    firm      = true
  }
  check "high_above_low" {
    condition = self.low_cpu < self.high_cpu
    message   = "Too small from ${self.high_cpu} % on, too large below ${self.low_cpu} %: both at once."
    fix       = "Lower low_cpu."
    at        = self.low_cpu
    related   = [self.high_cpu]
  }
}
