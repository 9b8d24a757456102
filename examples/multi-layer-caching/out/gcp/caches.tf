# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

# Memorystore puts its addresses into our subnet. A network has one such policy in a region for each kind of service.
resource "google_network_connectivity_service_connection_policy" "valkey" {
  name          = "multi-layer-caching-valkey"
  location      = "europe-west1"
  network       = local.network_id
  service_class = "gcp-memorystore"

  psc_config {
    subnetworks = [local.subnetwork_id]
  }
}

# Starts the jobs, and may do nothing else.
resource "google_service_account" "warming" {
  account_id   = "multi-layer-caching-warming"
  display_name = "Starts what fills the caches of multi-layer-caching"
}

# Cloud Run takes images from Google's registries and from Docker Hub. From others they are fetched, and kept, by a
# repository of ours.
resource "google_artifact_registry_repository" "mirror" {
  for_each = toset(["ghcr.io"])

  location      = "europe-west1"
  repository_id = "multi-layer-caching-${replace(each.key, "/[.:]/", "-")}"
  description   = "Fetches and keeps images of ${each.key}"
  format        = "DOCKER"
  mode          = "REMOTE_REPOSITORY"

  remote_repository_config {
    docker_repository {
      custom_repository {
        uri = "https://${each.key}"
      }
    }
  }
}
