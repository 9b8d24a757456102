# Where clients find the shards, and what they may do.
template "database_sharding_access" {
  for     = database
  pattern = "database_sharding"
  file    = "database_${database.name}.tf"
}

locals {
  # A shard's name and a dot in front of it make a host.
  this_host      = "${database.name}.${aws_route53_zone.databases.name}"
  this_shard_map = aws_dynamodb_table.this.name
}

# The user names and passwords of all shards.
data "aws_iam_policy_document" "this_secrets" {
  when = length(let.shard_clients) > 0 || length(database.database_sharding.move) > 0

  statement {
    actions   = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
    resources = database.flavour == "server" ? [for shard in aws_db_instance.this : shard.master_user_secret[0].secret_arn] : [for shard in aws_rds_cluster.this : shard.master_user_secret[0].secret_arn]
  }

  statement {
    actions   = ["kms:Decrypt"]
    resources = [local.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.${target.region}.amazonaws.com", "dynamodb.${target.region}.amazonaws.com"]
    }
  }
}

# Clients, on instances and as pods, read the map and the passwords.
data "aws_iam_policy_document" "this_clients" {
  when = length(let.shard_clients) > 0

  source_policy_documents = [data.aws_iam_policy_document.this_secrets.json]

  statement {
    actions   = ["dynamodb:Scan", "dynamodb:GetItem"]
    resources = [aws_dynamodb_table.this.arn]
  }

  statement {
    actions   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
    resources = [aws_dynamodb_table.this.stream_arn]
  }
}

resource "aws_iam_role_policy" "this_clients" {
  when     = length(let.shard_clients) > 0
  for_each = { for client in let.shard_clients : client => aws_iam_role[client].id }

  name   = "database-${database.name}"
  role   = each.value
  policy = data.aws_iam_policy_document.this_clients.json
}

let {
  shard_clients = database.clients[*].name
}
