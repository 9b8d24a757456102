# How other services of the blueprint reach a service on instances: a name, and a load balancer behind it.
template "address" {
  for  = service
  when = service.runs_on == null
  file = "service_${service.name}.tf"
}

let {
  ready = {
    interval  = service.balancer == null ? 5 : ceil(service.balancer.health_interval)
    timeout   = service.balancer == null ? 3 : ceil(service.balancer.health_timeout)
    healthy   = service.balancer == null ? 2 : service.balancer.healthy_after
    unhealthy = service.balancer == null ? 3 : service.balancer.unhealthy_after
  }
  from_proxies   = let.inside == "http" || let.balancer_kind == "internal" || let.stands_in || length(service.clients) > length(let.callers)
  from_instances = [for s in let.callers : s.name if s.runs_on == null]
}

# Ready rather than alive: failing it only takes the traffic away.
resource "google_compute_region_health_check" "this_ready" {
  when = let.regional_probe && let.probe != "udp"

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

resource "google_compute_region_backend_service" "this_inside" {
  when     = let.inside == "http"
  for_each = let.tracked ? local.this_tracks : null

  name                            = let.tracked ? "${let.name}-${each.key}-inside" : "${let.name}-inside"
  load_balancing_scheme           = "INTERNAL_MANAGED"
  protocol                        = "HTTP"
  port_name                       = "app"
  timeout_sec                     = max(1, ceil(service.request_timeout))
  connection_draining_timeout_sec = ceil(service.drain_time)
  health_checks                   = [google_compute_region_health_check.this_ready.id]
  locality_lb_policy              = "LEAST_REQUEST"

  backend {
    group                 = let.tracked ? google_compute_region_instance_group_manager.this[each.key].instance_group : let.fleet ? google_compute_region_instance_group_manager.this.instance_group : google_compute_instance_group.this.self_link
    balancing_mode        = let.by_rate ? "RATE" : "UTILIZATION"
    max_rate_per_instance = let.by_rate ? service.instance_rps : null
    max_utilization       = let.by_rate ? null : 0.8
    capacity_scaler       = 1
  }

  log_config {
    enable      = true
    sample_rate = 0.1
  }
}

resource "google_compute_region_url_map" "this_inside" {
  when = let.inside == "http"

  name            = "${let.name}-inside"
  default_service = let.tracked ? google_compute_region_backend_service.this_inside[let.main_track].id : google_compute_region_backend_service.this_inside.id

  host_rule {
    when = let.tracked

    hosts        = ["*"]
    path_matcher = "tracks"
  }

  path_matcher {
    when = let.tracked

    name = "tracks"

    default_route_action {
      dynamic "weighted_backend_services" {
        for_each = local.this_tracks

        content {
          backend_service = google_compute_region_backend_service.this_inside[weighted_backend_services.key].id
          weight          = weighted_backend_services.value.weight
        }
      }
    }

    route_rules {
      priority = 10
      service  = google_compute_region_backend_service.this_inside[let.other_track].id

      dynamic "match_rules" {
        for_each = let.track_headers

        content {
          prefix_match = "/"

          header_matches {
            header_name = match_rules.value.name
            exact_match = match_rules.value.value
          }
        }
      }
    }
  }
}

resource "google_compute_region_target_http_proxy" "this_inside" {
  when = let.inside == "http"

  name    = let.turns ? "${let.name}-${let.release}-inside" : "${let.name}-inside"
  url_map = google_compute_region_url_map.this_inside.id
}

resource "google_compute_forwarding_rule" "this_inside" {
  when = let.inside == "http"

  name                  = "${let.name}-inside"
  load_balancing_scheme = "INTERNAL_MANAGED"
  network               = local.network_id
  subnetwork            = local.subnetwork_id
  target                = google_compute_region_target_http_proxy.this_inside.id
  port_range            = tostring(service.port)

  depends_on = let.own_proxy ? [google_compute_subnetwork.proxies] : null
}

# Connections are passed on as they are, so callers are seen as themselves.
resource "google_compute_region_backend_service" "this_inside" {
  when = let.inside == "direct"

  name                            = "${let.name}-inside"
  load_balancing_scheme           = "INTERNAL"
  protocol                        = upper(let.transport)
  connection_draining_timeout_sec = ceil(service.drain_time)
  health_checks                   = [google_compute_region_health_check.this_ready.id]

  backend {
    group          = let.tracked ? google_compute_region_instance_group_manager.this[let.main_track].instance_group : let.fleet ? google_compute_region_instance_group_manager.this.instance_group : google_compute_instance_group.this.self_link
    balancing_mode = "CONNECTION"
  }

  log_config {
    enable      = true
    sample_rate = 0.1
  }
}

resource "google_compute_forwarding_rule" "this_inside" {
  when = let.inside == "direct"

  name                  = "${let.name}-inside"
  load_balancing_scheme = "INTERNAL"
  network               = local.network_id
  subnetwork            = local.subnetwork_id
  backend_service       = google_compute_region_backend_service.this_inside.id
  ip_protocol           = upper(let.transport)
  ports                 = [tostring(service.port)]
}

resource "google_dns_record_set" "this_inside" {
  when = let.called

  managed_zone = google_dns_managed_zone.internal.name
  name         = "${service.name}.${let.namespace}."
  type         = "A"
  ttl          = 60
  rrdatas      = let.inside == "none" ? [google_compute_forwarding_rule.this_balancer.ip_address] : [google_compute_forwarding_rule.this_inside.ip_address]
}

# Requests come from the proxies of internal load balancers, not from the callers themselves.
resource "google_compute_firewall" "this_from_proxies" {
  when = let.from_proxies

  name                    = "${let.name}-from-proxies"
  network                 = local.network_id
  direction               = "INGRESS"
  source_ranges           = [local.proxy_range]
  target_service_accounts = [google_service_account.this.email]

  allow {
    protocol = "tcp"
    ports    = [tostring(service.port)]
  }
}

resource "google_compute_firewall" "this_from_clients" {
  when = let.inside == "direct" && length(let.from_instances) > 0

  name                    = "${let.name}-from-clients"
  network                 = local.network_id
  direction               = "INGRESS"
  source_service_accounts = [for name in slice(let.from_instances, 0, min(10, length(let.from_instances))) : google_service_account[name].email]
  target_service_accounts = [google_service_account.this.email]

  allow {
    protocol = let.transport
    ports    = [tostring(service.port)]
  }
}

# A rule names ten accounts at the most.
resource "google_compute_firewall" "this_from_more_clients" {
  when     = let.inside == "direct" && length(let.from_instances) > 10
  for_each = { for i, names in chunklist(let.from_instances, 10) : tostring(i + 1) => [for name in names : google_service_account[name].email] if i > 0 }

  name                    = "${let.name}-from-clients-${each.key}"
  network                 = local.network_id
  direction               = "INGRESS"
  source_service_accounts = each.value
  target_service_accounts = [google_service_account.this.email]

  allow {
    protocol = let.transport
    ports    = [tostring(service.port)]
  }
}

# Pods have addresses of their own, so they are known by these and not by an account.
resource "google_compute_firewall" "this_from_pods" {
  when = let.inside == "direct" && anytrue([for s in let.callers : s.runs_on != null])

  name                    = "${let.name}-from-pods"
  network                 = local.network_id
  direction               = "INGRESS"
  source_ranges           = distinct([for s in let.callers : google_container_cluster[s.runs_on.name].cluster_ipv4_cidr if s.runs_on != null])
  target_service_accounts = [google_service_account.this.email]

  allow {
    protocol = let.transport
    ports    = [tostring(service.port)]
  }
}
