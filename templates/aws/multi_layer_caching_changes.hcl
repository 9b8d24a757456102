# A change reaches the cache first, through its queue, and the edge a little later: otherwise the edge would fetch the
# old value again. A browser cannot be told; it forgets by itself, soon.
template "multi_layer_caching_changes" {
  for     = service
  pattern = "multi_layer_caching"
  file    = "service_${service.name}_edge.tf"
}

resource "aws_cloudwatch_event_rule" "this_edge" {
  name           = "${let.edge_name}-edge"
  description    = "Changes that the edge of ${service.name} has to forget"
  event_bus_name = aws_cloudwatch_event_bus[let.edge_cache.name].name
  event_pattern = jsonencode({
    "detail-type" = ["CacheInvalidation"]
    detail        = { path = [{ exists = true }] }
  })
}

resource "aws_ssm_document" "this_edge" {
  name            = "${let.edge_name}-forget"
  document_type   = "Automation"
  document_format = "JSON"
  content = jsonencode({
    schemaVersion = "0.3"
    description   = "Throws a changed answer of ${service.name} out of the edge"
    assumeRole    = aws_iam_role.this_edge.arn
    parameters = {
      Path = { type = "String", description = "The path, such as /products/42*" }
    }
    mainSteps = [
      {
        name   = "cache"
        action = "aws:sleep"
        inputs = { Duration = "PT${ceil(max(1, let.layers.max_invalidation / 2))}S" }
      },
      {
        name   = "edge"
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
      },
    ]
  })
}

resource "aws_iam_role" "this_edge" {
  name               = "${let.edge_name}-forget"
  description        = "Throws changed answers of ${service.name} out of the edge"
  assume_role_policy = data.aws_iam_policy_document.edge_automation_assume.json
}

data "aws_iam_policy_document" "this_edge" {
  statement {
    actions   = ["cloudfront:CreateInvalidation"]
    resources = [aws_cloudfront_distribution.this.arn]
  }
}

resource "aws_iam_role_policy" "this_edge" {
  name   = "invalidate"
  role   = aws_iam_role.this_edge.id
  policy = data.aws_iam_policy_document.this_edge.json
}

resource "aws_iam_role" "this_edge_events" {
  name               = "${let.edge_name}-edge-events"
  description        = "Starts what keeps the edge of ${service.name} fresh"
  assume_role_policy = data.aws_iam_policy_document.edge_events_assume.json
}

data "aws_iam_policy_document" "this_edge_events" {
  statement {
    actions   = ["ssm:StartAutomationExecution"]
    resources = let.warms ? ["${local.this_forget_arn}:*", "${local.this_warm_arn}:*"] : ["${local.this_forget_arn}:*"]
  }

  statement {
    actions   = ["iam:PassRole"]
    resources = let.warms ? [aws_iam_role.this_edge.arn, aws_iam_role.this_warm.arn] : [aws_iam_role.this_edge.arn]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ssm.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "this_edge_events" {
  name   = "start"
  role   = aws_iam_role.this_edge_events.id
  policy = data.aws_iam_policy_document.this_edge_events.json
}

locals {
  this_forget_arn = replace(aws_ssm_document.this_edge.arn, ":document/", ":automation-definition/")
}

resource "aws_cloudwatch_event_target" "this_edge" {
  rule           = aws_cloudwatch_event_rule.this_edge.name
  event_bus_name = aws_cloudwatch_event_bus[let.edge_cache.name].name
  arn            = "${local.this_forget_arn}:$DEFAULT"
  role_arn       = aws_iam_role.this_edge_events.arn

  input_transformer {
    input_paths    = { path = "$.detail.path" }
    input_template = "{ \"Path\": [\"<path>\"] }"
  }

  dead_letter_config {
    arn = aws_sqs_queue["${let.edge_cache.name}_lost"].arn
  }
}

# A change that did not reach the edge is told: until its time is over, everybody sees the old answer.
resource "aws_cloudwatch_event_rule" "this_edge_failed" {
  name        = "${let.edge_name}-edge-failed"
  description = "A change did not reach the edge of ${service.name}"
  event_pattern = jsonencode({
    source        = ["aws.ssm"]
    "detail-type" = ["EC2 Automation Execution Status-change Notification"]
    detail        = { Definition = [aws_ssm_document.this_edge.name], Status = ["Failed", "TimedOut"] }
  })
}

resource "aws_cloudwatch_event_target" "this_edge_failed" {
  rule = aws_cloudwatch_event_rule.this_edge_failed.name
  arn  = aws_sns_topic.alarms.arn
}
