template "cdn_distribution" {
  for  = site
  file = "site_${site.name}.tf"

  covers = {
    cache_headers = [aws_cloudfront_cache_policy.this.default_ttl, aws_cloudfront_cache_policy.this.parameters_in_cache_key_and_forwarded_to_origin, aws_cloudfront_response_headers_policy.this.custom_headers_config.items.value, aws_cloudfront_distribution.this.ordered_cache_behavior.cache_policy_id]
    hit_ratio     = [aws_cloudfront_monitoring_subscription.this.monitoring_subscription, aws_cloudwatch_metric_alarm.this.metric_name, aws_cloudwatch_log_delivery.this.s3_delivery_configuration.suffix_path]
    bandwidth     = [aws_cloudfront_distribution.this.price_class, aws_cloudfront_distribution.this.default_cache_behavior.compress, aws_cloudwatch_metric_alarm.this_bytes.threshold, let.cdn.monthly_budget == null ? site.cdn_distribution.max_bytes : aws_budgets_budget.this.limit_amount]
    tls           = [aws_cloudfront_distribution.this.viewer_certificate, aws_cloudfront_distribution.this.default_cache_behavior.viewer_protocol_policy, aws_cloudfront_response_headers_policy.this.security_headers_config]
    invalidation  = [let.invalidates ? aws_cloudwatch_event_rule.this.event_pattern : null, let.invalidates ? aws_ssm_document.this_invalidate.content : null]
  }

  check "min_tls" {
    condition = site.cdn_distribution.min_tls == "1.2"
    message   = "The provider knows no policy of CloudFront that speaks TLS 1.3 only."
    fix       = "Set min_tls = \"1.2\": whoever can, speaks 1.3 all the same."
    at        = site.cdn_distribution.min_tls
  }
  # TIME-003. The most without a higher quota (Amazon CloudFront developer guide, "Quotas").
  check "edge_waits" {
    condition = site.origin == null ? true : site.origin.request_timeout < 60
    message   = "A request to ${site.origin == null ? "" : site.origin.name} may take ${site.origin == null ? "" : span(site.origin.request_timeout)}, but CloudFront waits for an answer for 60s at most."
    fix       = "Lower request_timeout, and let what takes longer be asked for again."
    at        = site.origin == null ? site.index : site.origin.request_timeout
    related   = [site.origin]
  }
  check "origin_is_reached" {
    condition = site.origin == null ? true : site.origin.exposed && site.origin.hostname != null && site.origin.hostname != let.cdn.domain
    message   = "CloudFront fetches the files of ${site.name} from ${site.origin == null ? "" : site.origin.name} by a public name of its own, which it does not have."
    fix       = "Give the service a public balancer with another domain than the site's."
    at        = site.origin
    related   = site.origin == null ? [] : [site.origin.domain]
  }
}

let {
  cdn = site.cdn_distribution
  # CloudFront asks for a certificate only where it has a name of ours.
  domain      = site.cdn_distribution == null ? null : site.cdn_distribution.domain
  issued      = let.domain == null ? false : let.edge_issues && (let.domain == target.hosted_zone_name || endswith(let.domain, ".${target.hosted_zone_name}"))
  certificate = let.issued ? null : target.edge_certificate_arn
  # Services whose edge sends this site when they fail.
  fallback_of = lookup(let.site_fallbacks, site.name, [])
  invalidates = site.cdn_distribution == null ? false : site.cdn_distribution.invalidate == "changed" && site.origin == null
  price_class = site.cdn_distribution == null ? null : { "americas-europe" = "PriceClass_100", most = "PriceClass_200", world = "PriceClass_All" }[site.cdn_distribution.audience]
  # Where nothing is kept, nothing can make another copy.
  keeps      = site.cdn_distribution == null ? false : site.cdn_distribution.edge_max_ttl > 0
  compresses = let.keeps && (site.cdn_distribution == null ? false : site.cdn_distribution.compress)
}

