# Where clients find the cache, and what they may do.
template "cache_access" {
  for  = cache
  file = "cache_${cache.name}.tf"
}

let {
  # Pods have a role only where they log in to a cache with it, which they may already.
  told       = cache.in_memory_caching != null || let.announced
  with_role  = [for s in cache.clients : s.name if s.runs_on == null || (cache.engine != "memcached" && let.told)]
  allowed    = length(let.with_role) > 0 && (cache.engine != "memcached" || let.told)
  has_reader = cache.engine != "memcached" && cache.redis_cluster == null && cache.replicas > 0
}

locals {
  this_host = cache.engine == "memcached" ? aws_elasticache_cluster.this.cluster_address : cache.redis_cluster == null ? aws_elasticache_replication_group.this.primary_endpoint_address : aws_elasticache_replication_group.this.configuration_endpoint_address
}

# What clients may do, with their role.
data "aws_iam_policy_document" "this_clients" {
  when = let.allowed

  # Log in as the cache's user.
  statement {
    when = cache.engine != "memcached"

    sid       = "Connect"
    actions   = ["elasticache:Connect"]
    resources = [aws_elasticache_replication_group.this.arn, aws_elasticache_user.this.arn]
  }

  statement {
    when = cache.in_memory_caching != null

    sid       = "Settings"
    actions   = ["ssm:GetParameter"]
    resources = [aws_ssm_parameter.this.arn]
  }

  # Say what they have changed, and hear what others have.
  statement {
    when = let.announced

    sid       = "Announce"
    actions   = ["events:PutEvents"]
    resources = [aws_cloudwatch_event_bus.this.arn]
  }

  statement {
    when = let.announced

    sid       = "Listen"
    actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    resources = [aws_sqs_queue.this.arn]
  }
}

resource "aws_iam_role_policy" "this_clients" {
  when     = let.allowed
  for_each = { for client in let.with_role : client => aws_iam_role[client].id }

  name   = "cache-${cache.name}"
  role   = each.value
  policy = data.aws_iam_policy_document.this_clients.json
}
