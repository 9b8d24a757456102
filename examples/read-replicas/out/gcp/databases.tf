# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

# Logging in to a database is a matter of IAM: nobody has a password.
resource "google_project_iam_member" "database_clients" {
  for_each = {
    "reports-client"       = { client = "reports", role = "roles/cloudsql.client" }
    "reports-instanceUser" = { client = "reports", role = "roles/cloudsql.instanceUser" }
  }

  project = local.project
  role    = each.value.role
  member  = local.database_client_members[each.value.client]
}

locals {
  database_client_members = {
    reports = google_service_account.reports.member
  }
}

resource "google_dns_managed_zone" "databases" {
  name        = "read-replicas-databases"
  dns_name    = "db.read-replicas.internal."
  description = "Databases of read-replicas, by name"
  visibility  = "private"

  private_visibility_config {
    networks {
      network_url = local.network_id
    }
  }
}
