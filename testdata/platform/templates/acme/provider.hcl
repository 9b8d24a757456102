template "provider" {
  for  = blueprint
  file = "main.tf"
}

terraform {
  required_providers {
    acme = {
      source = "registry.example.com/acme/acme"
    }
  }
}

provider "acme" {
  region = target.region
  owner  = target.owner
}
