# Where the edge is, and what its name has to point to.
template "multi_layer_caching_outputs" {
  for     = service
  pattern = "multi_layer_caching"
  file    = "outputs.tf"
}

output "this_edge" {
  description = "The edge of ${service.name}: its address, the record that proves its name, the topic on which changes are said, and the parameter that says how the layers fit."
  value = {
    address = google_compute_global_address.this_edge.address
    proof   = let.edge_issued && !let.edge_hosted ? google_certificate_manager_dns_authorization.this_edge.dns_resource_record[0] : null
    changes = google_pubsub_topic[let.edge_cache.name].id
    layers  = google_parameter_manager_parameter.this_layers.id
  }
}
