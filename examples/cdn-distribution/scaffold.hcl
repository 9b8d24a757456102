# Static files close to their readers: names with a hash in them are kept for a year, pages
# for minutes.

blueprint "cdn-distribution" {
  profile = "high-performance"
  labels  = { team = "platform" }
}

target "aws" {
  region = "eu-west-1"
}

target "gcp" {
  region = "europe-west1"
}

target "kubernetes" {}

site "assets" {
  # A cluster has no buckets: there the files come in an image.
  kubernetes {
    image = "ghcr.io/acme/assets:1.4.2"
  }

  cdn_distribution {
    domain      = "assets.example.com"
    browser_ttl = "60s" # a browser cannot be told to forget, so it keeps the shortest
    edge_ttl    = "5m"
    assets_ttl  = "365d" # what lies under /assets/ never changes under its name
  }
}
