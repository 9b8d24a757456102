# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

# Names of buckets are unique in the world.
resource "google_storage_bucket" "assets" {
  name                        = "${local.project}-everything-assets"
  location                    = "europe-west1"
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "inherited" # everybody may read the files
  force_destroy               = false

  # What is sent for a folder, and for what is not there.
  website {
    main_page_suffix = "index.html"
    not_found_page   = "404.html"
  }

  versioning {
    enabled = true
  }

  # What was overwritten or deleted can be brought back for a while.
  lifecycle_rule {
    action {
      type = "Delete"
    }

    condition {
      days_since_noncurrent_time = 30
      with_state                 = "ARCHIVED"
    }
  }

  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }

    condition {
      age = 7
    }
  }
}

# Files can be read, but nobody may list them.
resource "google_storage_bucket_iam_member" "assets" {
  bucket = google_storage_bucket.assets.name
  role   = "roles/storage.legacyObjectReader"
  member = "allUsers"
}

output "assets_bucket" {
  description = "Where the files of assets are put."
  value       = google_storage_bucket.assets.url
}

# Pages. The bucket is public and says nothing about lifetimes that fits, so these hold for every file in it.
resource "google_compute_backend_bucket" "assets" {
  name             = "everything-assets"
  bucket_name      = google_storage_bucket.assets.name
  enable_cdn       = true
  compression_mode = "AUTOMATIC"
  custom_response_headers = [
    "strict-transport-security: max-age=31536000; includeSubDomains",
    "x-content-type-options: nosniff",
    "x-frame-options: SAMEORIGIN",
    "referrer-policy: strict-origin-when-cross-origin",
    "x-cache-status: {cdn_cache_status}",
  ]

  cdn_policy {
    cache_mode         = "FORCE_CACHE_ALL"
    client_ttl         = 60
    default_ttl        = 300
    serve_while_stale  = 86400
    negative_caching   = true
    request_coalescing = true # one request for a file at a time

    negative_caching_policy {
      code = 404
      ttl  = 10
    }

    # Everything else is ignored, so that nobody can fill the network with copies.
    cache_key_policy {
      query_string_whitelist = ["v"]
    }
  }
}

# Files whose names carry a hash never change.
resource "google_compute_backend_bucket" "assets_assets" {
  name             = "everything-assets-assets"
  bucket_name      = google_storage_bucket.assets.name
  enable_cdn       = true
  compression_mode = "AUTOMATIC"
  custom_response_headers = [
    "strict-transport-security: max-age=31536000; includeSubDomains",
    "x-content-type-options: nosniff",
    "x-frame-options: SAMEORIGIN",
    "referrer-policy: strict-origin-when-cross-origin",
    "x-cache-status: {cdn_cache_status}",
  ]

  cdn_policy {
    cache_mode         = "FORCE_CACHE_ALL"
    client_ttl         = 31536000
    default_ttl        = 31536000
    serve_while_stale  = 86400
    negative_caching   = false # it may be there in a moment
    request_coalescing = true
  }
}

resource "google_compute_url_map" "assets" {
  name            = "everything-assets"
  default_service = google_compute_backend_bucket.assets.id

  host_rule {
    hosts        = ["*"]
    path_matcher = "files"
  }

  path_matcher {
    name            = "files"
    default_service = google_compute_backend_bucket.assets.id

    path_rule {
      paths   = ["/assets/*"]
      service = google_compute_backend_bucket.assets_assets.id
    }
  }
}

resource "google_compute_global_address" "assets" {
  name = "everything-assets"
}

resource "google_compute_ssl_policy" "assets" {
  name            = "everything-assets"
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"
}

resource "google_compute_target_https_proxy" "assets" {
  name            = "everything-assets"
  url_map         = google_compute_url_map.assets.id
  certificate_map = "//certificatemanager.googleapis.com/${google_certificate_manager_certificate_map.assets.id}"
  ssl_policy      = google_compute_ssl_policy.assets.id
  quic_override   = "ENABLE"

  # A proxy without a certificate is refused.
  depends_on = [google_certificate_manager_certificate_map_entry.assets]
}

resource "google_compute_global_forwarding_rule" "assets" {
  name                  = "everything-assets"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  target                = google_compute_target_https_proxy.assets.id
  ip_address            = google_compute_global_address.assets.id
  port_range            = "443"
}

# HTTP is only there to be sent to HTTPS.
resource "google_compute_url_map" "assets_redirect" {
  name = "everything-assets-redirect"

  default_url_redirect {
    https_redirect         = true
    redirect_response_code = "MOVED_PERMANENTLY_DEFAULT"
    strip_query            = false
  }
}

resource "google_compute_target_http_proxy" "assets_redirect" {
  name    = "everything-assets-redirect"
  url_map = google_compute_url_map.assets_redirect.id
}

resource "google_compute_global_forwarding_rule" "assets_redirect" {
  name                  = "everything-assets-redirect"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  target                = google_compute_target_http_proxy.assets_redirect.id
  ip_address            = google_compute_global_address.assets.id
  port_range            = "80"
}

# The name is proven by a record, so the certificate is there before the name leads here.
resource "google_certificate_manager_dns_authorization" "assets" {
  name   = "everything-assets"
  domain = "assets.example.com"
}

resource "google_certificate_manager_certificate" "assets" {
  name = "everything-assets"

  managed {
    domains            = ["assets.example.com"]
    dns_authorizations = [google_certificate_manager_dns_authorization.assets.id]
  }
}

resource "google_certificate_manager_certificate_map" "assets" {
  name = "everything-assets"
}

resource "google_certificate_manager_certificate_map_entry" "assets" {
  name         = "everything-assets"
  map          = google_certificate_manager_certificate_map.assets.name
  hostname     = "assets.example.com"
  certificates = [google_certificate_manager_certificate.assets.id]
}

resource "google_dns_record_set" "assets_proof" {
  managed_zone = "example-com"
  name         = google_certificate_manager_dns_authorization.assets.dns_resource_record[0].name
  type         = google_certificate_manager_dns_authorization.assets.dns_resource_record[0].type
  ttl          = 300
  rrdatas      = [google_certificate_manager_dns_authorization.assets.dns_resource_record[0].data]
}

resource "google_dns_record_set" "assets" {
  managed_zone = "example-com"
  name         = "assets.example.com."
  type         = "A"
  ttl          = 300
  rrdatas      = [google_compute_global_address.assets.address]
}
