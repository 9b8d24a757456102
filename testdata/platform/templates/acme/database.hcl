template "database" {
  for  = database
  file = "databases.tf"
}

resource "acme_database" "this" {
  name   = "${blueprint.name}-${database.name}"
  engine = database.engine
}
