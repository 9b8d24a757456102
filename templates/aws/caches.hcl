# What all caches of the root share.
template "caches" {
  for  = blueprint
  when = length(blueprint.caches) > 0
  file = "caches.tf"
}

resource "aws_elasticache_subnet_group" "main" {
  name        = let.prefix
  description = "Subnets of the caches of ${blueprint.name}, without a way in or out"
  subnet_ids  = local.database_subnet_ids
}
