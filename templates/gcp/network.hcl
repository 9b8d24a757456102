template "network" {
  for  = blueprint
  when = target.network == null && length(blueprint.services) + length(blueprint.databases) + length(blueprint.caches) + length(blueprint.clusters) > 0
  file = "network.tf"

  # SCALE-005: a node takes 256 addresses of the pods' range for the 110 pods that it may hold.
  check "pods" {
    condition = alltrue([for c in blueprint.clusters : c.max_nodes + 1 <= let.nodes_at_most])
    message   = "Half of ${target.cidr} is for pods, which is enough for ${let.nodes_at_most} nodes, and one more than max_nodes run during an upgrade: ${join(", ", [for c in blueprint.clusters : "${c.name} ${c.max_nodes}" if c.max_nodes + 1 > let.nodes_at_most])}."
    fix       = "Give the target a larger cidr, or the cluster larger nodes and fewer of them."
    at        = target.cidr
    related   = [for c in blueprint.clusters : c.max_nodes]
  }
  check "one_cluster" {
    condition = length(blueprint.clusters) <= 1
    message   = "The network has addresses for the pods of one cluster, and the blueprint has ${length(blueprint.clusters)}: ${join(", ", blueprint.clusters[*].name)}."
    fix       = "Give each cluster a blueprint of its own."
    at        = blueprint.clusters[*].name
    related   = []
  }
}

let {
  nodes_at_most = pow(2, 24 - let.bits - 1)
}

locals {
  network_id    = google_compute_network.main.id
  subnetwork_id = let.subnet ? google_compute_subnetwork.main.id : null
}

resource "google_compute_network" "main" {
  name                    = let.prefix
  auto_create_subnetworks = false
  routing_mode            = "REGIONAL"
}

# A quarter of the network for instances and nodes, an eighth each for proxies and Kubernetes services, half for pods.
resource "google_compute_subnetwork" "main" {
  name                     = let.prefix
  network                  = google_compute_network.main.id
  ip_cidr_range            = cidrsubnet(target.cidr, 2, 0)
  private_ip_google_access = true # Google's interfaces without a way out

  dynamic "secondary_ip_range" {
    for_each = length(blueprint.clusters) == 0 ? {} : { pods = cidrsubnet(target.cidr, 1, 1), services = cidrsubnet(target.cidr, 3, 3) }

    content {
      range_name    = secondary_ip_range.key
      ip_cidr_range = secondary_ip_range.value
    }
  }

  log_config {
    aggregation_interval = "INTERVAL_10_MIN"
    flow_sampling        = 0.1
    metadata             = "INCLUDE_ALL_METADATA"
  }
}

# Nothing has an address of its own on the internet: the way out is NAT.
resource "google_compute_router" "main" {
  name    = let.prefix
  network = google_compute_network.main.id
}

resource "google_compute_router_nat" "main" {
  name                                = let.prefix
  router                              = google_compute_router.main.name
  nat_ip_allocate_option              = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat  = "ALL_SUBNETWORKS_ALL_IP_RANGES"
  enable_dynamic_port_allocation      = true
  enable_endpoint_independent_mapping = false # not together with dynamic ports
  min_ports_per_vm                    = 64
  max_ports_per_vm                    = 4096

  log_config {
    enable = true
    filter = "ERRORS_ONLY"
  }
}

# Proxies of load balancers have a way out of their own.
resource "google_compute_router_nat" "proxies" {
  when = let.reaches

  name                               = "${shortname(let.prefix, 55)}-proxies"
  router                             = google_compute_router.main.name
  nat_ip_allocate_option             = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat = "ALL_SUBNETWORKS_ALL_IP_RANGES"
  endpoint_types                     = ["ENDPOINT_TYPE_MANAGED_PROXY_LB"]

  log_config {
    enable = true
    filter = "ERRORS_ONLY"
  }
}

# A shell on an instance comes through Identity-Aware Proxy, for those whom IAM lets in.
resource "google_compute_firewall" "iap" {
  name          = "${shortname(let.prefix, 50)}-from-iap"
  network       = google_compute_network.main.id
  direction     = "INGRESS"
  source_ranges = ["35.235.240.0/20"]

  allow {
    protocol = "tcp"
    ports    = ["22"]
  }
}
