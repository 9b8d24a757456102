# The edge before a service: a global load balancer with Cloud CDN. Browser, edge, program and cache keep copies whose
# lifetimes fit together, and one message throws a change out of all that can be told, from the inside to the outside.
template "multi_layer_caching" {
  for  = service
  file = "service_${service.name}_edge.tf"

  covers = {
    invalidation = [google_eventarc_trigger.this_edge.transport, google_workflows_workflow.this_edge.source_contents]
    ttl          = [google_compute_backend_service.this_edge.cdn_policy.client_ttl, google_compute_backend_service.this_edge.cdn_policy.default_ttl, google_compute_backend_service.this_edge.cdn_policy.max_ttl, google_parameter_manager_parameter_version.this_layers.parameter_data]
    hit_ratio    = [google_monitoring_alert_policy.this_edge.conditions.condition_threshold.denominator_filter, google_monitoring_dashboard.this_layers.dashboard_json]
    debugging    = [google_compute_backend_service.this_edge.custom_response_headers, google_compute_backend_service.this_edge.cdn_policy.bypass_cache_on_request_headers, google_compute_backend_service.this_edge.log_config]
  }
  approximates = {
    coherence = {
      by  = [google_compute_backend_service.this_edge.cdn_policy.cache_key_policy, google_parameter_manager_parameter_version.this_layers.parameter_data]
      why = "The edge tells answers apart by the listed headers; the program reads the same list and has to do so too."
    }
  }

  check "behind_the_edge" {
    condition = service.runs_on == null || let.edge_named
    message   = "The edge asks ${service.name} by a public name of its own, which it does not have: nothing else leads to its pods."
    fix       = "Give it a public domain other than the edge's."
    at        = service.multi_layer_caching.domain
    related   = [service.runs_on]
  }
  check "rolled_back_behind_the_edge" {
    condition = !let.edge_direct || !let.rolls_back
    message   = "The edge reaches the versions of ${service.name} itself, past the private balancer; an alarm would give the traffic back there, and not at the edge."
    fix       = "Set rollback = \"operator\", or give the balancer a public domain other than the edge's."
    at        = let.rollout == null ? service.multi_layer_caching : let.rollout.rollback
    related   = [service.multi_layer_caching.domain]
  }
  check "canary_behind_the_edge" {
    condition = !let.edge_shared || !let.keeps_all || length(service.multi_layer_caching.private_paths) > 0
    message   = "The edge reaches the versions of ${service.name} itself, and keeps answers of the stable version only; as all paths are kept, nobody's request would come to the canary."
    fix       = "Say in paths or private_paths what is not kept, give the balancer a public domain other than the edge's, or use blue_green_deployment."
    at        = service.canary_deployment
    related   = [service.multi_layer_caching.paths, service.multi_layer_caching.private_paths]
  }
  check "canary_is_not_kept" {
    condition = !let.edge_shared
    message   = "The edge keeps answers of the stable version only: the canary gets its share of ${let.keeps_all ? "the private paths" : "what is not kept"}, and no header leads to it but at the private balancer."
    fix       = "Count on it, or give the balancer a public domain other than the edge's."
    at        = service.canary_deployment
    related   = [service.multi_layer_caching.paths]
    severity  = "warning"
  }
  check "not_around_the_edge" {
    condition = service.balancer == null || service.multi_layer_caching.domain == null ? true : !service.balancer.public || service.balancer.domain != service.multi_layer_caching.domain
    message   = "${service.multi_layer_caching.domain == null ? "" : service.multi_layer_caching.domain} can point to the edge or to the balancer of ${service.name}, not to both."
    fix       = "Set public = false in its balancer: the edge reaches the instances itself, and nobody goes around it."
    at        = service.multi_layer_caching.domain
    related   = [service.balancer == null ? service.domain : service.balancer.domain]
  }
  check "versions" {
    condition = (service.blue_green_deployment == null && service.canary_deployment == null) || let.edge_shared
    message   = "The edge keeps answers of either version for both: after a rollback those of the new one are sent for up to ${span(service.multi_layer_caching.edge_ttl)}."
    fix       = "Lower edge_ttl while a release goes on, or use rolling_updates."
    at        = service.blue_green_deployment != null ? service.blue_green_deployment : service.canary_deployment
    related   = [service.multi_layer_caching.edge_ttl]
    severity  = "warning"
  }
  check "paths" {
    condition = alltrue([for path in concat(service.multi_layer_caching.paths, service.multi_layer_caching.private_paths) : can(regex("^/[^*]*$|^/(?:[^*]*/)?\\*$", path))])
    message   = "A path may end with /* and has no other star: ${join(", ", [for path in concat(service.multi_layer_caching.paths, service.multi_layer_caching.private_paths) : path if !can(regex("^/[^*]*$|^/(?:[^*]*/)?\\*$", path))])}."
    fix       = "Write it like /api/*."
    at        = service.multi_layer_caching.paths
    related   = [service.multi_layer_caching.private_paths]
  }
  check "vary" {
    condition = length(service.multi_layer_caching.vary) <= 5
    message   = "Cloud CDN tells copies apart by five headers at most, not ${length(service.multi_layer_caching.vary)}."
    fix       = "Leave some out."
    at        = service.multi_layer_caching.vary
  }
}

