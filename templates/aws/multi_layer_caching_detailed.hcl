# Layers are warmed from the inside to the outside, after a release and whenever the edge has gone cold.
template "multi_layer_caching_detailed" {
  for  = service
  file = "service_${service.name}_edge.tf"

  covers = {
    warming    = [let.warms ? aws_ssm_document.this_warm.content : null, let.warms ? aws_cloudwatch_event_target.this_cold.arn : null]
    fallback   = [aws_cloudfront_distribution.this.custom_error_response.error_caching_min_ttl, let.fallback == null ? aws_cloudfront_response_headers_policy.this_edge.custom_headers_config.items.value : aws_cloudfront_distribution.this.custom_error_response.response_page_path]
    cold_start = [aws_cloudwatch_metric_alarm.this_cold.threshold, let.layers.shield ? aws_cloudfront_distribution.this.origin.origin_shield : service.multi_layer_caching.shield, let.warms ? aws_cloudwatch_event_rule.this_cold.event_pattern : null]
  }
  approximates = {
    eviction = {
      by  = [service.multi_layer_caching_detailed.cache.eviction, aws_cloudfront_cache_policy.this_edge.max_ttl, aws_ssm_parameter.this_limits.value]
      why = "CloudFront gives way by popularity, and only lifetimes can be chosen there; the program limits its own memory by what it is told."
    }
    consistency = {
      by  = [aws_cloudwatch_event_rule.this_edge_failed.event_pattern, aws_ssm_parameter.this_limits.value]
      why = "Changes that are late or lost are told; nothing measures how old an answer is but the program, which is told what share to compare."
    }
  }

  ignores = {
    edge_memory = "The edge is CloudFront's, and so is its memory."
    grace       = "The edge is CloudFront's: stale_if_error says how long it goes on with old answers."
  }

  check "fallback_is_a_bucket" {
    condition = service.multi_layer_caching_detailed.fallback == null ? true : service.multi_layer_caching_detailed.fallback.origin == null && service.multi_layer_caching_detailed.fallback.cdn_distribution != null
    message   = "The fallback of ${service.name} must have files of its own and a distribution, or it would fail together with what it stands in for."
    fix       = "Name a site without origin and with cdn_distribution."
    at        = service.multi_layer_caching_detailed.fallback
  }
}

let {
  ramps = service.multi_layer_caching_detailed == null || service.runs_on != null || service.balancer == null ? false : service.balancer.layer == 7 && service.balancer.algorithm == "round_robin" && service.balancer.slow_start == 0 && service.multi_layer_caching_detailed.ramp >= 30
}

# How many values the program keeps itself, and what share of its reads it compares with the database.
resource "aws_ssm_parameter" "this_limits" {
  name        = "${aws_ssm_parameter.this_layers.name}/limits"
  description = "How ${service.name} limits and checks its copies"
  type        = "String"
  value = jsonencode({
    local_entries    = service.multi_layer_caching_detailed.local_entries
    compared_percent = service.multi_layer_caching_detailed.consistency_sample
  })
}

extend "aws_lb_target_group" "this" {
  when = let.ramps

  # A new instance, whose memory is empty, gets its full share little by little.
  slow_start = ceil(service.multi_layer_caching_detailed.ramp)
}

locals {
  when = let.warms

  this_warm_arn     = replace(aws_ssm_document.this_warm.arn, ":document/", ":automation-definition/")
  this_warm_targets = let.tracked ? [for track in keys(local.this_tracks) : "${let.name}-${track}"] : [let.name]
}

resource "aws_ssm_document" "this_warm" {
  when = let.warms

  name            = "${let.edge_name}-warm"
  document_type   = "Automation"
  document_format = "JSON"
  content = jsonencode({
    schemaVersion = "0.3"
    description   = "Warms the cache of ${service.name}, then the edge through it"
    assumeRole    = aws_iam_role.this_warm.arn
    mainSteps = [
      {
        name      = "cache"
        action    = "aws:runCommand"
        onFailure = "Continue"
        inputs = {
          DocumentName   = "AWS-RunShellScript"
          MaxConcurrency = "1"
          Targets        = [{ Key = "tag:Name", Values = local.this_warm_targets }]
          Parameters     = { commands = ["docker exec app ${service.multi_layer_caching_detailed.warm_command} --only-missing"] }
        }
      },
      {
        name   = "edge"
        action = "aws:runCommand"
        inputs = {
          DocumentName   = "AWS-RunShellScript"
          MaxConcurrency = "1"
          Targets        = [{ Key = "tag:Name", Values = local.this_warm_targets }]
          Parameters = { commands = [
            "host=${let.edge_domain == null ? aws_cloudfront_distribution.this.domain_name : let.edge_domain}",
            "for path in ${join(" ", [for path in service.multi_layer_caching_detailed.warm_paths : shell(path)])}; do printf 'url = \"https://%s%s\"\\noutput = /dev/null\\n' \"$host\" \"$path\"; done | curl --silent --show-error --compressed --rate ${service.multi_layer_caching_detailed.warm_rate}/s --config -",
          ] }
        }
        isEnd = true
      },
    ]
  })
}

