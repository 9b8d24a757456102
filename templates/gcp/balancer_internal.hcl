# From the network, by request: proxies in the region.
template "balancer_internal" {
  for     = service
  pattern = "elastic_load_balancing"
  when    = service.runs_on == null && service.balancer.layer == 7 && !service.balancer.public
  file    = "service_${service.name}_balancer.tf"

  covers = {
    health_checks = [google_compute_region_health_check.this_ready.unhealthy_threshold, google_compute_region_backend_service.this.health_checks]
    algorithm     = [google_compute_region_backend_service.this.locality_lb_policy, google_compute_region_backend_service.this.backend.balancing_mode]
    stickiness    = [google_compute_region_backend_service.this.session_affinity]
    distribution  = [google_compute_region_backend_service.this.log_config, google_monitoring_alert_policy.this_balancer.conditions]
  }
  approximates = {
    tls = {
      by  = [let.balancer.tls ? google_compute_region_target_https_proxy.this.ssl_policy : google_compute_region_target_http_proxy.this.url_map]
      why = let.balancer.tls ? "Only the network reaches it, but its certificate is proven by a public record." : "Without a domain it speaks plain HTTP; Google encrypts what leaves its buildings."
    }
  }
}

resource "google_compute_region_backend_service" "this" {
  for_each = let.tracked ? local.this_tracks : null

  name                            = let.tracked ? "${let.name}-${each.key}" : let.name
  load_balancing_scheme           = "INTERNAL_MANAGED"
  protocol                        = let.balancer.protocol == "grpc" ? "H2C" : "HTTP"
  port_name                       = "app"
  timeout_sec                     = let.balancer.websocket ? 86400 : max(1, ceil(service.request_timeout))
  connection_draining_timeout_sec = ceil(service.drain_time)
  health_checks                   = [google_compute_region_health_check.this_ready.id]
  security_policy                 = let.guarded ? google_compute_region_security_policy.this.id : null

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

resource "google_compute_region_url_map" "this" {
  name            = let.name
  default_service = let.tracked ? google_compute_region_backend_service.this[let.main_track].id : google_compute_region_backend_service.this.id

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
        backend_service = google_compute_region_backend_service.this.id
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
      service = google_compute_region_backend_service.this.id
    }
  }

  path_matcher {
    when = let.tracked

    name = "tracks"

    default_route_action {
      dynamic "weighted_backend_services" {
        for_each = local.this_tracks

        content {
          backend_service = google_compute_region_backend_service.this[weighted_backend_services.key].id
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
      service  = google_compute_region_backend_service.this[let.other_track].id

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
            backend_service = google_compute_region_backend_service.this[weighted_backend_services.key].id
            weight          = weighted_backend_services.value.weight
          }
        }
      }
    }
  }
}

resource "google_compute_region_target_http_proxy" "this" {
  when = !let.balancer.tls

  name                        = let.turns ? "${let.name}-${let.release}" : let.name
  url_map                     = google_compute_region_url_map.this.id
  http_keep_alive_timeout_sec = min(600, max(5, ceil(let.balancer.idle_timeout)))
}

resource "google_compute_region_ssl_policy" "this" {
  when = let.balancer.tls

  name            = let.name
  profile         = let.balancer.min_tls == "1.3" ? "RESTRICTED" : "MODERN"
  min_tls_version = let.balancer.min_tls == "1.3" ? "TLS_1_3" : "TLS_1_2"
}

resource "google_compute_region_target_https_proxy" "this" {
  when = let.balancer.tls

  name                             = let.turns ? "${let.name}-${let.release}" : let.name
  url_map                          = google_compute_region_url_map.this.id
  certificate_manager_certificates = [google_certificate_manager_certificate.this.id]
  ssl_policy                       = google_compute_region_ssl_policy.this.id
  http_keep_alive_timeout_sec      = min(600, max(5, ceil(let.balancer.idle_timeout)))
}

# A proxy in a region takes certificates of that region. Each has a record of its own, so that the same name can be
# proven for others too.
resource "google_certificate_manager_dns_authorization" "this" {
  when = let.balancer.tls

  name     = let.name
  location = target.region
  type     = "PER_PROJECT_RECORD"
  domain   = trimprefix(let.balancer.domain, "*.")
}

resource "google_certificate_manager_certificate" "this" {
  when = let.balancer.tls

  name     = let.name
  location = target.region

  managed {
    domains            = [let.balancer.domain]
    dns_authorizations = [google_certificate_manager_dns_authorization.this.id]
  }
}

resource "google_dns_record_set" "this_proof" {
  when = let.balancer.tls && target.dns_zone != null

  managed_zone = target.dns_zone
  name         = google_certificate_manager_dns_authorization.this.dns_resource_record[0].name
  type         = google_certificate_manager_dns_authorization.this.dns_resource_record[0].type
  ttl          = 300
  rrdatas      = [google_certificate_manager_dns_authorization.this.dns_resource_record[0].data]
}

output "this_certificate_record" {
  when = let.balancer.tls && target.dns_zone == null

  description = "The record that proves ${let.balancer.domain}: the certificate is issued once it is there."
  value       = google_certificate_manager_dns_authorization.this.dns_resource_record[0]
}

resource "google_compute_address" "this_balancer" {
  name         = "${let.name}-balancer"
  subnetwork   = local.subnetwork_id
  address_type = "INTERNAL"
  purpose      = "SHARED_LOADBALANCER_VIP"
}

resource "google_compute_forwarding_rule" "this_balancer" {
  name                  = let.name
  load_balancing_scheme = "INTERNAL_MANAGED"
  network               = local.network_id
  subnetwork            = local.subnetwork_id
  ip_address            = google_compute_address.this_balancer.id
  target                = let.balancer.tls ? google_compute_region_target_https_proxy.this.id : google_compute_region_target_http_proxy.this.id
  port_range            = tostring(let.listens)

  depends_on = let.own_proxy ? [google_compute_subnetwork.proxies] : null
}

output "this_address" {
  description = "The address of ${service.name} in the network."
  value       = google_compute_forwarding_rule.this_balancer.ip_address
}

resource "google_compute_region_security_policy" "this" {
  when = let.guarded

  name        = let.name
  type        = "CLOUD_ARMOR"
  description = "Requests to ${service.name}"

  # Whoever looks like an attack gets no answer.
  dynamic "rules" {
    for_each = let.balancer.firewall ? ["sqli", "xss", "lfi", "rce", "scannerdetection", "protocolattack"] : []

    content {
      action   = "deny(403)"
      priority = 100 + rules.key

      match {
        expr {
          expression = "evaluatePreconfiguredWaf('${rules.value}-v33-stable', {'sensitivity': 1})"
        }
      }
    }
  }

  # Who is connected privately was let in there, and comes from these addresses.
  rules {
    when = let.restricted && contains(let.linked, service.name)

    action   = "allow"
    priority = 900

    match {
      versioned_expr = "SRC_IPS_V1"

      config {
        src_ip_ranges = [google_compute_subnetwork.this_link.ip_cidr_range]
      }
    }
  }

  # Ten networks fit into a rule.
  dynamic "rules" {
    for_each = let.restricted ? chunklist(let.balancer.allow, 10) : []

    content {
      action   = "allow"
      priority = 1000 + rules.key

      match {
        versioned_expr = "SRC_IPS_V1"

        config {
          src_ip_ranges = rules.value
        }
      }
    }
  }

  rules {
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
