pattern "multi_layer_caching_detailed" {
  title       = "Multi-layer caching (detailed)"
  summary     = "Caching in layers worked out in full: warming from the inside to the outside, what gives way in each layer, a measure of how far they agree, and what is sent when all else fails."
  attaches    = [service]
  extends     = "multi_layer_caching"
  quality     = 9
  difficulty  = 8
  performance = "Very High"
  when = [
    "A large system with many parts that read each other's data",
    "Answers are owed to somebody within a stated time",
    "Very much data goes through it",
    "Loads of different kinds share it",
  ]
  suits = ["reads", "worldwide"]

  # The pattern document's tables; coarse heuristics, not measurements.
  metrics {
    latency    = "<100ms"
    throughput = ">10k RPS"
  }

  input "warm_paths" {
    type     = list(string)
    distinct = true
    default  = ["/"]
    length   = [1, 1000]
    matches  = "/[A-Za-z0-9._~/?=&-]{0,255}"
    hint     = "paths that start with /"
    summary  = "Paths that are fetched through the edge after a release, and when it has gone cold."
  }
  input "warm_command" {
    type    = string
    default = "/opt/app/bin/cache-warm"
    matches = "/[A-Za-z0-9._/-]{1,200}"
    hint    = "the path of a program"
    summary = "The program in the service's image that fills the cache before that."
  }
  input "warm_rate" {
    type    = number
    default = max(1, min(200, floor(service.min_instances * service.instance_rps / 2)))
    range   = [1, 100000]
    summary = "Fetches per second while warming: half of what the fewest instances answer, at most 200."
  }
  input "cold_below" {
    type    = percent
    default = 40
    summary = "Share of answers from the edge below which it has gone cold and is warmed."
  }
  input "local_entries" {
    type    = number
    default = 20000
    range   = [1, 100000000]
    summary = "Values that the program keeps in its own memory; the least used give way."
  }
  input "edge_memory" {
    type    = bytes
    default = "1536MiB"
    range   = ["64MiB", "1024GiB"]
    summary = "Memory of an edge that you run yourself."
  }
  input "consistency_sample" {
    type    = percent
    default = 0.1
    summary = "Share of the reads that are compared with the database."
  }
  input "grace" {
    type    = duration
    default = max(21600, self.stale_if_error)
    range   = ["0s", "7d"]
    summary = "How long an edge that you run yourself goes on with old answers while the program is sick."
  }
  input "fallback" {
    type     = ref(site)
    nullable = true
    summary  = "The site that is sent when neither program nor copy can answer. Without one, a plain page."
  }
  input "error_ttl" {
    type    = duration
    default = "5s"
    range   = ["0s", "5m"]
    summary = "How long the edge remembers that the program has failed."
  }
  input "ramp" {
    type    = duration
    default = "120s"
    range   = ["0s", "15m"]
    summary = "Over how long a new instance, whose memory is empty, gets its full share."
  }

  point "warming" { summary = "Cache first, then edge: each layer is warmed by the one behind it." }
  point "eviction" { summary = "What gives way in each layer is chosen by what it holds." }
  point "consistency" { summary = "A sample of answers is compared with the database, and slow changes are told." }
  point "fallback" { summary = "An old answer, then a plain page, never nothing." }
  point "cold_start" { summary = "A cold layer is noticed and warmed, and new instances start gently." }

  check "warm_paths_kept" {
    condition = length(setintersection(self.warm_paths, self.private_paths)) == 0
    message   = "Answers of private paths are kept nowhere, so there is nothing to warm: ${join(", ", setintersection(self.warm_paths, self.private_paths))}."
    fix       = "Take them out of warm_paths."
    at        = self.warm_paths
    related   = [self.private_paths]
  }
  check "cold_below_alarm" {
    condition = self.cold_below < self.min_hit_ratio
    message   = "The edge counts as cold below ${self.cold_below} %, but an alarm comes only below ${self.min_hit_ratio} %: it would be warmed all the time, and nobody would know."
    fix       = "Lower cold_below."
    at        = self.cold_below
    related   = [self.min_hit_ratio]
  }
  # CACHE-004
  check "warming_load" {
    condition = self.warm_rate <= max(1, service.min_instances * service.instance_rps)
    message   = "Warming fetches ${self.warm_rate} pages per second, and the fewest instances of ${service.name} answer ${service.min_instances * service.instance_rps}: warming would be the outage."
    fix       = "Lower warm_rate."
    at        = self.warm_rate
    related   = [service.min_instances, service.instance_rps]
  }
  check "grace_is_known" {
    condition = self.grace >= self.stale_if_error
    message   = "Browsers and the edge may use an old answer for ${span(self.stale_if_error)}, but it is thrown away after ${span(self.grace)}."
    fix       = "Raise grace."
    at        = self.grace
    related   = [self.stale_if_error]
  }
}
