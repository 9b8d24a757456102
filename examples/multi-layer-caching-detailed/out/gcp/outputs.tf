# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

output "catalog" {
  description = "How catalog is reached: the host, the port, the database, and the name of its instance for the Cloud SQL connectors."
  value = {
    host       = local.catalog_host
    port       = 5432
    database   = "catalog"
    connection = google_sql_database_instance.catalog.connection_name
  }
}

output "catalog_login" {
  description = "As whom each client logs in to catalog, with a token of IAM for a password."
  value = {
    web = google_sql_user.catalog["web"].name
  }
}

output "products" {
  description = "How products is reached, with TLS and a token of IAM: the host that writes, the one that only reads, and the port."
  value = {
    host        = local.products_host
    reader_host = one([for address in local.products_addresses : address.ip_address if address.connection_type == "CONNECTION_TYPE_READER"])
    port        = 6379
  }
}

output "web_edge" {
  description = "The edge of web: its address, the record that proves its name, the topic on which changes are said, and the parameter that says how the layers fit."
  value = {
    address = google_compute_global_address.web_edge.address
    proof   = google_certificate_manager_dns_authorization.web_edge.dns_resource_record[0]
    changes = google_pubsub_topic.products.id
    layers  = google_parameter_manager_parameter.web_layers.id
  }
}
