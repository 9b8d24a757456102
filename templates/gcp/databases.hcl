# What all databases of the root share.
template "databases" {
  for  = blueprint
  when = length(blueprint.databases) > 0
  file = "databases.tf"
}

let {
  # Replicas and shards are found by name.
  database_zone = anytrue([for d in blueprint.databases : d.let.replicas || (d.database_sharding != null && !d.let.spanner)])
  # Clients on instances and in pods alike log in as their own account.
  database_clients = distinct([for s in blueprint.services : s.name if anytrue([for d in s.databases : !d.let.spanner])])
}

# Logging in to a database is a matter of IAM: nobody has a password.
resource "google_project_iam_member" "database_clients" {
  when = length(let.database_clients) > 0
  for_each = {
    for pair in setproduct(let.database_clients, ["client", "instanceUser"]) : join("-", pair) => { client = pair[0], role = "roles/cloudsql.${pair[1]}" }
  }

  project = local.project
  role    = each.value.role
  member  = local.database_client_members[each.value.client]
}

locals {
  when = length(let.database_clients) > 0

  database_client_members = { for client in let.database_clients : client => google_service_account[client].member }
}

resource "google_dns_managed_zone" "databases" {
  when = let.database_zone

  name        = "${shortname(let.prefix, 53)}-databases"
  dns_name    = "db.${let.prefix}.internal."
  description = "Databases of ${let.prefix}, by name"
  visibility  = "private"

  private_visibility_config {
    networks {
      network_url = local.network_id
    }
  }
}

# Cloud SQL encrypts with the key as an account of its own, which it makes for the project.
resource "google_kms_crypto_key_iam_member" "databases" {
  when = target.kms_key != null && anytrue([for d in blueprint.databases : !d.let.spanner])

  crypto_key_id = target.kms_key
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = "serviceAccount:service-${local.project_number}@gcp-sa-cloud-sql.iam.gserviceaccount.com"
}
