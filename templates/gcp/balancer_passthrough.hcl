# By connection: packets arrive as the client has sent them, with its address.
template "balancer_passthrough" {
  for     = service
  pattern = "elastic_load_balancing"
  when    = service.runs_on == null && let.balancer_kind == "passthrough"
  file    = "service_${service.name}_balancer.tf"

  covers = {
    health_checks = [google_compute_region_health_check.this_ready.unhealthy_threshold, google_compute_region_backend_service.this.health_checks]
    algorithm     = [google_compute_region_backend_service.this.session_affinity, google_compute_region_backend_service.this.backend.balancing_mode]
    stickiness    = [google_compute_region_backend_service.this.session_affinity]
    distribution  = [google_compute_region_backend_service.this.log_config, let.transport == "tcp" ? google_monitoring_alert_policy.this_balancer.conditions : google_monitoring_alert_policy.this_unhealthy.conditions]
  }
  misses = {
    tls = "What passes through is not read, so TLS ends in the program."
  }

  check "udp_probe" {
    condition = service.balancer.health_port != null || service.protocol != "udp"
    message   = "Nothing answers a health check in UDP."
    fix       = "Set health_port to a port that answers HTTP."
    at        = service.balancer.health_port
    related   = [service.protocol]
  }
  # The balancer does not change ports.
  check "port" {
    condition = service.balancer.port == service.port
    message   = "Packets are passed on unchanged, so clients connect to the port of the program: ${service.port}, not ${service.balancer.port}."
    fix       = "Leave the balancer's port unset."
    at        = service.balancer.port
    related   = [service.port]
  }
}

resource "google_compute_region_backend_service" "this" {
  name                            = let.name
  load_balancing_scheme           = let.balancer.public ? "EXTERNAL" : "INTERNAL"
  protocol                        = upper(let.transport)
  connection_draining_timeout_sec = ceil(service.drain_time)
  health_checks                   = [google_compute_region_health_check.this_ready.id]
  session_affinity                = let.balancer.sticky ? "CLIENT_IP" : "NONE"
  locality_lb_policy              = let.balancer.public ? "MAGLEV" : null # the hash that moves the fewest connections

  backend {
    group          = let.fleet ? google_compute_region_instance_group_manager.this.instance_group : google_compute_instance_group.this.self_link
    balancing_mode = "CONNECTION"
  }

  connection_tracking_policy {
    tracking_mode                                = "PER_CONNECTION"
    connection_persistence_on_unhealthy_backends = "NEVER_PERSIST"
  }

  log_config {
    enable      = let.balancer.access_logs
    sample_rate = let.balancer.access_logs ? 1 : null
  }
}

resource "google_compute_address" "this_balancer" {
  name         = "${let.name}-balancer"
  address_type = let.balancer.public ? "EXTERNAL" : "INTERNAL"
  subnetwork   = let.balancer.public ? null : local.subnetwork_id
}

resource "google_compute_forwarding_rule" "this_balancer" {
  name                  = let.name
  load_balancing_scheme = let.balancer.public ? "EXTERNAL" : "INTERNAL"
  network               = let.balancer.public ? null : local.network_id
  subnetwork            = let.balancer.public ? null : local.subnetwork_id
  backend_service       = google_compute_region_backend_service.this.id
  ip_address            = google_compute_address.this_balancer.id
  ip_protocol           = upper(let.transport)
  ports                 = [tostring(service.port)]
}

# Clients are seen as themselves, so it is them whom the firewall admits.
resource "google_compute_firewall" "this_from_balancer" {
  name                    = "${let.name}-from-clients-outside"
  network                 = local.network_id
  direction               = "INGRESS"
  source_ranges           = let.balancer.allow
  target_service_accounts = [google_service_account.this.email]

  allow {
    protocol = let.transport
    ports    = [tostring(service.port)]
  }
}

resource "google_dns_record_set" "this" {
  when = let.hosted

  managed_zone = target.dns_zone
  name         = "${let.balancer.domain}."
  type         = "A"
  ttl          = 300
  rrdatas      = [google_compute_address.this_balancer.address]
}

output "this_address" {
  when = !let.hosted

  description = "The address of ${service.name}, for a record of yours."
  value       = google_compute_address.this_balancer.address
}
