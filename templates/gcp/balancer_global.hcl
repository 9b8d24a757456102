# From the internet, by request: one address in the world, which is taken up near the client.
template "balancer_global" {
  for     = service
  pattern = "elastic_load_balancing"
  when    = service.runs_on == null && service.balancer.layer == 7 && service.balancer.public
  file    = "service_${service.name}_balancer.tf"

  covers = {
    health_checks = [google_compute_health_check.this_ready.unhealthy_threshold, google_compute_backend_service.this.health_checks]
    algorithm     = [google_compute_backend_service.this.locality_lb_policy, google_compute_backend_service.this.backend.balancing_mode]
    stickiness    = [google_compute_backend_service.this.session_affinity]
    distribution  = [google_compute_backend_service.this.log_config, google_monitoring_alert_policy.this_balancer.conditions]
    tls           = [google_compute_target_https_proxy.this.certificate_map, google_compute_ssl_policy.this.min_tls_version]
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

  log_config {
    enable = true
  }
}

resource "google_compute_backend_service" "this" {
  for_each = let.tracked ? local.this_tracks : null

  name                            = let.tracked ? "${let.name}-${each.key}" : let.name
  load_balancing_scheme           = "EXTERNAL_MANAGED"
  protocol                        = let.balancer.protocol == "grpc" ? "H2C" : "HTTP"
  port_name                       = "app"
  timeout_sec                     = let.balancer.websocket ? 86400 : max(1, ceil(service.request_timeout))
  connection_draining_timeout_sec = ceil(service.drain_time)
  health_checks                   = [google_compute_health_check.this_ready.id]
  security_policy                 = let.guarded ? google_compute_security_policy.this.id : null

  session_affinity        = let.balancer.sticky ? "GENERATED_COOKIE" : "NONE"
  affinity_cookie_ttl_sec = let.balancer.sticky ? min(86400, ceil(let.balancer.sticky_for)) : null # the cookie counts only where a hash picks the instance
  locality_lb_policy      = let.balancer.sticky ? "RING_HASH" : { round_robin = "ROUND_ROBIN", least_requests = "LEAST_REQUEST", random = "RANDOM" }[let.balancer.algorithm]

  backend {
    group                 = let.tracked ? google_compute_region_instance_group_manager.this[each.key].instance_group : let.fleet ? google_compute_region_instance_group_manager.this.instance_group : google_compute_instance_group.this.self_link
    balancing_mode        = let.by_rate ? "RATE" : "UTILIZATION"
    max_rate_per_instance = let.by_rate ? service.instance_rps : null
    max_utilization       = let.by_rate ? null : 0.8
    capacity_scaler       = 1
  }

  log_config {
    enable      = let.balancer.access_logs
    sample_rate = let.balancer.access_logs ? 1 : null
  }
}

resource "google_compute_url_map" "this" {
  name            = let.name
  default_service = let.tracked ? google_compute_backend_service.this[let.main_track].id : google_compute_backend_service.this.id

  host_rule {
    when = length(let.balancer.paths) > 0 || let.tracked

    hosts        = ["*"]
    path_matcher = let.tracked ? "tracks" : "paths"
  }

  # Only these paths; the rest is nobody's.
  path_matcher {
    when = length(let.balancer.paths) > 0 && !let.tracked

    name = "paths"

    default_route_action {
      weighted_backend_services {
        backend_service = google_compute_backend_service.this.id
        weight          = 100
      }

      fault_injection_policy {
        abort {
          http_status = 404
          percentage  = 100
        }
      }
    }

    path_rule {
      paths   = let.balancer.paths
      service = google_compute_backend_service.this.id
    }
  }

  path_matcher {
    when = let.tracked

    name = "tracks"

    default_route_action {
      dynamic "weighted_backend_services" {
        for_each = local.this_tracks

        content {
          backend_service = google_compute_backend_service.this[weighted_backend_services.key].id
          weight          = weighted_backend_services.value.weight
        }
      }

      # Only the paths below; the rest is nobody's.
      fault_injection_policy {
        when = length(let.balancer.paths) > 0

        abort {
          http_status = 404
          percentage  = 100
        }
      }
    }

    route_rules {
      priority = 10
      service  = google_compute_backend_service.this[let.other_track].id

      dynamic "match_rules" {
        for_each = flatten([for header in let.track_headers : [for route in let.routes : merge(header, route)]])

        content {
          prefix_match    = match_rules.value.begins
          full_path_match = match_rules.value.is

          header_matches {
            header_name = match_rules.value.name
            exact_match = match_rules.value.value
          }
        }
      }
    }

    route_rules {
      when = length(let.balancer.paths) > 0

      priority = 20

      dynamic "match_rules" {
        for_each = let.routes

        content {
          prefix_match    = match_rules.value.begins
          full_path_match = match_rules.value.is
        }
      }

      route_action {
        dynamic "weighted_backend_services" {
          for_each = local.this_tracks

          content {
            backend_service = google_compute_backend_service.this[weighted_backend_services.key].id
            weight          = weighted_backend_services.value.weight
          }
        }
      }
    }
  }
}

resource "google_compute_ssl_policy" "this" {
  when = let.balancer.tls

  name            = let.name
  profile         = let.balancer.min_tls == "1.3" ? "RESTRICTED" : "MODERN"
  min_tls_version = let.balancer.min_tls == "1.3" ? "TLS_1_3" : "TLS_1_2"
}

resource "google_compute_target_https_proxy" "this" {
  when = let.balancer.tls

  name                        = let.turns ? "${let.name}-${let.release}" : let.name
  url_map                     = google_compute_url_map.this.id
  certificate_map             = let.issued ? "//certificatemanager.googleapis.com/${google_certificate_manager_certificate_map.this.id}" : "//certificatemanager.googleapis.com/${var.certificate_map}"
  ssl_policy                  = google_compute_ssl_policy.this.id
  quic_override               = "ENABLE"
  http_keep_alive_timeout_sec = min(1200, max(5, ceil(let.balancer.idle_timeout)))

  # A proxy without a certificate is refused.
  depends_on = let.issued ? [google_certificate_manager_certificate_map_entry.this] : null
}

resource "google_compute_global_forwarding_rule" "this" {
  name                  = let.name
  load_balancing_scheme = "EXTERNAL_MANAGED"
  target                = google_compute_target_https_proxy.this.id
  ip_address            = google_compute_global_address.this_balancer.id
  port_range            = tostring(let.listens)
}

# HTTP is only there to be sent to HTTPS.
resource "google_compute_url_map" "this_redirect" {
  name = "${let.name}-redirect"

  default_url_redirect {
    https_redirect         = true
    redirect_response_code = "MOVED_PERMANENTLY_DEFAULT"
    strip_query            = false
  }
}

resource "google_compute_target_http_proxy" "this_redirect" {
  name    = "${let.name}-redirect"
  url_map = google_compute_url_map.this_redirect.id
}

resource "google_compute_global_forwarding_rule" "this_redirect" {
  name                  = "${let.name}-redirect"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  target                = google_compute_target_http_proxy.this_redirect.id
  ip_address            = google_compute_global_address.this_balancer.id
  port_range            = "80"
}

variable "certificate_map" {
  when = let.balancer.tls && !let.issued

  description = "Certificate Manager map with the certificates of load balancers that have no domain of their own: projects/…/locations/global/certificateMaps/…"
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^projects/[^/]+/locations/global/certificateMaps/[^/]+$", var.certificate_map))
    error_message = "A full name such as projects/acme/locations/global/certificateMaps/shop is needed."
  }
}

