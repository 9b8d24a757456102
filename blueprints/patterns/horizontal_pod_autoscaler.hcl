pattern "horizontal_pod_autoscaler" {
  title       = "Horizontal pod autoscaler"
  summary     = "A controller in the cluster that sets the number of pods by processor, memory or a measurement of yours."
  attaches    = [service]
  quality     = 9
  difficulty  = 6
  performance = "High"
  when = [
    "The program runs in containers on Kubernetes",
    "Demand comes and goes",
    "Nodes should be full, but not too full",
    "The program keeps no state and can be copied",
  ]
  excludes = {
    auto_scaling_group = "A service runs as pods or as instances, and one pattern owns how many there are."
  }

  # The pattern document's tables do not mention it: no metrics.

  input "min" {
    type    = number
    default = max(2, service.zones)
    range   = [2, 1000]
    summary = "The fewest pods: one in every zone. With a single one every drained node is an outage."
  }
  input "max" {
    type    = number
    default = max(4 * self.min, service.peak_need)
    range   = [2, 5000]
    summary = "The most pods: four times the fewest, or what the stated peak needs with one zone lost."
  }
  input "target_cpu" {
    type    = percent
    default = min(65, service.zones > 1 ? floor(85 * (service.zones - 1) / service.zones) : 60)
    range   = [10, 85]
    summary = "Processor use to aim for, as a share of what the container asks for. Proxies are not counted in."
  }
  input "target_memory" {
    type     = percent
    default  = 80
    nullable = true
    range    = [10, 95]
    summary  = "Memory use to aim for, as a share of what the container asks for."
  }
  input "target_in_flight" {
    type     = number
    nullable = true
    range    = [1, 100000]
    summary  = "Requests at work in one pod to aim for. Needs an adapter that reads them from Prometheus."
  }
  input "scale_up_percent" {
    type    = percent
    default = 100
    range   = [1, 100]
    summary = "By how much the pods may grow in half a minute."
  }
  input "scale_down_percent" {
    type    = percent
    default = 10
    range   = [1, 100]
    summary = "By how much they may shrink in a minute."
  }
  input "scale_down_wait" {
    type    = duration
    default = "5m"
    range   = ["0s", "1h"]
    summary = "How long the load has to stay low before pods go."
  }
  input "max_unavailable" {
    type    = percent
    default = 25
    range   = [1, 100]
    summary = "Share of the pods that maintenance may take away at once."
  }
  input "burstable" {
    type    = bool
    default = false
    summary = "Whether a pod may use more than it asked for while its node has it. Off, it has what it asked for and no neighbour can take it."
  }

  block "queue" {
    summary = "A queue whose length says how many pods are needed."
    label   = "name"
    many    = true

    input "target" {
      type    = number
      default = 30
      range   = [1, 1000000]
      summary = "Waiting messages for one pod to aim for."
    }
    input "metric" {
      type    = string
      default = "queue_messages_ready"
      matches = "[a-zA-Z_:][a-zA-Z0-9_:]{0,127}"
      hint    = "a Prometheus metric name"
      summary = "The metric that holds the length."
    }
  }

  derived "disrupted" {
    value   = ceil(self.min * self.max_unavailable / 100)
    summary = "Pods that maintenance may take away while the fewest run."
  }

  point "requests" { summary = "Every container, the proxy too, says what it asks for; without that no share can be computed." }
  point "metrics" { summary = "It scales by the program's own container, by requests at work or by a queue." }
  point "probes" { summary = "Starting, alive and ready are three questions with answers of their own." }
  point "disruption_budget" { summary = "Maintenance takes a few pods at a time and never all." }
  point "behaviour" { summary = "Standing at the maximum, swinging and being throttled are told." }

  check "on_a_cluster" {
    condition = service.runs_on != null
    message   = "${service.name} does not run on a cluster, so it has no pods to scale."
    fix       = "Set runs_on, or use auto_scaling_group."
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
  # SCALE-002: packs write requests for every container; this is what they would have to be without a size.
  check "requests" {
    condition = service.cpu > 0 && service.memory > 0
    message   = "A share of nothing cannot be computed: ${service.name} asks for no processor or memory."
    fix       = "Set cpu and memory."
    at        = service.cpu
    related   = [service.memory]
  }
  # AVAIL-002
  check "disruption_budget" {
    condition = self.min - self.disrupted >= 1
    message   = "Maintenance may take ${self.disrupted} of at least ${self.min} pods: none would be left."
    fix       = "Lower max_unavailable or raise min."
    at        = self.max_unavailable
    related   = [self.min]
  }
  check "stateless" {
    condition = service.stateless
    message   = "${service.name} keeps state in its pods, and the autoscaler will take some away."
    fix       = "Move sessions into a cache."
    at        = service.stateless
  }
}
