template "cache" {
  for  = cache
  file = "cache_${cache.name}.tf"

  check "node" {
    condition = lookup(cache.machine, "aws", "") != "" || can(fit(table.cache_nodes, { memory_gib = gib(cache.node_memory) / let.spread }))
    message   = "ElastiCache has no node for ${cache.name} with ${ceil(gib(cache.node_memory) / let.spread)} GiB."
    fix       = "Name redis_cluster, whose shards share the keys, or raise its shards."
    at        = cache.memory
  }
  check "node_holds" {
    condition = alltrue([for row in table.cache_nodes : row.memory_gib >= gib(cache.node_memory) / let.spread if row.node == lookup(cache.machine, "aws", "")])
    message   = "A node of ${cache.name} has to hold ${ceil(100 * gib(cache.node_memory) / let.spread) / 100} GiB with what is kept free: ${join("", [for row in table.cache_nodes : "${row.node} has ${row.memory_gib}" if row.node == lookup(cache.machine, "aws", "")])}."
    fix       = "Lower memory, or leave machine unset."
    at        = cache.machine
    related   = [cache.memory]
  }
}

let {
  # A replication group's id has at most 40 characters.
  name    = shortname("${let.prefix}-${cache.name}", 40)
  machine = lookup(cache.machine, "aws", "")

  # Memcached has no copies: what one zone takes with it is kept small by spreading the keys over all of them.
  spread = cache.engine == "memcached" ? cache.zones : 1
  node = let.machine != "" ? let.machine : fit(table.cache_nodes, {
    memory_gib = gib(cache.node_memory) / let.spread
    steady     = cache.redis_cluster == null ? 0 : 1
  }).node

  version = lookup({ valkey7 = "7.2", valkey8 = "8.0", redis6 = "6.2", redis7 = "7.1", "memcached1.6" = "1.6.22" }, "${cache.engine}${cache.version}", cache.version)
  major   = split(".", cache.version)[0]
  family  = cache.engine == "memcached" ? "memcached1.6" : "${cache.engine}${let.major}" == "redis6" ? "redis6.x" : "${cache.engine}${let.major}"

  snapshot_window    = format("%02d:00-%02d:00", cache.backup_hour, (cache.backup_hour + 1) % 24)
  days               = { monday = "tue", tuesday = "wed", wednesday = "thu", thursday = "fri", friday = "sat", saturday = "sun", sunday = "mon" }
  maintenance_window = format("%s:%02d:00-%s:%02d:00", substr(cache.maintenance_day, 0, 3), cache.maintenance_hour, cache.maintenance_hour == 23 ? let.days[cache.maintenance_day] : substr(cache.maintenance_day, 0, 3), (cache.maintenance_hour + 1) % 24)

  backup_days = cache.redis_cluster == null ? cache.backup_days : cache.redis_cluster.backup_days
  grows       = cache.redis_cluster == null ? false : cache.redis_cluster.grows

  # Somebody wants to hear of changes: the cache's own clients, or a service that keeps copies in further layers.
  announced = anytrue(concat(
    [cache.in_memory_caching == null ? false : cache.in_memory_caching.invalidation == "events"],
    [for s in cache.clients : s.multi_layer_caching == null ? false : s.multi_layer_caching.cache.name == cache.name],
  ))

  # Pods have the network identity of their cluster's nodes.
  callers = distinct([for s in cache.clients : s.runs_on == null ? s.name : s.runs_on.name])

  # ElastiCache names the nodes itself.
  nodes = cache.redis_cluster == null ? [
    for n in range(1 + cache.replicas) : format("%s-%03d", let.name, n + 1)
    ] : flatten([
      for s in range(cache.shards) : [for n in range(1 + cache.replica_count) : format("%s-%04d-%03d", let.name, s + 1, n + 1)]
  ])
}

# Who may reach the cache: its clients, and nobody else.
resource "aws_security_group" "this" {
  name_prefix = "${let.name}-"
  description = "Clients reach ${cache.name} here"
  vpc_id      = local.vpc_id

  tags = {
    Name = let.name
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "this_from_clients" {
  when     = length(let.callers) > 0
  for_each = { for c in let.callers : c => aws_security_group[c].id }

  security_group_id            = aws_security_group.this.id
  description                  = "From ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = cache.port
  to_port                      = cache.port
}