resource "aws_iam_role" "this_warm" {
  when = let.warms

  name               = "${let.edge_name}-warm"
  description        = "Warms the layers before ${service.name}"
  assume_role_policy = data.aws_iam_policy_document.edge_automation_assume.json
}

data "aws_iam_policy_document" "this_warm" {
  when = let.warms

  statement {
    sid       = "Run"
    actions   = ["ssm:SendCommand"]
    resources = ["arn:aws:ssm:${target.region}::document/AWS-RunShellScript"]
  }

  statement {
    sid       = "On"
    actions   = ["ssm:SendCommand"]
    resources = ["arn:aws:ec2:${target.region}:*:instance/*"]

    condition {
      test     = "StringEquals"
      variable = "ssm:resourceTag/blueprint"
      values   = [blueprint.name]
    }
  }

  statement {
    sid       = "Follow"
    actions   = ["ssm:DescribeInstanceInformation", "ssm:ListCommands", "ssm:ListCommandInvocations"]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "this_warm" {
  when = let.warms

  name   = "warm"
  role   = aws_iam_role.this_warm.id
  policy = data.aws_iam_policy_document.this_warm.json
}

# A cold edge is an event, and the event warms it.
resource "aws_cloudwatch_metric_alarm" "this_cold" {
  provider = aws.us_east_1

  alarm_name          = "${let.edge_name}-edge-cold"
  alarm_description   = "The edge answers less than ${service.multi_layer_caching_detailed.cold_below} % by itself: it has gone cold${let.warms ? " and is warmed" : ""}."
  comparison_operator = "LessThanThreshold"
  threshold           = service.multi_layer_caching_detailed.cold_below
  evaluation_periods  = 2
  period              = 300
  namespace           = "AWS/CloudFront"
  metric_name         = "CacheHitRate"
  statistic           = "Average"
  dimensions          = { DistributionId = aws_cloudfront_distribution.this.id, Region = "Global" }
  treat_missing_data  = "notBreaching"
  alarm_actions       = [local.edge_topic_arn]
}

# The alarm goes off in us-east-1; what warms is here.
resource "aws_cloudwatch_event_rule" "this_cold_there" {
  when     = let.warms && let.edge_away
  provider = aws.us_east_1

  name          = "${let.edge_name}-edge-cold"
  description   = "The edge of ${service.name} has gone cold"
  event_pattern = local.this_cold_pattern
}

resource "aws_cloudwatch_event_target" "this_cold_there" {
  when     = let.warms && let.edge_away
  provider = aws.us_east_1

  rule     = aws_cloudwatch_event_rule.this_cold_there.name
  arn      = local.this_default_bus_arn
  role_arn = aws_iam_role.this_cold_there.arn
}

resource "aws_iam_role" "this_cold_there" {
  when = let.warms && let.edge_away

  name               = "${let.edge_name}-edge-cold"
  description        = "Brings events of us-east-1 to ${target.region}"
  assume_role_policy = data.aws_iam_policy_document.edge_events_assume.json
}

data "aws_iam_policy_document" "this_cold_there" {
  when = let.warms && let.edge_away

  statement {
    actions   = ["events:PutEvents"]
    resources = [local.this_default_bus_arn]
  }
}

resource "aws_iam_role_policy" "this_cold_there" {
  when = let.warms && let.edge_away

  name   = "bring"
  role   = aws_iam_role.this_cold_there.id
  policy = data.aws_iam_policy_document.this_cold_there.json
}

locals {
  when = let.warms

  this_default_bus_arn = let.edge_away ? "arn:aws:events:${target.region}:${split(":", aws_cloudwatch_metric_alarm.this_cold.arn)[4]}:event-bus/default" : null
  this_cold_pattern = jsonencode({
    source        = ["aws.cloudwatch"]
    "detail-type" = ["CloudWatch Alarm State Change"]
    resources     = [aws_cloudwatch_metric_alarm.this_cold.arn]
    detail        = { state = { value = ["ALARM"] } }
  })
}

resource "aws_cloudwatch_event_rule" "this_cold" {
  when = let.warms

  name          = "${let.edge_name}-cold"
  description   = "The edge of ${service.name} has gone cold"
  event_pattern = local.this_cold_pattern
}

resource "aws_cloudwatch_event_target" "this_cold" {
  when = let.warms

  rule     = aws_cloudwatch_event_rule.this_cold.name
  arn      = "${local.this_warm_arn}:$DEFAULT"
  role_arn = aws_iam_role.this_edge_events.arn
}
