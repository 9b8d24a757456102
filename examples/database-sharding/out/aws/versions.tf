# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

terraform {
  required_version = ">= 1.11.0" # write-only arguments and locking in S3 need it

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 7.0.0"
    }
  }
}

provider "aws" {
  region = "eu-west-1"

  default_tags {
    tags = local.tags
  }
}

locals {
  # default_tags do not reach what an Auto Scaling group starts, so launch templates name them again.
  tags = {
    blueprint    = "database-sharding"
    "managed-by" = "terraform"
    team         = "platform"
  }
}
