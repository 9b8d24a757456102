# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

output "catalog" {
  description = "How catalog is reached: the host that writes, the one that only reads, the port, the database, and the secret that holds the user name and the password."
  value = {
    host        = local.catalog_host
    reader_host = local.catalog_reader_host
    port        = 5432
    database    = "catalog"
    secret_arn  = local.catalog_secret_arn
  }
}

output "books" {
  description = "How books is reached: the host, the port, the database, and the secret that holds the user name and the password."
  value = {
    host       = local.books_host
    port       = 5432
    database   = "books"
    secret_arn = local.books_secret_arn
  }
}

output "orders" {
  description = "How the shards of orders are reached: the table that maps slots to hosts and secrets, the end of the shards' names, the port and the database."
  value = {
    map      = local.orders_shard_map
    host     = local.orders_host
    port     = 5432
    database = "orders"
    shards   = local.orders_shards
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

output "sessions" {
  description = "How sessions is reached, with TLS: the host, the port, and the user that IAM authenticates."
  value = {
    host = local.sessions_host
    port = 6379
    user = aws_elasticache_user.sessions.user_name
  }
}

output "assets" {
  description = "Where the files of assets go, and where they are seen."
  value = {
    bucket       = aws_s3_bucket.assets.id
    distribution = aws_cloudfront_distribution.assets.id
    host         = "assets.example.com"
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

output "magazine_edge" {
  description = "The edge of magazine: the name to ask (or to point a CNAME to), and the bus on which changes are said."
  value = {
    distribution = aws_cloudfront_distribution.magazine.id
    host         = aws_cloudfront_distribution.magazine.domain_name
    changes      = aws_cloudwatch_event_bus.products.name
    layers       = aws_ssm_parameter.magazine_layers.name
  }
}
