# The edge before a service. Browser, edge, program and cache keep copies whose lifetimes fit together, and one event
# throws a change out of all that can be told, from the inside to the outside.
template "multi_layer_caching" {
  for  = service
  file = "service_${service.name}_edge.tf"

  covers = {
    invalidation = [aws_cloudwatch_event_rule.this_edge.event_pattern, aws_ssm_document.this_edge.content, aws_cloudwatch_event_target.this_edge.arn]
    ttl          = [aws_cloudfront_cache_policy.this_edge.default_ttl, aws_cloudfront_cache_policy.this_edge.max_ttl, aws_cloudfront_response_headers_policy.this_edge.custom_headers_config.items.value, aws_ssm_parameter.this_layers.value]
    hit_ratio    = [aws_cloudfront_monitoring_subscription.this_edge.monitoring_subscription, aws_cloudwatch_metric_alarm.this_edge.metric_name, aws_cloudwatch_dashboard.this_layers.dashboard_body]
    debugging    = [aws_cloudfront_response_headers_policy.this_edge.server_timing_headers_config.sampling_rate, aws_cloudwatch_log_delivery.this_edge.s3_delivery_configuration]
  }
  approximates = {
    coherence = {
      by  = [aws_cloudfront_cache_policy.this_edge.parameters_in_cache_key_and_forwarded_to_origin, aws_ssm_parameter.this_layers.value, aws_cloudwatch_event_rule.this_edge.event_pattern]
      why = "The edge tells answers apart by the listed headers; the program reads the same list and has to do so too."
    }
  }

  check "behind_the_edge" {
    condition = let.edge_private || (service.exposed && service.hostname != null)
    message   = "CloudFront cannot reach ${service.name}: it has neither a public name nor a balancer of its own inside of the network."
    fix       = "Give it elastic_load_balancing { domain = … } with public = false; on a cluster, with a public name of its own."
    at        = service.multi_layer_caching.domain
  }
  check "not_around_the_edge" {
    condition = let.edge_private || service.multi_layer_caching.domain == null || service.multi_layer_caching.domain != service.hostname
    message   = "${service.multi_layer_caching.domain == null ? "" : service.multi_layer_caching.domain} can point to the edge or to the balancer of ${service.name}, not to both."
    fix       = service.runs_on == null ? "Set public = false in its balancer: CloudFront then reaches it privately, and nobody goes around the edge." : "Give the balancer another domain."
    at        = service.multi_layer_caching.domain
    related   = [service.balancer == null ? service.domain : service.balancer.domain]
  }
  # TIME-003. The most without a higher quota (Amazon CloudFront developer guide, "Quotas").
  check "edge_waits" {
    condition = service.request_timeout < 60
    message   = "A request to ${service.name} may take ${span(service.request_timeout)}, but CloudFront waits for an answer for 60s at most."
    fix       = "Lower request_timeout, and let what takes longer be asked for again."
    at        = service.request_timeout
  }
  check "private_name" {
    condition = !let.edge_private || service.multi_layer_caching.domain == service.hostname
    message   = "The private balancer of ${service.name} has a certificate for ${service.hostname == null ? "no name" : service.hostname}, but clients ask the edge for ${service.multi_layer_caching.domain == null ? "another" : service.multi_layer_caching.domain}."
    fix       = "Give both the same domain."
    at        = service.multi_layer_caching.domain
    related   = [service.balancer == null ? service.domain : service.balancer.domain]
  }
}

let {
  layers     = service.multi_layer_caching
  edge_name  = shortname("${let.prefix}-${service.name}", 40)
  edge_cache = service.multi_layer_caching == null ? null : service.multi_layer_caching.cache
  # Through a private balancer, with no way around the edge; else by the service's own public name.
  edge_private = service.runs_on == null && service.balancer != null ? !service.balancer.public && service.balancer.layer == 7 && service.balancer.tls : false

  # Pods have a role only where they log in to a cache with it.
  edge_role = service.runs_on == null || anytrue([for c in service.caches : c.engine != "memcached"])

  edge_domain      = service.multi_layer_caching == null ? null : service.multi_layer_caching.domain
  edge_issued      = let.edge_domain == null ? false : let.edge_issues && (let.edge_domain == target.hosted_zone_name || endswith(let.edge_domain, ".${target.hosted_zone_name}"))
  edge_certificate = let.edge_issued ? null : target.edge_certificate_arn

  keeps_all  = contains(let.layers.paths, "/*")
  kept_paths = [for path in let.layers.paths : path if path != "/*"]
  # Policies of CloudFront itself, by id: CachingDisabled, AllViewer and, for origins with another name, AllViewerExceptHostHeader.
  no_cache   = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
  all_viewer = let.edge_private ? "216adef6-5c7f-47e4-b989-5492eafa07d3" : "b689b0a8-53d0-40ab-baf2-68738e2966ac"
  host_only  = let.edge_private ? "bf0718e1-ba1e-49d1-88b1-f726733018ae" : null
  warms      = service.multi_layer_caching_detailed != null && service.runs_on == null
  fallback   = service.multi_layer_caching_detailed == null ? null : service.multi_layer_caching_detailed.fallback
}

