# A file that is overwritten or deleted is thrown out of the network, unless its name carries a hash.
template "cdn_distribution_purge" {
  for     = site
  pattern = "cdn_distribution"
  when    = let.invalidates
  file    = "site_${site.name}_purge.tf"

  covers = {
    invalidation = [google_eventarc_trigger.this_purge.matching_criteria, google_workflows_workflow.this_purge.source_contents]
  }
}

resource "google_service_account" "this_purge" {
  account_id   = shortname("${let.prefix}-${site.name}-purge", 30)
  display_name = "Throws old files of ${let.name} out of Cloud CDN"
}

resource "google_project_iam_member" "this_purge" {
  for_each = {
    purge  = google_project_iam_custom_role.purge.id
    log    = "roles/logging.logWriter"
    invoke = "roles/workflows.invoker"
    event  = "roles/eventarc.eventReceiver"
  }

  project = local.project
  role    = each.value
  member  = google_service_account.this_purge.member
}

# What Cloud Storage tells, it tells as an account of its own.
resource "google_project_iam_member" "storage_events" {
  project = local.project
  role    = "roles/pubsub.publisher"
  member  = "serviceAccount:service-${local.project_number}@gs-project-accounts.iam.gserviceaccount.com"
}

resource "google_workflows_workflow" "this_purge" {
  name                = "${let.name}-purge"
  region              = target.region
  description         = "Throws files of ${site.name} that have changed out of Cloud CDN"
  service_account     = google_service_account.this_purge.id
  deletion_protection = false # it keeps nothing
  source_contents     = file("${path.module}/purge/file.yaml")

  user_env_vars = {
    PROJECT = local.project
    URL_MAP = google_compute_url_map.this.name
    ASSETS  = trimprefix(site.assets, "/")
    INDEX   = site.index
  }
}

resource "google_eventarc_trigger" "this_purge" {
  for_each = toset(["finalized", "deleted"])

  name            = "${let.name}-${each.key}"
  location        = target.region
  service_account = google_service_account.this_purge.email

  matching_criteria {
    attribute = "type"
    value     = "google.cloud.storage.object.v1.${each.key}"
  }

  matching_criteria {
    attribute = "bucket"
    value     = google_storage_bucket.this.name
  }

  destination {
    workflow = google_workflows_workflow.this_purge.id
  }

  depends_on = [google_project_iam_member.storage_events, google_project_iam_member.this_purge]
}

file "purge/file.yaml" {
  format  = "text"
  content = <<-EOT
    # Throws a file that was written or deleted out of Cloud CDN, and the folder that it is the index of.
    main:
      params: [event]
      steps:
        - read:
            assign:
              - name: $${event.data.name}
              - assets: $${sys.get_env("ASSETS")}
              - index: $${sys.get_env("INDEX")}
        - never_changes:
            switch:
              - condition: $${assets != "" and text.match_regex(name, "^" + assets)}
                next: end
        - purge:
            call: googleapis.compute.v1.urlMaps.invalidateCache
            args:
              project: $${sys.get_env("PROJECT")}
              urlMap: $${sys.get_env("URL_MAP")}
              body:
                path: $${"/" + name}
        - only_an_index:
            switch:
              - condition: $${not text.match_regex(name, "(^|/)" + index + "$")}
                next: end
        - purge_folder:
            call: googleapis.compute.v1.urlMaps.invalidateCache
            args:
              project: $${sys.get_env("PROJECT")}
              urlMap: $${sys.get_env("URL_MAP")}
              body:
                path: $${"/" + text.substring(name, 0, len(name) - len(index))}
  EOT
}
