# The contract with what runs elsewhere, such as the manifests of a cluster.
template "database_outputs" {
  for  = database
  when = database.database_sharding == null
  file = "outputs.tf"
}

output "this" {
  when = database.readers == 0

  description = "How ${database.name} is reached: the host, the port, the database, and the name of its instance for the Cloud SQL connectors."
  value = {
    host       = local.this_host
    port       = let.port
    database   = database.database_name
    connection = google_sql_database_instance.this.connection_name
  }
}

output "this" {
  when = database.readers > 0

  description = "How ${database.name} is reached: the host that writes, the one that only reads, the port, the database, and the name of its instance for the Cloud SQL connectors."
  value = {
    host        = local.this_host
    reader_host = local.this_reader_host
    port        = let.port
    database    = database.database_name
    connection  = google_sql_database_instance.this.connection_name
  }
}

output "this_login" {
  when = length(let.clients) > 0 && let.pooled != "pgbouncer" && !let.pool_user

  description = "As whom each client logs in to ${database.name}, with a token of IAM for a password."
  value       = { for client in let.clients : client => google_sql_user.this[client].name }
}

output "this_login" {
  when = let.pool_user

  description = "As whom clients log in to the pool of ${database.name}, and the secret that holds the password."
  value = {
    user   = google_sql_user.this_pool.name
    secret = google_secret_manager_secret.this_pool.secret_id
  }
}

output "this_login" {
  when = let.pooled == "pgbouncer"

  description = "As whom clients log in to the poolers of ${database.name}: the network lets nobody else in, so there is no password."
  value       = { user = "app" }
}
