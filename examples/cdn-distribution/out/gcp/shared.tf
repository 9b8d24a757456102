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
