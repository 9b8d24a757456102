pattern "connection_pooling" {
  title       = "Connection pooling"
  summary     = "A pooler between the services and the database keeps a few connections open and lends them out, for a transaction each."
  attaches    = [database]
  quality     = 8
  difficulty  = 5
  performance = "High"
  when = [
    "Queries are many and short",
    "Many connections are open at once and do little",
    "Opening a connection costs more than the query",
    "The database is asked for everything",
  ]

  # The pattern document's tables; coarse heuristics, not measurements.
  metrics {
    latency      = "<500ms"
    throughput   = "100-1k RPS"
    availability = "99%"
  }

  input "pooler" {
    type    = string
    default = "managed"
    one_of  = ["managed", "pgbouncer"]
    summary = "managed: the target's own pooler, where it has one. pgbouncer: instances or pods of it."
  }
  input "instances" {
    type    = number
    default = 3
    range   = [2, 50]
    summary = "How many poolers run, where you run them: one in every zone. Never scaled by load, for their connections add up."
  }
  input "size" {
    type    = number
    default = max(1, min(floor(database.usable_connections * 8 / 10), max(40, 20 * database.cpu)))
    range   = [1, 100000]
    summary = "Connections to the database that all poolers have together for each server: 20 for a vCPU, at least 40. More would only queue in the database."
  }
  input "reserve" {
    type    = number
    default = max(0, min(ceil(self.size / 10), database.usable_connections - self.size))
    range   = [0, 10000]
    summary = "Further connections for when clients have waited too long."
  }
  input "min_size" {
    type    = number
    default = min(self.size, ceil(self.size / 4))
    range   = [0, 100000]
    summary = "Connections that stay open without work."
  }
  input "max_clients" {
    type    = number
    default = 5000
    range   = [10, 100000]
    summary = "Connections that clients can have to the poolers together."
  }
  input "mode" {
    type    = string
    default = self.session_features ? "session" : "transaction"
    one_of  = ["transaction", "session"]
    summary = "For how long a connection is lent: a transaction, or as long as the client stays. Only the first saves any."
  }
  input "session_features" {
    type    = bool
    default = false
    summary = "Whether clients use what belongs to a session: LISTEN, SET without LOCAL, advisory locks, temporary tables."
  }
  input "prepared_statements" {
    type    = number
    default = 100
    range   = [0, 10000]
    summary = "Prepared statements that the pooler remembers for each client, where it can. 0: none."
  }
  input "client_idle" {
    type = duration
    # RDS Proxy takes up to 28800 s.
    default = "15m"
    range   = ["1s", "8h"]
    summary = "When a client that says nothing is sent away."
  }
  input "server_idle" {
    type    = duration
    default = min(300, self.server_lifetime)
    range   = ["1s", "8h"]
    summary = "When an unused connection to the database is closed. Below the 350 s after which clouds forget an idle connection."
  }
  input "server_lifetime" {
    type    = duration
    default = "30m"
    range   = ["1m", "24h"]
    summary = "When a connection to the database is replaced in any case."
  }
  input "wait_timeout" {
    type    = duration
    default = max(0.1, min(10, [for s in database.clients : s.request_timeout / 2]...))
    range   = ["100ms", "5m"]
    summary = "How long a client waits for a connection before it is told that there is none: half of the time that it has itself."
  }
  input "check_after" {
    type    = duration
    default = "15s"
    range   = ["0s", "10m"]
    summary = "After how long without use a connection is tried before it is lent."
  }
  input "check_query" {
    type    = string
    default = "select 1"
    matches = "[Ss][Ee][Ll][Ee][Cc][Tt] [A-Za-z0-9_(), ]{1,60}"
    hint    = "a short query such as select 1"
    summary = "The query that it is tried with."
  }
  input "max_used" {
    type    = percent
    default = 90
    range   = [10, 100]
    summary = "Share of the connections in use from which it is told."
  }

  derived "server_connections" {
    value   = self.size + self.reserve
    summary = "Connections that one server sees at once from all poolers, at most."
  }
  derived "size_each" {
    # A rolling update of the poolers runs one more.
    value   = max(1, floor(self.size / (self.instances + 1)))
    summary = "Connections of one pooler, so that all and one more in an update stay below size."
  }
  derived "reserve_each" {
    value   = floor(self.reserve / (self.instances + 1))
    summary = "Further connections of one pooler."
  }
  derived "clients_each" {
    value   = ceil(self.max_clients / max(1, self.instances - 1))
    summary = "Client connections of one pooler, so that the others can take those of one that is lost."
  }
  derived "size_percent" {
    value   = max(1, min(100, ceil(100 * self.server_connections / database.max_connections)))
    summary = "The poolers' share of the server's connections, in percent."
  }
  derived "min_percent" {
    value   = min(self.size_percent, max(0, ceil(100 * self.min_size / database.max_connections)))
    summary = "The share that stays open without work, in percent."
  }

  point "pool_size" { summary = "The pool is as large as the database can work, not as clients would like." }
  point "idle_timeout" { summary = "Who says nothing for long is sent away, on both sides." }
  point "utilisation" { summary = "How much of the pool is lent and how long clients wait is measured." }
  point "max_connections" { summary = "The database's own limit is set, and the pool stays below it." }
  point "validation" { summary = "A connection that has lain idle is tried before it is lent." }

  # POOL-002
  check "server_side" {
    condition = self.server_connections <= database.usable_connections
    message   = "The poolers can open ${self.size} connections and ${self.reserve} more, but ${database.name} has ${database.usable_connections} for them (${database.max_connections} less ${database.reserved_connections} reserved)."
    fix       = "Lower size to ${database.usable_connections - self.reserve} or leave it unset."
    at        = self.size
    related   = [self.reserve, database.max_connections, database.reserved_connections]
  }
  check "one_each" {
    condition = self.size > self.instances || self.pooler == "managed"
    message   = "${self.size} connections are shared by ${self.instances} poolers and one more in an update: less than one for each."
    fix       = "Raise size, or run fewer poolers."
    at        = self.size
    related   = [self.instances]
    firm      = true
  }
  # POOL-004
  check "leaves_a_reserve" {
    condition = self.size_percent <= 90 || self.server_connections > database.usable_connections
    message   = "The poolers take ${self.size_percent} % of all connections: too few are left for migrations and for a failover."
    fix       = "Lower size."
    at        = self.size
    related   = [database.max_connections]
  }
  # POOL-005
  check "pool_bounds" {
    condition = self.min_size <= self.size
    message   = "min_size is ${self.min_size}, the pool holds ${self.size}."
    fix       = "Lower min_size to ${self.size} or less."
    at        = self.min_size
    related   = [self.size]
  }
  check "server_idle" {
    condition = self.server_idle < 350 && self.server_idle <= self.server_lifetime
    message   = "Idle connections to the database are kept for ${span(self.server_idle)}, but ${self.server_idle >= 350 ? "clouds forget a silent one after 350s" : "every connection is replaced after ${span(self.server_lifetime)}"}."
    fix       = "Set server_idle to ${span(min(300, self.server_lifetime))} or less."
    at        = self.server_idle
    related   = [self.server_lifetime]
  }
  check "client_idle" {
    condition = alltrue([for s in database.clients : s.pool_idle < self.client_idle])
    message   = "The pooler sends clients away after ${span(self.client_idle)}, but these keep their side open as long: ${join(", ", [for s in database.clients : "${s.name} ${span(s.pool_idle)}" if s.pool_idle >= self.client_idle])}. Their next query meets a closed connection."
    fix       = "Raise client_idle above the clients' pool_idle."
    at        = self.client_idle
    related   = [for s in database.clients : s.pool_idle]
  }
  check "wait_timeout" {
    condition = alltrue([for s in database.clients : self.wait_timeout < s.request_timeout])
    message   = "A client may wait ${span(self.wait_timeout)} for a connection, longer than these have for the whole request: ${join(", ", [for s in database.clients : "${s.name} ${span(s.request_timeout)}" if self.wait_timeout >= s.request_timeout])}."
    fix       = "Lower wait_timeout, so that they get an error that they can act on."
    at        = self.wait_timeout
    related   = [for s in database.clients : s.request_timeout]
  }
  # POOL-006
  check "session_features" {
    condition = self.mode == "session" || !self.session_features
    message   = "Clients use what belongs to a session, but get another connection for every transaction: locks and settings end up with strangers."
    fix       = "Set mode = \"session\", or drop the features."
    at        = self.mode
    related   = [self.session_features]
  }
  check "pgbouncer_speaks_postgres" {
    condition = self.pooler == "managed" || database.engine == "postgres"
    message   = "PgBouncer speaks Postgres only, and ${database.name} is ${database.engine}."
    fix       = "Set pooler = \"managed\"."
    at        = self.pooler
    related   = [database.engine]
    firm      = true
  }
}
