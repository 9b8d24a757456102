# The bucket that a site's files lie in, where they do not come from a service. Nobody but its distribution reads it.
template "site" {
  for  = site
  file = "site_${site.name}.tf"

  check "served" {
    condition = site.cdn_distribution != null
    message   = "Nothing serves ${site.name}: only a distribution opens its bucket, or asks its origin, on AWS."
    fix       = "Add cdn_distribution {}."
    at        = site.name
    severity  = "warning"
  }
}

let {
  name      = shortname("${let.prefix}-${site.name}", 40)
  own_files = site.origin == null
}

resource "aws_s3_bucket" "this" {
  when = let.own_files

  bucket_prefix = "${shortname(let.name, 36)}-"
}

resource "aws_s3_bucket_public_access_block" "this" {
  when = let.own_files

  bucket = aws_s3_bucket.this.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  when = let.own_files

  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  when = let.own_files

  bucket = aws_s3_bucket.this.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_versioning" "this" {
  when = let.own_files

  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

# What was overwritten or deleted can be brought back for a while.
resource "aws_s3_bucket_lifecycle_configuration" "this" {
  when = let.own_files

  bucket = aws_s3_bucket.this.id

  rule {
    id     = "versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = site.keep_versions_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}
