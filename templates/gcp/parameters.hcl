# How programs use caches and find shards stands in parameters, which hold nothing secret.
template "parameters" {
  for  = blueprint
  when = anytrue([for c in blueprint.caches : c.in_memory_caching != null && length(c.clients) > 0]) || anytrue([for d in blueprint.databases : d.database_sharding != null && length(d.clients) > 0]) || anytrue([for s in blueprint.services : s.multi_layer_caching != null])
  file = "parameters.tf"
}

let {
  parameter_readers = distinct(flatten([
    [for c in blueprint.caches : c.clients[*].name if c.in_memory_caching != null],
    [for d in blueprint.databases : d.clients[*].name if d.database_sharding != null],
    [for s in blueprint.services : s.name if s.multi_layer_caching != null],
  ]))
}

resource "google_project_iam_member" "parameter_readers" {
  for_each = { for client in let.parameter_readers : client => google_service_account[client].member }

  project = local.project
  role    = "roles/parametermanager.parameterAccessor"
  member  = each.value
}
