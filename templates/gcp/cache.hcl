template "cache" {
  for  = cache
  file = "cache_${cache.name}.tf"

  # The password of Memorystore for Redis would be in the state; in a cluster it has IAM instead.
  check "redis" {
    condition = cache.engine != "redis" || cache.redis_cluster != null
    message   = "A single Redis on Google Cloud has a password that Terraform keeps in its state. ${cache.name} becomes Valkey, which speaks the same and knows clients by IAM."
    fix       = "Set engine = \"valkey\", or give it redis_cluster."
    at        = cache.engine
    severity  = "warning"
  }
  check "version" {
    condition = contains(keys(let.versions), "${let.kind}${let.major}")
    message   = "Google Cloud has no ${cache.engine} ${cache.version}."
    fix       = "Leave version unset."
    at        = cache.version
    related   = [cache.engine]
  }
  check "node" {
    condition = let.kind == "memcached" || let.machine != "" || length(let.fitting) > 0
    message   = "No node of Memorystore holds ${ceil(gib(cache.node_data))} GiB: the largest takes 43 GiB of keys."
    fix       = "Spread ${cache.name} over more shards with redis_cluster."
    at        = cache.memory
    related   = [cache.reserve]
  }
  check "known_node" {
    condition = let.kind == "memcached" || let.machine == "" || (let.kind == "redis" ? contains([for row in table.cache_nodes : row.node], let.machine) : can(regex("^(?:SHARED_CORE_NANO|(?:STANDARD|HIGHMEM|HIGHCPU)_[0-9A-Z]+|CUSTOM_[0-9A-Z_]+)$", let.machine)))
    message   = "Memorystore has no node type ${let.machine}."
    fix       = "Name one such as HIGHMEM_MEDIUM, without REDIS_ before it."
    at        = cache.machine
  }
  check "memcached_size" {
    condition = let.kind != "memcached" || gib(cache.node_memory) / let.spread <= 200
    message   = "A node of Memcached in each of ${let.spread} zones would have ${ceil(gib(cache.node_memory) / let.spread)} GiB, more than 200."
    fix       = "Spread ${cache.name} over more zones, or use valkey with redis_cluster."
    at        = cache.memory
    related   = [cache.zones, cache.reserve]
  }
  check "zones" {
    condition = cache.zones <= target.zones
    message   = "${cache.name} is to stand in ${cache.zones} zones, but the target has ${target.zones}."
    fix       = "Lower zones, or give the target more."
    at        = cache.zones
    related   = [target.zones]
  }
}

let {
  kind = cache.engine == "memcached" ? "memcached" : cache.engine == "redis" && cache.redis_cluster != null ? "redis" : "valkey"
  name = shortname("${let.prefix}-${cache.name}", let.kind == "memcached" ? 40 : 50) # the suffixes of parameters and subscriptions need some of 63
  mode = cache.redis_cluster == null ? "CLUSTER_DISABLED" : "CLUSTER"

  # Memcached has no copies: what one zone takes with it is kept small by spreading the keys over all of them.
  spread  = cache.engine == "memcached" ? cache.zones : 1
  machine = lookup(cache.machine, "gcp", "")
  fitting = [
    for row in table.cache_nodes : row
    if row.memory_gib >= gib(cache.node_memory) && row.data_gib >= gib(cache.node_data) && (row.steady == 1 || (cache.availability < 99.9 && cache.redis_cluster == null))
  ]
  node = let.machine != "" ? let.machine : let.kind == "memcached" || length(let.fitting) == 0 ? "" : let.fitting[0].node
  # Memcached: 1 to 6.5 GiB for each vCPU, of which there is one or an even number.
  node_mib  = ceil(mib(cache.node_memory) / let.spread / 1024) * 1024
  node_cpus = let.node_mib <= 6144 ? 1 : 2 * ceil(let.node_mib / 13312)

  # Valkey 7.2 is what Redis 7.2 has become. Redis in a cluster has one version, which Google chooses.
  major    = split(".", cache.version)[0]
  versions = { valkey7 = "VALKEY_7_2", valkey8 = "VALKEY_8_0", valkey9 = "VALKEY_9_0", redis7 = "", memcached1 = "MEMCACHE_1_6_15" }
  version  = lookup(let.versions, "${let.kind}${let.major}", "")

  backup_days = cache.redis_cluster == null ? cache.backup_days : cache.redis_cluster.backup_days
  persistence = cache.redis_cluster != null ? cache.redis_cluster.persistence : cache.holds == "cache" ? "none" : "log"

  # How long Memorystore takes from one picture to the next: one of four lengths.
  every    = cache.redis_cluster == null ? 21600 : cache.redis_cluster.backup_every
  pictures = let.every <= 3600 ? "ONE_HOUR" : let.every <= 21600 ? "SIX_HOURS" : let.every <= 43200 ? "TWELVE_HOURS" : "TWENTY_FOUR_HOURS"

  # Somebody wants to hear of changes: the cache's own clients, or a service that keeps copies in further layers.
  announced = anytrue(concat(
    [cache.in_memory_caching == null ? false : cache.in_memory_caching.invalidation == "events"],
    [for s in cache.clients : s.multi_layer_caching == null ? false : s.multi_layer_caching.cache == null ? false : s.multi_layer_caching.cache.name == cache.name],
  ))
  settings = merge(
    { maxmemory-policy = cache.eviction },
    let.announced ? { notify-keyspace-events = "Exe" } : {},
    let.kind == "valkey" ? { maxmemory-clients = "10%" } : {},
  )

  clients    = cache.clients[*].name
  front      = cache.redis_cluster == null ? "CONNECTION_TYPE_PRIMARY" : "CONNECTION_TYPE_DISCOVERY"
  port       = cache.port
  has_reader = let.kind == "valkey" && cache.redis_cluster == null && cache.replicas > 0
}