let {
  layers      = service.multi_layer_caching
  edge_name   = shortname("${let.prefix}-${service.name}", 40)
  edge_cache  = service.multi_layer_caching == null ? null : service.multi_layer_caching.cache
  edge_domain = service.multi_layer_caching == null ? null : service.multi_layer_caching.domain
  edge_issued = let.edge_domain != null
  edge_hosted = let.edge_domain != null && target.dns_zone != null
  edge_stale  = service.multi_layer_caching == null ? 0 : max(let.layers.stale_while_revalidate, let.layers.stale_if_error)
  keeps_all   = service.multi_layer_caching == null ? false : contains(let.layers.paths, "/*")
  kept_paths  = service.multi_layer_caching == null ? [] : [for path in let.layers.paths : path if path != "/*"]
  # By which name the edge can ask for it, rather than reach its groups.
  edge_named  = service.exposed && service.hostname != null && (service.multi_layer_caching == null ? true : service.hostname != service.multi_layer_caching.domain)
  edge_direct = service.runs_on == null && let.tracked && !let.edge_named
  edge_shared = let.edge_direct && service.canary_deployment != null
  grouped     = service.runs_on == null && (!let.tracked || let.edge_direct)
  layer_data = service.multi_layer_caching == null ? null : { for name, value in {
    cache_control     = let.layers.cache_control
    local_ttl_seconds = let.layers.local_ttl
    cache_ttl_seconds = let.layers.cache_ttl
    vary              = let.layers.vary
    private_paths     = let.layers.private_paths
    local_entries     = service.multi_layer_caching_detailed == null ? null : service.multi_layer_caching_detailed.local_entries
    compared_percent  = service.multi_layer_caching_detailed == null ? null : service.multi_layer_caching_detailed.consistency_sample
  } : name => value if value != null }
  fallback = service.multi_layer_caching_detailed == null ? null : service.multi_layer_caching_detailed.fallback
}

# What the program needs to fit in: how long each layer keeps what, what makes another answer, and where changes are said.
resource "google_parameter_manager_parameter" "this_layers" {
  parameter_id = "${let.edge_name}-layers"
  format       = "JSON"
}

