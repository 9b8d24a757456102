# TCP from all over the world, or to another port: connections end near the client and go on in Google's network.
template "balancer_proxy" {
  for     = service
  pattern = "elastic_load_balancing"
  when    = service.runs_on == null && let.balancer_kind == "proxy"
  file    = "service_${service.name}_balancer.tf"

  covers = {
    health_checks = [google_compute_health_check.this_ready.unhealthy_threshold, google_compute_backend_service.this.health_checks]
    algorithm     = [google_compute_backend_service.this.backend.balancing_mode]
    stickiness    = [google_compute_backend_service.this.session_affinity]
    distribution  = [google_compute_backend_service.this.log_config, google_monitoring_alert_policy.this_balancer.conditions]
  }
  misses = {
    tls = "Connections are passed on unread, so TLS ends in the program."
  }

  check "moved_port" {
    condition = !let.moves_port
    message   = "Clients connect to ${service.balancer.port} and ${service.name} listens on ${service.port}. Only a proxy changes ports, so connections end there: the program sees Google's addresses instead of the clients'."
    fix       = "Leave the balancer's port unset if the program has to see its clients."
    at        = service.balancer.port
    related   = [service.port]
    severity  = "warning"
  }
}

resource "google_compute_global_address" "this_balancer" {
  name = "${let.name}-balancer"
}

resource "google_compute_health_check" "this_ready" {
  name                = "${let.name}-ready"
  check_interval_sec  = let.ready.interval
  timeout_sec         = let.ready.timeout
  healthy_threshold   = let.ready.healthy
  unhealthy_threshold = let.ready.unhealthy

  http_health_check {
    when = let.probe == "http"

    port         = let.probe_port
    request_path = service.ready_path
  }

  grpc_health_check {
    when = let.probe == "grpc"

    port = let.probe_port
  }

  tcp_health_check {
    when = let.probe == "tcp"

    port = let.probe_port
  }

  log_config {
    enable = true
  }
}

resource "google_compute_backend_service" "this" {
  name                            = let.name
  load_balancing_scheme           = "EXTERNAL_MANAGED"
  protocol                        = "TCP"
  port_name                       = "app"
  timeout_sec                     = ceil(let.balancer.idle_timeout) # silence, not the length of a connection
  connection_draining_timeout_sec = ceil(service.drain_time)
  health_checks                   = [google_compute_health_check.this_ready.id]
  session_affinity                = let.balancer.sticky ? "CLIENT_IP" : "NONE"
  security_policy                 = let.guarded ? google_compute_security_policy.this.id : null

  backend {
    group           = let.fleet ? google_compute_region_instance_group_manager.this.instance_group : google_compute_instance_group.this.self_link
    balancing_mode  = "UTILIZATION"
    max_utilization = 0.8
    capacity_scaler = 1
  }

  log_config {
    enable      = let.balancer.access_logs
    sample_rate = let.balancer.access_logs ? 1 : null
  }
}

resource "google_compute_target_tcp_proxy" "this" {
  name            = let.name
  backend_service = google_compute_backend_service.this.id
}

resource "google_compute_global_forwarding_rule" "this" {
  name                  = let.name
  load_balancing_scheme = "EXTERNAL_MANAGED"
  target                = google_compute_target_tcp_proxy.this.id
  ip_address            = google_compute_global_address.this_balancer.id
  ip_protocol           = "TCP"
  port_range            = tostring(let.listens)
}

resource "google_compute_security_policy" "this" {
  when = let.guarded

  name        = let.name
  description = "Connections to ${service.name}"

  # Ten networks fit into a rule.
  dynamic "rule" {
    for_each = chunklist(let.balancer.allow, 10)

    content {
      action   = "allow"
      priority = 1000 + rule.key

      match {
        versioned_expr = "SRC_IPS_V1"

        config {
          src_ip_ranges = rule.value
        }
      }
    }
  }

  rule {
    action   = "deny(403)"
    priority = 2147483647

    match {
      versioned_expr = "SRC_IPS_V1"

      config {
        src_ip_ranges = ["*"]
      }
    }
  }
}

resource "google_dns_record_set" "this" {
  when = let.hosted

  managed_zone = target.dns_zone
  name         = "${let.balancer.domain}."
  type         = "A"
  ttl          = 300
  rrdatas      = [google_compute_global_address.this_balancer.address]
}

output "this_address" {
  when = !let.hosted

  description = "The address of ${service.name}, for a record of yours."
  value       = google_compute_global_address.this_balancer.address
}
