# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

terraform {
  required_version = ">= 1.11.0" # write-only arguments need it

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 7.45.0, < 8.0.0"
    }
  }
}

provider "google" {
  project = local.project
  region  = "europe-west1"
  default_labels = {
    blueprint    = "connection-pooling"
    "managed-by" = "terraform"
    team         = "platform"
  }
}

variable "project" {
  description = "Project that everything is made in."
  type        = string
  nullable    = false
}

locals {
  project = var.project
}