# The name is proven by a record, so the certificate is there before the name leads here.
resource "google_certificate_manager_dns_authorization" "this" {
  when = let.issued

  name   = let.name
  domain = trimprefix(let.balancer.domain, "*.")
}

resource "google_certificate_manager_certificate" "this" {
  when = let.issued

  name = let.name

  managed {
    domains            = [let.balancer.domain]
    dns_authorizations = [google_certificate_manager_dns_authorization.this.id]
  }
}

resource "google_certificate_manager_certificate_map" "this" {
  when = let.issued

  name = let.name
}

resource "google_certificate_manager_certificate_map_entry" "this" {
  when = let.issued

  name         = let.name
  map          = google_certificate_manager_certificate_map.this.name
  hostname     = let.balancer.domain
  certificates = [google_certificate_manager_certificate.this.id]
}

resource "google_dns_record_set" "this_proof" {
  when = let.issued && let.hosted

  managed_zone = target.dns_zone
  name         = google_certificate_manager_dns_authorization.this.dns_resource_record[0].name
  type         = google_certificate_manager_dns_authorization.this.dns_resource_record[0].type
  ttl          = 300
  rrdatas      = [google_certificate_manager_dns_authorization.this.dns_resource_record[0].data]
}

output "this_certificate_record" {
  when = let.issued && !let.hosted

  description = "The record that proves ${let.balancer.domain}: the certificate is issued once it is there."
  value       = google_certificate_manager_dns_authorization.this.dns_resource_record[0]
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

resource "google_compute_security_policy" "this" {
  when = let.guarded

  name        = let.name
  description = "Requests to ${service.name}"

  # Whoever looks like an attack gets no answer.
  dynamic "rule" {
    for_each = let.balancer.firewall ? ["sqli", "xss", "lfi", "rce", "scannerdetection", "protocolattack"] : []

    content {
      action   = "deny(403)"
      priority = 100 + rule.key

      match {
        expr {
          expression = "evaluatePreconfiguredWaf('${rule.value}-v33-stable', {'sensitivity': 1})"
        }
      }
    }
  }

  # Ten networks fit into a rule.
  dynamic "rule" {
    for_each = let.restricted ? chunklist(let.balancer.allow, 10) : []

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
    action   = let.restricted ? "deny(403)" : "allow"
    priority = 2147483647

    match {
      versioned_expr = "SRC_IPS_V1"

      config {
        src_ip_ranges = ["*"]
      }
    }
  }
}
