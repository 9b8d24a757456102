# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

locals {
  network_id    = google_compute_network.main.id
  subnetwork_id = google_compute_subnetwork.main.id
}

resource "google_compute_network" "main" {
  name                    = "blue-green-deployment"
  auto_create_subnetworks = false
  routing_mode            = "REGIONAL"
}

# A quarter of the network for instances and nodes, an eighth each for proxies and Kubernetes services, half for pods.
resource "google_compute_subnetwork" "main" {
  name                     = "blue-green-deployment"
  network                  = google_compute_network.main.id
  ip_cidr_range            = "10.0.0.0/18"
  private_ip_google_access = true # Google's interfaces without a way out

  log_config {
    aggregation_interval = "INTERVAL_10_MIN"
    flow_sampling        = 0.1
    metadata             = "INCLUDE_ALL_METADATA"
  }
}

# Nothing has an address of its own on the internet: the way out is NAT.
resource "google_compute_router" "main" {
  name    = "blue-green-deployment"
  network = google_compute_network.main.id
}

resource "google_compute_router_nat" "main" {
  name                                = "blue-green-deployment"
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

# A shell on an instance comes through Identity-Aware Proxy, for those whom IAM lets in.
resource "google_compute_firewall" "iap" {
  name          = "blue-green-deployment-from-iap"
  network       = google_compute_network.main.id
  direction     = "INGRESS"
  source_ranges = ["35.235.240.0/20"]

  allow {
    protocol = "tcp"
    ports    = ["22"]
  }
}

# Google takes the addresses of what it runs for us from this range. It cannot grow later.
resource "google_compute_global_address" "private_services" {
  name          = "blue-green-deployment-private-services"
  network       = local.network_id
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  prefix_length = 16
}

resource "google_service_networking_connection" "main" {
  network                 = local.network_id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.private_services.name]
  deletion_policy         = "ABANDON" # Google holds on to it for hours after the last instance is gone
}
