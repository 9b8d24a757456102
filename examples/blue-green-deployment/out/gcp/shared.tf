# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

locals {
  notification_channels = []
}

# Google names the accounts of its services after the number of the project.
variable "project_number" {
  description = "Number of the project."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]+$", var.project_number))
    error_message = "A project's number has digits only."
  }
}

locals {
  project_number = var.project_number
}

resource "google_logging_project_bucket_config" "balancers" {
  project        = local.project
  location       = "europe-west1"
  bucket_id      = "blue-green-deployment-balancers"
  description    = "Requests to the load balancers of blue-green-deployment"
  retention_days = 90
}

resource "google_logging_project_sink" "balancers" {
  name                   = "blue-green-deployment-balancers"
  destination            = "logging.googleapis.com/${google_logging_project_bucket_config.balancers.id}"
  filter                 = "resource.type=(\"http_load_balancer\" OR \"internal_http_lb_rule\") resource.labels.url_map_name=~\"^blue-green-deployment-\""
  unique_writer_identity = true
}
