component "site" {
  title   = "Site"
  plural  = "sites"
  summary = "Files for browsers: pages, scripts, pictures, downloads."

  input "origin" {
    type     = ref(service)
    nullable = true
    summary  = "The service that the files come from. Without one they lie in a bucket that scaffold makes."
  }
  input "image" {
    type     = string
    nullable = true
    matches  = "[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?::[0-9]{1,5})?(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
    hint     = "a container image with a tag or digest, such as ghcr.io/acme/assets:1.4.2"
    summary  = "A container image with the files in /site, for a target that has no buckets. Without one they lie there on a volume that you fill."
  }
  input "domain" {
    type     = string
    nullable = true
    matches  = "(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}"
    hint     = "a domain name in lower case, such as assets.example.com"
    summary  = "The public DNS name."
  }
  input "index" {
    type    = string
    default = "index.html"
    matches = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
    hint    = "a file name"
    summary = "The file that is sent for a folder."
  }
  input "error_page" {
    type    = string
    default = "404.html"
    matches = "[A-Za-z0-9][A-Za-z0-9._/-]{0,127}"
    hint    = "a file name"
    summary = "The file that is sent for what is not there."
  }
  input "single_page" {
    type    = bool
    default = false
    summary = "Whether every unknown path gets the index, as an application that routes in the browser wants it."
  }
  input "assets" {
    type    = string
    default = "/assets/"
    matches = "/[A-Za-z0-9._~/-]{0,127}"
    hint    = "a path that starts with /"
    summary = "Where files lie whose names carry a hash of their content. They may be kept for a year, for they never change."
  }
  input "keep_versions_days" {
    type    = number
    default = 30
    range   = [1, 3650]
    summary = "For how many days overwritten and deleted files can be brought back."
  }
  input "peak_rps" {
    type     = number
    nullable = true
    range    = [1, 100000000]
    summary  = "Requests per second at the busiest time."
  }
  input "availability" {
    type    = percent
    default = 99.9
    range   = [90, 99.999]
    summary = "The share of time that it has to answer."
  }

  derived "hostname" {
    value   = self.cdn_distribution == null ? self.domain : self.cdn_distribution.domain
    summary = "The public DNS name, its own or its distribution's; null without."
  }

  check "origin_speaks_http" {
    condition = self.origin == null ? true : self.origin.protocol == "http"
    message   = "${self.name} is served from ${self.origin == null ? "" : self.origin.name}, which does not speak HTTP."
    fix       = "Name a service whose protocol is http."
    at        = self.origin
    firm      = true
  }
}
