# Cloud CDN: part of the global load balancer, at the edge of Google's network.
template "cdn_distribution" {
  for  = site
  file = "site_${site.name}.tf"

  covers = {
    cache_headers = [let.own_files ? google_compute_backend_bucket.this.cdn_policy.cache_key_policy : google_compute_backend_service.this.cdn_policy.cache_key_policy, let.own_files ? google_compute_backend_bucket.this.cdn_policy.client_ttl : google_compute_backend_service.this.cdn_policy.client_ttl, let.own_files ? google_compute_backend_bucket.this_assets.cdn_policy.default_ttl : google_compute_backend_service.this.cdn_policy.max_ttl]
    hit_ratio     = [google_monitoring_alert_policy.this_hits.conditions.condition_threshold.denominator_filter, google_monitoring_dashboard.this.dashboard_json]
    bandwidth     = [let.own_files ? google_compute_backend_bucket.this.compression_mode : google_compute_backend_service.this.compression_mode, google_monitoring_alert_policy.this.conditions.condition_threshold.threshold_value, let.budget == null || target.billing_account == null ? site.cdn_distribution.max_bytes : google_billing_budget.this.amount]
    tls           = [google_compute_target_https_proxy.this.certificate_map, google_compute_ssl_policy.this.min_tls_version, google_compute_url_map.this_redirect.default_url_redirect]
  }
  approximates = {
    invalidation = {
      by  = [let.own_files ? google_compute_backend_bucket.this.cdn_policy.cache_key_policy : google_compute_backend_service.this.cdn_policy.cache_key_policy, site.cdn_distribution.edge_ttl]
      why = "Nobody tells when what is behind the network changes: a new version has a new name, and everything else runs out."
    }
  }

  ignores = {
    audience = "Cloud CDN keeps copies wherever somebody asks, and cannot be told not to."
  }

  check "origin_is_reached" {
    condition = site.origin == null ? true : site.origin.exposed && site.origin.hostname != null && site.origin.hostname != site.cdn_distribution.domain
    message   = "Cloud CDN fetches the files of ${site.name} from ${site.origin == null ? "" : site.origin.name} by a public name of its own, which it does not have."
    fix       = "Give the service a public balancer with another domain than the site's."
    at        = site.origin
    related   = site.origin == null ? [] : [site.origin.domain]
  }
  check "key_headers" {
    condition = length(site.cdn_distribution.key_headers) <= 5
    message   = "Cloud CDN tells copies apart by five headers at most, not ${length(site.cdn_distribution.key_headers)}."
    fix       = "Leave some out."
    at        = site.cdn_distribution.key_headers
  }
  check "firewall_of_files" {
    condition = !site.cdn_distribution.firewall || site.origin != null
    message   = "Before a bucket Cloud Armor knows addresses and countries, and does not look into requests: files have nothing to attack."
    fix       = "Leave firewall out."
    at        = site.cdn_distribution.firewall
    severity  = "warning"
  }
  check "billing_account" {
    condition = let.budget == null || target.billing_account != null
    message   = "A budget belongs to a billing account, and the target names none: nobody is told when ${site.name} costs more than ${let.budget == null ? 0 : let.budget}."
    fix       = "Set billing_account in the target."
    at        = site.cdn_distribution.monthly_budget
    related   = [target.billing_account]
    severity  = "warning"
  }
}

let {
  cdn    = site.cdn_distribution
  domain = site.cdn_distribution == null ? null : site.cdn_distribution.domain
  issued = let.domain != null
  hosted = let.domain != null && target.dns_zone != null
  stale  = site.cdn_distribution == null ? 0 : max(let.cdn.stale_while_revalidate, let.cdn.stale_if_error)
  headers = site.cdn_distribution == null ? [] : concat(
    let.cdn.hsts > 0 ? ["strict-transport-security: max-age=${let.cdn.hsts}; includeSubDomains"] : [],
    ["x-content-type-options: nosniff", "x-frame-options: SAMEORIGIN", "referrer-policy: strict-origin-when-cross-origin", "x-cache-status: {cdn_cache_status}"],
  )
}

