pattern "canary_deployment" {
  title       = "Canary deployment"
  summary     = "A release first takes a small share of the traffic, then more, and goes back by itself when it does worse than the version before."
  attaches    = [service]
  quality     = 8
  difficulty  = 7
  performance = "High"
  when = [
    "What changes is critical",
    "There are many users, so that a few of them tell enough",
    "Only production shows whether it works",
    "A mistake should reach as few people as it can",
  ]
  excludes = {
    rolling_updates = "The canary is the first step of a rollout already."
  }

  # The pattern document's tables; coarse heuristics, not measurements.
  metrics {
    availability = "95%"
  }

  input "canary_image" {
    type    = string
    default = service.image
    matches = "[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?::[0-9]{1,5})?(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
    hint    = "a container image with a tag or digest"
    summary = "What the canary runs, while a release is under way. A cluster's controller makes the canary itself when the service's image changes."
  }
  input "steps" {
    type    = list(number)
    default = self.by_pods && service.min_instances < 20 ? (service.min_instances < 4 ? [50] : [25, 50]) : [5, 25, 50]
    length  = [1, 20]
    range   = [1, 99]
    summary = "Shares of the traffic, in percent, that the canary takes one after the other. Then it takes all. Where a cluster can only split by pods, no step is less than one."
  }
  input "step_time" {
    type    = duration
    default = max(600, 2 * self.window)
    range   = ["1m", "7d"]
    summary = "How long each step lasts."
  }
  input "weight" {
    type    = percent
    default = self.canary_image == service.image ? 0 : self.steps[0]
    summary = "The share that the canary's instances take now: none while there is nothing new, else the first step. Raise it step by step. A cluster's controller goes through the steps by itself."
  }
  input "window" {
    type    = duration
    default = "3m"
    range   = ["1m", "1h"]
    summary = "Over how long errors and latency are looked at."
  }
  input "max_errors" {
    type    = percent
    default = 1
    range   = [0.01, 50]
    summary = "How many points of failed requests the canary may have more than the version before."
  }
  input "max_latency" {
    type    = duration
    default = min(0.8, service.request_timeout)
    range   = ["1ms", "10m"]
    summary = "The slowest answer but one in a hundred (p99) from which the canary is bad."
  }
  input "min_requests" {
    type    = number
    default = 20
    range   = [1, 1000000]
    summary = "Requests in a window below which nothing is concluded."
  }
  input "rollback" {
    type    = string
    default = "alarms"
    one_of  = ["alarms", "operator"]
    summary = "Who takes the traffic away from a bad canary. After an alarm it is not shared as is written here; the alarm says how to go on."
  }
  input "header" {
    type    = string
    default = "X-Canary"
    matches = "[A-Za-z0-9][A-Za-z0-9-]{0,39}"
    hint    = "the name of a header"
    summary = "Requests with this header go to the canary, whatever its share."
  }
  input "header_value" {
    type    = string
    default = "always"
    matches = "[A-Za-z0-9_.-]{1,64}"
    hint    = "letters, digits, dots, hyphens and underscores"
    summary = "The value that the header must have."
  }
  input "segment" {
    type    = string
    default = "beta"
    matches = "[A-Za-z0-9_.-]{1,64}"
    hint    = "letters, digits, dots, hyphens and underscores"
    summary = "Users whose cookie or header `segment` has this value get the canary first."
  }
  input "sticky_for" {
    type    = duration
    default = "10m"
    range   = ["1s", "7d"]
    summary = "How long a user stays with the version that answered first."
  }

  derived "by_pods" {
    value   = service.runs_on != null && service.mesh == null && service.balancer == null
    summary = "Whether traffic can only be split by the number of pods."
  }
  derived "most" {
    value   = max(self.steps...)
    summary = "The largest share of the traffic that the canary takes beside the other version."
  }
  derived "canary_min" {
    value   = max(1, ceil(service.min_instances * self.weight / 100))
    summary = "The fewest instances of the canary: its share of the fewest."
  }
  derived "canary_max" {
    value   = max(1, ceil(service.max_instances * self.most / 100))
    summary = "The most instances of the canary: its largest share of the most."
  }
  derived "weights" {
    value   = { stable = 100 - self.weight, canary = self.weight }
    summary = "The shares of both versions now; they sum to 100."
  }
  derived "under_way" {
    value   = self.canary_image != service.image
    summary = "Whether a release is under way."
  }

  point "traffic_split" { summary = "The share of the new version is a number, and grows in stated steps." }
  point "metrics" { summary = "Both versions are measured apart from each other." }
  point "criteria" { summary = "How much worse is too bad is written down, and how many requests say so." }
  point "rollback" { summary = "An alarm takes the traffic away without anybody being awake." }
  point "segments" { summary = "Testers and willing users get the new version first, and keep it." }

  # ROLL-002
  check "steps_grow" {
    condition = alltrue([for i, s in self.steps : s > (i == 0 ? 0 : self.steps[i - 1])])
    message   = "The canary's share must grow from step to step, not ${join(", ", self.steps)}."
    fix       = "Write them like [5, 25, 50]."
    at        = self.steps
    firm      = true
  }
  check "weight_within_steps" {
    condition = self.weight <= self.most
    message   = "The canary has room for ${self.most} % of the traffic, and gets ${self.weight} %."
    fix       = "Add the share to steps, or make the new image the service's own."
    at        = self.weight
    related   = [self.steps]
  }
  check "step_outlasts_window" {
    condition = self.step_time >= self.window
    message   = "A step is over after ${span(self.step_time)}, but what it did is only known after ${span(self.window)}."
    fix       = "Raise step_time, or lower window."
    at        = self.step_time
    related   = [self.window]
  }
  check "criteria" {
    condition = self.weight == 0 || self.max_errors < 50 || self.max_latency < service.request_timeout
    message   = "Nothing would count as bad: half of the requests may fail, and an answer may take as long as any request may."
    fix       = "Lower max_errors or max_latency."
    at        = self.max_errors
    related   = [self.max_latency]
  }
  # ROLL-003
  check "enough_requests" {
    condition = service.peak_rps == null ? true : service.peak_rps * self.steps[0] / 100 * self.window >= self.min_requests
    message   = "In the first step the canary gets ${self.steps[0]} % of ${service.peak_rps == null ? 0 : service.peak_rps} requests per second at best: ${floor((service.peak_rps == null ? 0 : service.peak_rps) * self.steps[0] / 100 * self.window)} in ${span(self.window)}, and ${self.min_requests} are needed to conclude anything."
    fix       = "Start with a larger share, or look at a longer window."
    at        = self.steps
    related   = [service.peak_rps, self.window, self.min_requests]
  }
  check "a_whole_pod" {
    condition = !self.by_pods || service.min_instances * self.steps[0] / 100 >= 1
    message   = "Without a mesh or a balancer a cluster splits traffic by pods, and ${self.steps[0]} % of ${service.min_instances} pods is less than one."
    fix       = "Give the cluster service_mesh, or start with a larger share."
    at        = self.steps
    related   = [service.min_instances]
  }
  check "layer_7_split" {
    condition = contains(["http", "grpc"], service.protocol)
    message   = "Only requests can be split by share, and ${service.name} speaks ${service.protocol}."
    fix       = "Use rolling_updates."
    at        = service.protocol
    firm      = true
  }
  check "not_sticky" {
    condition = service.balancer == null ? true : !service.balancer.sticky
    message   = "Clients stay with their instance, so the canary's share is not what it gets."
    fix       = "Set sticky = false and keep sessions in a cache; sticky_for keeps a user on one version."
    at        = service.balancer == null ? service.stateless : service.balancer.sticky
  }
}
