# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_project_iam_member" "parameter_readers" {
  for_each = {
    web = google_service_account.web.member
  }

  project = local.project
  role    = "roles/parametermanager.parameterAccessor"
  member  = each.value
}