# Pages. The bucket is public and says nothing about lifetimes that fits, so these hold for every file in it.
resource "google_compute_backend_bucket" "this" {
  when = let.own_files

  name                    = let.name
  bucket_name             = google_storage_bucket.this.name
  enable_cdn              = true
  compression_mode        = let.cdn.compress ? "AUTOMATIC" : "DISABLED"
  custom_response_headers = let.headers

  cdn_policy {
    cache_mode         = "FORCE_CACHE_ALL"
    client_ttl         = let.cdn.browser_ttl
    default_ttl        = let.cdn.edge_ttl
    serve_while_stale  = let.stale
    negative_caching   = let.cdn.error_ttl > 0
    request_coalescing = let.cdn.shield # one request for a file at a time

    negative_caching_policy {
      when = let.cdn.error_ttl > 0

      code = 404
      ttl  = ceil(let.cdn.error_ttl)
    }

    # Everything else is ignored, so that nobody can fill the network with copies.
    cache_key_policy {
      query_string_whitelist = let.cdn.key_query
      include_http_headers   = length(let.cdn.key_headers) > 0 ? let.cdn.key_headers : null
    }
  }
}

# Files whose names carry a hash never change.
resource "google_compute_backend_bucket" "this_assets" {
  when = let.own_files

  name                    = "${let.name}-assets"
  bucket_name             = google_storage_bucket.this.name
  enable_cdn              = true
  compression_mode        = let.cdn.compress ? "AUTOMATIC" : "DISABLED"
  custom_response_headers = let.headers

  cdn_policy {
    cache_mode         = "FORCE_CACHE_ALL"
    client_ttl         = let.cdn.assets_ttl
    default_ttl        = let.cdn.assets_ttl
    serve_while_stale  = let.stale
    negative_caching   = false # it may be there in a moment
    request_coalescing = let.cdn.shield
  }
}

# The service is asked by its public name, as anybody would.
resource "google_compute_global_network_endpoint_group" "this" {
  when = !let.own_files

  name                  = let.name
  network_endpoint_type = "INTERNET_FQDN_PORT"
  default_port          = 443
}

resource "google_compute_global_network_endpoint" "this" {
  when = !let.own_files

  global_network_endpoint_group = google_compute_global_network_endpoint_group.this.name
  fqdn                          = let.own_files ? null : site.origin.hostname
  port                          = 443
}

resource "google_compute_backend_service" "this" {
  when = !let.own_files

  name                    = let.name
  load_balancing_scheme   = "EXTERNAL_MANAGED"
  protocol                = "HTTPS"
  timeout_sec             = let.own_files ? 30 : max(1, ceil(site.origin.request_timeout))
  enable_cdn              = true
  compression_mode        = let.cdn.compress ? "AUTOMATIC" : "DISABLED"
  custom_request_headers  = let.own_files ? null : ["host: ${site.origin.hostname}"]
  custom_response_headers = let.headers
  security_policy         = let.cdn.firewall ? google_compute_security_policy.this.id : null

  backend {
    group = google_compute_global_network_endpoint_group.this.id
  }

  # What the service says about lifetimes holds, within these.
  cdn_policy {
    cache_mode         = "CACHE_ALL_STATIC"
    client_ttl         = let.cdn.browser_ttl
    default_ttl        = let.cdn.edge_ttl
    max_ttl            = let.cdn.edge_max_ttl
    serve_while_stale  = let.stale
    negative_caching   = let.cdn.error_ttl > 0
    request_coalescing = let.cdn.shield # one request for a file at a time

    negative_caching_policy {
      when = let.cdn.error_ttl > 0

      code = 404
      ttl  = ceil(let.cdn.error_ttl)
    }

    # Everything else is ignored, so that nobody can fill the network with copies.
    cache_key_policy {
      include_host           = true
      include_protocol       = false
      include_query_string   = length(let.cdn.key_query) > 0
      query_string_whitelist = length(let.cdn.key_query) > 0 ? let.cdn.key_query : null
      include_http_headers   = length(let.cdn.key_headers) > 0 ? let.cdn.key_headers : null
    }
  }

  log_config {
    enable      = true
    sample_rate = 1
  }

  depends_on = [google_compute_global_network_endpoint.this]
}

