pattern "database_connection_pooling" {
  title       = "Database connection pooling"
  summary     = "Pooling worked out in full: a size from the workload, tried connections, timeouts on every level and a hunt for connections that are never given back."
  attaches    = [database]
  extends     = "connection_pooling"
  quality     = 8
  difficulty  = 6
  performance = "High"
  when = [
    "Very many requests are at work at once",
    "Many connections are open at once",
    "The database's memory and processors should serve queries, not connections",
    "The number of connections is limited, and the limit is near",
  ]

  # The pattern document's tables; coarse heuristics, not measurements.
  metrics {
    latency      = "<500ms"
    throughput   = "100-1k RPS"
    availability = "99%"
  }

  input "size" {
    type    = number
    default = max(1, min(floor(database.usable_connections * 8 / 10), max(40, 20 * database.cpu, ceil(self.busy * 3 / 2))))
    range   = [1, 100000]
    summary = "Connections to the database that all poolers have together for each server: half as much again as are busy at the stated peak, and no less than 20 for a vCPU."
  }
  input "wait_timeout" {
    type    = duration
    default = max(0.1, min(5, [for s in database.clients : s.request_timeout / 2]...))
    range   = ["100ms", "5m"]
    summary = "How long a client waits for a connection before it is told that there is none: half of the time that it has itself."
  }
  input "transaction_time" {
    type    = duration
    default = "20ms"
    range   = ["1ms", "1h"]
    summary = "How long a usual transaction takes."
  }
  input "leak_after" {
    type    = duration
    default = "30s"
    range   = ["1s", "1h"]
    summary = "When a transaction that does nothing is cut: its client has most likely lost it."
  }
  input "log_connections" {
    type    = bool
    default = true
    summary = "Whether the database writes down who comes and goes."
  }
  input "keepalive" {
    type    = duration
    default = "60s"
    range   = ["1s", "1h"]
    summary = "After how long of silence the other end is asked whether it is still there."
  }
  input "pool_readers" {
    type    = bool
    default = database.read_replicas != null
    summary = "Whether the servers that only read get a pooler too."
  }

  derived "busy" {
    value   = sum([for s in database.clients : (s.peak_rps == null ? 0 : s.peak_rps) * self.transaction_time])
    summary = "Connections that are busy at once at the stated peaks: requests per second times the time of a transaction."
  }

  point "workload_size" { summary = "The size follows from how many transactions are at work at the peak." }
  point "validation" { summary = "Connections are tried before they are lent, and dead ends are noticed." }
  point "utilisation" { summary = "Lent connections, waiting clients and their wait are measured." }
  point "timeouts" { summary = "Waiting, statements and idle transactions end in that order." }
  point "leaks" { summary = "A connection that is never given back is cut, and its owner named." }

  check "enough_for_the_peak" {
    condition = self.size >= self.busy
    message   = "At the stated peaks ${ceil(self.busy)} transactions of ${span(self.transaction_time)} are at work at once, and the pool holds ${self.size}: the queue never ends."
    fix       = "Raise size to ${ceil(self.busy * 3 / 2)}, or make the transactions shorter."
    at        = self.size
    related   = concat([self.transaction_time], [for s in database.clients : s.peak_rps])
  }
  check "leak_before_idle" {
    condition = self.leak_after <= database.idle_transaction_timeout
    message   = "The pooler cuts an idle transaction after ${span(self.leak_after)}, the database after ${span(database.idle_transaction_timeout)}: the pooler never gets to it."
    fix       = "Lower leak_after."
    at        = self.leak_after
    related   = [database.idle_transaction_timeout]
  }
  check "statement_before_lifetime" {
    condition = database.statement_timeout < self.server_lifetime
    message   = "A statement may run for ${span(database.statement_timeout)}, but its connection lives for ${span(self.server_lifetime)}."
    fix       = "Lower statement_timeout."
    at        = database.statement_timeout
    related   = [self.server_lifetime]
  }
  check "readers_exist" {
    condition = !self.pool_readers || database.read_replicas != null
    message   = "${database.name} has no servers that only read."
    fix       = "Add read_replicas, or set pool_readers = false."
    at        = self.pool_readers
    firm      = true
  }
}
