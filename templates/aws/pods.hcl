# What a service that runs on a cluster is to AWS: a role, where it logs in to caches or finds shards with it.
template "pods" {
  for  = service
  when = service.runs_on != null && (anytrue([for c in service.caches : c.engine != "memcached"]) || anytrue([for d in service.databases : d.database_sharding != null]))
  file = "cluster_${service.runs_on.name}_services.tf"
}

let {
  logins = [for c in service.caches : c.name if c.engine != "memcached"]
}

resource "aws_iam_role" "this" {
  name               = shortname("${let.prefix}-${service.name}", 64)
  description        = "Pods of ${service.name}"
  assume_role_policy = data.aws_iam_policy_document.pod_assume.json
}

data "aws_iam_policy_document" "this" {
  when = length(let.logins) > 0

  statement {
    actions   = ["elasticache:Connect"]
    resources = concat([for name in let.logins : aws_elasticache_replication_group[name].arn], [for name in let.logins : aws_elasticache_user[name].arn])
  }
}

resource "aws_iam_role_policy" "this" {
  when = length(let.logins) > 0

  name   = "caches"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.this.json
}

resource "aws_eks_pod_identity_association" "this" {
  cluster_name    = aws_eks_cluster[service.runs_on.name].name
  namespace       = target.namespace
  service_account = service.name
  role_arn        = aws_iam_role.this.arn
}
