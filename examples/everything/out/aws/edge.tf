# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

provider "aws" {
  alias  = "us_east_1"
  region = "us-east-1"

  default_tags {
    tags = local.tags
  }
}

locals {
  edge_topic_arn = aws_sns_topic.edge.arn
}

resource "aws_kms_key" "edge" {
  provider = aws.us_east_1

  description             = "Alarms of the distributions of everything"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

data "aws_iam_policy_document" "edge_key" {
  statement {
    sid       = "Account"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::${split(":", aws_kms_key.edge.arn)[4]}:root"]
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
  provider = aws.us_east_1

  key_id = aws_kms_key.edge.key_id
  policy = data.aws_iam_policy_document.edge_key.json
}

resource "aws_sns_topic" "edge" {
  provider = aws.us_east_1

  name              = "everything-edge-alarms"
  kms_master_key_id = aws_kms_key.edge.arn
}

resource "aws_sns_topic_subscription" "edge" {
  provider = aws.us_east_1
  for_each = toset(["oncall@example.com"])

  topic_arn = aws_sns_topic.edge.arn
  protocol  = "email"
  endpoint  = each.value
}

# Which place answered whom, how fast and from where: only the logs know.
resource "aws_s3_bucket" "edge_logs" {
  provider = aws.us_east_1

  bucket_prefix = "everything-edge-logs-"
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
      days = 90
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

  name          = "everything-edge"
  output_format = "parquet"

  delivery_destination_configuration {
    destination_resource_arn = aws_s3_bucket.edge_logs.arn
  }
}

# Pages that change are thrown out of the network by documents that events start.
data "aws_iam_policy_document" "edge_automation_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ssm.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "edge_events_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }
  }
}
