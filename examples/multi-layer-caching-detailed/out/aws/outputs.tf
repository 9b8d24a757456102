# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

output "catalog" {
  description = "How catalog is reached: the host, the port, the database, and the secret that holds the user name and the password."
  value = {
    host       = local.catalog_host
    port       = 5432
    database   = "catalog"
    secret_arn = local.catalog_secret_arn
  }
}

output "products" {
  description = "How products is reached, with TLS: the host that writes, the one that only reads, the port, and the user that IAM authenticates."
  value = {
    host        = local.products_host
    reader_host = aws_elasticache_replication_group.products.reader_endpoint_address
    port        = 6379
    user        = aws_elasticache_user.products.user_name
  }
}

output "web_edge" {
  description = "The edge of web: the name to ask (or to point a CNAME to), and the bus on which changes are said."
  value = {
    distribution = aws_cloudfront_distribution.web.id
    host         = aws_cloudfront_distribution.web.domain_name
    changes      = aws_cloudwatch_event_bus.products.name
    layers       = aws_ssm_parameter.web_layers.name
  }
}
