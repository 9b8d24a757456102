component "database" {
  title   = "Database"
  plural  = "databases"
  summary = "One relational database."

  input "engine" {
    type    = string
    default = "postgres"
    one_of  = ["postgres", "mysql"]
    summary = "Which database it is."
  }
  input "version" {
    type    = string
    default = self.engine == "postgres" ? "17" : "8.4"
    matches = "[0-9]{1,2}(?:\\.[0-9]{1,2})?"
    hint    = "a major version such as 17, or 8.4 for MySQL"
    summary = "The major version. Minor ones are applied in the maintenance window."
  }
  input "flavour" {
    type    = string
    default = "server"
    one_of  = ["server", "cluster"]
    summary = "server: one machine with a standby. cluster: a writer and readers that share their storage (Aurora, AlloyDB), where the target has it."
  }
  input "cpu" {
    type    = number
    default = 2
    range   = [1, 192]
    summary = "vCPUs of each server."
  }
  input "memory" {
    type    = bytes
    default = "16GiB"
    range   = ["1GiB", "1536GiB"]
    summary = "Memory of each server. 8 GiB for a vCPU: data that is read often should stay in it."
  }
  input "machine" {
    type    = map(string)
    default = {}
    matches = "[A-Za-z0-9][A-Za-z0-9.-]{1,40}"
    hint    = "{ aws = \"db.r7g.large\" }"
    summary = "The machine type by target, for where the smallest fit for cpu and memory is not what you want."
  }
  input "storage" {
    type    = bytes
    default = "100GiB"
    range   = ["20GiB", "64TiB"]
    summary = "Disk space at the start."
  }
  input "max_storage" {
    type    = bytes
    default = min(5 * self.storage, 70368744177664)
    range   = ["20GiB", "64TiB"]
    summary = "To where the disk may grow by itself. It never shrinks again."
  }
  input "zones" {
    type    = number
    default = 2
    range   = [1, 3]
    summary = "Over how many zones its servers stand. From two on a standby takes over when one is lost."
  }
  input "backup_days" {
    type    = number
    default = 14
    range   = [0, 35]
    summary = "For how many days it can be put back to any second. 0 turns backups off."
  }
  input "deletion_protection" {
    type    = bool
    default = true
    summary = "Whether deleting it takes two deliberate steps."
  }
  input "backup_hour" {
    type    = number
    default = 1
    range   = [0, 23]
    summary = "The hour (UTC) of the daily backup."
  }
  input "maintenance_day" {
    type    = string
    default = "sunday"
    one_of  = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    summary = "The day on which it may be patched and restarted."
  }
  input "maintenance_hour" {
    type    = number
    default = 3
    range   = [0, 23]
    summary = "The hour (UTC) at which it may be patched and restarted."
  }
  input "database_name" {
    type    = string
    default = replace(self.name, "-", "_")
    matches = "[a-z][a-z0-9_]{0,62}"
    hint    = "lower case letters, digits and underscores"
    summary = "The name of the database in the server."
  }
  input "admin" {
    type    = string
    default = "dbadmin"
    matches = "[a-z][a-z0-9_]{0,15}"
    hint    = "at most 16 lower case letters, digits and underscores"
    summary = "The name of the administrator. The password is made and kept by the target."
  }
  input "max_connections" {
    type = number
    # POOL-003. The formula that RDS uses by default, LEAST({DBInstanceClassMemory/9531392}, 5000) for PostgreSQL and
    # {DBInstanceClassMemory/12582880} for MySQL (Amazon RDS user guide, "Maximum number of database connections"). Packs
    # write the number into the server's parameters, so that it is the same on every target.
    default = self.engine == "postgres" ? min(floor(self.memory / 9531392), 5000) : min(floor(self.memory / 12582880), 16000)
    range   = [14, 262143]
    summary = "How many connections a server takes, from its memory: about 9 MiB each for Postgres, 12 MiB for MySQL."
  }
  input "reserved_connections" {
    type    = number
    default = max(10, ceil(self.max_connections / 10))
    range   = [3, 1000]
    summary = "Connections kept free for administration, migrations, replication and failover: a tenth."
  }
  input "statement_timeout" {
    type    = duration
    default = "30s"
    range   = ["100ms", "24h"]
    summary = "When the server ends a statement that its client has long given up."
  }
  input "idle_transaction_timeout" {
    type    = duration
    default = "60s"
    range   = ["1s", "24h"]
    summary = "When the server cuts a transaction that does nothing and holds its locks."
  }
  input "availability" {
    type    = percent
    default = self.zones > 1 ? 99.9 : 99
    range   = [90, 99.999]
    summary = "The share of time that it has to answer."
  }

  derived "port" {
    value   = self.engine == "postgres" ? 5432 : 3306
    summary = "The port that it listens on."
  }
  derived "multi_zone" {
    value   = self.zones > 1
    summary = "Whether a standby in another zone takes over."
  }
  derived "clients" {
    value   = [for r in self.referrers : r if r.kind == "service"]
    summary = "The services that need it."
  }
  derived "pooler" {
    value   = self.connection_pooling
    summary = "The pattern that pools its connections, null if none does."
  }
  derived "readers" {
    value   = self.read_replicas == null ? 0 : self.read_replicas.most
    summary = "The most servers that only read."
  }
  derived "shards" {
    value   = self.database_sharding == null ? 1 : self.database_sharding.shards
    summary = "Over how many databases the rows are spread."
  }
  derived "usable_connections" {
    value   = self.max_connections - self.reserved_connections
    summary = "Connections that services can have on one server."
  }
  derived "client_limit" {
    value   = self.pooler == null ? self.usable_connections : self.pooler.max_clients
    summary = "Connections that services can have together: to the server, or to the pooler in front of it."
  }
  derived "peak_pools" {
    value   = sum([for s in self.clients : s.peak_pools])
    summary = "Connection pools that are open at once when every client is at its largest and rolling out."
  }
  derived "share" {
    # SHARD-002: a client opens its pool on every shard, and every shard has a limit of its own, so the share does not
    # shrink with the shards.
    value   = min(20, floor(self.client_limit / max(1, self.peak_pools)))
    summary = "Connections that one pool can have without asking for more than there are; at most 20, for more than a few for each core only queue in the server."
  }
  derived "client_connections" {
    value   = sum([for s in self.clients : s.peak_connections])
    summary = "Connections that all clients have open at once, at most."
  }
  derived "peak_connections" {
    value   = self.pooler == null ? self.client_connections : self.pooler.server_connections
    summary = "Connections that one server sees at once, at most."
  }
  derived "ledger" {
    value = [for s in self.clients : {
      service     = s.name
      instances   = s.max_instances
      rollout     = s.rollout_copies
      processes   = s.processes
      pool        = s.pool
      connections = s.peak_connections
    }]
    summary = "Who holds how many connections: instances × rollout × processes × pool."
  }
  derived "ledger_text" {
    value   = join("; ", [for s in self.clients : "${s.name} ${s.max_instances} × ${s.rollout_copies} (rollout) × ${s.processes} × pool ${s.pool} = ${s.peak_connections}"])
    summary = "The ledger as one line."
  }

  # POOL-001
  check "connections" {
    condition = self.pooler != null || self.client_connections <= self.usable_connections
    message   = "The clients of ${self.name} can open ${self.client_connections} connections, but it has ${self.usable_connections} for them (${self.max_connections} less ${self.reserved_connections} reserved): ${self.ledger_text}."
    fix       = self.share >= 1 ? "Leave pool unset (its share would be ${self.share}), lower a client's max, or put connection_pooling in front." : "Put connection_pooling in front: even one connection for each process is too many."
    at        = self.max_connections
    related   = concat([for s in self.clients : s.pool], [for s in self.clients : s.autoscaler == null ? s.replicas : s.autoscaler.max])
  }
  # POOL-002
  check "pooler_clients" {
    condition = self.pooler == null ? true : self.client_connections <= self.pooler.max_clients
    message   = "The clients of ${self.name} can open ${self.client_connections} connections, but its pooler takes ${self.pooler == null ? 0 : self.pooler.max_clients}: ${self.ledger_text}."
    fix       = "Raise max_clients of the pooler, or lower a client's pool."
    at        = self.pooler == null ? self.max_connections : self.pooler.max_clients
    related   = [for s in self.clients : s.pool]
  }
  # POOL-003
  check "connections_fit_memory" {
    condition = self.max_connections <= self.memory / (self.engine == "postgres" ? 9531392 : 12582880) + 1
    message   = "${self.max_connections} connections want about ${ceil(gib(self.max_connections * (self.engine == "postgres" ? 9531392 : 12582880)))} GiB, ${self.name} has ${floor(gib(self.memory))} GiB of memory."
    fix       = "Leave max_connections to be derived, give it more memory, or put connection_pooling in front."
    at        = self.max_connections
    related   = [self.memory]
    severity  = "warning"
  }
  # POOL-004
  check "reserve" {
    condition = self.reserved_connections < self.max_connections / 2
    message   = "${self.reserved_connections} of ${self.max_connections} connections are reserved: nothing much is left for services."
    fix       = "Reserve a tenth."
    at        = self.reserved_connections
    related   = [self.max_connections]
  }
  # AVAIL-006
  check "standby" {
    condition = self.availability < 99.9 || self.zones > 1
    message   = "${self.availability} % cannot be had from a server in a single zone."
    fix       = "Set zones = 2, or state a lower availability."
    at        = self.zones
    related   = [self.availability]
  }
  check "backups" {
    condition = self.availability < 99.9 || self.backup_days > 0
    message   = "${self.name} is to be there ${self.availability} % of the time and has no backups."
    fix       = "Set backup_days to 7 or more."
    at        = self.backup_days
    related   = [self.availability]
  }
  check "storage_grows" {
    condition = self.max_storage >= 1.1 * self.storage || self.max_storage == self.storage
    message   = "The disk may grow from ${quantity(self.storage)}B to ${quantity(self.max_storage)}B: less than a tenth is not worth a resize and is refused."
    fix       = "Raise max_storage, or set it to storage to keep the disk as it is."
    at        = self.max_storage
    related   = [self.storage]
    firm      = true
  }
  check "windows_apart" {
    condition = self.backup_hour != self.maintenance_hour
    message   = "The backup and the maintenance window both start at ${self.backup_hour}:00."
    fix       = "Put them an hour apart."
    at        = self.maintenance_hour
    related   = [self.backup_hour]
    firm      = true
  }
  # TIME-003: the server must not go on with what nobody waits for.
  check "statement_timeout" {
    condition = self.statement_timeout <= 10 * max(30, [for s in self.clients : s.request_timeout]...)
    message   = "A statement may run for ${span(self.statement_timeout)}, long after every client has given up: abandoned statements pile up."
    fix       = "Lower statement_timeout; let reports set a longer one for themselves."
    at        = self.statement_timeout
    related   = [for s in self.clients : s.request_timeout]
    severity  = "warning"
  }
}
