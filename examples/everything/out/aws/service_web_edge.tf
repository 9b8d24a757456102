# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

# What the program needs to fit in: how long each layer keeps what, what makes another answer, and where changes are said.
resource "aws_ssm_parameter" "web_layers" {
  name        = "/everything/web/layers"
  description = "How web keeps copies, and says what has changed"
  type        = "String"
  value = jsonencode({
    cache_control     = "public, max-age=60, s-maxage=300, stale-while-revalidate=30, stale-if-error=600"
    local_ttl_seconds = 5
    cache_ttl_seconds = 900
    vary              = ["Accept-Language"]
    private_paths     = ["/account/*", "/cart/*", "/checkout/*"]
    changes           = { bus = aws_cloudwatch_event_bus.products.name, detail_type = "CacheInvalidation", detail = ["keys", "path"] }
  })
}

data "aws_iam_policy_document" "web_layers" {
  statement {
    actions   = ["ssm:GetParameter"]
    resources = ["${aws_ssm_parameter.web_layers.arn}*"]
  }
}

resource "aws_iam_role_policy" "web_layers" {
  name   = "layers"
  role   = aws_iam_role.web.id
  policy = data.aws_iam_policy_document.web_layers.json
}

# What may be kept. The headers that make another answer here do so in the program and in its cache too.
resource "aws_cloudfront_cache_policy" "web_edge" {
  name        = "everything-web"
  comment     = "Answers of web that may be kept"
  min_ttl     = 0
  default_ttl = 300
  max_ttl     = 3600

  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_brotli = true
    enable_accept_encoding_gzip   = true

    cookies_config {
      cookie_behavior = "none"
    }

    headers_config {
      header_behavior = "whitelist"

      headers {
        items = ["Accept-Language"]
      }
    }

    query_strings_config {
      query_string_behavior = "all"
    }
  }
}

# The program's own Cache-Control counts; this one stands in where it says nothing.
resource "aws_cloudfront_response_headers_policy" "web_edge" {
  name    = "everything-web"
  comment = "Answers of web that may be kept"

  custom_headers_config {
    items {
      header   = "Cache-Control"
      value    = "public, max-age=60, s-maxage=300, stale-while-revalidate=30, stale-if-error=600"
      override = false
    }
  }

  # Server-Timing says which layer has answered: cdn-cache-hit, cdn-pop, cdn-upstream-layer.
  server_timing_headers_config {
    enabled       = true
    sampling_rate = 1
  }
}

