# The kind of load balancer that follows from stated needs; the templates balancer_* have one kind each.
template "load_balancer_types" {
  for  = service
  when = service.runs_on == null
  file = "service_${service.name}_balancer.tf"

  covers = {
    type = [
      output.this_balancer.value,
      let.balancer_kind == "global" ? google_compute_global_forwarding_rule.this.load_balancing_scheme : let.balancer_kind == "proxy" ? google_compute_global_forwarding_rule.this.load_balancing_scheme : google_compute_forwarding_rule.this_balancer.load_balancing_scheme,
    ]
    algorithm = [
      let.balancer_kind == "global" ? google_compute_backend_service.this.locality_lb_policy : let.balancer_kind == "proxy" ? google_compute_backend_service.this.backend.balancing_mode : let.balancer_kind == "internal" ? google_compute_region_backend_service.this.locality_lb_policy : google_compute_region_backend_service.this.connection_tracking_policy.tracking_mode,
    ]
    health_checks       = [contains(["global", "proxy"], let.balancer_kind) ? google_compute_health_check.this_ready.unhealthy_threshold : google_compute_region_health_check.this_ready.unhealthy_threshold]
    latency_or_features = [service.load_balancer_types.type, output.this_balancer.value]
    monitoring          = [google_monitoring_alert_policy.this_unhealthy.conditions, let.transport == "tcp" ? google_monitoring_alert_policy.this_balancer.conditions : google_compute_region_backend_service.this.log_config]
  }

  check "types" {
    condition = service.load_balancer_types.type != "gateway"
    message   = "${service.name} needs gateway balancing, for ${service.load_balancer_types.reason}; this pack renders none."
    fix       = "Inspect traffic with Cloud NGFW, or let the appliance's maker bring its load balancer as a next hop."
    at        = service.load_balancer_types.appliance
  }
  check "private_link" {
    condition = !service.load_balancer_types.private_link || !service.balancer.public
    message   = "Private Service Connect leads to load balancers that only their own network reaches, and the one of ${service.name} is public."
    fix       = "Set public = false and drop the domain, or set private_link = false."
    at        = service.load_balancer_types.private_link
    related   = [service.balancer.public]
  }
  check "private_link_addresses" {
    condition = !service.load_balancer_types.private_link || target.network != null || index(let.linked, service.name) < let.link_room
    message   = "Every service with private connections needs a subnet of 64 addresses of its own, and ${target.cidr} has room for ${let.link_room} of them; ${length(let.linked)} want one: ${join(", ", let.linked)}."
    fix       = "Give the target a larger cidr, or set private_link = false."
    at        = service.load_balancer_types.private_link
    related   = [target.cidr]
  }
}

let {
  kind = service.load_balancer_types
}

output "this_balancer" {
  description = "How ${service.name} is balanced, and why."
  value = {
    type   = { global = "global external Application Load Balancer", internal = "regional internal Application Load Balancer", proxy = "global external proxy Network Load Balancer", passthrough = service.balancer.public ? "external passthrough Network Load Balancer" : "internal passthrough Network Load Balancer" }[let.balancer_kind]
    reason = let.balancer_kind == "proxy" && let.kind.type != "global_proxy" ? "clients connect to ${let.balancer.port} and the program listens on ${service.port}" : let.kind.type == "network_before_application" ? "it speaks ${let.balancer.protocol}, which can be routed, retried and logged by request; an address that never changes${let.kind.private_link ? " and private connections come" : " comes"} with it here" : let.kind.reason
  }
}

# Others connect from their own networks, without the internet in between; each asks first.
resource "google_compute_subnetwork" "this_link" {
  when = let.kind.private_link

  name          = "${let.name}-link"
  network       = local.network_id
  ip_cidr_range = target.network == null ? cidrsubnet(target.cidr, 26 - let.bits, 16 * pow(2, 20 - let.bits) + 8 + index(let.linked, service.name)) : var.this_link_range
  purpose       = "PRIVATE_SERVICE_CONNECT"
}

variable "this_link_range" {
  when = let.kind.private_link && target.network != null

  description = "Free addresses of the network, from which private connections reach ${service.name}; 64 are plenty."
  type        = string
  nullable    = false

  validation {
    condition     = can(cidrhost(var.this_link_range, 0))
    error_message = "A network such as 10.130.0.0/26 is needed."
  }
}

resource "google_compute_service_attachment" "this" {
  when = let.kind.private_link

  name                  = let.name
  region                = target.region
  description           = "Private connections to ${service.name}"
  connection_preference = "ACCEPT_MANUAL"
  enable_proxy_protocol = false
  nat_subnets           = [google_compute_subnetwork.this_link.id]
  target_service        = google_compute_forwarding_rule.this_balancer.id
}
