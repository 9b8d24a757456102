# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

# What the program needs to fit in: how long each layer keeps what, what makes another answer, and where changes are said.
resource "google_parameter_manager_parameter" "web_layers" {
  parameter_id = "everything-web-layers"
  format       = "JSON"
}

# A version cannot be changed: it is named after what is in it, and the next one is there before it goes.
resource "google_parameter_manager_parameter_version" "web_layers" {
  parameter            = google_parameter_manager_parameter.web_layers.id
  parameter_version_id = "v-7bf45899"
  parameter_data = jsonencode({
    cache_control     = "public, max-age=60, s-maxage=300, stale-while-revalidate=30, stale-if-error=600"
    cache_ttl_seconds = 900
    local_ttl_seconds = 5
    private_paths     = ["/account/*", "/cart/*", "/checkout/*"]
    vary              = ["Accept-Language"]
    changes           = google_pubsub_topic.products.id
  })

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_compute_health_check" "web_edge" {
  name                = "everything-web-edge"
  check_interval_sec  = 5
  timeout_sec         = 3
  healthy_threshold   = 2
  unhealthy_threshold = 3

  http_health_check {
    port         = 8080
    request_path = "/readyz"
  }

  log_config {
    enable = true
  }
}

# What may be kept. The headers that make another answer here do so in the program and in its cache too.
resource "google_compute_backend_service" "web_edge" {
  name                            = "everything-web-edge"
  load_balancing_scheme           = "EXTERNAL_MANAGED"
  protocol                        = "HTTP"
  port_name                       = "app"
  timeout_sec                     = 10
  connection_draining_timeout_sec = 30
  health_checks                   = [google_compute_health_check.web_edge.id]
  locality_lb_policy              = "LEAST_REQUEST"
  enable_cdn                      = true
  compression_mode                = "AUTOMATIC"
  custom_response_headers         = ["x-cache-status: {cdn_cache_status}", "x-cache-id: {cdn_cache_id}"]

  backend {
    group                 = google_compute_region_instance_group_manager.web.instance_group
    balancing_mode        = "RATE"
    max_rate_per_instance = 100
    capacity_scaler       = 1
  }

  # The program's own Cache-Control counts, within these; what it says nothing about is kept if it is a file.
  cdn_policy {
    cache_mode         = "CACHE_ALL_STATIC"
    client_ttl         = 60
    default_ttl        = 300
    max_ttl            = 3600
    serve_while_stale  = 600
    negative_caching   = true
    request_coalescing = true # one request for an answer at a time

    negative_caching_policy {
      code = 404
      ttl  = 30
    }

    cache_key_policy {
      include_host         = true
      include_protocol     = false
      include_query_string = true
      include_http_headers = ["Accept-Language"]
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
}

# What belongs to one person is kept nowhere.
resource "google_compute_backend_service" "web_edge_private" {
  name                            = "everything-web-edge-private"
  load_balancing_scheme           = "EXTERNAL_MANAGED"
  protocol                        = "HTTP"
  port_name                       = "app"
  timeout_sec                     = 10
  connection_draining_timeout_sec = 30
  health_checks                   = [google_compute_health_check.web_edge.id]
  locality_lb_policy              = "LEAST_REQUEST"
  enable_cdn                      = false

  backend {
    group                 = google_compute_region_instance_group_manager.web.instance_group
    balancing_mode        = "RATE"
    max_rate_per_instance = 100
    capacity_scaler       = 1
  }

  log_config {
    enable      = true
    sample_rate = 0.1
  }
}

resource "google_compute_url_map" "web_edge" {
  name            = "everything-web-edge"
  default_service = google_compute_backend_service.web_edge.id

  host_rule {
    hosts        = ["*"]
    path_matcher = "layers"
  }

  path_matcher {
    name            = "layers"
    default_service = google_compute_backend_service.web_edge.id

    path_rule {
      paths   = ["/account/*", "/cart/*", "/checkout/*"]
      service = google_compute_backend_service.web_edge_private.id
    }
  }
}

resource "google_compute_global_address" "web_edge" {
  name = "everything-web-edge"
}

resource "google_compute_ssl_policy" "web_edge" {
  name            = "everything-web-edge"
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"
}

resource "google_compute_target_https_proxy" "web_edge" {
  name            = "everything-web-edge"
  url_map         = google_compute_url_map.web_edge.id
  certificate_map = "//certificatemanager.googleapis.com/${google_certificate_manager_certificate_map.web_edge.id}"
  ssl_policy      = google_compute_ssl_policy.web_edge.id
  quic_override   = "ENABLE"

  # A proxy without a certificate is refused.
  depends_on = [google_certificate_manager_certificate_map_entry.web_edge]
}

resource "google_compute_global_forwarding_rule" "web_edge" {
  name                  = "everything-web-edge"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  target                = google_compute_target_https_proxy.web_edge.id
  ip_address            = google_compute_global_address.web_edge.id
  port_range            = "443"
}

# HTTP is only there to be sent to HTTPS.
resource "google_compute_url_map" "web_edge_redirect" {
  name = "everything-web-edge-redirect"

  default_url_redirect {
    https_redirect         = true
    redirect_response_code = "MOVED_PERMANENTLY_DEFAULT"
    strip_query            = false
  }
}

resource "google_compute_target_http_proxy" "web_edge_redirect" {
  name    = "everything-web-edge-redirect"
  url_map = google_compute_url_map.web_edge_redirect.id
}

resource "google_compute_global_forwarding_rule" "web_edge_redirect" {
  name                  = "everything-web-edge-redirect"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  target                = google_compute_target_http_proxy.web_edge_redirect.id
  ip_address            = google_compute_global_address.web_edge.id
  port_range            = "80"
}

# The name is proven by a record, so the certificate is there before the name leads here.
resource "google_certificate_manager_dns_authorization" "web_edge" {
  name   = "everything-web-edge"
  domain = "shop.example.com"
}

resource "google_certificate_manager_certificate" "web_edge" {
  name = "everything-web-edge"

  managed {
    domains            = ["shop.example.com"]
    dns_authorizations = [google_certificate_manager_dns_authorization.web_edge.id]
  }
}

resource "google_certificate_manager_certificate_map" "web_edge" {
  name = "everything-web-edge"
}

resource "google_certificate_manager_certificate_map_entry" "web_edge" {
  name         = "everything-web-edge"
  map          = google_certificate_manager_certificate_map.web_edge.name
  hostname     = "shop.example.com"
  certificates = [google_certificate_manager_certificate.web_edge.id]
}

resource "google_dns_record_set" "web_edge_proof" {
  managed_zone = "example-com"
  name         = google_certificate_manager_dns_authorization.web_edge.dns_resource_record[0].name
  type         = google_certificate_manager_dns_authorization.web_edge.dns_resource_record[0].type
  ttl          = 300
  rrdatas      = [google_certificate_manager_dns_authorization.web_edge.dns_resource_record[0].data]
}

resource "google_dns_record_set" "web_edge" {
  managed_zone = "example-com"
  name         = "shop.example.com."
  type         = "A"
  ttl          = 300
  rrdatas      = [google_compute_global_address.web_edge.address]
}

resource "google_service_account" "web_edge" {
  account_id   = "everything-web-edge"
  display_name = "Throws what has changed out of the edge of web"
}

resource "google_project_iam_member" "web_edge" {
  for_each = {
    purge  = google_project_iam_custom_role.purge.id
    log    = "roles/logging.logWriter"
    invoke = "roles/workflows.invoker"
    event  = "roles/eventarc.eventReceiver"
  }

  project = local.project
  role    = each.value
  member  = google_service_account.web_edge.member
}

resource "google_workflows_workflow" "web_edge" {
  name                = "everything-web-edge"
  region              = "europe-west1"
  description         = "Throws what has changed out of the edge of web"
  service_account     = google_service_account.web_edge.id
  deletion_protection = false # it keeps nothing
  source_contents     = file("${path.module}/purge/change.yaml")

  user_env_vars = {
    PROJECT = local.project
    URL_MAP = google_compute_url_map.web_edge.name
    WAIT    = "5"
  }
}

resource "google_eventarc_trigger" "web_edge" {
  name            = "everything-web-edge"
  location        = "europe-west1"
  service_account = google_service_account.web_edge.email

  matching_criteria {
    attribute = "type"
    value     = "google.cloud.pubsub.topic.v1.messagePublished"
  }

  transport {
    pubsub {
      topic = google_pubsub_topic.products.id
    }
  }

  destination {
    workflow = google_workflows_workflow.web_edge.id
  }

  depends_on = [google_project_iam_member.web_edge]
}

resource "google_monitoring_alert_policy" "web_edge_changes" {
  display_name          = "everything-web: changes do not reach the edge"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.notification_channels

  conditions {
    display_name = "a change was not thrown out"

    condition_threshold {
      filter          = "resource.type = \"workflows.googleapis.com/Workflow\" AND resource.labels.workflow_id = \"${google_workflows_workflow.web_edge.name}\" AND metric.type = \"workflows.googleapis.com/finished_execution_count\" AND metric.labels.status = \"FAILED\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_DELTA"
      }
    }
  }

  documentation {
    content = "The edge goes on with an old answer until its time is over, 5m at the longest for what the program says nothing about."
  }
}
