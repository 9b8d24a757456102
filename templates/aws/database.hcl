template "database" {
  for  = database
  file = "database_${database.name}.tf"

  check "aurora_mysql_version" {
    condition = database.flavour == "server" || database.engine == "postgres" || database.version == "8.0"
    message   = "${database.name} asks for MySQL ${database.version} as a cluster, but Aurora speaks MySQL 8.0."
    fix       = "Set version = \"8.0\", or flavour = \"server\"."
    at        = database.version
    related   = [database.flavour]
  }
  # The connections, and with them all pools, are counted by the memory that the blueprint states.
  check "class_holds" {
    condition = alltrue([for row in table.database_classes : (database.flavour == "server" ? row.server : row.cluster) == 1 && row.vcpu >= database.cpu && row.memory_gib >= gib(database.memory) if row.class == lookup(database.machine, "aws", "")])
    message   = "${database.name} is to be a ${database.flavour} with ${database.cpu} vCPUs and ${ceil(gib(database.memory))} GiB: ${join("", [for row in table.database_classes : "${row.class} has ${row.vcpu} and ${row.memory_gib} GiB${(database.flavour == "server" ? row.server : row.cluster) == 1 ? "" : ", and no ${database.flavour} runs on it"}" if row.class == lookup(database.machine, "aws", "")])}."
    fix       = "Set cpu and memory to what the class has, or leave machine unset."
    at        = database.machine
    related   = [database.cpu, database.memory, database.flavour]
  }
  check "two_zones" {
    condition = length(target.zone_names) >= 2
    message   = "RDS wants subnets in two zones at least, even for ${database.name} alone; the target has one: ${join(", ", target.zone_names)}."
    fix       = "Name two zones in zone_names."
    at        = target.zone_names
  }
}

let {
  # Identifiers of RDS have at most 63 characters; the suffixes of replicas, shards and snapshots need some.
  name    = shortname("${let.prefix}-${database.name}", 40)
  machine = lookup(database.machine, "aws", "")
  class = let.machine != "" ? let.machine : fit(table.database_classes, {
    vcpu               = database.cpu
    memory_gib         = gib(database.memory)
    (database.flavour) = 1
  }).class
  burstable = startswith(let.class, "db.t")
  engine    = database.flavour == "server" ? database.engine : database.engine == "postgres" ? "aurora-postgresql" : "aurora-mysql"
  family    = "${database.flavour == "server" ? database.engine : let.engine}${database.version}"

  backup_window      = format("%02d:00-%02d:30", database.backup_hour, database.backup_hour)
  window_day         = substr(database.vertical_scaling == null ? database.maintenance_day : database.vertical_scaling.window_day, 0, 3)
  window_hour        = database.vertical_scaling == null ? database.maintenance_hour : database.vertical_scaling.window_hour
  maintenance_window = format("%s:%02d:00-%s:%02d:30", let.window_day, let.window_hour, let.window_day, let.window_hour)
  resize_now         = database.vertical_scaling == null ? false : database.vertical_scaling.resize == "now"
  logs               = database.flavour == "cluster" && database.engine == "postgres" ? ["postgresql"] : database.engine == "postgres" ? ["postgresql", "upgrade"] : ["error", "slowquery"]

  # Where leaks are hunted, a transaction that does nothing is cut earlier.
  idle_transaction = database.database_connection_pooling == null ? database.idle_transaction_timeout : database.database_connection_pooling.leak_after

  # Pods have the network identity of their cluster's nodes.
  callers = distinct([for s in database.clients : s.runs_on == null ? s.name : s.runs_on.name])

  # RDS keeps the password of a cluster or of a single server; of a server with replicas it refuses to.
  own_password = database.flavour == "server" && database.read_replicas != null
}

# Who may reach the database: its clients, and nobody else.
resource "aws_security_group" "this" {
  name_prefix = "${let.name}-"
  description = "Clients reach ${database.name} here"
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
  from_port                    = database.port
  to_port                      = database.port
}
