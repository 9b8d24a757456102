# Where the edge is, and what its name has to point to.
template "multi_layer_caching_outputs" {
  for     = service
  pattern = "multi_layer_caching"
  file    = "outputs.tf"
}

output "this_edge" {
  description = "The edge of ${service.name}: the name to ask (or to point a CNAME to), and the bus on which changes are said."
  value = {
    distribution = aws_cloudfront_distribution.this.id
    host         = aws_cloudfront_distribution.this.domain_name
    changes      = aws_cloudwatch_event_bus[let.edge_cache.name].name
    layers       = aws_ssm_parameter.this_layers.name
  }
}
