pattern "in_memory_caching" {
  title       = "In-memory caching"
  summary     = "What is read often is kept in memory beside the database, and the database is asked only for what is not there."
  attaches    = [cache]
  quality     = 8
  difficulty  = 5
  performance = "Very High"
  when = [
    "The same data is read again and again",
    "A query takes long to compute",
    "The database is far away or slow",
    "Answers have to come at once",
  ]
  suits = ["reads"]

  # The pattern document's tables; coarse heuristics, not measurements.
  metrics {
    latency = "<10ms"
  }

  input "ttl" {
    type    = duration
    default = "15m"
    range   = ["1s", "30d"]
    summary = "How long a value is kept that nobody has thrown out."
  }
  input "negative_ttl" {
    type    = duration
    default = min(30, self.ttl)
    range   = ["0s", "1d"]
    summary = "How long it is remembered that something is not there."
  }
  input "jitter" {
    type    = percent
    default = 10
    range   = [0, 50]
    summary = "By how much lifetimes are spread, so that not all end at once."
  }
  input "invalidation" {
    type    = string
    default = cache.engine == "memcached" ? "expiry" : "events"
    one_of  = ["events", "expiry"]
    summary = "events: whoever writes says so, and the value is thrown out. expiry: it stays until its time is over."
  }
  input "timeout" {
    type    = duration
    default = "50ms"
    range   = ["1ms", "5s"]
    summary = "How long is waited for the cache before the database is asked."
  }
  input "hit_ratio" {
    type    = percent
    default = 90
    range   = [1, 99.99]
    summary = "Share of the reads that you expect the cache to answer."
  }
  input "min_hit_ratio" {
    type    = percent
    default = floor(self.hit_ratio * 8 / 9)
    summary = "Share below which it is told."
  }
  input "max_memory" {
    type    = percent
    default = 80
    range   = [10, 99]
    summary = "Share of the memory from which it is told."
  }
  input "coalesce" {
    type    = bool
    default = true
    summary = "Whether the program asks the database once for a value that many want at the same time."
  }
  input "warm" {
    type    = bool
    default = true
    summary = "Whether the hottest values are read before they are asked for."
  }
  input "warm_command" {
    type    = string
    default = "/opt/app/bin/cache-warm"
    matches = "/[A-Za-z0-9._/-]{1,200}"
    hint    = "the path of a program"
    summary = "The program in the service's image that does so. It is given --top and --only-missing."
  }
  input "warm_keys" {
    type    = number
    default = 10000
    range   = [1, 10000000]
    summary = "How many of the hottest values."
  }
  input "warm_every" {
    type    = duration
    default = "1h"
    range   = ["5m", "7d"]
    summary = "How often."
  }
  input "miss_time" {
    type    = duration
    default = "20ms"
    range   = ["1ms", "1m"]
    summary = "How long the database takes for a value that is not in the cache."
  }
  input "origin_limit" {
    type    = number
    default = max(1, floor(self.origin_connections / 2))
    range   = [1, 100000]
    summary = "How many misses may be at the database at once, over all clients: half of their connections."
  }

  derived "peak" {
    value   = sum([for s in cache.clients : s.peak_rps == null ? 0 : s.peak_rps])
    summary = "Reads per second at the stated peaks."
  }
  derived "origin_connections" {
    value   = max(2, [for s in cache.clients : s.peak_pools * s.pool if length(s.databases) > 0]...)
    summary = "Connections to a database that a client has, at most."
  }
  derived "busy_warm" {
    value   = self.peak * (100 - self.hit_ratio) / 100 * self.miss_time
    summary = "Connections that misses keep busy at the stated peaks."
  }
  derived "busy_cold" {
    value   = self.peak * self.miss_time
    summary = "The same while the cache is empty."
  }

  point "invalidation" { summary = "Whoever writes throws the old value out." }
  point "ttl" { summary = "Every value has an end, spread a little, and a short one if there is nothing." }
  point "hit_ratio" { summary = "Hits, memory and evictions are measured." }
  point "warming" { summary = "The hottest values are there before they are asked for." }
  point "miss" { summary = "A miss and a lost cache lead to the database, without running it over." }

  check "holds_a_cache" {
    condition = cache.holds == "cache"
    message   = "${cache.name} holds ${cache.holds}, which no database could give again."
    fix       = "Use a cache of its own for what can be read again."
    at        = cache.holds
  }
  check "ttl_with_eviction" {
    condition = self.negative_ttl <= self.ttl
    message   = "That something is not there is believed for ${span(self.negative_ttl)}, longer than what is there (${span(self.ttl)})."
    fix       = "Lower negative_ttl to ${span(self.ttl)} or less."
    at        = self.negative_ttl
    related   = [self.ttl]
  }
  check "events_of_memcached" {
    condition = self.invalidation == "expiry" || cache.engine != "memcached"
    message   = "Memcached tells nobody what happens to its keys."
    fix       = "Set invalidation = \"expiry\", or use valkey."
    at        = self.invalidation
    related   = [cache.engine]
    firm      = true
  }
  # TIME-003
  check "timeout_below_clients" {
    condition = alltrue([for s in cache.clients : self.timeout + self.miss_time < s.request_timeout])
    message   = "Waiting for the cache (${span(self.timeout)}) and then for the database (${span(self.miss_time)}) takes longer than these have: ${join(", ", [for s in cache.clients : "${s.name} ${span(s.request_timeout)}" if self.timeout + self.miss_time >= s.request_timeout])}."
    fix       = "Lower timeout."
    at        = self.timeout
    related   = [for s in cache.clients : s.request_timeout]
  }
  # CACHE-004
  check "misses_fit" {
    condition = self.busy_warm <= self.origin_connections
    message   = "At the stated peaks ${100 - self.hit_ratio} % of ${self.peak} reads per second miss and keep ${ceil(self.busy_warm)} connections busy, but clients have ${self.origin_connections}."
    fix       = "Make the cache larger, or the database faster."
    at        = self.hit_ratio
    related   = concat([self.miss_time], [for s in cache.clients : s.peak_rps])
  }
  check "cold_start" {
    condition = self.coalesce || self.warm || self.busy_cold <= self.origin_connections
    message   = "While the cache is empty all ${self.peak} reads per second reach the database and keep ${ceil(self.busy_cold)} connections busy, but clients have ${self.origin_connections}: it never gets warm."
    fix       = "Set coalesce = true or warm = true."
    at        = self.coalesce
    related   = concat([self.warm, self.miss_time], [for s in cache.clients : s.peak_rps])
  }
}
