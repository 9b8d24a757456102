# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "aws_cloudwatch_event_bus" "products" {
  name = "multi-layer-caching-products-changes"
}

resource "aws_sqs_queue" "products_lost" {
  name                      = "multi-layer-caching-products-changes-lost"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

# Clients take the changes from here and delete the keys. What is older than an hour has expired or been read anew.
resource "aws_sqs_queue" "products" {
  name                       = "multi-layer-caching-products-changes"
  visibility_timeout_seconds = 30
  message_retention_seconds  = 3600
  receive_wait_time_seconds  = 20
  sqs_managed_sse_enabled    = true

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.products_lost.arn
    maxReceiveCount     = 5
  })
}

resource "aws_cloudwatch_event_rule" "products" {
  name           = "multi-layer-caching-products-changes"
  description    = "Changes of what products has copies of"
  event_bus_name = aws_cloudwatch_event_bus.products.name
  event_pattern  = jsonencode({ "detail-type" = ["CacheInvalidation"] })
}

resource "aws_cloudwatch_event_target" "products" {
  rule           = aws_cloudwatch_event_rule.products.name
  event_bus_name = aws_cloudwatch_event_bus.products.name
  arn            = aws_sqs_queue.products.arn

  dead_letter_config {
    arn = aws_sqs_queue.products_lost.arn
  }
}

data "aws_iam_policy_document" "products_changes" {
  statement {
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.products.arn, aws_sqs_queue.products_lost.arn]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["${replace(aws_cloudwatch_event_bus.products.arn, ":event-bus/", ":rule/")}/*"]
    }
  }
}

resource "aws_sqs_queue_policy" "products" {
  queue_url = aws_sqs_queue.products.url
  policy    = data.aws_iam_policy_document.products_changes.json
}

resource "aws_sqs_queue_policy" "products_lost" {
  queue_url = aws_sqs_queue.products_lost.url
  policy    = data.aws_iam_policy_document.products_changes.json
}

resource "aws_cloudwatch_metric_alarm" "products_changes" {
  for_each = {
    waiting = {
      queue     = aws_sqs_queue.products.name
      metric    = "ApproximateAgeOfOldestMessage"
      threshold = 10
      means     = "A change has waited for 10s: nobody listens, and old values are served."
    }
    lost = {
      queue     = aws_sqs_queue.products_lost.name
      metric    = "ApproximateNumberOfMessagesVisible"
      threshold = 0
      means     = "A change could not be worked on: its value stays until its time is over."
    }
  }

  alarm_name          = "multi-layer-caching-products-changes-${each.key}"
  alarm_description   = each.value.means
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  evaluation_periods  = 2
  period              = 60
  namespace           = "AWS/SQS"
  metric_name         = each.value.metric
  statistic           = "Maximum"
  dimensions          = { QueueName = each.value.queue }
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}
