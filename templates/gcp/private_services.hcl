# Cloud SQL and Memcached stand in a network of Google's that is peered with ours: a network has one peering for both.
template "private_services" {
  for  = blueprint
  when = anytrue([for d in blueprint.databases : d.database_sharding == null ? true : d.database_sharding.by == "servers"]) || anytrue([for c in blueprint.caches : c.engine == "memcached"])
  file = "network.tf"
}

let {
  own_peering = target.network == null ? true : !target.network.private_services
}

# Google takes the addresses of what it runs for us from this range. It cannot grow later.
resource "google_compute_global_address" "private_services" {
  when = let.own_peering

  name          = "${shortname(let.prefix, 46)}-private-services"
  network       = local.network_id
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  prefix_length = 16
}

resource "google_service_networking_connection" "main" {
  when = let.own_peering

  network                 = local.network_id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.private_services.name]
  deletion_policy         = "ABANDON" # Google holds on to it for hours after the last instance is gone
}
