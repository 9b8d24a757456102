# Requests to load balancers are kept for as long as is asked, and not for the thirty days of other logs.
template "balancer_logs" {
  for  = blueprint
  when = anytrue([for s in blueprint.services : s.runs_on == null && (s.balancer == null ? false : s.balancer.access_logs && s.balancer.layer == 7)])
  file = "shared.tf"
}

resource "google_logging_project_bucket_config" "balancers" {
  project        = local.project
  location       = target.region
  bucket_id      = "${shortname(let.prefix, 80)}-balancers"
  description    = "Requests to the load balancers of ${let.prefix}"
  retention_days = max([for s in blueprint.services : s.runs_on == null && s.balancer != null ? s.balancer.log_days : 1]...)
}

resource "google_logging_project_sink" "balancers" {
  name                   = "${shortname(let.prefix, 80)}-balancers"
  destination            = "logging.googleapis.com/${google_logging_project_bucket_config.balancers.id}"
  filter                 = "resource.type=(\"http_load_balancer\" OR \"internal_http_lb_rule\") resource.labels.url_map_name=~\"^${let.prefix}-\""
  unique_writer_identity = true
}
