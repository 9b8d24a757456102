# Where clients find the cache, and what they may do.
template "cache_access" {
  for  = cache
  file = "cache_${cache.name}.tf"
}

let {
  on_instances = [for s in cache.clients : s.name if s.runs_on == null]
  has_reader   = cache.engine != "memcached" && cache.redis_cluster == null && cache.replicas > 0
}

locals {
  this_host = cache.engine == "memcached" ? aws_elasticache_cluster.this.cluster_address : cache.redis_cluster == null ? aws_elasticache_replication_group.this.primary_endpoint_address : aws_elasticache_replication_group.this.configuration_endpoint_address
}

# Clients on instances log in as the cache's user, with their role.
data "aws_iam_policy_document" "this_clients" {
  when = cache.engine != "memcached" && length(let.on_instances) > 0

  statement {
    actions   = ["elasticache:Connect"]
    resources = [aws_elasticache_replication_group.this.arn, aws_elasticache_user.this.arn]
  }
}

resource "aws_iam_role_policy" "this_clients" {
  when     = cache.engine != "memcached" && length(let.on_instances) > 0
  for_each = { for client in let.on_instances : client => aws_iam_role[client].id }

  name   = "cache-${cache.name}"
  role   = each.value
  policy = data.aws_iam_policy_document.this_clients.json
}