# A version cannot be changed: it is named after what is in it, and the next one is there before it goes.
resource "google_parameter_manager_parameter_version" "this_layers" {
  parameter            = google_parameter_manager_parameter.this_layers.id
  parameter_version_id = "v-${hash(jsonencode(let.layer_data), 8)}"
  parameter_data = jsonencode({
    for name in concat(keys(let.layer_data), ["changes"]) : name => name == "changes" ? google_pubsub_topic[let.edge_cache.name].id : let.layer_data[name]
  })

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_compute_health_check" "this_edge" {
  when = let.grouped

  name                = "${let.edge_name}-edge"
  check_interval_sec  = 5
  timeout_sec         = 3
  healthy_threshold   = 2
  unhealthy_threshold = 3

  http_health_check {
    port         = let.grouped ? let.probe_port : service.port
    request_path = service.ready_path
  }

  log_config {
    enable = true
  }
}

# Pods are asked by their public name, as anybody would.
resource "google_compute_global_network_endpoint_group" "this_edge" {
  when = !let.grouped

  name                  = "${let.edge_name}-edge"
  network_endpoint_type = "INTERNET_FQDN_PORT"
  default_port          = 443
}

resource "google_compute_global_network_endpoint" "this_edge" {
  when = !let.grouped

  global_network_endpoint_group = google_compute_global_network_endpoint_group.this_edge.name
  fqdn                          = service.hostname
  port                          = 443
}

# What may be kept. The headers that make another answer here do so in the program and in its cache too.
resource "google_compute_backend_service" "this_edge" {
  name                            = "${let.edge_name}-edge"
  load_balancing_scheme           = "EXTERNAL_MANAGED"
  protocol                        = let.grouped ? "HTTP" : "HTTPS"
  port_name                       = let.grouped ? "app" : null
  timeout_sec                     = max(1, ceil(service.request_timeout))
  connection_draining_timeout_sec = let.grouped ? ceil(service.drain_time) : null
  health_checks                   = let.grouped ? [google_compute_health_check.this_edge.id] : null
  locality_lb_policy              = let.grouped ? "LEAST_REQUEST" : null
  enable_cdn                      = true
  compression_mode                = "AUTOMATIC"
  custom_request_headers          = let.grouped ? null : ["host: ${service.hostname}"]
  custom_response_headers         = let.layers.debug_percent > 0 ? ["x-cache-status: {cdn_cache_status}", "x-cache-id: {cdn_cache_id}"] : ["x-cache-status: {cdn_cache_status}"]

  backend {
    group                 = let.edge_direct ? google_compute_region_instance_group_manager.this[let.main_track].instance_group : let.grouped && let.fleet ? google_compute_region_instance_group_manager.this.instance_group : let.grouped ? google_compute_instance_group.this.self_link : google_compute_global_network_endpoint_group.this_edge.id
    balancing_mode        = !let.grouped ? null : let.by_rate ? "RATE" : "UTILIZATION"
    max_rate_per_instance = let.grouped && let.by_rate ? service.instance_rps : null
    max_utilization       = let.grouped && !let.by_rate ? 0.8 : null
    capacity_scaler       = let.grouped ? 1 : null
  }

  # The program's own Cache-Control counts, within these; what it says nothing about is kept if it is a file.
  cdn_policy {
    cache_mode         = "CACHE_ALL_STATIC"
    client_ttl         = let.layers.browser_ttl
    default_ttl        = let.layers.edge_ttl
    max_ttl            = let.layers.edge_max_ttl
    serve_while_stale  = let.edge_stale
    negative_caching   = true
    request_coalescing = let.layers.shield # one request for an answer at a time

    negative_caching_policy {
      code = 404
      ttl  = min(30, max(1, let.layers.edge_ttl))
    }

    cache_key_policy {
      include_host         = true
      include_protocol     = false
      include_query_string = let.layers.vary_query == "all"
      include_http_headers = length(let.layers.vary) > 0 ? let.layers.vary : null
    }

    # Shows what the program itself answers, when looking for what is wrong.
    bypass_cache_on_request_headers {
      header_name = "x-no-cache"
    }
  }

  log_config {
    enable      = true
    sample_rate = 1
  }

  depends_on = let.grouped ? null : [google_compute_global_network_endpoint.this_edge]
}