resource "aws_cloudfront_origin_access_control" "this" {
  when = let.own_files

  name                              = let.name
  description                       = "The distribution of ${site.name} reads its bucket"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

data "aws_iam_policy_document" "this" {
  when = let.own_files

  # With ListBucket, what is not there is 404 and not 403.
  statement {
    sid       = "Distribution"
    actions   = ["s3:GetObject", "s3:ListBucket"]
    resources = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]

    principals {
      type        = "Service"
      identifiers = ["cloudfront.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "AWS:SourceArn"
      values   = length(let.fallback_of) == 0 ? [aws_cloudfront_distribution.this.arn] : concat([aws_cloudfront_distribution.this.arn], [for s in let.fallback_of : aws_cloudfront_distribution[s].arn])
    }
  }

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  when = let.own_files

  bucket = aws_s3_bucket.this.id
  policy = data.aws_iam_policy_document.this.json

  depends_on = [aws_s3_bucket_public_access_block.this]
}

# Pages: what makes another copy is listed, everything else is ignored, so that nobody can fill the network with copies.
resource "aws_cloudfront_cache_policy" "this" {
  name        = let.name
  comment     = "Pages of ${site.name}"
  min_ttl     = min(1, let.cdn.edge_ttl)
  default_ttl = let.cdn.edge_ttl
  max_ttl     = let.cdn.edge_max_ttl

  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_brotli = let.compresses
    enable_accept_encoding_gzip   = let.compresses

    cookies_config {
      cookie_behavior = "none"
    }

    headers_config {
      header_behavior = length(let.cdn.key_headers) > 0 && let.keeps ? "whitelist" : "none"

      headers {
        when = length(let.cdn.key_headers) > 0 && let.keeps

        items = let.cdn.key_headers
      }
    }

    query_strings_config {
      query_string_behavior = length(let.cdn.key_query) > 0 && let.keeps ? "whitelist" : "none"

      query_strings {
        when = length(let.cdn.key_query) > 0 && let.keeps

        items = let.cdn.key_query
      }
    }
  }
}

# Files whose names carry a hash never change.
resource "aws_cloudfront_cache_policy" "this_assets" {
  name        = "${let.name}-assets"
  comment     = "Files of ${site.name} that never change"
  min_ttl     = 1
  default_ttl = max(1, let.cdn.assets_ttl)
  max_ttl     = max(1, let.cdn.assets_ttl)

  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_brotli = let.cdn.compress
    enable_accept_encoding_gzip   = let.cdn.compress

    cookies_config {
      cookie_behavior = "none"
    }

    headers_config {
      header_behavior = "none"
    }

    query_strings_config {
      query_string_behavior = "none"
    }
  }
}

# What the browser is told to keep. A browser cannot be told to forget, so it keeps pages for a shorter time.
resource "aws_cloudfront_response_headers_policy" "this" {
  name    = let.name
  comment = "Pages of ${site.name}"

  custom_headers_config {
    items {
      header   = "Cache-Control"
      value    = let.cdn.page_cache_control
      override = false
    }
  }

  security_headers_config {
    strict_transport_security {
      when = let.cdn.hsts > 0

      access_control_max_age_sec = let.cdn.hsts
      include_subdomains         = true
      override                   = true
    }

    content_type_options {
      override = true
    }

    frame_options {
      frame_option = "SAMEORIGIN"
      override     = false
    }

    referrer_policy {
      referrer_policy = "strict-origin-when-cross-origin"
      override        = false
    }
  }
}

resource "aws_cloudfront_response_headers_policy" "this_assets" {
  name    = "${let.name}-assets"
  comment = "Files of ${site.name} that never change"

  custom_headers_config {
    items {
      header   = "Cache-Control"
      value    = let.cdn.assets_cache_control
      override = true
    }
  }

  security_headers_config {
    strict_transport_security {
      when = let.cdn.hsts > 0

      access_control_max_age_sec = let.cdn.hsts
      include_subdomains         = true
      override                   = true
    }

    content_type_options {
      override = true
    }
  }
}

# A bucket knows no folders: what ends in a slash is the index in it.
resource "aws_cloudfront_function" "this" {
  when = let.own_files

  name    = "${let.name}-index"
  comment = "Folders of ${site.name}"
  runtime = "cloudfront-js-2.0"
  publish = true
  code    = <<-EOT
    function handler(event) {
      if (event.request.uri.endsWith("/")) {
        event.request.uri += "${site.index}";
      }
      return event.request;
    }
  EOT
}

