template "database" {
  for  = database
  file = "database_${database.name}.tf"

  ignores = {
    admin = "There is no administrator with a password: programs log in as their accounts."
  }

  check "version" {
    condition = let.spanner || contains(database.engine == "postgres" ? ["13", "14", "15", "16", "17", "18"] : ["8.0", "8.4"], database.version)
    message   = "Cloud SQL has no ${database.engine == "postgres" ? "PostgreSQL" : "MySQL"} ${database.version}."
    fix       = database.engine == "postgres" ? "Set version to one from \"13\" to \"18\"." : "Set version to \"8.0\" or \"8.4\"."
    at        = database.version
    related   = [database.engine]
  }
  check "tier" {
    condition = let.spanner || let.machine != "" || length(let.fitting) > 0
    message   = "No tier of Cloud SQL ${let.edition_name} has ${database.cpu} vCPUs and ${ceil(gib(database.memory))} GiB."
    fix       = "Make ${database.name} smaller; with database_sharding there can be several."
    at        = database.cpu
    related   = [database.memory]
  }
  check "tier_of_edition" {
    condition = let.machine == "" || let.plus == let.plus_machine
    message   = let.plus ? "${database.name} has what only Enterprise Plus has (${join(", ", let.needs_plus)}), and ${let.machine} is a tier of Enterprise." : "${let.machine} is a tier of Enterprise Plus."
    fix       = "Name a db-perf-optimized tier for gcp in machine, or none."
    at        = database.machine
    related   = [database.flavour]
  }
  check "custom_tier" {
    # One vCPU or an even number up to 96, 0.9 to 6.5 GiB for each, in steps of 256 MiB.
    condition = length(let.custom) == 0 ? true : (
      (tonumber(let.custom[0]) == 1 || tonumber(let.custom[0]) % 2 == 0) && tonumber(let.custom[0]) <= 96 &&
      tonumber(let.custom[1]) % 256 == 0 && tonumber(let.custom[1]) >= max(3840, 921.6 * tonumber(let.custom[0])) && tonumber(let.custom[1]) <= 6656 * tonumber(let.custom[0])
    )
    message = "Cloud SQL has no ${let.machine}: a custom tier has one vCPU or an even number up to 96, 0.9 to 6.5 GiB for each, in steps of 256 MiB, and at least 3840 MiB."
    fix     = "Name another tier for gcp in machine, or none."
    at      = database.machine
  }
  check "standby_needs_backups" {
    condition = database.zones == 1 || database.backup_days > 0
    message   = "A standby is made and kept from backups and the log of changes, and ${database.name} keeps none."
    fix       = "Set backup_days to 7 or more, or zones to 1."
    at        = database.backup_days
    related   = [database.zones]
  }
  check "pooled_shards" {
    condition = database.database_sharding == null || database.pooler == null
    message   = "${database.name} is in shards, and a pooler stands before one server."
    fix       = "Leave connection_pooling out: each program opens its pool on each shard, and max_connections is counted for that."
    at        = database.pooler
    related   = [database.database_sharding]
  }
  check "readers_of_shards" {
    condition = database.database_sharding == null || database.read_replicas == null
    message   = "${database.name} is in shards, which have standbys, but no readers."
    fix       = "Leave read_replicas out, or add shards."
    at        = database.read_replicas
    related   = [database.database_sharding]
  }
}