# What the program needs to fit in: how long each layer keeps what, what makes another answer, and where changes are said.
resource "aws_ssm_parameter" "this_layers" {
  name        = "/${let.prefix}/${service.name}/layers"
  description = "How ${service.name} keeps copies, and says what has changed"
  type        = "String"
  value = jsonencode({
    cache_control     = let.layers.cache_control
    local_ttl_seconds = let.layers.local_ttl
    cache_ttl_seconds = let.layers.cache_ttl
    vary              = let.layers.vary
    private_paths     = let.layers.private_paths
    changes           = { bus = aws_cloudwatch_event_bus[let.edge_cache.name].name, detail_type = "CacheInvalidation", detail = ["keys", "path"] }
  })
}

data "aws_iam_policy_document" "this_layers" {
  when = let.edge_role

  statement {
    actions   = ["ssm:GetParameter"]
    resources = ["${aws_ssm_parameter.this_layers.arn}*"]
  }
}

resource "aws_iam_role_policy" "this_layers" {
  when = let.edge_role

  name   = "layers"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.this_layers.json
}

# What may be kept. The headers that make another answer here do so in the program and in its cache too.
resource "aws_cloudfront_cache_policy" "this_edge" {
  name        = let.edge_name
  comment     = "Answers of ${service.name} that may be kept"
  min_ttl     = 0
  default_ttl = let.layers.edge_ttl
  max_ttl     = max(1, let.layers.edge_max_ttl)

  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_brotli = true
    enable_accept_encoding_gzip   = true

    cookies_config {
      cookie_behavior = "none"
    }

    headers_config {
      header_behavior = length(let.layers.vary) > 0 ? "whitelist" : "none"

      headers {
        when = length(let.layers.vary) > 0

        items = let.layers.vary
      }
    }

    query_strings_config {
      query_string_behavior = let.layers.vary_query
    }
  }
}

# The program's own Cache-Control counts; this one stands in where it says nothing.
resource "aws_cloudfront_response_headers_policy" "this_edge" {
  name    = let.edge_name
  comment = "Answers of ${service.name} that may be kept"

  custom_headers_config {
    items {
      header   = "Cache-Control"
      value    = let.layers.cache_control
      override = false
    }
  }

  # Server-Timing says which layer has answered: cdn-cache-hit, cdn-pop, cdn-upstream-layer.
  server_timing_headers_config {
    enabled       = let.layers.debug_percent > 0
    sampling_rate = let.layers.debug_percent
  }
}

resource "aws_cloudfront_vpc_origin" "this" {
  when = let.edge_private

  vpc_origin_endpoint_config {
    name                   = let.edge_name
    arn                    = aws_lb.this.arn
    http_port              = 80
    https_port             = 443
    origin_protocol_policy = "https-only"

    origin_ssl_protocols {
      items    = ["TLSv1.2"]
      quantity = 1
    }
  }
}

