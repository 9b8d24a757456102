pattern "redis_cluster" {
  title       = "Redis cluster"
  summary     = "Keys are spread over several primaries, each with copies, and the cluster heals itself when one is lost."
  attaches    = [cache]
  quality     = 9
  difficulty  = 7
  performance = "Very High"
  when = [
    "A cache has to answer very much, very fast",
    "Every millisecond counts",
    "There is more to cache than one machine holds",
    "The cache must not be lost as a whole",
  ]
  suits = ["reads"]

  # The pattern document's tables; coarse heuristics, not measurements.
  metrics {
    latency    = "<100ms"
    throughput = "1k-10k RPS"
  }

  input "shards" {
    type    = number
    default = 3
    range   = [1, 250]
    summary = "Over how many primaries the keys are spread. Three, so that a majority is left when one is lost."
  }
  input "replicas" {
    type    = number
    default = max(1, cache.replicas)
    range   = [0, 5]
    summary = "Copies of each primary."
  }
  input "max_shards" {
    type    = number
    default = min(250, 3 * self.shards)
    range   = [1, 250]
    summary = "To how many primaries they may grow by themselves, where the target can. As many as shards: they do not."
  }
  input "target_memory" {
    type    = percent
    default = 65
    range   = [20, 90]
    summary = "Memory in use to aim for, where they may grow."
  }
  input "target_cpu" {
    type    = percent
    default = 60
    range   = [20, 90]
    summary = "Processor load to aim for, where copies may grow."
  }
  input "node_timeout" {
    type    = duration
    default = "5s"
    range   = ["500ms", "1m"]
    summary = "How long a primary may be silent before a copy takes over, where you run it."
  }
  input "persistence" {
    type    = string
    default = cache.holds == "cache" ? "snapshots" : "log"
    one_of  = ["none", "snapshots", "log"]
    summary = "What is on disk: nothing, a picture now and then, or every write of all but the last second."
  }
  input "backup_every" {
    type    = duration
    default = "6h"
    range   = ["1h", "24h"]
    summary = "How often a picture is taken."
  }
  input "backup_days" {
    type    = number
    default = max(7, cache.backup_days)
    range   = [0, 35]
    summary = "For how many days pictures are kept."
  }
  input "max_memory" {
    type    = percent
    default = 80
    range   = [10, 99]
    summary = "Share of a node's memory from which it is told."
  }
  input "max_skew" {
    type    = number
    default = 1.5
    range   = [1.05, 10]
    summary = "How much more memory than the average a node may use before it is told: one key too large, or one hash tag too many."
  }

  derived "nodes" {
    value   = self.shards * (1 + self.replicas)
    summary = "All nodes."
  }
  derived "grows" {
    value   = self.max_shards > self.shards
    summary = "Whether the number of primaries follows the load."
  }

  point "sharding" { summary = "Keys are spread over three primaries or more, by their hash." }
  point "health" { summary = "Slots that nobody serves and copies that lag are told." }
  point "backups" { summary = "Pictures are taken from copies, kept for a week, and before an upgrade." }
  point "replication" { summary = "Every primary has copies in other zones, and one takes over by itself." }
  point "memory" { summary = "Every node's memory is watched, and whether one has more than the others." }

  # CACHE-005
  check "three_shards" {
    condition = self.shards >= 3
    message   = "${self.shards} primaries cannot agree on which of them is lost: a majority of the others has to see it."
    fix       = "Use 3 shards, or drop redis_cluster for a cache with replicas."
    at        = self.shards
  }
  check "copies" {
    condition = self.replicas >= 1
    message   = "A primary without a copy takes its part of the keys with it: ${floor(100 / self.shards)} % are then answered with an error."
    fix       = "Set replicas = 1."
    at        = self.replicas
  }
  check "copies_in_zones" {
    condition = cache.zones > 1 || cache.availability < 99.9
    message   = "All copies stand in one zone, and ${cache.name} promises ${cache.availability} %."
    fix       = "Set zones = 3."
    at        = cache.zones
    related   = [cache.availability]
  }
  check "range" {
    condition = self.max_shards >= self.shards
    message   = "There are ${self.shards} shards, which may grow to ${self.max_shards}."
    fix       = "Raise max_shards, or leave it unset."
    at        = self.max_shards
    related   = [self.shards]
    firm      = true
  }
  check "nodes" {
    # Memorystore for Redis Cluster takes 250 nodes.
    condition = self.max_shards * (1 + self.replicas) <= 250
    message   = "${self.max_shards} primaries with ${self.replicas} copies each are ${self.max_shards * (1 + self.replicas)} nodes; targets take 250."
    fix       = "Lower max_shards or replicas."
    at        = self.max_shards
    related   = [self.replicas]
    firm      = true
  }
  check "backups" {
    condition = cache.holds == "cache" || (self.backup_days > 0 && self.persistence != "none")
    message   = "${cache.name} holds ${cache.holds}, and nothing of it is on disk."
    fix       = "Set persistence = \"log\" and keep backups."
    at        = self.persistence
    related   = [self.backup_days, cache.holds]
  }
  # CACHE-002
  check "memory" {
    condition = self.persistence != "log" || cache.reserve >= 20
    message   = "Rewriting the log copies what is written meanwhile, and only ${cache.reserve} % of the memory is free for it."
    fix       = "Raise reserve to 25."
    at        = cache.reserve
    related   = [self.persistence]
  }
}
