# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

# Logging in to a database is a matter of IAM: nobody has a password.
resource "google_project_iam_member" "database_clients" {
  for_each = {
    "fulfilment-client" = {
      client = "fulfilment"
      role   = "roles/cloudsql.client"
    }
    "fulfilment-instanceUser" = {
      client = "fulfilment"
      role   = "roles/cloudsql.instanceUser"
    }
  }

  project = local.project
  role    = each.value.role
  member  = local.database_client_members[each.value.client]
}

locals {
  database_client_members = {
    fulfilment = google_service_account.fulfilment.member
  }
}
