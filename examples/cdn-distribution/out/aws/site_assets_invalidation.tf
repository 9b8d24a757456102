# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "aws_s3_bucket_notification" "assets" {
  bucket      = aws_s3_bucket.assets.id
  eventbridge = true
}

resource "aws_cloudwatch_event_rule" "assets" {
  name        = "cdn-distribution-assets-changed"
  description = "A page of assets has changed"
  event_pattern = jsonencode({
    source        = ["aws.s3"]
    "detail-type" = ["Object Created", "Object Deleted"]
    detail = {
      bucket = { name = [aws_s3_bucket.assets.id] }
      object = { key = [{ "anything-but" = { prefix = "assets/" } }] }
    }
  })
}

resource "aws_ssm_document" "assets_invalidate" {
  name            = "cdn-distribution-assets-invalidate"
  document_type   = "Automation"
  document_format = "JSON"
  content = jsonencode({
    schemaVersion = "0.3"
    description   = "Throws a page of assets out of the network"
    assumeRole    = aws_iam_role.assets_invalidate.arn
    parameters = {
      Path = { type = "String", description = "The page, such as /index.html" }
    }
    mainSteps = [{
      name   = "invalidate"
      action = "aws:executeAwsApi"
      inputs = {
        Service        = "cloudfront"
        Api            = "CreateInvalidation"
        DistributionId = aws_cloudfront_distribution.assets.id
        InvalidationBatch = {
          CallerReference = "{{ automation:EXECUTION_ID }}"
          Paths           = { Quantity = 1, Items = ["{{ Path }}"] }
        }
      }
      isEnd = true
    }]
  })
}

resource "aws_iam_role" "assets_invalidate" {
  name               = "cdn-distribution-assets-invalidate"
  description        = "Throws pages of assets out of the network"
  assume_role_policy = data.aws_iam_policy_document.edge_automation_assume.json
}

data "aws_iam_policy_document" "assets_invalidate" {
  statement {
    actions   = ["cloudfront:CreateInvalidation"]
    resources = [aws_cloudfront_distribution.assets.arn]
  }
}

resource "aws_iam_role_policy" "assets_invalidate" {
  name   = "invalidate"
  role   = aws_iam_role.assets_invalidate.id
  policy = data.aws_iam_policy_document.assets_invalidate.json
}

resource "aws_iam_role" "assets_changed" {
  name               = "cdn-distribution-assets-changed"
  description        = "Starts the invalidation of assets"
  assume_role_policy = data.aws_iam_policy_document.edge_events_assume.json
}

data "aws_iam_policy_document" "assets_changed" {
  statement {
    actions   = ["ssm:StartAutomationExecution"]
    resources = ["${replace(aws_ssm_document.assets_invalidate.arn, ":document/", ":automation-definition/")}:*"]
  }

  statement {
    actions   = ["iam:PassRole"]
    resources = [aws_iam_role.assets_invalidate.arn]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ssm.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "assets_changed" {
  name   = "start"
  role   = aws_iam_role.assets_changed.id
  policy = data.aws_iam_policy_document.assets_changed.json
}

resource "aws_cloudwatch_event_target" "assets" {
  rule     = aws_cloudwatch_event_rule.assets.name
  arn      = "${replace(aws_ssm_document.assets_invalidate.arn, ":document/", ":automation-definition/")}:$DEFAULT"
  role_arn = aws_iam_role.assets_changed.arn

  input_transformer {
    input_paths    = { key = "$.detail.object.key" }
    input_template = "{ \"Path\": [\"/<key>\"] }"
  }
}
