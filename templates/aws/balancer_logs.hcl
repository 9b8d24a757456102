# One bucket for the access logs of all load balancers.
template "balancer_logs" {
  for  = blueprint
  when = length([for s in blueprint.services : s if s.runs_on == null && (s.balancer == null ? false : s.balancer.access_logs && s.balancer.layer == 7)]) > 0
  file = "shared.tf"
}

resource "aws_s3_bucket" "balancer_logs" {
  bucket_prefix = "${shortname(let.prefix, 24)}-lb-logs-"
}

resource "aws_s3_bucket_public_access_block" "balancer_logs" {
  bucket = aws_s3_bucket.balancer_logs.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# Load balancers write to buckets with S3's own keys only.
resource "aws_s3_bucket_server_side_encryption_configuration" "balancer_logs" {
  bucket = aws_s3_bucket.balancer_logs.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "balancer_logs" {
  bucket = aws_s3_bucket.balancer_logs.id

  rule {
    id     = "expire"
    status = "Enabled"

    filter {}

    expiration {
      days = max([for s in blueprint.services : s.runs_on == null && s.balancer != null ? s.balancer.log_days : 1]...)
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

data "aws_iam_policy_document" "balancer_logs" {
  statement {
    sid       = "Write"
    actions   = ["s3:PutObject"]
    resources = ["${aws_s3_bucket.balancer_logs.arn}/*"]

    principals {
      type        = "Service"
      identifiers = ["logdelivery.elasticloadbalancing.amazonaws.com"]
    }
  }

  statement {
    sid       = "Encrypted"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.balancer_logs.arn, "${aws_s3_bucket.balancer_logs.arn}/*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "balancer_logs" {
  bucket = aws_s3_bucket.balancer_logs.id
  policy = data.aws_iam_policy_document.balancer_logs.json

  depends_on = [aws_s3_bucket_public_access_block.balancer_logs]
}
