pattern "database_sharding" {
  title       = "Database sharding"
  summary     = "The rows are spread over several databases by a key, so that no single server has to hold or write them all."
  attaches    = [database]
  quality     = 8
  difficulty  = 9
  performance = "Very High"
  when = [
    "There is more data than one server holds",
    "More is written than one server writes",
    "It has to grow by adding servers",
    "The data falls apart by itself: by customer, by country",
  ]
  suits = ["writes"]

  # The pattern document's tables; coarse heuristics, not measurements.
  metrics {
    latency = "<1s"
  }

  input "key" {
    type    = string
    matches = "[a-z][a-z0-9_]{0,62}"
    hint    = "the name of a column, such as customer_id"
    summary = "The column that says where a row lies. Most queries should name one value of it; it can hardly be changed later."
  }
  input "key_type" {
    type    = string
    default = "bigint"
    one_of  = ["bigint", "uuid", "text"]
    summary = "The type of that column."
  }
  input "tables" {
    type     = list(string)
    distinct = true
    default  = []
    matches  = "[a-z][a-z0-9_]{0,62}"
    hint     = "names of tables"
    summary  = "Tables that have the column. A router that reads SQL has to know them."
  }
  input "reference_tables" {
    type     = list(string)
    distinct = true
    default  = []
    matches  = "[a-z][a-z0-9_]{0,62}"
    hint     = "names of tables"
    summary  = "Small tables that every shard has a copy of, so that joins stay at home."
  }
  input "by" {
    type    = string
    default = "servers"
    one_of  = ["servers", "managed"]
    summary = "servers: as many databases as count says. managed: one database of the target that spreads rows by itself, where it has one."
  }
  input "count" {
    type    = number
    default = 4
    range   = [2, 64]
    summary = "How many shards there are. Four halve into two moves once there are eight."
  }
  input "slots" {
    type    = number
    default = 1024
    range   = [64, 16384]
    summary = "Into how many parts the hashed key is cut. Fixed for ever: a shard has a range of them, and moving some is how the load is evened out."
  }
  input "router" {
    type    = string
    default = "application"
    one_of  = ["application", "proxy"]
    summary = "Who knows where a row lies: the program, from a map that it reads, or a proxy in front."
  }
  input "cross_shard" {
    type    = string
    default = "refuse"
    one_of  = ["refuse", "allow"]
    summary = "What happens to a query that names no key: an error, or it is put to every shard."
  }
  input "max_skew" {
    type    = number
    default = 1.5
    range   = [1.05, 10]
    summary = "How much more load or data than the average a shard may have before it is told."
  }

  block "shard" {
    summary = "A shard by name, with its range of slots, for when the ranges are no longer equal. Name all of them."
    label   = "name"
    many    = true

    input "from" {
      type    = number
      range   = [0, 16383]
      summary = "Its first slot."
    }
    input "to" {
      type    = number
      range   = [0, 16383]
      summary = "Its last slot."
    }
  }
  block "move" {
    summary = "Slots that are being moved. What copies them exists as long as the block does."
    label   = "name"
    many    = true

    input "from_shard" {
      type    = string
      matches = "[a-z][a-z0-9-]{0,23}"
      hint    = "the name of a shard"
      summary = "Where they are."
    }
    input "to_shard" {
      type    = string
      matches = "[a-z][a-z0-9-]{0,23}"
      hint    = "the name of a shard"
      summary = "Where they go."
    }
    input "from" {
      type    = number
      range   = [0, 16383]
      summary = "The first slot."
    }
    input "to" {
      type    = number
      range   = [0, 16383]
      summary = "The last slot."
    }
  }

  derived "ring" {
    value = concat(
      [for s in self.shard : { name = s.name, from = s.from, to = s.to }],
      [for n in range(self.count) : {
        name = format("s%02d", n)
        from = floor(n * self.slots / self.count)
        to   = floor((n + 1) * self.slots / self.count) - 1
      } if length(self.shard) == 0]
    )
    summary = "All shards with their ranges of slots. Names are for ever; ranges may move."
  }
  derived "shards" {
    value   = length(self.ring)
    summary = "How many shards there are."
  }
  derived "shard_names" {
    value   = [for s in self.ring : s.name]
    summary = "Their names."
  }

  point "key" { summary = "The key is named, and the tables that carry it." }
  point "hot_spots" { summary = "Keys are hashed, and a shard that does more than the others is told." }
  point "routing" { summary = "One map says where a row lies, to the program or to a proxy." }
  point "joins" { summary = "What has to be joined lies together; what does not name the key is refused." }
  point "rebalancing" { summary = "Slots can be moved while everything runs, and everything is ready for it." }

  # SHARD-001
  check "slots_once" {
    # Each range begins where another ends, no two begin together, and the last ends at the end: then they form one chain.
    condition = (
      alltrue([for s in self.ring : s.from <= s.to && (s.from == 0 || contains(self.ring[*].to, s.from - 1))]) &&
      length(distinct(self.ring[*].from)) == self.shards && max(self.ring[*].to...) == self.slots - 1
    )
    message = "Every slot from 0 to ${self.slots - 1} has to belong to one shard: ${join(", ", [for s in self.ring : "${s.name} ${s.from}-${s.to}"])}."
    fix     = "Write the ranges so that they meet without gap or overlap."
    at      = self.shard
    related = concat([self.slots], [for s in self.shard : s.from])
    firm    = true
  }
  check "enough_slots" {
    condition = self.slots >= 16 * self.shards
    message   = "${self.slots} slots over ${self.shards} shards leave too little to move: 16 for each at least."
    fix       = "Use more slots from the start, for their number cannot change."
    at        = self.slots
    related   = [self.count]
    firm      = true
  }
  check "power_of_two" {
    condition = pow(2, floor(log(self.slots, 2) + 0.5)) == self.slots
    message   = "${self.slots} slots cannot be halved evenly for long."
    fix       = "Use a power of two, such as 1024."
    at        = self.slots
    severity  = "warning"
  }
  check "even" {
    condition = max([for s in self.ring : s.to - s.from + 1]...) * self.shards <= 2 * self.slots
    message   = "One shard has more than twice the slots of the average: ${join(", ", [for s in self.ring : "${s.name} ${s.to - s.from + 1}"])}."
    fix       = "Even the ranges out, with a move."
    at        = self.shard
    related   = [for s in self.shard : s.to]
  }
  check "count_and_blocks" {
    condition = length(self.shard) == 0 || length(self.shard) >= 2
    message   = "Only one shard is named: the blocks replace count, so all of them have to be there."
    fix       = "Name all shards."
    at        = self.shard
    related   = [self.count]
    firm      = true
  }
  check "moves" {
    condition = alltrue([for m in self.move : contains(self.shard_names, m.from_shard) && contains(self.shard_names, m.to_shard) && m.from_shard != m.to_shard && m.from <= m.to])
    message   = "A move leads from one shard to another, with the first slot first; shards are ${join(", ", self.shard_names)}."
    fix       = "Name shards that exist."
    at        = self.move
    related   = [for m in self.move : m.to_shard]
    firm      = true
  }
  check "tables_for_the_proxy" {
    condition = self.router == "application" || length(self.tables) > 0
    message   = "A proxy finds the key in the SQL, so it has to know which tables have ${self.key}."
    fix       = "List them in tables."
    at        = self.tables
    related   = [self.router]
    firm      = true
  }
  check "tables_once" {
    condition = length(setintersection(self.tables, self.reference_tables)) == 0
    message   = "A table is either spread or copied: ${join(", ", setintersection(self.tables, self.reference_tables))}."
    fix       = "Keep it in one list."
    at        = self.reference_tables
    related   = [self.tables]
    firm      = true
  }
  # SHARD-002
  check "connections_of_clients" {
    condition = alltrue([for s in database.clients : s.pool * s.processes * self.shards <= 1000])
    message   = "Every process opens its pool on every shard: ${join("; ", [for s in database.clients : "${s.name} ${s.processes} × ${s.pool} × ${self.shards} shards = ${s.pool * s.processes * self.shards} in one instance" if s.pool * s.processes * self.shards > 1000])}."
    fix       = "Lower the pool, or put a proxy in front that knows the shards."
    at        = self.count
    related   = [for s in database.clients : s.pool]
    severity  = "warning"
  }
}