# What belongs to one person is kept nowhere.
resource "google_compute_backend_service" "this_edge_private" {
  for_each = let.edge_shared ? local.this_tracks : null

  name                            = let.edge_shared ? "${let.edge_name}-edge-private-${each.key}" : "${let.edge_name}-edge-private"
  load_balancing_scheme           = "EXTERNAL_MANAGED"
  protocol                        = let.grouped ? "HTTP" : "HTTPS"
  port_name                       = let.grouped ? "app" : null
  timeout_sec                     = max(1, ceil(service.request_timeout))
  connection_draining_timeout_sec = let.grouped ? ceil(service.drain_time) : null
  health_checks                   = let.grouped ? [google_compute_health_check.this_edge.id] : null
  locality_lb_policy              = let.grouped ? "LEAST_REQUEST" : null
  enable_cdn                      = false
  custom_request_headers          = let.grouped ? null : ["host: ${service.hostname}"]

  backend {
    group                 = let.edge_shared ? google_compute_region_instance_group_manager.this[each.key].instance_group : let.edge_direct ? google_compute_region_instance_group_manager.this[let.main_track].instance_group : let.grouped && let.fleet ? google_compute_region_instance_group_manager.this.instance_group : let.grouped ? google_compute_instance_group.this.self_link : google_compute_global_network_endpoint_group.this_edge.id
    balancing_mode        = !let.grouped ? null : let.by_rate ? "RATE" : "UTILIZATION"
    max_rate_per_instance = let.grouped && let.by_rate ? service.instance_rps : null
    max_utilization       = let.grouped && !let.by_rate ? 0.8 : null
    capacity_scaler       = let.grouped ? 1 : null
  }

  log_config {
    enable      = true
    sample_rate = 0.1
  }

  depends_on = let.grouped ? null : [google_compute_global_network_endpoint.this_edge]
}

resource "google_compute_url_map" "this_edge" {
  name            = "${let.edge_name}-edge"
  default_service = let.keeps_all ? google_compute_backend_service.this_edge.id : let.edge_shared ? google_compute_backend_service.this_edge_private["stable"].id : google_compute_backend_service.this_edge_private.id

  host_rule {
    hosts        = ["*"]
    path_matcher = "layers"
  }

  path_matcher {
    name            = "layers"
    default_service = let.keeps_all ? google_compute_backend_service.this_edge.id : let.edge_shared ? null : google_compute_backend_service.this_edge_private.id

    default_route_action {
      when = let.edge_shared && !let.keeps_all

      dynamic "weighted_backend_services" {
        for_each = local.this_tracks

        content {
          backend_service = google_compute_backend_service.this_edge_private[weighted_backend_services.key].id
          weight          = weighted_backend_services.value.weight
        }
      }
    }

    path_rule {
      when = length(let.kept_paths) > 0

      paths   = let.kept_paths
      service = google_compute_backend_service.this_edge.id
    }

    path_rule {
      when = length(let.layers.private_paths) > 0

      paths   = let.layers.private_paths
      service = let.edge_shared ? null : google_compute_backend_service.this_edge_private.id

      route_action {
        when = let.edge_shared

        dynamic "weighted_backend_services" {
          for_each = local.this_tracks

          content {
            backend_service = google_compute_backend_service.this_edge_private[weighted_backend_services.key].id
            weight          = weighted_backend_services.value.weight
          }
        }
      }
    }

    # What neither program nor copy can answer.
    default_custom_error_response_policy {
      when = service.multi_layer_caching_detailed != null

      error_service = let.fallback == null ? google_compute_backend_bucket.this_fallback.id : google_compute_backend_bucket[let.fallback.name].id

      error_response_rule {
        match_response_codes   = ["5xx"]
        path                   = let.fallback == null ? "/unavailable.html" : "/${let.fallback.error_page}"
        override_response_code = 503
      }
    }
  }
}

resource "google_compute_global_address" "this_edge" {
  name = "${let.edge_name}-edge"
}