resource "google_compute_security_policy" "this" {
  when = let.cdn.firewall && !let.own_files

  name        = let.name
  description = "Requests to ${site.name}"

  # Whoever looks like an attack gets no answer.
  dynamic "rule" {
    for_each = ["sqli", "xss", "lfi", "rce", "scannerdetection", "protocolattack"]

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

  rule {
    action   = "allow"
    priority = 2147483647

    match {
      versioned_expr = "SRC_IPS_V1"

      config {
        src_ip_ranges = ["*"]
      }
    }
  }
}

resource "google_compute_url_map" "this" {
  name            = let.name
  default_service = let.own_files ? google_compute_backend_bucket.this.id : google_compute_backend_service.this.id

  host_rule {
    when = let.own_files

    hosts        = ["*"]
    path_matcher = "files"
  }

  path_matcher {
    when = let.own_files

    name            = "files"
    default_service = google_compute_backend_bucket.this.id

    path_rule {
      paths   = ["${trimsuffix(site.assets, "/")}/*"]
      service = google_compute_backend_bucket.this_assets.id
    }

    # Unknown paths are the application's own: it routes in the browser.
    default_custom_error_response_policy {
      when = site.single_page

      error_service = google_compute_backend_bucket.this.id

      error_response_rule {
        match_response_codes   = ["404"]
        path                   = "/${site.index}"
        override_response_code = 200
      }
    }
  }
}

resource "google_compute_global_address" "this" {
  name = let.name
}

resource "google_compute_ssl_policy" "this" {
  name            = let.name
  profile         = let.cdn.min_tls == "1.3" ? "RESTRICTED" : "MODERN"
  min_tls_version = let.cdn.min_tls == "1.3" ? "TLS_1_3" : "TLS_1_2"
}

resource "google_compute_target_https_proxy" "this" {
  name            = let.name
  url_map         = google_compute_url_map.this.id
  certificate_map = let.issued ? "//certificatemanager.googleapis.com/${google_certificate_manager_certificate_map.this.id}" : "//certificatemanager.googleapis.com/${var.certificate_map}"
  ssl_policy      = google_compute_ssl_policy.this.id
  quic_override   = "ENABLE"

  # A proxy without a certificate is refused.
  depends_on = let.issued ? [google_certificate_manager_certificate_map_entry.this] : null
}

resource "google_compute_global_forwarding_rule" "this" {
  name                  = let.name
  load_balancing_scheme = "EXTERNAL_MANAGED"
  target                = google_compute_target_https_proxy.this.id
  ip_address            = google_compute_global_address.this.id
  port_range            = "443"
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
  ip_address            = google_compute_global_address.this.id
  port_range            = "80"
}

variable "certificate_map" {
  when = !let.issued

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
  domain = let.domain
}

resource "google_certificate_manager_certificate" "this" {
  when = let.issued

  name = let.name

  managed {
    domains            = [let.domain]
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
  hostname     = let.domain
  certificates = [google_certificate_manager_certificate.this.id]
}

resource "google_dns_record_set" "this_proof" {
  when = let.hosted

  managed_zone = target.dns_zone
  name         = google_certificate_manager_dns_authorization.this.dns_resource_record[0].name
  type         = google_certificate_manager_dns_authorization.this.dns_resource_record[0].type
  ttl          = 300
  rrdatas      = [google_certificate_manager_dns_authorization.this.dns_resource_record[0].data]
}

output "this_certificate_record" {
  when = let.issued && !let.hosted

  description = "The record that proves ${let.domain}: the certificate is issued once it is there."
  value       = google_certificate_manager_dns_authorization.this.dns_resource_record[0]
}

resource "google_dns_record_set" "this" {
  when = let.hosted

  managed_zone = target.dns_zone
  name         = "${let.domain}."
  type         = "A"
  ttl          = 300
  rrdatas      = [google_compute_global_address.this.address]
}

output "this_address" {
  when = !let.hosted

  description = "The address of ${site.name}, for a record of yours."
  value       = google_compute_global_address.this.address
}
