# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

# Logging in to a database is a matter of IAM: nobody has a password.
resource "google_project_iam_member" "database_clients" {
  for_each = {
    "intake-client"       = { client = "intake", role = "roles/cloudsql.client" }
    "intake-instanceUser" = { client = "intake", role = "roles/cloudsql.instanceUser" }
  }

  project = local.project
  role    = each.value.role
  member  = local.database_client_members[each.value.client]
}

locals {
  database_client_members = {
    intake = google_service_account.intake.member
  }
}

resource "google_dns_managed_zone" "databases" {
  name        = "database-sharding-databases"
  dns_name    = "db.database-sharding.internal."
  description = "Databases of database-sharding, by name"
  visibility  = "private"

  private_visibility_config {
    networks {
      network_url = local.network_id
    }
  }
}
