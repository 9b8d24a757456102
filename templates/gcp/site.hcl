# The bucket that a site's files lie in, where they do not come from a service.
template "site" {
  for  = site
  file = "site_${site.name}.tf"

  check "served" {
    condition = site.cdn_distribution != null
    message   = "Nothing serves ${site.name}: only a distribution stands before its bucket, or asks its origin, on Google Cloud."
    fix       = "Add cdn_distribution {}."
    at        = site.name
    severity  = "warning"
  }
}

let {
  name      = shortname("${let.prefix}-${site.name}", 32)
  own_files = site.origin == null
  # Services whose edge sends this site when they fail.
  fallback_of = lookup(let.site_fallbacks, site.name, [])
  invalidates = site.cdn_distribution == null ? false : site.cdn_distribution.invalidate == "changed" && site.origin == null
  budget      = site.cdn_distribution == null ? null : site.cdn_distribution.monthly_budget
}

# Names of buckets are unique in the world.
resource "google_storage_bucket" "this" {
  when = let.own_files

  name                        = "${local.project}-${let.name}"
  location                    = target.region
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = site.cdn_distribution != null || length(let.fallback_of) > 0 ? "inherited" : "enforced" # everybody may read the files
  force_destroy               = false

  # What is sent for a folder, and for what is not there.
  website {
    main_page_suffix = site.index
    not_found_page   = site.single_page ? null : site.error_page
  }

  versioning {
    enabled = true
  }

  # What was overwritten or deleted can be brought back for a while.
  lifecycle_rule {
    action {
      type = "Delete"
    }

    condition {
      days_since_noncurrent_time = site.keep_versions_days
      with_state                 = "ARCHIVED"
    }
  }

  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }

    condition {
      age = 7
    }
  }
}

# Files can be read, but nobody may list them.
resource "google_storage_bucket_iam_member" "this" {
  when = let.own_files && (site.cdn_distribution != null || length(let.fallback_of) > 0)

  bucket = google_storage_bucket.this.name
  role   = "roles/storage.legacyObjectReader"
  member = "allUsers"
}

output "this_bucket" {
  when = let.own_files

  description = "Where the files of ${site.name} are put."
  value       = google_storage_bucket.this.url
}
