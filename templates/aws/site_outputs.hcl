# What a pipeline needs to bring files and to name the place.
template "site_outputs" {
  for     = site
  pattern = "cdn_distribution"
  file    = "outputs.tf"
}

output "this" {
  when = let.own_files

  description = "Where the files of ${site.name} go, and where they are seen."
  value = {
    bucket       = aws_s3_bucket.this.id
    distribution = aws_cloudfront_distribution.this.id
    host         = let.domain == null ? aws_cloudfront_distribution.this.domain_name : let.domain
  }
}

output "this" {
  when = !let.own_files

  description = "Where ${site.name} is seen."
  value = {
    distribution = aws_cloudfront_distribution.this.id
    host         = let.domain == null ? aws_cloudfront_distribution.this.domain_name : let.domain
  }
}

output "this_dns_target" {
  when = let.domain != null && !let.issued

  description = "What the name of ${site.name} has to point to (CNAME)."
  value       = aws_cloudfront_distribution.this.domain_name
}
