# What all distributions of the root share. CloudFront takes its certificates, firewalls and log deliveries from us-east-1
# and writes its measurements there, wherever the rest of the root is.
template "edge" {
  for  = blueprint
  when = anytrue(concat([for s in blueprint.sites : s.cdn_distribution != null], [for s in blueprint.services : s.multi_layer_caching != null]))
  file = "edge.tf"
}

let {
  # Alarms reach topics of their own region only.
  edge_away = target.region != "us-east-1"
  edge_rows = [for row in table.cloudfront : row if row.region == target.region]
  # The place that asks origins in this region on behalf of all others.
  edge_shield = length(let.edge_rows) == 0 ? "us-east-1" : let.edge_rows[0].shield
  edge_invalidates = anytrue(concat(
    [for s in blueprint.sites : s.cdn_distribution == null || s.origin != null ? false : s.cdn_distribution.invalidate == "changed"],
    [for s in blueprint.services : s.multi_layer_caching != null],
  ))
  edge_log_days = max(30, [for s in blueprint.sites : s.cdn_distribution == null ? 1 : s.cdn_distribution.log_days]...)
  edge_names = compact(concat(
    [for s in blueprint.sites : s.cdn_distribution == null ? "" : s.cdn_distribution.domain == null ? "" : s.cdn_distribution.domain],
    [for s in blueprint.services : s.multi_layer_caching == null ? "" : s.multi_layer_caching.domain == null ? "" : s.multi_layer_caching.domain],
  ))
  # Certificates are made for names in the hosted zone; for others Terraform asks.
  edge_issues = target.edge_certificate_arn == null && target.hosted_zone_id != null
  edge_asks   = target.edge_certificate_arn == null && anytrue([for name in let.edge_names : !let.edge_issues || !(name == target.hosted_zone_name || endswith(name, ".${target.hosted_zone_name}"))])
}

provider "aws" {
  alias               = "us_east_1"
  region              = "us-east-1"
  allowed_account_ids = target.account_id == null ? null : [target.account_id]

  default_tags {
    tags = local.tags
  }
}

variable "edge_certificate_arn" {
  when = let.edge_asks

  description = "ACM certificate in us-east-1 for the names of the distributions."
  type        = string
  nullable    = false

  validation {
    condition     = startswith(var.edge_certificate_arn, "arn:aws:acm:us-east-1:")
    error_message = "CloudFront takes certificates from us-east-1 only."
  }
}

locals {
  edge_topic_arn = let.edge_away ? aws_sns_topic.edge.arn : aws_sns_topic.alarms.arn
}

resource "aws_kms_key" "edge" {
  when     = let.edge_away
  provider = aws.us_east_1

  description             = "Alarms of the distributions of ${let.prefix}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

data "aws_iam_policy_document" "edge_key" {
  when = let.edge_away

  statement {
    sid       = "Account"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::${target.account_id == null ? split(":", aws_kms_key.edge.arn)[4] : target.account_id}:root"]
    }
  }

  statement {
    sid       = "Publishers"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }
  }
}

resource "aws_kms_key_policy" "edge" {
  when     = let.edge_away
  provider = aws.us_east_1

  key_id = aws_kms_key.edge.key_id
  policy = data.aws_iam_policy_document.edge_key.json
}

resource "aws_sns_topic" "edge" {
  when     = let.edge_away
  provider = aws.us_east_1

  name              = "${let.prefix}-edge-alarms"
  kms_master_key_id = aws_kms_key.edge.arn
}

resource "aws_sns_topic_subscription" "edge" {
  when     = let.edge_away && length(target.alert_emails) > 0
  provider = aws.us_east_1
  for_each = toset(target.alert_emails)

  topic_arn = aws_sns_topic.edge.arn
  protocol  = "email"
  endpoint  = each.value
}

# Which place answered whom, how fast and from where: only the logs know.
resource "aws_s3_bucket" "edge_logs" {
  provider = aws.us_east_1

  bucket_prefix = "${shortname(let.prefix, 24)}-edge-logs-"
}

resource "aws_s3_bucket_public_access_block" "edge_logs" {
  provider = aws.us_east_1

  bucket = aws_s3_bucket.edge_logs.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "edge_logs" {
  provider = aws.us_east_1

  bucket = aws_s3_bucket.edge_logs.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "edge_logs" {
  provider = aws.us_east_1

  bucket = aws_s3_bucket.edge_logs.id

  rule {
    id     = "expire"
    status = "Enabled"

    filter {}

    expiration {
      days = let.edge_log_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

data "aws_iam_policy_document" "edge_logs" {
  statement {
    sid       = "Write"
    actions   = ["s3:PutObject"]
    resources = ["${aws_s3_bucket.edge_logs.arn}/*"]

    principals {
      type        = "Service"
      identifiers = ["delivery.logs.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "s3:x-amz-acl"
      values   = ["bucket-owner-full-control"]
    }
  }

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.edge_logs.arn, "${aws_s3_bucket.edge_logs.arn}/*"]

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

resource "aws_s3_bucket_policy" "edge_logs" {
  provider = aws.us_east_1

  bucket = aws_s3_bucket.edge_logs.id
  policy = data.aws_iam_policy_document.edge_logs.json

  depends_on = [aws_s3_bucket_public_access_block.edge_logs]
}

resource "aws_cloudwatch_log_delivery_destination" "edge" {
  provider = aws.us_east_1

  name          = "${let.prefix}-edge"
  output_format = "parquet"

  delivery_destination_configuration {
    destination_resource_arn = aws_s3_bucket.edge_logs.arn
  }
}

# Pages that change are thrown out of the network by documents that events start.
data "aws_iam_policy_document" "edge_automation_assume" {
  when = let.edge_invalidates

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ssm.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "edge_events_assume" {
  when = let.edge_invalidates

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }
  }
}
