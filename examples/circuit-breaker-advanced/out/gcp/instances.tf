# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_dns_managed_zone" "internal" {
  name        = "circuit-breaker-advanced-internal"
  dns_name    = "circuit-breaker-advanced.internal."
  description = "Services of circuit-breaker-advanced, by name"
  visibility  = "private"

  private_visibility_config {
    networks {
      network_url = local.network_id
    }
  }
}
