# The contract with what runs elsewhere, such as the manifests of a cluster.
template "database_sharding_outputs" {
  for     = database
  pattern = "database_sharding"
  file    = "outputs.tf"
}

output "this" {
  description = "How the shards of ${database.name} are reached: the table that maps slots to hosts and secrets, the end of the shards' names, the port and the database."
  value = {
    map      = local.this_shard_map
    host     = local.this_host
    port     = database.port
    database = database.database_name
    shards   = local.this_shards
  }
}