resource "aws_cloudfront_distribution" "web" {
  enabled             = true
  comment             = "everything-web"
  aliases             = ["shop.example.com"]
  is_ipv6_enabled     = true
  http_version        = "http2and3"
  price_class         = "PriceClass_100"
  wait_for_deployment = true

  origin {
    origin_id           = "service"
    domain_name         = "origin.example.com"
    connection_attempts = 2
    connection_timeout  = 5

    custom_origin_config {
      http_port                = 80
      https_port               = 443
      origin_protocol_policy   = "https-only"
      origin_ssl_protocols     = ["TLSv1.2"]
      origin_read_timeout      = 15
      origin_keepalive_timeout = 55 # the balancer must not close first
    }

    # One place asks on behalf of all others.
    origin_shield {
      enabled              = true
      origin_shield_region = "eu-west-1"
    }
  }

  # Kept answers are the same for everybody: cookies do not reach the program there, and nothing is written.
  default_cache_behavior {
    target_origin_id           = "service"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = ["GET", "HEAD", "OPTIONS"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = aws_cloudfront_cache_policy.web_edge.id
    response_headers_policy_id = aws_cloudfront_response_headers_policy.web_edge.id
  }

  # Answers that belong to one person are kept nowhere.
  dynamic "ordered_cache_behavior" {
    for_each = local.web_private_paths

    content {
      path_pattern             = ordered_cache_behavior.value
      target_origin_id         = "service"
      viewer_protocol_policy   = "redirect-to-https"
      allowed_methods          = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
      cached_methods           = ["GET", "HEAD"]
      compress                 = true
      cache_policy_id          = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad" # CachingDisabled, which is CloudFront's own
      origin_request_policy_id = "b689b0a8-53d0-40ab-baf2-68738e2966ac" # with whatever the viewer sent
    }
  }

  # A failure is remembered shortly, so that a failing program is not asked by everybody at once.
  custom_error_response {
    error_code            = 500
    error_caching_min_ttl = 5
  }

  custom_error_response {
    error_code            = 502
    error_caching_min_ttl = 5
  }

  custom_error_response {
    error_code            = 503
    error_caching_min_ttl = 5
  }

  custom_error_response {
    error_code            = 504
    error_caching_min_ttl = 5
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    acm_certificate_arn      = aws_acm_certificate_validation.web_edge.certificate_arn
    ssl_support_method       = "sni-only"
    minimum_protocol_version = "TLSv1.2_2021"
  }
}

locals {
  web_private_paths = ["/account/*", "/cart/*", "/checkout/*"]
}

resource "aws_acm_certificate" "web_edge" {
  provider = aws.us_east_1

  domain_name       = "shop.example.com"
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "web_edge_validation" {
  for_each = {
    for option in aws_acm_certificate.web_edge.domain_validation_options : option.domain_name => option
  }

  zone_id         = "Z0123456789ABCDEFGHIJ"
  name            = each.value.resource_record_name
  type            = each.value.resource_record_type
  records         = [each.value.resource_record_value]
  ttl             = 60
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "web_edge" {
  provider = aws.us_east_1

  certificate_arn         = aws_acm_certificate.web_edge.arn
  validation_record_fqdns = [for record in aws_route53_record.web_edge_validation : record.fqdn]
}

resource "aws_route53_record" "web_edge" {
  for_each = toset(["A", "AAAA"])

  zone_id = "Z0123456789ABCDEFGHIJ"
  name    = "shop.example.com"
  type    = each.key

  alias {
    name                   = aws_cloudfront_distribution.web.domain_name
    zone_id                = aws_cloudfront_distribution.web.hosted_zone_id
    evaluate_target_health = false
  }
}

resource "aws_cloudwatch_event_rule" "web_edge" {
  name           = "everything-web-edge"
  description    = "Changes that the edge of web has to forget"
  event_bus_name = aws_cloudwatch_event_bus.products.name
  event_pattern = jsonencode({
    "detail-type" = ["CacheInvalidation"]
    detail        = { path = [{ exists = true }] }
  })
}

resource "aws_ssm_document" "web_edge" {
  name            = "everything-web-forget"
  document_type   = "Automation"
  document_format = "JSON"
  content = jsonencode({
    schemaVersion = "0.3"
    description   = "Throws a changed answer of web out of the edge"
    assumeRole    = aws_iam_role.web_edge.arn
    parameters = {
      Path = { type = "String", description = "The path, such as /products/42*" }
    }
    mainSteps = [
      {
        name   = "cache"
        action = "aws:sleep"
        inputs = { Duration = "PT5S" }
      },
      {
        name   = "edge"
        action = "aws:executeAwsApi"
        inputs = {
          Service        = "cloudfront"
          Api            = "CreateInvalidation"
          DistributionId = aws_cloudfront_distribution.web.id
          InvalidationBatch = {
            CallerReference = "{{ automation:EXECUTION_ID }}"
            Paths           = { Quantity = 1, Items = ["{{ Path }}"] }
          }
        }
        isEnd = true
      },
    ]
  })
}

resource "aws_iam_role" "web_edge" {
  name               = "everything-web-forget"
  description        = "Throws changed answers of web out of the edge"
  assume_role_policy = data.aws_iam_policy_document.edge_automation_assume.json
}

data "aws_iam_policy_document" "web_edge" {
  statement {
    actions   = ["cloudfront:CreateInvalidation"]
    resources = [aws_cloudfront_distribution.web.arn]
  }
}

resource "aws_iam_role_policy" "web_edge" {
  name   = "invalidate"
  role   = aws_iam_role.web_edge.id
  policy = data.aws_iam_policy_document.web_edge.json
}

resource "aws_iam_role" "web_edge_events" {
  name               = "everything-web-edge-events"
  description        = "Starts what keeps the edge of web fresh"
  assume_role_policy = data.aws_iam_policy_document.edge_events_assume.json
}

data "aws_iam_policy_document" "web_edge_events" {
  statement {
    actions   = ["ssm:StartAutomationExecution"]
    resources = ["${local.web_forget_arn}:*"]
  }

  statement {
    actions   = ["iam:PassRole"]
    resources = [aws_iam_role.web_edge.arn]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ssm.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "web_edge_events" {
  name   = "start"
  role   = aws_iam_role.web_edge_events.id
  policy = data.aws_iam_policy_document.web_edge_events.json
}

locals {
  web_forget_arn = replace(aws_ssm_document.web_edge.arn, ":document/", ":automation-definition/")
}

resource "aws_cloudwatch_event_target" "web_edge" {
  rule           = aws_cloudwatch_event_rule.web_edge.name
  event_bus_name = aws_cloudwatch_event_bus.products.name
  arn            = "${local.web_forget_arn}:$DEFAULT"
  role_arn       = aws_iam_role.web_edge_events.arn

  input_transformer {
    input_paths    = { path = "$.detail.path" }
    input_template = "{ \"Path\": [\"<path>\"] }"
  }

  dead_letter_config {
    arn = aws_sqs_queue.products_lost.arn
  }
}

# A change that did not reach the edge is told: until its time is over, everybody sees the old answer.
resource "aws_cloudwatch_event_rule" "web_edge_failed" {
  name        = "everything-web-edge-failed"
  description = "A change did not reach the edge of web"
  event_pattern = jsonencode({
    source        = ["aws.ssm"]
    "detail-type" = ["EC2 Automation Execution Status-change Notification"]
    detail        = { Definition = [aws_ssm_document.web_edge.name], Status = ["Failed", "TimedOut"] }
  })
}

resource "aws_cloudwatch_event_target" "web_edge_failed" {
  rule = aws_cloudwatch_event_rule.web_edge_failed.name
  arn  = aws_sns_topic.alarms.arn
}
