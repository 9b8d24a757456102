# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

locals {
  notification_channels = []
}

resource "google_logging_project_bucket_config" "balancers" {
  project        = local.project
  location       = "europe-west1"
  bucket_id      = "multi-layer-caching-balancers"
  description    = "Requests to the load balancers of multi-layer-caching"
  retention_days = 90
}

resource "google_logging_project_sink" "balancers" {
  name                   = "multi-layer-caching-balancers"
  destination            = "logging.googleapis.com/${google_logging_project_bucket_config.balancers.id}"
  filter                 = "resource.type=(\"http_load_balancer\" OR \"internal_http_lb_rule\") resource.labels.url_map_name=~\"^multi-layer-caching-\""
  unique_writer_identity = true
}
