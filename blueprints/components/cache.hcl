component "cache" {
  title   = "Cache"
  plural  = "caches"
  summary = "Data kept in memory: what is read often, sessions, short queues."

  input "engine" {
    type    = string
    default = "valkey"
    one_of  = ["valkey", "redis", "memcached"]
    summary = "Which store it is. Valkey is the open continuation of Redis and costs less where it is managed."
  }
  input "version" {
    type    = string
    default = self.engine == "valkey" ? "8" : self.engine == "redis" ? "7" : "1.6"
    matches = "[0-9]{1,2}(?:\\.[0-9]{1,2})?"
    hint    = "a major version such as 8"
    summary = "The major version; the target picks the newest minor one that it has."
  }
  input "holds" {
    type    = string
    default = "cache"
    one_of  = ["cache", "sessions", "queue"]
    summary = "What would be lost with it: nothing (cache), logins (sessions), work (queue)."
  }
  input "memory" {
    type    = bytes
    default = "8GiB"
    range   = ["512MiB", "10TiB"]
    summary = "How much data it holds, over all shards and without copies."
  }
  input "machine" {
    type    = map(string)
    default = {}
    matches = "[A-Za-z0-9][A-Za-z0-9._-]{1,40}"
    hint    = "{ aws = \"cache.r7g.large\" }"
    summary = "The node type by target, for where the smallest fit for the memory is not what you want."
  }
  input "replicas" {
    type    = number
    default = self.engine == "memcached" ? 0 : 1
    range   = [0, 5]
    summary = "Copies of each shard besides its primary. One takes over when the primary is lost."
  }
  input "zones" {
    type    = number
    default = 3
    range   = [1, 6]
    summary = "Over how many zones its nodes stand."
  }
  input "eviction" {
    type    = string
    default = self.holds == "queue" ? "noeviction" : self.holds == "sessions" ? "volatile-lru" : "allkeys-lru"
    one_of  = ["allkeys-lru", "allkeys-lfu", "volatile-lru", "volatile-lfu", "volatile-ttl", "noeviction"]
    summary = "What gives way when the memory is full: the least recently used key; for sessions only keys that expire; for queues nothing."
  }
  input "reserve" {
    type    = percent
    default = 25
    range   = [5, 50]
    summary = "Memory of a node that stays free of data, for copies, failover and buffers."
  }
  input "max_clients" {
    type = number
    # ElastiCache fixes maxclients at 65000 (Amazon ElastiCache user guide, node-type specific parameters).
    default = 65000
    range   = [100, 65000]
    summary = "Connections that one node takes."
  }
  input "backup_days" {
    type    = number
    default = self.engine == "memcached" || self.holds == "cache" ? 0 : 7
    range   = [0, 35]
    summary = "For how many days snapshots are kept. A cache can be filled again; sessions and queues cannot."
  }
  input "backup_hour" {
    type    = number
    default = 1
    range   = [0, 23]
    summary = "The hour (UTC) of the daily snapshot."
  }
  input "maintenance_day" {
    type    = string
    default = "sunday"
    one_of  = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    summary = "The day on which it may be patched."
  }
  input "maintenance_hour" {
    type    = number
    default = 3
    range   = [0, 23]
    summary = "The hour (UTC) at which it may be patched."
  }
  input "deletion_protection" {
    type    = bool
    default = self.holds != "cache"
    summary = "Whether deleting it takes two deliberate steps."
  }
  input "availability" {
    type    = percent
    default = self.replica_count > 0 ? 99.9 : 99
    range   = [90, 99.999]
    summary = "The share of time that it has to answer."
  }

  derived "port" {
    value   = self.engine == "memcached" ? 11211 : 6379
    summary = "The port that it listens on."
  }
  derived "clients" {
    value   = [for r in self.referrers : r if r.kind == "service"]
    summary = "The services that need it."
  }
  derived "shards" {
    value   = self.redis_cluster == null ? 1 : self.redis_cluster.shards
    summary = "Over how many primaries the keys are spread."
  }
  derived "replica_count" {
    value   = self.redis_cluster == null ? self.replicas : self.redis_cluster.replicas
    summary = "Copies of each shard besides its primary."
  }
  derived "nodes" {
    value   = self.shards * (1 + self.replica_count)
    summary = "All nodes."
  }
  derived "node_data" {
    value   = ceil(self.memory / self.shards / 1048576) * 1048576
    summary = "Data that one node holds."
  }
  derived "node_memory" {
    # CACHE-002
    value   = ceil(100 * self.memory / (self.shards * (100 - self.reserve)) / 1048576) * 1048576
    summary = "Memory that one node needs: its data and the reserve."
  }
  derived "failover" {
    value   = self.replica_count > 0
    summary = "Whether a copy takes over when a primary is lost."
  }
  derived "client_connections" {
    value   = sum([for s in self.clients : s.peak_pools * s.cache_pool])
    summary = "Connections that all clients have open at once to one node, at most."
  }

  # CACHE-002
  check "eviction_fits" {
    condition = self.holds != "cache" || self.eviction != "noeviction"
    message   = "${self.name} is a cache that never evicts: once its ${quantity(self.memory)}B are full, every write fails."
    fix       = "Use allkeys-lru, or say what it holds."
    at        = self.eviction
    related   = [self.holds]
  }
  check "queue_keeps" {
    condition = self.holds != "queue" || self.eviction == "noeviction"
    message   = "${self.name} holds a queue, and ${self.eviction} throws work away when the memory is full."
    fix       = "Use noeviction and an alarm on memory."
    at        = self.eviction
    related   = [self.holds]
  }
  check "sessions_keep" {
    condition = self.holds != "sessions" || !startswith(self.eviction, "allkeys")
    message   = "${self.name} holds sessions, and ${self.eviction} may log people out who have just come."
    fix       = "Use volatile-lru or volatile-ttl: it takes keys that expire anyway."
    at        = self.eviction
    related   = [self.holds]
    severity  = "warning"
  }
  # CACHE-003
  check "clients" {
    condition = self.client_connections <= self.max_clients
    message   = "The clients of ${self.name} can open ${self.client_connections} connections to a node, which takes ${self.max_clients}: ${join("; ", [for s in self.clients : "${s.name} ${s.peak_pools} pools × ${s.cache_pool} = ${s.peak_pools * s.cache_pool}"])}."
    fix       = "Lower cache_pool of the clients."
    at        = self.max_clients
    related   = [for s in self.clients : s.cache_pool]
  }
  check "copy_for_availability" {
    condition = self.availability < 99.9 || self.replica_count > 0
    message   = "${self.availability} % needs a copy that takes over, and ${self.name} has none."
    fix       = "Set replicas = 1, or state a lower availability."
    at        = self.availability
    related   = [self.replicas]
  }
  check "lost_with_the_node" {
    condition = self.holds == "cache" || self.replica_count > 0
    message   = "${self.name} holds ${self.holds} on a single node: they are lost with it."
    fix       = "Set replicas = 1."
    at        = self.replicas
    related   = [self.holds]
  }
  check "memcached_has_none" {
    condition = self.engine != "memcached" || (self.replicas == 0 && self.backup_days == 0 && self.redis_cluster == null)
    message   = "Memcached has no replicas, no snapshots and no cluster mode."
    fix       = "Use valkey, or drop them."
    at        = self.engine
    related   = [self.replicas, self.backup_days]
    firm      = true
  }
  check "memcached_eviction" {
    condition = self.engine != "memcached" || self.eviction == "allkeys-lru"
    message   = "Memcached always evicts the least recently used key."
    fix       = "Leave eviction unset, or use valkey."
    at        = self.eviction
    related   = [self.engine]
    firm      = true
  }
  check "windows_apart" {
    condition = self.backup_days == 0 || self.backup_hour != self.maintenance_hour
    message   = "The snapshot and the maintenance window both start at ${self.backup_hour}:00; targets refuse windows that overlap."
    fix       = "Put them an hour apart."
    at        = self.maintenance_hour
    related   = [self.backup_hour]
    firm      = true
  }
}