let {
  # The suffixes of replicas, shards and poolers need some of what a name may have.
  name = shortname("${let.prefix}-${database.name}", 40)

  # With the instances that groups over zones add in an update, beyond those that pools are counted for.
  most_connections = database.client_connections + sum(concat([0], [for s in database.clients : s.runs_on == null ? s.let.surplus * s.processes * s.pool : 0]))

  spanner = database.database_sharding == null ? false : database.database_sharding.by == "managed"
  # Who pools: Cloud SQL itself, or PgBouncer where its settings are wanted.
  pooled = (
    database.pooler == null || database.database_sharding != null ? "none" :
    database.engine == "mysql" ? "managed" :
    database.pooler.pooler == "pgbouncer" || database.database_connection_pooling != null ? "pgbouncer" : "managed"
  )
  pool_user = let.pooled == "managed" && database.engine == "postgres" # Cloud SQL's pooler for Postgres knows no tokens of IAM
  # How it reads: servers with names of their own, or a pool of them behind one address.
  read_pool = database.read_replicas == null || database.database_sharding != null ? false : database.flavour == "cluster" || database.read_replicas.grows
  replicas  = database.read_replicas != null && !let.read_pool && database.database_sharding == null
  far       = database.read_replicas == null || database.database_sharding != null ? "" : database.read_replicas.other_region == null ? "" : database.read_replicas.other_region

  machine      = lookup(database.machine, "gcp", "")
  custom       = can(regex("^db-custom-[0-9]+-[0-9]+$", let.machine)) ? slice(split("-", let.machine), 2, 4) : []
  plus_machine = startswith(let.machine, "db-perf-optimized-") || startswith(let.machine, "db-c4a-")
  needs_plus = concat(
    database.flavour == "cluster" ? ["flavour = \"cluster\""] : [],
    let.pooled == "managed" ? ["managed connection pooling"] : [],
    let.read_pool && database.flavour != "cluster" ? ["readers that follow the load"] : [],
    let.far != "" ? ["a copy in another region"] : [],
    let.machine == "" && length([for row in table.sql_tiers : row if row.enterprise == 1 && row.vcpu >= database.cpu && row.memory_gib >= gib(database.memory)]) == 0 ? ["its size"] : [],
  )
  plus         = length(let.needs_plus) > 0 || let.plus_machine
  edition      = let.plus ? "ENTERPRISE_PLUS" : "ENTERPRISE"
  edition_name = let.plus ? "Enterprise Plus" : "Enterprise"
  fitting      = [for row in table.sql_tiers : row if row.vcpu >= database.cpu && row.memory_gib >= gib(database.memory) && (let.plus ? row.plus : row.enterprise) == 1]
  tier         = let.machine != "" ? let.machine : let.spanner || length(let.fitting) == 0 ? "" : let.fitting[0].tier
  disk         = startswith(let.machine, "db-c4a-") ? "HYPERDISK_BALANCED" : "PD_SSD"
  version      = "${upper(database.engine)}_${replace(database.version, ".", "_")}"

  # Enterprise keeps the log of changes for a week, Enterprise Plus for up to five.
  log_days    = min(let.plus ? 35 : 7, database.backup_days)
  window_days = { monday = 1, tuesday = 2, wednesday = 3, thursday = 4, friday = 5, saturday = 6, sunday = 7 }
  window_day  = let.window_days[database.vertical_scaling == null ? database.maintenance_day : database.vertical_scaling.window_day]
  window_hour = database.vertical_scaling == null ? database.maintenance_hour : database.vertical_scaling.window_hour

  # Where leaks are hunted, a transaction that does nothing is cut earlier.
  full_pool        = database.database_connection_pooling != null
  idle_transaction = let.full_pool ? database.database_connection_pooling.leak_after : database.idle_transaction_timeout
  keepalive        = let.full_pool ? database.database_connection_pooling.keepalive : 60
  logs_visits      = let.full_pool ? database.database_connection_pooling.log_connections : false

  flags = merge(
    database.engine == "postgres" ? {
      "cloudsql.iam_authentication"       = "on"
      max_connections                     = tostring(database.max_connections)
      statement_timeout                   = tostring(1000 * database.statement_timeout)
      idle_in_transaction_session_timeout = tostring(1000 * let.idle_transaction)
      log_min_duration_statement          = "1000"
      } : {
      cloudsql_iam_authentication = "on"
      max_connections             = tostring(let.pooled == "managed" ? max(database.max_connections, database.pooler.max_clients + database.reserved_connections) : database.max_connections)
      max_execution_time          = tostring(1000 * database.statement_timeout)
      innodb_lock_wait_timeout    = tostring(ceil(database.idle_transaction_timeout))
      slow_query_log              = "on"
      long_query_time             = "1"
      log_output                  = "FILE"
    },
    database.engine == "postgres" && (let.pooled != "none") ? {
      tcp_keepalives_idle     = tostring(ceil(let.keepalive))
      tcp_keepalives_interval = "10"
      tcp_keepalives_count    = "3"
    } : {},
    database.engine == "postgres" && let.logs_visits ? { log_connections = "on", log_disconnections = "on" } : {},
    database.engine == "postgres" && database.database_sharding != null ? { "cloudsql.logical_decoding" = "on" } : {},
    database.engine == "postgres" && database.read_replicas != null && database.database_sharding == null ? {
      hot_standby_feedback        = "on"
      max_standby_streaming_delay = tostring(1000 * database.read_replicas.conflict_wait)
    } : {},
  )

  budget = database.vertical_scaling == null ? null : database.vertical_scaling.monthly_budget

  # Clients by account. PgBouncer logs in for its clients.
  clients      = database.clients[*].name
  on_instances = [for s in database.clients : s.name if s.runs_on == null]
  in_clusters  = distinct([for s in database.clients : s.runs_on.name if s.runs_on != null])
  # Cloud SQL's pooler for Postgres listens beside the server, the one for MySQL is part of it.
  port = let.pooled == "managed" && database.engine == "postgres" ? 6432 : database.port
}
