# The network is there already: only its ids are named.
template "existing_network" {
  for  = blueprint
  when = target.network != null
  file = "network.tf"
}

locals {
  vpc_id              = target.network.vpc_id
  public_subnet_ids   = target.network.public_subnets
  private_subnet_ids  = target.network.private_subnets
  database_subnet_ids = target.network.database_subnets
}