resource "google_compute_ssl_policy" "this_edge" {
  name            = "${let.edge_name}-edge"
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"
}

resource "google_compute_target_https_proxy" "this_edge" {
  name            = "${let.edge_name}-edge"
  url_map         = google_compute_url_map.this_edge.id
  certificate_map = let.edge_issued ? "//certificatemanager.googleapis.com/${google_certificate_manager_certificate_map.this_edge.id}" : "//certificatemanager.googleapis.com/${var.certificate_map}"
  ssl_policy      = google_compute_ssl_policy.this_edge.id
  quic_override   = "ENABLE"

  # A proxy without a certificate is refused.
  depends_on = let.edge_issued ? [google_certificate_manager_certificate_map_entry.this_edge] : null
}

resource "google_compute_global_forwarding_rule" "this_edge" {
  name                  = "${let.edge_name}-edge"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  target                = google_compute_target_https_proxy.this_edge.id
  ip_address            = google_compute_global_address.this_edge.id
  port_range            = "443"
}

# HTTP is only there to be sent to HTTPS.
resource "google_compute_url_map" "this_edge_redirect" {
  name = "${let.edge_name}-edge-redirect"

  default_url_redirect {
    https_redirect         = true
    redirect_response_code = "MOVED_PERMANENTLY_DEFAULT"
    strip_query            = false
  }
}

resource "google_compute_target_http_proxy" "this_edge_redirect" {
  name    = "${let.edge_name}-edge-redirect"
  url_map = google_compute_url_map.this_edge_redirect.id
}

resource "google_compute_global_forwarding_rule" "this_edge_redirect" {
  name                  = "${let.edge_name}-edge-redirect"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  target                = google_compute_target_http_proxy.this_edge_redirect.id
  ip_address            = google_compute_global_address.this_edge.id
  port_range            = "80"
}

variable "certificate_map" {
  when = !let.edge_issued

  description = "Certificate Manager map with the certificates of load balancers that have no domain of their own: projects/…/locations/global/certificateMaps/…"
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^projects/[^/]+/locations/global/certificateMaps/[^/]+$", var.certificate_map))
    error_message = "A full name such as projects/acme/locations/global/certificateMaps/shop is needed."
  }
}

# The name is proven by a record, so the certificate is there before the name leads here.
resource "google_certificate_manager_dns_authorization" "this_edge" {
  when = let.edge_issued

  name   = "${let.edge_name}-edge"
  domain = let.edge_domain
}

resource "google_certificate_manager_certificate" "this_edge" {
  when = let.edge_issued

  name = "${let.edge_name}-edge"

  managed {
    domains            = [let.edge_domain]
    dns_authorizations = [google_certificate_manager_dns_authorization.this_edge.id]
  }
}

resource "google_certificate_manager_certificate_map" "this_edge" {
  when = let.edge_issued

  name = "${let.edge_name}-edge"
}

resource "google_certificate_manager_certificate_map_entry" "this_edge" {
  when = let.edge_issued

  name         = "${let.edge_name}-edge"
  map          = google_certificate_manager_certificate_map.this_edge.name
  hostname     = let.edge_domain
  certificates = [google_certificate_manager_certificate.this_edge.id]
}

resource "google_dns_record_set" "this_edge_proof" {
  when = let.edge_hosted

  managed_zone = target.dns_zone
  name         = google_certificate_manager_dns_authorization.this_edge.dns_resource_record[0].name
  type         = google_certificate_manager_dns_authorization.this_edge.dns_resource_record[0].type
  ttl          = 300
  rrdatas      = [google_certificate_manager_dns_authorization.this_edge.dns_resource_record[0].data]
}

resource "google_dns_record_set" "this_edge" {
  when = let.edge_hosted

  managed_zone = target.dns_zone
  name         = "${let.edge_domain}."
  type         = "A"
  ttl          = 300
  rrdatas      = [google_compute_global_address.this_edge.address]
}
