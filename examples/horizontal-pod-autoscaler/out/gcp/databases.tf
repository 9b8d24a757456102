# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

# Logging in to a database is a matter of IAM: nobody has a password.
resource "google_project_iam_member" "database_clients" {
  for_each = {
    "checkout-client" = {
      client = "checkout"
      role   = "roles/cloudsql.client"
    }
    "checkout-instanceUser" = {
      client = "checkout"
      role   = "roles/cloudsql.instanceUser"
    }
  }

  project = local.project
  role    = each.value.role
  member  = local.database_client_members[each.value.client]
}

locals {
  database_client_members = {
    checkout = google_service_account.checkout.member
  }
}
