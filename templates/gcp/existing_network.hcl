# The network is there already: only its names are given.
template "existing_network" {
  for  = blueprint
  when = target.network != null && length(blueprint.services) + length(blueprint.databases) + length(blueprint.caches) + length(blueprint.clusters) > 0
  file = "network.tf"
}

locals {
  network_id    = "projects/${local.project}/global/networks/${target.network.name}"
  subnetwork_id = let.subnet ? "projects/${local.project}/regions/${target.region}/subnetworks/${target.network.subnetwork}" : null
}
