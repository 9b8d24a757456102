# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

# Memorystore puts its addresses into our subnet. A network has one such policy in a region for each kind of service.
resource "google_network_connectivity_service_connection_policy" "valkey" {
  name          = "blue-green-deployment-valkey"
  location      = "europe-west1"
  network       = local.network_id
  service_class = "gcp-memorystore"

  psc_config {
    subnetworks = [local.subnetwork_id]
  }
}
