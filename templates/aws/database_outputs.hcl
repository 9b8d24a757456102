# The contract with what runs elsewhere, such as the manifests of a cluster.
template "database_outputs" {
  for  = database
  when = database.database_sharding == null
  file = "outputs.tf"
}

output "this" {
  when = database.readers == 0

  description = "How ${database.name} is reached: the host, the port, the database, and the secret that holds the user name and the password."
  value = {
    host       = local.this_host
    port       = database.port
    database   = database.database_name
    secret_arn = local.this_secret_arn
  }
}

output "this" {
  when = database.readers > 0

  description = "How ${database.name} is reached: the host that writes, the one that only reads, the port, the database, and the secret that holds the user name and the password."
  value = {
    host        = local.this_host
    reader_host = local.this_reader_host
    port        = database.port
    database    = database.database_name
    secret_arn  = local.this_secret_arn
  }
}