resource "aws_cloudfront_distribution" "this" {
  enabled             = true
  comment             = let.edge_name
  aliases             = let.edge_domain == null ? null : [let.edge_domain]
  is_ipv6_enabled     = true
  http_version        = "http2and3"
  price_class         = "PriceClass_100"
  wait_for_deployment = true

  origin {
    origin_id           = "service"
    domain_name         = let.edge_private ? aws_lb.this.dns_name : service.hostname
    connection_attempts = 2
    connection_timeout  = 5

    vpc_origin_config {
      when = let.edge_private

      vpc_origin_id            = aws_cloudfront_vpc_origin.this.id
      origin_read_timeout      = min(60, ceil(service.request_timeout) + 5)
      origin_keepalive_timeout = max(1, min(60, floor(service.idle_timeout) - 5)) # the balancer must not close first
    }

    custom_origin_config {
      when = !let.edge_private

      http_port                = 80
      https_port               = 443
      origin_protocol_policy   = "https-only"
      origin_ssl_protocols     = ["TLSv1.2"]
      origin_read_timeout      = min(60, ceil(service.request_timeout) + 5)
      origin_keepalive_timeout = max(1, min(60, floor(service.idle_timeout) - 5)) # the balancer must not close first
    }

    # One place asks on behalf of all others.
    origin_shield {
      when = let.layers.shield

      enabled              = true
      origin_shield_region = let.edge_shield
    }
  }

  # When the program fails and there is no old copy, a page of this bucket is sent.
  origin {
    when = let.fallback != null

    origin_id                = "fallback"
    domain_name              = let.fallback == null ? null : aws_s3_bucket[let.fallback.name].bucket_regional_domain_name
    origin_access_control_id = let.fallback == null ? null : aws_cloudfront_origin_access_control[let.fallback.name].id
  }

  # Kept answers are the same for everybody: cookies do not reach the program there, and nothing is written.
  default_cache_behavior {
    when = let.keeps_all

    target_origin_id           = "service"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = ["GET", "HEAD", "OPTIONS"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = aws_cloudfront_cache_policy.this_edge.id
    origin_request_policy_id   = let.host_only # the load balancer answers on the viewers' name
    response_headers_policy_id = aws_cloudfront_response_headers_policy.this_edge.id
  }

  # Nothing is kept unless it is listed.
  default_cache_behavior {
    when = !let.keeps_all

    target_origin_id         = "service"
    viewer_protocol_policy   = "redirect-to-https"
    allowed_methods          = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
    cached_methods           = ["GET", "HEAD"]
    compress                 = true
    cache_policy_id          = let.no_cache   # CachingDisabled, which is CloudFront's own
    origin_request_policy_id = let.all_viewer # with whatever the viewer sent
  }

  ordered_cache_behavior {
    when = let.fallback != null

    path_pattern           = let.fallback == null ? null : "/${let.fallback.index}"
    target_origin_id       = "fallback"
    viewer_protocol_policy = "redirect-to-https"
    allowed_methods        = ["GET", "HEAD"]
    cached_methods         = ["GET", "HEAD"]
    compress               = true
    cache_policy_id        = aws_cloudfront_cache_policy.this_edge.id
  }

  # Answers that belong to one person are kept nowhere.
  dynamic "ordered_cache_behavior" {
    when     = length(let.layers.private_paths) > 0
    for_each = local.this_private_paths

    content {
      path_pattern             = ordered_cache_behavior.value
      target_origin_id         = "service"
      viewer_protocol_policy   = "redirect-to-https"
      allowed_methods          = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
      cached_methods           = ["GET", "HEAD"]
      compress                 = true
      cache_policy_id          = let.no_cache   # CachingDisabled, which is CloudFront's own
      origin_request_policy_id = let.all_viewer # with whatever the viewer sent
    }
  }

  dynamic "ordered_cache_behavior" {
    when     = length(let.kept_paths) > 0
    for_each = local.this_kept_paths

    content {
      path_pattern               = ordered_cache_behavior.value
      target_origin_id           = "service"
      viewer_protocol_policy     = "redirect-to-https"
      allowed_methods            = ["GET", "HEAD", "OPTIONS"]
      cached_methods             = ["GET", "HEAD"]
      compress                   = true
      cache_policy_id            = aws_cloudfront_cache_policy.this_edge.id
      origin_request_policy_id   = let.host_only # the load balancer answers on the viewers' name
      response_headers_policy_id = aws_cloudfront_response_headers_policy.this_edge.id
    }
  }

  # A failure is remembered shortly, so that a failing program is not asked by everybody at once.
  dynamic "custom_error_response" {
    for_each = toset([500, 502, 503, 504])

    content {
      error_code            = custom_error_response.value
      response_code         = let.fallback == null ? null : custom_error_response.value
      response_page_path    = let.fallback == null ? null : "/${let.fallback.index}"
      error_caching_min_ttl = service.multi_layer_caching_detailed == null ? 5 : service.multi_layer_caching_detailed.error_ttl
    }
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = let.edge_domain == null ? true : null
    acm_certificate_arn            = let.edge_domain == null ? null : let.edge_issued ? aws_acm_certificate_validation.this_edge.certificate_arn : let.edge_certificate != null ? let.edge_certificate : var.edge_certificate_arn
    ssl_support_method             = let.edge_domain == null ? null : "sni-only"
    minimum_protocol_version       = let.edge_domain == null ? null : "TLSv1.2_2021"
  }
}

locals {
  when = length(let.layers.private_paths) + length(let.kept_paths) > 0

  this_private_paths = length(let.layers.private_paths) > 0 ? let.layers.private_paths : null
  this_kept_paths    = length(let.kept_paths) > 0 ? let.kept_paths : null
}

resource "aws_acm_certificate" "this_edge" {
  when     = let.edge_issued
  provider = aws.us_east_1

  domain_name       = let.edge_domain
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "this_edge_validation" {
  when = let.edge_issued
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
  when     = let.edge_issued
  provider = aws.us_east_1

  certificate_arn         = aws_acm_certificate.this_edge.arn
  validation_record_fqdns = [for record in aws_route53_record.this_edge_validation : record.fqdn]
}

resource "aws_route53_record" "this_edge" {
  when     = let.edge_issued
  for_each = toset(["A", "AAAA"])

  zone_id = target.hosted_zone_id
  name    = let.edge_domain
  type    = each.key

  alias {
    name                   = aws_cloudfront_distribution.this.domain_name
    zone_id                = aws_cloudfront_distribution.this.hosted_zone_id
    evaluate_target_health = false
  }
}
