# The proxies of internal load balancers take their addresses from a subnet of their own. A network can have only one
# of these in a region, so all services share it.
template "proxies" {
  for  = blueprint
  file = "network.tf"
}

# /23, which is what Google recommends; /26 is the least.
resource "google_compute_subnetwork" "proxies" {
  when = let.proxied && let.own_proxy

  name          = "${shortname(let.prefix, 55)}-proxies"
  network       = local.network_id
  ip_cidr_range = cidrsubnet(target.cidr, 23 - let.bits, 2 * pow(2, 20 - let.bits))
  purpose       = "REGIONAL_MANAGED_PROXY"
  role          = "ACTIVE"
}

variable "proxy_range" {
  when = let.proxy_calls && !let.own_proxy

  description = "Addresses of the subnet for proxies (REGIONAL_MANAGED_PROXY) that the network has in the region."
  type        = string
  nullable    = false

  validation {
    condition     = can(cidrhost(var.proxy_range, 0))
    error_message = "A network such as 10.129.0.0/23 is needed."
  }
}

locals {
  when = let.proxy_calls

  proxy_range = let.own_proxy ? google_compute_subnetwork.proxies.ip_cidr_range : var.proxy_range
}
