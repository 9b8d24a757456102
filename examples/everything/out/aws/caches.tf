# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "aws_elasticache_subnet_group" "main" {
  name        = "everything"
  description = "Subnets of the caches of everything, without a way in or out"
  subnet_ids  = local.database_subnet_ids
}
