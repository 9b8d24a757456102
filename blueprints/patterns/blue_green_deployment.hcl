pattern "blue_green_deployment" {
  title       = "Blue-green deployment"
  summary     = "Two equal environments: one serves, the other takes the new version. Switching and switching back is one step, without downtime."
  attaches    = [service]
  quality     = 9
  difficulty  = 7
  performance = "High"
  when = [
    "The program must not be down for a release",
    "A bad release has to be gone within seconds",
    "Production has to be highly available",
    "The program keeps no state of its own",
  ]
  excludes = {
    canary_deployment = "Both say which version gets the traffic."
    rolling_updates   = "A colour is replaced as a whole: no old version is left in it to roll over."
  }

  # The pattern document's tables; coarse heuristics, not measurements.
  metrics {
    availability = "99.99%"
  }

  input "live" {
    type    = string
    default = "blue"
    one_of  = ["blue", "green"]
    summary = "The colour that serves. Changing this word is the release, changing it back the rollback."
  }
  input "blue_image" {
    type    = string
    default = service.image
    matches = "[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?::[0-9]{1,5})?(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
    hint    = "a container image with a tag or digest"
    summary = "What blue runs, where it is not the service's image. A cluster's controller keeps the colours itself and runs the service's image."
  }
  input "green_image" {
    type    = string
    default = service.image
    matches = "[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?::[0-9]{1,5})?(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
    hint    = "a container image with a tag or digest"
    summary = "What green runs, where it is not the service's image."
  }
  input "idle_warm" {
    type    = bool
    default = true
    summary = "Whether the colour that does not serve stays at full size, so that the way back is open at once. Between releases it can be put to rest."
  }
  input "keep_old" {
    type    = duration
    default = "15m"
    range   = ["30s", "7d"]
    summary = "How long a cluster's controller keeps the old version at full size after a switch."
  }
  input "promote" {
    type    = string
    default = "operator"
    one_of  = ["operator", "tests"]
    summary = "Who switches: a person, or passed smoke tests where a controller runs them."
  }
  input "rollback" {
    type    = string
    default = "operator"
    one_of  = ["operator", "alarms"]
    summary = "Who switches back: a person, or an alarm on errors or latency. After an alarm the colour that serves is not the one written here; the alarm says how to go on."
  }
  input "smoke_path" {
    type    = string
    default = service.ready_path
    matches = "/[A-Za-z0-9._~/?=&-]{0,255}"
    hint    = "a path that starts with /"
    summary = "What the smoke test asks the new version for."
  }
  input "smoke_port" {
    type    = number
    default = 8443
    range   = [1, 65535]
    summary = "The port on which the balancer leads to the colour that does not serve."
  }
  input "smoke_from" {
    type     = list(string)
    distinct = true
    default  = ["10.0.0.0/8"]
    matches  = "[0-9]{1,3}(?:\\.[0-9]{1,3}){3}/[0-9]{1,2}"
    hint     = "a network such as 203.0.113.0/24"
    summary  = "Networks from which the colour that does not serve can be reached."
  }
  input "max_errors" {
    type    = percent
    default = 1
    range   = [0.01, 50]
    summary = "Share of failed requests from which a colour is bad."
  }
  input "max_latency" {
    type    = duration
    default = min(1, service.request_timeout)
    range   = ["1ms", "10m"]
    summary = "The slowest answer but one in a hundred (p99) from which a colour is bad."
  }
  input "window" {
    type    = duration
    default = "3m"
    range   = ["1m", "1h"]
    summary = "Over how long errors and latency are looked at."
  }

  derived "idle" {
    value   = self.live == "blue" ? "green" : "blue"
    summary = "The colour that does not serve."
  }
  derived "colours" {
    value = {
      blue  = { image = self.blue_image, live = self.live == "blue", min = self.live == "blue" || self.idle_warm ? service.min_instances : 0, weight = self.live == "blue" ? 100 : 0 }
      green = { image = self.green_image, live = self.live == "green", min = self.live == "green" || self.idle_warm ? service.min_instances : 0, weight = self.live == "green" ? 100 : 0 }
    }
    summary = "Both colours: image, whether it serves, its fewest instances and its share of the traffic."
  }

  point "double_capacity" { summary = "Two full environments during a release are counted in quotas, budgets and connections." }
  point "shared_data" { summary = "Both versions live with one schema, so that either can serve." }
  point "smoke_tests" { summary = "The new version is asked before it gets anyone's traffic." }
  point "fast_switch" { summary = "The balancer moves all traffic in one step, and not by DNS." }
  point "rollback" { summary = "The old version stays at full size, and who brings it back is stated." }

  check "not_sticky" {
    condition = service.balancer == null ? true : !service.balancer.sticky
    message   = "Clients stay with their instance for ${service.balancer == null ? "" : span(service.balancer.sticky_for)}, so the old colour keeps them long after the switch."
    fix       = "Set sticky = false and keep sessions in a cache."
    at        = service.balancer == null ? service.stateless : service.balancer.sticky
    related   = [service.stateless]
  }
  check "stateless" {
    condition = service.stateless
    message   = "${service.name} keeps state in its instances: everything that they remember is lost at the switch."
    fix       = "Move sessions into a cache and set stateless = true."
    at        = service.stateless
  }
  check "layer_7_switch" {
    condition = service.protocol != "udp"
    message   = "UDP cannot be moved between colours by weight."
    fix       = "Use rolling_updates."
    at        = service.protocol
    firm      = true
  }
  # ROLL-005
  check "one_owner_of_rollback" {
    condition = self.promote != "tests" || self.rollback == "alarms" || service.runs_on == null
    message   = "Tests switch ${service.name} forward by themselves, but only a person can switch it back."
    fix       = "Set rollback = \"alarms\", or promote = \"operator\"."
    at        = self.promote
    related   = [self.rollback]
    severity  = "warning"
  }
  check "keep_old" {
    condition = self.keep_old > self.window
    message   = "The old version is gone after ${span(self.keep_old)}, but errors are only known after ${span(self.window)}: then there is nothing to go back to."
    fix       = "Keep it longer than the window."
    at        = self.keep_old
    related   = [self.window]
  }
  # ROLL-001
  check "idle_is_warm" {
    condition = self.blue_image == self.green_image || self.idle_warm
    message   = "The colours run different versions, so a switch is near, but ${self.idle} is at rest: all traffic would go to a colour that has to start first."
    fix       = "Set idle_warm = true for the release."
    at        = self.idle_warm
    related   = [self.blue_image, self.green_image]
    severity  = "warning"
  }
}
