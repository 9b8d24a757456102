# Where clients find the database, and what they may do.
template "database_access" {
  for  = database
  when = database.database_sharding == null
  file = "database_${database.name}.tf"
}

let {
  # RDS Proxy stands in front of a writer or a whole cluster, never in front of the replicas of a server.
  proxied_readers = database.pooler == null || database.flavour == "server" || database.readers == 0 ? false : database.database_connection_pooling == null ? true : database.database_connection_pooling.pool_readers
  on_instances    = [for s in database.clients : s.name if s.runs_on == null]
}

locals {
  this_host = database.pooler != null ? aws_db_proxy.this.endpoint : database.flavour == "cluster" ? aws_rds_cluster.this.endpoint : aws_db_instance.this.address
  this_reader_host = (
    database.readers == 0 ? null :
    let.proxied_readers ? aws_db_proxy_endpoint.this_reader.endpoint :
    database.flavour == "cluster" ? aws_rds_cluster.this.reader_endpoint :
    aws_route53_record.this_reader[database.read_replicas.names[0]].fqdn
  )
  this_secret_arn = (
    let.own_password ? aws_secretsmanager_secret.this.arn :
    database.flavour == "cluster" ? aws_rds_cluster.this.master_user_secret[0].secret_arn :
    aws_db_instance.this.master_user_secret[0].secret_arn
  )
}

# Clients on instances read the user name and the password when they start.
data "aws_iam_policy_document" "this_clients" {
  when = length(let.on_instances) > 0

  statement {
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [local.this_secret_arn]
  }

  statement {
    actions   = ["kms:Decrypt"]
    resources = [local.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.${target.region}.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "this_clients" {
  when     = length(let.on_instances) > 0
  for_each = { for client in let.on_instances : client => aws_iam_role[client].id }

  name   = "database-${database.name}"
  role   = each.value
  policy = data.aws_iam_policy_document.this_clients.json
}
