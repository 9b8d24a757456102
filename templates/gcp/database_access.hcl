# Where clients find the database, and as whom they log in.
template "database_access" {
  for  = database
  when = database.database_sharding == null
  file = "database_${database.name}.tf"
}

locals {
  this_host = let.pooled == "pgbouncer" ? google_compute_forwarding_rule.this_pooler.ip_address : google_sql_database_instance.this.private_ip_address
  this_reader_host = (
    database.readers == 0 ? null :
    let.read_pool ? google_sql_database_instance.this_readers.private_ip_address :
    trimsuffix(google_dns_record_set.this_reader.name, ".")
  )
}

# Each client logs in as its own account, with a token that IAM gives it for an hour.
resource "google_sql_user" "this" {
  when     = length(let.clients) > 0
  for_each = { for client in let.clients : client => google_service_account[client].email }

  name           = database.engine == "postgres" ? trimsuffix(each.value, ".gserviceaccount.com") : each.value
  instance       = google_sql_database_instance.this.name
  type           = "CLOUD_IAM_SERVICE_ACCOUNT"
  database_roles = ["cloudsqlsuperuser"] # it makes its own tables
}
