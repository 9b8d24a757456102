# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_dns_managed_zone" "internal" {
  name        = "load-balancer-types-internal"
  dns_name    = "load-balancer-types.internal."
  description = "Services of load-balancer-types, by name"
  visibility  = "private"

  private_visibility_config {
    networks {
      network_url = local.network_id
    }
  }
}