resource "aws_cloudfront_distribution" "this" {
  enabled             = true
  comment             = let.name
  aliases             = let.domain == null ? null : [let.domain]
  is_ipv6_enabled     = true
  http_version        = "http2and3"
  price_class         = let.price_class
  web_acl_id          = let.cdn.firewall ? aws_wafv2_web_acl.this.arn : null
  wait_for_deployment = true

  origin {
    origin_id                = "files"
    domain_name              = let.own_files ? aws_s3_bucket.this.bucket_regional_domain_name : site.origin.hostname
    origin_access_control_id = let.own_files ? aws_cloudfront_origin_access_control.this.id : null
    connection_attempts      = 3
    connection_timeout       = 5

    custom_origin_config {
      when = !let.own_files

      http_port                = 80
      https_port               = 443
      origin_protocol_policy   = "https-only"
      origin_ssl_protocols     = ["TLSv1.2"]
      origin_read_timeout      = let.own_files ? 30 : min(60, ceil(site.origin.request_timeout) + 5)
      origin_keepalive_timeout = let.own_files ? 60 : max(1, min(60, floor(site.origin.idle_timeout) - 5)) # the balancer must not close first
    }

    # One place asks on behalf of all others, so that a file leaves its origin once.
    origin_shield {
      when = let.cdn.shield

      enabled              = true
      origin_shield_region = let.edge_shield
    }
  }

  default_cache_behavior {
    target_origin_id           = "files"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = ["GET", "HEAD", "OPTIONS"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = let.cdn.compress
    cache_policy_id            = aws_cloudfront_cache_policy.this.id
    response_headers_policy_id = aws_cloudfront_response_headers_policy.this.id

    function_association {
      when = let.own_files

      event_type   = "viewer-request"
      function_arn = aws_cloudfront_function.this.arn
    }
  }

  ordered_cache_behavior {
    path_pattern               = "${site.assets}*"
    target_origin_id           = "files"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = ["GET", "HEAD", "OPTIONS"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = let.cdn.compress
    cache_policy_id            = aws_cloudfront_cache_policy.this_assets.id
    response_headers_policy_id = aws_cloudfront_response_headers_policy.this_assets.id
  }

  # Unknown paths are the application's own: it routes in the browser.
  custom_error_response {
    when = let.own_files && site.single_page

    error_code            = 404
    response_code         = 200
    response_page_path    = "/${site.index}"
    error_caching_min_ttl = let.cdn.error_ttl
  }

  custom_error_response {
    when = let.own_files && !site.single_page

    error_code            = 404
    response_code         = 404
    response_page_path    = "/${site.error_page}"
    error_caching_min_ttl = let.cdn.error_ttl
  }

  custom_error_response {
    when = !let.own_files

    error_code            = 404
    error_caching_min_ttl = let.cdn.error_ttl
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = let.domain == null ? true : null
    acm_certificate_arn            = let.domain == null ? null : let.issued ? aws_acm_certificate_validation.this_edge.certificate_arn : let.certificate != null ? let.certificate : var.edge_certificate_arn
    ssl_support_method             = let.domain == null ? null : "sni-only"
    minimum_protocol_version       = let.domain == null ? null : "TLSv1.2_2021"
  }

  tags = { Name = let.name }
}

resource "aws_acm_certificate" "this_edge" {
  when     = let.issued
  provider = aws.us_east_1

  domain_name       = let.domain
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "this_edge_validation" {
  when = let.issued
  for_each = {
    for option in aws_acm_certificate.this_edge.domain_validation_options : option.domain_name => option
  }

  zone_id         = target.hosted_zone_id
  name            = each.value.resource_record_name
  type            = each.value.resource_record_type
  records         = [each.value.resource_record_value]
  ttl             = 60
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "this_edge" {
  when     = let.issued
  provider = aws.us_east_1

  certificate_arn         = aws_acm_certificate.this_edge.arn
  validation_record_fqdns = [for record in aws_route53_record.this_edge_validation : record.fqdn]
}

resource "aws_route53_record" "this" {
  when     = let.issued
  for_each = toset(["A", "AAAA"])

  zone_id = target.hosted_zone_id
  name    = let.domain
  type    = each.key

  alias {
    name                   = aws_cloudfront_distribution.this.domain_name
    zone_id                = aws_cloudfront_distribution.this.hosted_zone_id
    evaluate_target_health = false
  }
}

resource "aws_wafv2_web_acl" "this" {
  when     = let.cdn.firewall
  provider = aws.us_east_1

  name        = let.name
  description = "Requests to ${site.name}"
  scope       = "CLOUDFRONT"

  default_action {
    allow {}
  }

  dynamic "rule" {
    for_each = local.this_firewall

    content {
      name     = rule.key
      priority = rule.value

      override_action {
        none {}
      }

      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = rule.key
        }
      }

      visibility_config {
        metric_name                = rule.key
        cloudwatch_metrics_enabled = true
        sampled_requests_enabled   = true
      }
    }
  }

  visibility_config {
    metric_name                = let.name
    cloudwatch_metrics_enabled = true
    sampled_requests_enabled   = true
  }
}

locals {
  when = let.cdn.firewall

  this_firewall = {
    AWSManagedRulesAmazonIpReputationList = 10
    AWSManagedRulesCommonRuleSet          = 20
    AWSManagedRulesKnownBadInputsRuleSet  = 30
  }
}
