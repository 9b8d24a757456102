# The contract with what runs elsewhere, such as the manifests of a cluster.
template "database_sharding_outputs" {
  for     = database
  pattern = "database_sharding"
  file    = "outputs.tf"
}

output "this" {
  when = !let.spanner

  description = "How the shards of ${database.name} are reached: the parameter that maps slots to hosts, the end of the shards' names, the port and the database."
  value = {
    map      = local.this_shard_map
    host     = local.this_host
    port     = let.port
    database = database.database_name
    shards   = local.this_shards
  }
}

output "this" {
  when = let.spanner

  description = "How ${database.name} is reached with the libraries of Spanner, or with PGAdapter, which speaks the protocol of Postgres."
  value = {
    host     = local.this_host
    database = google_spanner_database.this.id
  }
}
