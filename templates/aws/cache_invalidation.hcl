# Whoever changes data says so here, and whoever keeps a copy hears of it.
template "cache_invalidation" {
  for  = cache
  when = let.announced
  file = "cache_${cache.name}_invalidation.tf"
}

let {
  patience = min(60, [for s in cache.clients : s.multi_layer_caching == null ? 60 : s.multi_layer_caching.max_invalidation]...)
}

resource "aws_cloudwatch_event_bus" "this" {
  name = "${let.name}-changes"
}

resource "aws_sqs_queue" "this_lost" {
  name                      = "${let.name}-changes-lost"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

# Clients take the changes from here and delete the keys. What is older than an hour has expired or been read anew.
resource "aws_sqs_queue" "this" {
  name                       = "${let.name}-changes"
  visibility_timeout_seconds = 30
  message_retention_seconds  = 3600
  receive_wait_time_seconds  = 20
  sqs_managed_sse_enabled    = true

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.this_lost.arn
    maxReceiveCount     = 5
  })
}

resource "aws_cloudwatch_event_rule" "this" {
  name           = "${let.name}-changes"
  description    = "Changes of what ${cache.name} has copies of"
  event_bus_name = aws_cloudwatch_event_bus.this.name
  event_pattern  = jsonencode({ "detail-type" = ["CacheInvalidation"] })
}

resource "aws_cloudwatch_event_target" "this" {
  rule           = aws_cloudwatch_event_rule.this.name
  event_bus_name = aws_cloudwatch_event_bus.this.name
  arn            = aws_sqs_queue.this.arn

  dead_letter_config {
    arn = aws_sqs_queue.this_lost.arn
  }
}

data "aws_iam_policy_document" "this_changes" {
  statement {
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.this.arn, aws_sqs_queue.this_lost.arn]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["${replace(aws_cloudwatch_event_bus.this.arn, ":event-bus/", ":rule/")}/*"]
    }
  }
}

resource "aws_sqs_queue_policy" "this" {
  queue_url = aws_sqs_queue.this.url
  policy    = data.aws_iam_policy_document.this_changes.json
}

resource "aws_sqs_queue_policy" "this_lost" {
  queue_url = aws_sqs_queue.this_lost.url
  policy    = data.aws_iam_policy_document.this_changes.json
}

resource "aws_cloudwatch_metric_alarm" "this_changes" {
  for_each = {
    waiting = {
      queue     = aws_sqs_queue.this.name
      metric    = "ApproximateAgeOfOldestMessage"
      threshold = let.patience
      means     = "A change has waited for ${duration(let.patience)}: nobody listens, and old values are served."
    }
    lost = {
      queue     = aws_sqs_queue.this_lost.name
      metric    = "ApproximateNumberOfMessagesVisible"
      threshold = 0
      means     = "A change could not be worked on: its value stays until its time is over."
    }
  }

  alarm_name          = "${let.name}-changes-${each.key}"
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
