# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_service_account" "assets_purge" {
  account_id   = "cdn-distribution-assets-purge"
  display_name = "Throws old files of cdn-distribution-assets out of Cloud CDN"
}

resource "google_project_iam_member" "assets_purge" {
  for_each = {
    purge  = google_project_iam_custom_role.purge.id
    log    = "roles/logging.logWriter"
    invoke = "roles/workflows.invoker"
    event  = "roles/eventarc.eventReceiver"
  }

  project = local.project
  role    = each.value
  member  = google_service_account.assets_purge.member
}

# What Cloud Storage tells, it tells as an account of its own.
resource "google_project_iam_member" "storage_events" {
  project = local.project
  role    = "roles/pubsub.publisher"
  member  = "serviceAccount:service-${local.project_number}@gs-project-accounts.iam.gserviceaccount.com"
}

resource "google_workflows_workflow" "assets_purge" {
  name                = "cdn-distribution-assets-purge"
  region              = "europe-west1"
  description         = "Throws files of assets that have changed out of Cloud CDN"
  service_account     = google_service_account.assets_purge.id
  deletion_protection = false # it keeps nothing
  source_contents     = file("${path.module}/purge/file.yaml")

  user_env_vars = {
    PROJECT = local.project
    URL_MAP = google_compute_url_map.assets.name
    ASSETS  = "assets/"
    INDEX   = "index.html"
  }
}

resource "google_eventarc_trigger" "assets_purge" {
  for_each = toset(["finalized", "deleted"])

  name            = "cdn-distribution-assets-${each.key}"
  location        = "europe-west1"
  service_account = google_service_account.assets_purge.email

  matching_criteria {
    attribute = "type"
    value     = "google.cloud.storage.object.v1.${each.key}"
  }

  matching_criteria {
    attribute = "bucket"
    value     = google_storage_bucket.assets.name
  }

  destination {
    workflow = google_workflows_workflow.assets_purge.id
  }

  depends_on = [google_project_iam_member.storage_events, google_project_iam_member.assets_purge]
}
