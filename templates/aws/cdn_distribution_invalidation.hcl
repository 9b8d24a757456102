# A file that keeps its name when it changes is thrown out of the network as soon as it has changed. Those whose names
# carry a hash never have to be.
template "cdn_distribution_invalidation" {
  for     = site
  pattern = "cdn_distribution"
  when    = let.invalidates
  file    = "site_${site.name}_invalidation.tf"
}

resource "aws_s3_bucket_notification" "this" {
  bucket      = aws_s3_bucket.this.id
  eventbridge = true
}

resource "aws_cloudwatch_event_rule" "this" {
  name        = "${let.name}-changed"
  description = "A page of ${site.name} has changed"
  event_pattern = jsonencode({
    source        = ["aws.s3"]
    "detail-type" = ["Object Created", "Object Deleted"]
    detail = {
      bucket = { name = [aws_s3_bucket.this.id] }
      object = { key = [{ "anything-but" = { prefix = trimprefix(site.assets, "/") } }] }
    }
  })
}

resource "aws_ssm_document" "this_invalidate" {
  name            = "${let.name}-invalidate"
  document_type   = "Automation"
  document_format = "JSON"
  content = jsonencode({
    schemaVersion = "0.3"
    description   = "Throws a page of ${site.name} out of the network"
    assumeRole    = aws_iam_role.this_invalidate.arn
    parameters = {
      Path = { type = "String", description = "The page, such as /index.html" }
    }
    mainSteps = [{
      name   = "invalidate"
      action = "aws:executeAwsApi"
      inputs = {
        Service        = "cloudfront"
        Api            = "CreateInvalidation"
        DistributionId = aws_cloudfront_distribution.this.id
        InvalidationBatch = {
          CallerReference = "{{ automation:EXECUTION_ID }}"
          Paths           = { Quantity = 1, Items = ["{{ Path }}"] }
        }
      }
      isEnd = true
    }]
  })
}

resource "aws_iam_role" "this_invalidate" {
  name               = "${let.name}-invalidate"
  description        = "Throws pages of ${site.name} out of the network"
  assume_role_policy = data.aws_iam_policy_document.edge_automation_assume.json
}

data "aws_iam_policy_document" "this_invalidate" {
  statement {
    actions   = ["cloudfront:CreateInvalidation"]
    resources = [aws_cloudfront_distribution.this.arn]
  }
}

resource "aws_iam_role_policy" "this_invalidate" {
  name   = "invalidate"
  role   = aws_iam_role.this_invalidate.id
  policy = data.aws_iam_policy_document.this_invalidate.json
}

resource "aws_iam_role" "this_changed" {
  name               = "${let.name}-changed"
  description        = "Starts the invalidation of ${site.name}"
  assume_role_policy = data.aws_iam_policy_document.edge_events_assume.json
}

data "aws_iam_policy_document" "this_changed" {
  statement {
    actions   = ["ssm:StartAutomationExecution"]
    resources = ["${replace(aws_ssm_document.this_invalidate.arn, ":document/", ":automation-definition/")}:*"]
  }

  statement {
    actions   = ["iam:PassRole"]
    resources = [aws_iam_role.this_invalidate.arn]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ssm.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "this_changed" {
  name   = "start"
  role   = aws_iam_role.this_changed.id
  policy = data.aws_iam_policy_document.this_changed.json
}

resource "aws_cloudwatch_event_target" "this" {
  rule     = aws_cloudwatch_event_rule.this.name
  arn      = "${replace(aws_ssm_document.this_invalidate.arn, ":document/", ":automation-definition/")}:$DEFAULT"
  role_arn = aws_iam_role.this_changed.arn

  input_transformer {
    input_paths    = { key = "$.detail.object.key" }
    input_template = "{ \"Path\": [\"/<key>\"] }"
  }
}
