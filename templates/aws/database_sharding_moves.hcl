# Slots on their way from one shard to another. The copying is there as long as the move is in the blueprint, and is
# started by hand.
template "database_sharding_moves" {
  for     = database
  pattern = "database_sharding"
  when    = length(database.database_sharding.move) > 0
  file    = "database_${database.name}_moves.tf"

  check "moves_of_mysql" {
    condition = database.engine == "postgres"
    message   = "DMS reaches MySQL over TLS only with a certificate that has to be brought along, and ${database.name} takes no connection without TLS."
    fix       = "Move the slots with a program of your own, and leave out the move."
    at        = database.database_sharding.move
  }
}

let {
  moved_tables = database.database_sharding == null ? [] : length(database.database_sharding.tables) > 0 ? database.database_sharding.tables : ["%"]
}

locals {
  this_moves = { for move in database.database_sharding.move : move.name => { source = move.from_shard, target = move.to_shard, from = move.from, to = move.to } }
}

resource "aws_security_group" "this_moves" {
  name_prefix = "${let.name}-moves-"
  description = "Copies slots between the shards of ${database.name}"
  vpc_id      = local.vpc_id

  tags = { Name = "${let.name}-moves" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_egress_rule" "this_moves" {
  security_group_id            = aws_security_group.this_moves.id
  description                  = "To the shards"
  referenced_security_group_id = aws_security_group.this.id
  ip_protocol                  = "tcp"
  from_port                    = database.port
  to_port                      = database.port
}

resource "aws_vpc_security_group_ingress_rule" "this_moves" {
  security_group_id            = aws_security_group.this.id
  description                  = "From what copies slots"
  referenced_security_group_id = aws_security_group.this_moves.id
  ip_protocol                  = "tcp"
  from_port                    = database.port
  to_port                      = database.port
}

resource "aws_vpc_security_group_egress_rule" "this_moves_https" {
  security_group_id = aws_security_group.this_moves.id
  description       = "To Secrets Manager"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_dms_replication_subnet_group" "this" {
  replication_subnet_group_id          = "${let.name}-moves"
  replication_subnet_group_description = "Moves slots between the shards of ${database.name}"
  subnet_ids                           = local.private_subnet_ids
}

data "aws_iam_policy_document" "dms_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["dms.${target.region}.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "this_moves" {
  name               = "${let.name}-moves"
  description        = "Reads the passwords of the shards of ${database.name}"
  assume_role_policy = data.aws_iam_policy_document.dms_assume.json
}

resource "aws_iam_role_policy" "this_moves" {
  name   = "passwords"
  role   = aws_iam_role.this_moves.id
  policy = data.aws_iam_policy_document.this_secrets.json
}

resource "aws_dms_endpoint" "this" {
  for_each = toset(flatten([for move in values(local.this_moves) : ["${move.source}-source", "${move.target}-target"]]))

  endpoint_id                     = "${let.name}-${each.key}"
  endpoint_type                   = reverse(split("-", each.key))[0]
  engine_name                     = database.flavour == "server" ? "postgres" : "aurora-postgresql"
  database_name                   = database.database_name
  secrets_manager_access_role_arn = aws_iam_role.this_moves.arn
  secrets_manager_arn = (
    database.flavour == "server" ?
    aws_db_instance.this[trimsuffix(trimsuffix(each.key, "-source"), "-target")].master_user_secret[0].secret_arn :
    aws_rds_cluster.this[trimsuffix(trimsuffix(each.key, "-source"), "-target")].master_user_secret[0].secret_arn
  )
  ssl_mode = "require"

  depends_on = [aws_iam_role_policy.this_moves]
}

# Tables keep the slot of their key in a column of its own, named slot: by it the rows are chosen.
resource "aws_dms_replication_config" "this" {
  for_each = local.this_moves

  replication_config_identifier = "${let.name}-${each.key}"
  replication_type              = "full-load-and-cdc"
  source_endpoint_arn           = aws_dms_endpoint.this["${each.value.source}-source"].endpoint_arn
  target_endpoint_arn           = aws_dms_endpoint.this["${each.value.target}-target"].endpoint_arn
  start_replication             = false

  table_mappings = jsonencode({
    rules = [
      for i, name in let.moved_tables : {
        rule-type      = "selection"
        rule-id        = tostring(i + 1)
        rule-name      = "slots-of-${i + 1}"
        rule-action    = "include"
        object-locator = { schema-name = "public", table-name = name }
        filters = [{
          filter-type       = "source"
          column-name       = "slot"
          filter-conditions = [{ filter-operator = "between", start-value = tostring(each.value.from), end-value = tostring(each.value.to) }]
        }]
      }
    ]
  })

  compute_config {
    replication_subnet_group_id = aws_dms_replication_subnet_group.this.id
    vpc_security_group_ids      = [aws_security_group.this_moves.id]
    min_capacity_units          = 2
    max_capacity_units          = 16
    multi_az                    = false
  }
}
