component "service" {
  title   = "Service"
  plural  = "services"
  summary = "One program that answers requests, as instances in a group or, where it runs_on a cluster, as pods."

  # What runs.

  input "image" {
    type    = string
    matches = "[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?::[0-9]{1,5})?(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
    hint    = "a container image with a tag or digest, such as ghcr.io/acme/web:1.4.2"
    summary = "The container image, with a tag or a digest."
  }
  input "port" {
    type    = number
    default = 8080
    range   = [1024, 65535]
    summary = "The port that the program listens on. Below 1024 it would need to be root."
  }
  input "protocol" {
    type    = string
    default = "http"
    one_of  = ["http", "grpc", "tcp", "udp"]
    summary = "What is spoken on the port."
  }
  input "processes" {
    type    = number
    default = 1
    range   = [1, 256]
    summary = "Worker processes in one instance or pod. Each opens connection pools of its own."
  }
  input "environment" {
    type    = map(string)
    default = {}
    summary = "Environment variables that are not secret."
  }
  input "secrets" {
    type    = map(string)
    default = {}
    matches = "[A-Za-z0-9/_+=.@-]{1,256}"
    hint    = "the name of a secret in the target's secret store, and its value must not stand in a blueprint"
    summary = "Environment variables from the target's secret store: variable name to secret name."
  }

  # How large it is.

  input "cpu" {
    type    = number
    default = self.runs_on == null ? 2 : 0.5
    range   = [0.1, 192]
    summary = "vCPUs of one instance or pod. A pod shares its machine, an instance is one: so 2 for an instance, 0.5 for a pod."
  }
  input "memory" {
    type    = bytes
    default = self.runs_on == null ? "4GiB" : "512MiB"
    range   = ["64MiB", "1536GiB"]
    summary = "Memory of one instance or pod."
  }
  input "machine" {
    type    = map(string)
    default = {}
    matches = "[A-Za-z0-9][A-Za-z0-9.-]{1,40}"
    hint    = "{ aws = \"m7g.large\" }"
    summary = "The machine type by target, for where the smallest fit for cpu and memory is not what you want."
  }
  input "replicas" {
    type    = number
    default = self.vertical_scaling != null ? 1 : max(2, self.zones)
    range   = [1, 1000]
    summary = "How many run while nothing scales them: one for every zone, or one where the service grows vertically."
  }
  input "zones" {
    type    = number
    default = self.vertical_scaling != null ? 1 : (self.runs_on == null ? 3 : self.runs_on.zones)
    range   = [1, 6]
    summary = "Over how many zones they are spread. Three: losing one then costs a third of the capacity, not half."
  }

  # Where it runs and what it talks to.

  input "runs_on" {
    type     = ref(cluster)
    nullable = true
    summary  = "The cluster whose pods run it. Without one it runs as instances of its own."
  }
  input "needs" {
    type    = list(ref(database, cache, service))
    default = []
    summary = "What it connects to. Networks, identities, pools and the order of timeouts follow from this."
  }
  input "domain" {
    type     = string
    nullable = true
    matches  = "(?:\\*\\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}"
    hint     = "a domain name in lower case, such as shop.example.com"
    summary  = "The public DNS name, if it has one."
  }
  input "public" {
    type    = bool
    default = self.domain != null
    summary = "Whether it can be reached from the internet. What has a domain can."
  }

  # How it behaves.

  input "health_path" {
    type    = string
    default = "/healthz"
    matches = "/[A-Za-z0-9._~/-]{0,127}"
    hint    = "a path that starts with /"
    summary = "Answers 200 while the program is alive. Failing it gets an instance or pod replaced."
  }
  input "ready_path" {
    type    = string
    default = "/readyz"
    matches = "/[A-Za-z0-9._~/-]{0,127}"
    hint    = "a path that starts with /"
    summary = "Answers 200 while the program can take requests. Failing it only takes the traffic away."
  }
  input "boot_time" {
    type    = duration
    default = self.runs_on == null ? "120s" : "30s"
    range   = ["1s", "30m"]
    summary = "From start to the first answered request. An instance boots a machine first."
  }
  input "request_timeout" {
    type = duration
    # TIME-003: each hop has to outlast the worst case of the next, one retry included, so every step
    # inwards gets two fifths of the one before.
    default = element([10, 4, 1.6, 0.64, 0.25], self.call_depth)
    range   = ["50ms", "1h"]
    summary = "The longest that a request may take. 10 s at the edge, shrinking with every hop inwards so that a caller never gives up after its callee."
  }
  input "drain_time" {
    type    = duration
    default = max(30, self.request_timeout)
    range   = ["0s", "1h"]
    summary = "How long a stopping instance or pod may finish what it has begun: the longest request, and no less than 30 s."
  }
  input "stop_delay" {
    type    = duration
    default = "15s"
    range   = ["0s", "5m"]
    summary = "How long a stopping instance or pod still takes new requests, until balancers and proxies have heard of it."
  }
  input "keep_alive" {
    type = duration
    # TIME-001: the side that reuses the connection must be the first to close it.
    default = max(75, self.request_timeout + 30)
    range   = ["1s", "2h"]
    summary = "How long the program keeps an idle HTTP connection open: longer than the load balancer does, or requests meet closed connections."
  }
  input "concurrency" {
    type    = number
    default = 50
    range   = [1, 100000]
    summary = "Requests that one instance or pod works on at the same time."
  }
  input "instance_rps" {
    type    = number
    default = floor(max(1, 50 * self.cpu))
    range   = [1, 1000000]
    summary = "Requests per second that one instance or pod can answer. 50 for a vCPU is a guess until you have measured."
  }
  input "peak_rps" {
    type     = number
    nullable = true
    range    = [1, 100000000]
    summary  = "Requests per second at the busiest time. Nothing is checked against it until you state it."
  }
  input "availability" {
    type    = percent
    default = self.vertical_scaling != null ? 95 : 99.9
    range   = [90, 99.999]
    summary = "The share of time that it has to answer. From 99.9 on, the loss of one zone must not be seen. One machine that grows cannot promise more than 95."
  }
  input "stateless" {
    type    = bool
    default = true
    summary = "Whether any instance can answer any request. Sessions then live in a cache or a cookie."
  }
  input "idempotent" {
    type    = bool
    default = false
    summary = "Whether a request may be sent twice. Only then is a request retried that may have been worked on."
  }
  input "backward_compatible" {
    type    = bool
    default = true
    summary = "Whether two versions can run side by side on one database schema: expand first, contract a release later."
  }

  # What it takes from what it needs.

  input "pool" {
    type = number
    # POOL-001: the connections of each database are shared out over all that may ever run at once.
    default = length(self.databases) == 0 ? 10 : max(1, min([for d in self.databases : d.share]...))
    range   = [1, 10000]
    summary = "Connections of one process to each database: its share of what the database can take while every client is at its largest and rolling out, and at most 20."
  }
  input "pool_min" {
    type    = number
    default = min(2, self.pool)
    range   = [0, 10000]
    summary = "Connections of a pool that stay open without work."
  }
  input "pool_idle" {
    type    = duration
    default = "5m"
    range   = ["1s", "1h"]
    summary = "How long an unused connection of a pool is kept. Below the 350 s after which clouds forget an idle connection."
  }
  input "cache_pool" {
    type    = number
    default = 10
    range   = [1, 10000]
    summary = "Connections of one process to each node of a cache."
  }

  # What follows.

  derived "databases" {
    value   = [for n in self.needs : n if n.kind == "database"]
    summary = "The databases that it needs."
  }
  derived "caches" {
    value   = [for n in self.needs : n if n.kind == "cache"]
    summary = "The caches that it needs."
  }
  derived "callees" {
    value   = [for n in self.needs : n if n.kind == "service"]
    summary = "The services that it calls."
  }
  derived "clients" {
    value   = [for r in self.referrers : r if r.kind == "service"]
    summary = "The services that call it."
  }

  # How deep in the call graph it stands, counted without recursion so that two services that call
  # each other are no endless circle.
  derived "called_1" {
    value   = length(self.clients) > 0
    summary = "Whether any service calls it."
  }
  derived "called_2" {
    value   = anytrue([for s in self.clients : s.called_1])
    summary = "Whether it stands two calls deep."
  }
  derived "called_3" {
    value   = anytrue([for s in self.clients : s.called_2])
    summary = "Whether it stands three calls deep."
  }
  derived "called_4" {
    value   = anytrue([for s in self.clients : s.called_3])
    summary = "Whether it stands four calls deep or more."
  }
  derived "call_depth" {
    value   = self.called_4 ? 4 : self.called_3 ? 3 : self.called_2 ? 2 : self.called_1 ? 1 : 0
    summary = "How many calls lie between the edge and it, at most 4."
  }

  # A request may be repeated at every hop: what arrives here for one at the edge.
  derived "tries" {
    value   = self.breaker == null ? 1 : 1 + self.breaker.retries
    summary = "How often it sends one call."
  }
  derived "load_1" {
    value   = max(1, [for s in self.clients : s.tries]...)
    summary = "What one call of a client can become, over one hop."
  }
  derived "load_2" {
    value   = max(1, [for s in self.clients : s.tries * s.load_1]...)
    summary = "The same over two hops."
  }
  derived "load_3" {
    value   = max(1, [for s in self.clients : s.tries * s.load_2]...)
    summary = "The same over three hops."
  }
  derived "retry_load" {
    value   = max(1, [for s in self.clients : s.tries * s.load_3]...)
    summary = "How many requests one at the edge can become here, over four hops."
  }

  derived "autoscaler" {
    value   = self.horizontal_pod_autoscaler != null ? self.horizontal_pod_autoscaler : self.auto_scaling_group
    summary = "The pattern that owns the number of instances or pods, null if none does."
  }
  derived "balancer" {
    value   = self.elastic_load_balancing
    summary = "The pattern that balances its load, null if none does."
  }
  derived "breaker" {
    value   = self.circuit_breaker
    summary = "The pattern that breaks its calls, null if none does."
  }
  derived "mesh" {
    value   = self.runs_on == null ? self.service_mesh : self.runs_on.service_mesh
    summary = "The mesh that it is part of, its own or its cluster's; null without."
  }
  derived "hostname" {
    value   = self.balancer == null ? self.domain : self.balancer.domain
    summary = "The public DNS name, its own or its balancer's; null without."
  }
  derived "exposed" {
    value   = self.balancer == null ? self.public : self.balancer.public
    summary = "Whether the internet reaches it."
  }
  derived "idle_timeout" {
    value   = self.balancer == null ? max(60, self.request_timeout + 5) : self.balancer.idle_timeout
    summary = "How long whatever balances its load keeps a silent connection."
  }

  derived "min_instances" {
    value   = self.autoscaler == null ? self.replicas : self.autoscaler.min
    summary = "The fewest instances or pods."
  }
  derived "max_instances" {
    value   = self.autoscaler == null ? self.replicas : self.autoscaler.max
    summary = "The most instances or pods outside a rollout."
  }
  derived "peak_need" {
    # AVAIL-004: what is left when one zone is lost has to carry the peak.
    value   = self.peak_rps == null ? 0 : ceil(self.peak_rps * (self.zones > 1 ? self.zones : 1) / (self.instance_rps * (self.zones > 1 ? self.zones - 1 : 1)))
    summary = "Instances or pods for the stated peak with one zone lost; 0 if no peak is stated."
  }
  derived "rollout_percent" {
    # ROLL-001: both colours hold pools, and so does the surge of a rolling update. A group without a rollout pattern
    # is replaced by its target's own default, which surges by a quarter at most.
    value = (
      self.blue_green_deployment != null ? 200 :
      self.canary_deployment != null ? 100 + max(self.canary_deployment.steps...) :
      self.rolling_updates != null ? 100 + self.rolling_updates.surge :
      self.vertical_scaling != null ? 100 : 125
    )
    summary = "What runs in the middle of a rollout, in percent of the usual number."
  }
  derived "rollout_copies" {
    value   = self.rollout_percent / 100
    summary = "The same as a factor."
  }
  derived "peak_instances" {
    value   = ceil(self.max_instances * self.rollout_percent / 100)
    summary = "The most that ever run at once: the maximum, in the middle of a rollout."
  }
  derived "peak_pools" {
    value   = self.peak_instances * self.processes
    summary = "Connection pools open at once to one database."
  }
  derived "peak_connections" {
    value   = self.peak_pools * self.pool
    summary = "Connections open at once to one database."
  }

  derived "sidecar_cpu" {
    value   = self.mesh == null ? 0 : self.mesh.mode == "ambient" ? 0 : self.mesh.proxy_cpu
    summary = "vCPUs of the mesh's proxy beside each instance or pod."
  }
  derived "sidecar_memory" {
    value   = self.mesh == null ? 0 : self.mesh.mode == "ambient" ? 0 : self.mesh.proxy_memory
    summary = "Memory of the mesh's proxy beside each instance or pod."
  }
  derived "total_cpu" {
    value   = floor(1000 * (self.cpu + self.sidecar_cpu) + 0.5) / 1000
    summary = "vCPUs of one instance or pod with its proxy: what it asks for."
  }
  derived "total_memory" {
    value   = self.memory + self.sidecar_memory
    summary = "Memory of one instance or pod with its proxy: what it asks for."
  }
  derived "grace_period" {
    # TIME-002: deregistration, then the program's own shutdown, then the kill.
    value   = self.stop_delay + self.drain_time + 10
    summary = "When a stopping instance or pod is killed: the delay, the draining and 10 s to spare."
  }
  derived "callee_names" {
    value   = self.callees[*].name
    summary = "Names of the services that it calls."
  }

  check "image_pinned" {
    condition = !endswith(self.image, ":latest") && can(regex("(:[^:/]+|@sha256:[0-9a-f]+)$", self.image))
    message   = "${self.name} runs ${self.image}, which names no version: two instances could run different programs, and a rollback has nothing to go back to."
    fix       = "Name a tag other than latest, or a digest."
    at        = self.image
  }
  check "environment_names" {
    condition = alltrue([for k in concat(keys(self.environment), keys(self.secrets)) : can(regex("^[A-Za-z_][A-Za-z0-9_]{0,127}$", k))])
    message   = "Not an environment variable's name: ${join(", ", [for k in concat(keys(self.environment), keys(self.secrets)) : jsonencode(k) if !can(regex("^[A-Za-z_][A-Za-z0-9_]{0,127}$", k))])}."
    fix       = "Use letters, digits and underscores, and no digit at the start."
    at        = self.environment
    related   = [self.secrets]
    firm      = true
  }
  check "environment_once" {
    condition = length(setintersection(keys(self.environment), keys(self.secrets))) == 0
    message   = "Set twice, in environment and in secrets: ${join(", ", setintersection(keys(self.environment), keys(self.secrets)))}."
    fix       = "Keep it in one of the two."
    at        = self.environment
    related   = [self.secrets]
    firm      = true
  }
  check "needs_itself" {
    condition = !contains(self.needs[*].name, self.name)
    message   = "${self.name} needs itself."
    fix       = "Take it out of needs."
    at        = self.needs
    firm      = true
  }
  check "probe_paths" {
    condition = self.runs_on == null || self.health_path != self.ready_path
    message   = "health_path and ready_path are both ${self.health_path}: a pod that only waits for its database is then restarted, over and over, when it should just get no traffic."
    fix       = "Give readiness a path of its own."
    at        = self.ready_path
    related   = [self.health_path]
    severity  = "warning"
  }
  check "public_domain" {
    condition = self.hostname == null || self.exposed || self.balancer != null
    message   = "${self.name} has the public name ${self.hostname == null ? "" : self.hostname} but is not public."
    fix       = "Set public = true, or drop the domain."
    at        = self.public
    related   = [self.domain]
    severity  = "warning"
  }

  # TIME-001
  check "keep_alive" {
    condition = contains(["tcp", "udp"], self.protocol) || self.keep_alive > self.idle_timeout
    message   = "${self.name} closes idle connections after ${span(self.keep_alive)}, its load balancer only after ${span(self.idle_timeout)}: the balancer will send requests into closed connections (502)."
    fix       = "Raise keep_alive above ${span(self.idle_timeout)}."
    at        = self.keep_alive
    related   = [self.request_timeout]
  }
  # TIME-002
  check "drain_covers_requests" {
    condition = self.drain_time >= self.request_timeout
    message   = "A request may take ${span(self.request_timeout)}, but a stopping instance has ${span(self.drain_time)} to finish: every rollout and every scale-in cuts the longest ones off."
    fix       = "Raise drain_time to ${span(self.request_timeout)}, or lower request_timeout."
    at        = self.drain_time
    related   = [self.request_timeout]
  }
  # TIME-003: callers outlast callees. Two services that call each other cannot both, and are left out.
  check "timeout_ladder" {
    condition = alltrue([for c in self.callees : self.request_timeout > c.request_timeout || contains(c.callee_names, self.name)])
    message   = "${self.name} gives up after ${span(self.request_timeout)}, but what it calls may take longer: ${join(", ", [for c in self.callees : "${c.name} ${span(c.request_timeout)}" if self.request_timeout <= c.request_timeout])}. The work of the callee is then thrown away, and repeated."
    fix       = "Give every hop inwards less time than the one before it."
    at        = self.request_timeout
    related   = [for c in self.callees : c.request_timeout]
  }
  # TIME-005: what every hop repeats multiplies along the chain.
  check "retry_product" {
    condition = self.retry_load <= 4
    message   = "One request at the edge can become ${self.retry_load} at ${self.name}, for every hop in front of it repeats its calls: an overload is multiplied just when it hurts."
    fix       = "Retry at one hop only, preferably the outermost: set retries = 0 in the other breakers."
    at        = self.request_timeout
    related   = [for s in self.clients : s.breaker == null ? 0 : s.breaker.retries]
  }
  # POOL-005
  check "pool_bounds" {
    condition = self.pool_min <= self.pool
    message   = "pool_min is ${self.pool_min}, the pool holds ${self.pool}."
    fix       = "Lower pool_min to ${self.pool} or less."
    at        = self.pool_min
    related   = [self.pool]
  }
  check "pool_idle" {
    condition = self.pool_idle < 350
    message   = "Idle connections are kept for ${span(self.pool_idle)}, but clouds forget a silent one after 350 s: the next query on it hangs until it times out."
    fix       = "Set pool_idle to 5m or less."
    at        = self.pool_idle
  }
  # AVAIL-001
  check "one_in_every_zone" {
    condition = self.availability < 99.9 || self.min_instances >= self.zones
    message   = "${self.availability} % has to survive the loss of a zone, but at the least ${self.min_instances} of ${self.name} run over ${self.zones} zones."
    fix       = "Run at least ${self.zones}, or spread over fewer zones."
    at        = self.autoscaler == null ? self.replicas : self.autoscaler.min
    related   = [self.zones, self.availability]
  }
  check "more_than_one" {
    condition = self.availability < 99 || self.min_instances >= 2 || (self.vertical_scaling != null && self.availability >= 99.9)
    message   = "${self.availability} % cannot be had from a single instance: every rollout and every failure stops it."
    fix       = "Run at least two, or state a lower availability."
    at        = self.autoscaler == null ? self.replicas : self.autoscaler.min
    related   = [self.availability]
  }
  check "zones_of_cluster" {
    condition = self.runs_on == null ? true : self.zones <= self.runs_on.zones
    message   = "${self.name} is to be spread over ${self.zones} zones, but its cluster has ${self.runs_on == null ? 0 : self.runs_on.zones}."
    fix       = "Lower zones, or give the cluster more."
    at        = self.zones
    related   = self.runs_on == null ? [] : [self.runs_on.zones]
    firm      = true
  }
  # AVAIL-004
  check "carries_the_peak" {
    condition = self.max_instances >= self.peak_need
    message   = "The peak of ${self.peak_rps == null ? 0 : self.peak_rps} requests per second needs ${self.peak_need} at ${self.instance_rps} each with one of ${self.zones} zones lost; ${self.name} stops at ${self.max_instances}."
    fix       = "Raise the maximum to ${self.peak_need}, or make each one larger."
    at        = self.peak_rps
    related   = [self.instance_rps, self.autoscaler == null ? self.replicas : self.autoscaler.max]
  }
  # AVAIL-006
  check "databases_survive_a_zone" {
    condition = self.availability < 99.9 || alltrue([for d in self.databases : d.zones > 1])
    message   = "${self.name} promises ${self.availability} %, but a database that it needs stands in a single zone: ${join(", ", [for d in self.databases : d.name if d.zones < 2])}."
    fix       = "Give the database zones = 2, or promise less."
    at        = self.availability
    related   = [for d in self.databases : d.zones]
  }
  # AVAIL-005: in a row, the weakest counts. A cache can be missed, and a broken call has an answer of its own; what a
  # database in one zone means is said above.
  check "weakest_need" {
    condition = alltrue([for n in self.needs : n.availability >= self.availability || (n.kind == "cache" ? n.holds == "cache" : n.kind == "service" ? self.breaker != null : n.zones < 2)])
    message   = "${self.name} promises ${self.availability} %, more than what it cannot answer without: ${join(", ", [for n in self.needs : "${n.name} ${n.availability} %" if n.availability < self.availability])}."
    fix       = "Promise less, raise theirs, or let calls of services be broken by circuit_breaker."
    at        = self.availability
    related   = [for n in self.needs : n.availability]
    severity  = "warning"
  }
  # SCALE-001, ROLL-005: one owner of the size, one of the traffic.
  check "one_autoscaler" {
    condition = length([for p in [self.auto_scaling_group, self.horizontal_pod_autoscaler, self.vertical_scaling] : true if p != null]) <= 1
    message   = "More than one pattern wants to own the size of ${self.name}: they would undo each other's work."
    fix       = "Keep one of auto_scaling_group, horizontal_pod_autoscaler and vertical_scaling."
    at        = self.vertical_scaling != null ? self.vertical_scaling : self.horizontal_pod_autoscaler
    related   = [self.auto_scaling_group, self.horizontal_pod_autoscaler]
    firm      = true
  }
  check "one_rollout" {
    condition = length([for p in [self.blue_green_deployment, self.canary_deployment, self.rolling_updates] : true if p != null]) <= 1
    message   = "More than one pattern wants to roll ${self.name} out: each has its own idea of which version gets the traffic."
    fix       = "Keep one of blue_green_deployment, canary_deployment and rolling_updates."
    at        = self.rolling_updates != null ? self.rolling_updates : self.canary_deployment
    related   = [self.blue_green_deployment, self.canary_deployment]
    firm      = true
  }
  # ROLL-001, ROLL-004
  check "rollout_side_by_side" {
    condition = self.backward_compatible || (self.blue_green_deployment == null && self.canary_deployment == null && self.rolling_updates == null && self.max_instances == 1) || length(self.databases) == 0
    message   = "${self.name} says that two of its versions cannot share a schema, but during a rollout they do: ${join(", ", [for d in self.databases : d.name])}."
    fix       = "Change the schema in two releases (expand, then contract) and set backward_compatible = true."
    at        = self.backward_compatible
    related   = [self.needs]
  }
}
