# The network is there already: only its ids are named.
template "existing_network" {
  for  = blueprint
  when = target.network != null && length(blueprint.services) + length(blueprint.databases) + length(blueprint.caches) + length(blueprint.clusters) > 0
  file = "network.tf"
}

locals {
  vpc_id              = target.network.vpc_id
  public_subnet_ids   = let.uses.public ? target.network.public_subnets : null
  private_subnet_ids  = let.uses.private ? target.network.private_subnets : null
  database_subnet_ids = let.uses.database ? target.network.database_subnets : null
}
