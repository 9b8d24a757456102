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
    user       = let.pooled == "pgbouncer" ? "app" : let.pool_user ? google_sql_user.this_pool.name : null
    secret     = let.pool_user ? google_secret_manager_secret.this_pool.secret_id : null
    connection = google_sql_database_instance.this.connection_name
    users      = length(let.clients) == 0 || let.pooled == "pgbouncer" || let.pool_user ? null : { for client in let.clients : client => google_sql_user.this[client].name }
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
    user        = let.pooled == "pgbouncer" ? "app" : let.pool_user ? google_sql_user.this_pool.name : null
    secret      = let.pool_user ? google_secret_manager_secret.this_pool.secret_id : null
    connection  = google_sql_database_instance.this.connection_name
    users       = length(let.clients) == 0 || let.pooled == "pgbouncer" || let.pool_user ? null : { for client in let.clients : client => google_sql_user.this[client].name }
  }
}
