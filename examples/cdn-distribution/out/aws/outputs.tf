# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

output "assets" {
  description = "Where the files of assets go, and where they are seen."
  value = {
    bucket       = aws_s3_bucket.assets.id
    distribution = aws_cloudfront_distribution.assets.id
    host         = "assets.example.com"
  }
}

output "assets_dns_target" {
  description = "What the name of assets has to point to (CNAME)."
  value       = aws_cloudfront_distribution.assets.domain_name
}
