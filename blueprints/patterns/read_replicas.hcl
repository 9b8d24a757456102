pattern "read_replicas" {
  title       = "Read replicas"
  summary     = "Copies of the database answer what only reads, so that the original has time to write."
  attaches    = [database]
  quality     = 8
  difficulty  = 6
  performance = "High"
  when = [
    "Much more is read than written",
    "Queries take most of the database's time",
    "The program can tell reading from writing",
    "Readers are far away from each other",
  ]
  suits = ["reads", "worldwide"]

  # The pattern document's tables; coarse heuristics, not measurements.
  metrics {
    latency      = "<1s"
    availability = "99%"
  }

  input "count" {
    type    = number
    default = 2
    range   = [1, 15]
    summary = "How many servers only read. Two, so that one can be lost."
  }
  input "names" {
    type    = list(string)
    default = [for n in range(self.count) : tostring(n + 1)]
    matches = "[a-z0-9](?:[a-z0-9-]{0,14}[a-z0-9])?"
    hint    = "up to 16 lower case letters, digits and hyphens"
    length  = [1, 15]
    summary = "What the readers are called, where the target lets them have names: 1, 2, 3 … Name those that stay to take one out of the middle."
  }
  input "max" {
    type    = number
    default = self.count
    range   = [1, 20]
    summary = "To how many they may grow under load, where the target can. As many as count: they do not."
  }
  input "target_cpu" {
    type    = percent
    default = 60
    range   = [10, 90]
    summary = "Processor load of the readers to aim for, where they may grow."
  }
  input "max_lag" {
    type    = duration
    default = "30s"
    range   = ["100ms", "1h"]
    summary = "How far a reader may be behind. Beyond it, somebody is called and the reader gets no more queries."
  }
  input "warn_lag" {
    type    = duration
    default = min(5, self.max_lag)
    range   = ["10ms", "1h"]
    summary = "From when on it is told."
  }
  input "max_staleness" {
    type    = duration
    default = max(60, 2 * self.max_lag)
    range   = ["100ms", "24h"]
    summary = "How old an answer may be that a user gets. The program must be written for it."
  }
  input "read_own_writes" {
    type    = string
    default = "writer"
    one_of  = ["writer", "wait"]
    summary = "How somebody sees what he has just written: by asking the writer, or by waiting until a reader has it."
  }
  input "name_ttl" {
    type    = duration
    default = "5s"
    range   = ["1s", "5m"]
    summary = "How long clients keep the address behind the readers' name, and so a reader that is gone."
  }
  input "conflict_wait" {
    type    = duration
    default = "30s"
    range   = ["0s", "1h"]
    summary = "How long a reader holds the copying back for a query that is in its way, before it ends the query."
  }
  input "other_region" {
    type     = string
    nullable = true
    matches  = "[a-z]+[a-z0-9-]{2,30}"
    hint     = "a region of the target"
    summary  = "A further region with a copy that can take over when the region is lost."
  }

  derived "most" {
    value   = max(self.count, self.max)
    summary = "The most servers that only read."
  }
  derived "grows" {
    value   = self.max > self.count
    summary = "Whether their number follows the load."
  }

  point "lag" { summary = "How far every reader is behind is measured, and too far is an alarm." }
  point "splitting" { summary = "Writers and readers have names of their own." }
  point "staleness" { summary = "How old an answer may be is stated, and who lags gets no queries." }
  point "performance" { summary = "Every reader's processor, latency and connections are watched." }
  point "failover" { summary = "Who takes over is a standby, not a reader, and that is planned." }

  check "needs_backups" {
    condition = database.backup_days > 0
    message   = "Readers are made from a backup, and ${database.name} keeps none."
    fix       = "Set backup_days to 1 or more."
    at        = database.backup_days
    firm      = true
  }
  check "named_once" {
    condition = length(distinct(self.names)) == self.count
    message   = "There are ${self.count} readers, and ${length(distinct(self.names))} different names for them: ${join(", ", self.names)}."
    fix       = "Set count = ${length(distinct(self.names))}, and name each once."
    at        = self.names
    related   = [self.count]
    firm      = true
  }
  check "range" {
    condition = self.max >= self.count
    message   = "There are ${self.count} readers, which may grow to ${self.max}."
    fix       = "Raise max, or leave it unset."
    at        = self.max
    related   = [self.count]
    firm      = true
  }
  # REPL-001
  check "staleness" {
    condition = self.max_lag + self.name_ttl <= self.max_staleness
    message   = "An answer may be ${span(self.max_staleness)} old, but a reader is used until it is ${span(self.max_lag)} behind, and ${span(self.name_ttl)} longer by those who remember its address."
    fix       = "Lower max_lag, or say that older answers are fine."
    at        = self.max_lag
    related   = [self.name_ttl, self.max_staleness]
  }
  check "warn_before_alarm" {
    condition = self.warn_lag <= self.max_lag
    message   = "The warning comes when a reader is ${span(self.warn_lag)} behind, the alarm at ${span(self.max_lag)} already."
    fix       = "Lower warn_lag."
    at        = self.warn_lag
    related   = [self.max_lag]
  }
  check "conflicts" {
    condition = self.conflict_wait <= self.max_lag
    message   = "A query may hold a reader back for ${span(self.conflict_wait)}, longer than it may be behind (${span(self.max_lag)}): a long report is an alarm."
    fix       = "Lower conflict_wait, or raise max_lag."
    at        = self.conflict_wait
    related   = [self.max_lag]
  }
}
