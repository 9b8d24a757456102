# How programs are to use the cache, and what fills it before they ask.
template "in_memory_caching" {
  for  = cache
  file = "cache_${cache.name}.tf"

  covers = {
    hit_ratio = [aws_cloudwatch_metric_alarm.this_hits.threshold, aws_cloudwatch_metric_alarm.this_evictions.metric_name, aws_cloudwatch_metric_alarm.this.dimensions]
    warming   = [length(let.warmed) > 0 ? aws_scheduler_schedule.this_warm.schedule_expression : null]
  }
  approximates = {
    invalidation = {
      by  = [let.announced ? aws_cloudwatch_event_bus.this.name : aws_ssm_parameter.this.value, let.announced ? aws_sqs_queue.this.redrive_policy : cache.in_memory_caching.ttl]
      why = cache.in_memory_caching.invalidation == "events" ? "What has changed is announced and waits for a client; throwing it out is the program's part." : "Values stay until their time is over."
    }
    ttl = {
      by  = [aws_ssm_parameter.this.value, cache.in_memory_caching.ttl]
      why = "ElastiCache has no lifetime for all keys: programs read it from a parameter and set it with every key."
    }
    miss = {
      by  = [aws_ssm_parameter.this.value, cache.engine == "memcached" ? aws_elasticache_cluster.this.az_mode : aws_elasticache_replication_group.this.automatic_failover_enabled]
      why = "The cache heals itself and the limits are handed over; asking the database once for many is the program's part."
    }
  }
}

let {
  warmed = cache.in_memory_caching == null ? [] : [for s in cache.clients : s if s.runs_on == null && cache.in_memory_caching.warm]
}

# ElastiCache knows no lifetime for all keys: programs read these and set it with every key.
resource "aws_ssm_parameter" "this" {
  name        = "/${let.prefix}/${cache.name}/settings"
  description = "How programs use ${cache.name}"
  type        = "String"
  value = jsonencode({
    ttl_seconds          = cache.in_memory_caching.ttl
    negative_ttl_seconds = cache.in_memory_caching.negative_ttl
    jitter_percent       = cache.in_memory_caching.jitter
    timeout_seconds      = cache.in_memory_caching.timeout
    coalesce             = cache.in_memory_caching.coalesce
    max_misses_at_once   = cache.in_memory_caching.origin_limit
  })
}

# Warming runs in the containers of the clients, one instance after the other; the later ones find little to do.
resource "aws_ssm_document" "this_warm" {
  when = length(let.warmed) > 0

  name            = "${let.name}-warm"
  document_type   = "Command"
  document_format = "JSON"
  content = jsonencode({
    schemaVersion = "2.2"
    description   = "Reads the hottest values into ${cache.name}"
    mainSteps = [{
      action = "aws:runShellScript"
      name   = "warm"
      inputs = {
        timeoutSeconds = "900"
        runCommand     = ["docker exec app ${cache.in_memory_caching.warm_command} --top ${cache.in_memory_caching.warm_keys} --only-missing"]
      }
    }]
  })
}

data "aws_iam_policy_document" "scheduler_assume" {
  when = length(let.warmed) > 0

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "this_warm" {
  when = length(let.warmed) > 0

  name               = "${let.name}-warm"
  description        = "Starts the warming of ${cache.name}"
  assume_role_policy = data.aws_iam_policy_document.scheduler_assume.json
}

data "aws_iam_policy_document" "this_warm" {
  when = length(let.warmed) > 0

  statement {
    actions   = ["ssm:SendCommand"]
    resources = [aws_ssm_document.this_warm.arn]
  }

  statement {
    actions   = ["ssm:SendCommand"]
    resources = ["arn:aws:ec2:${target.region}:*:instance/*"]

    condition {
      test     = "StringEquals"
      variable = "ssm:resourceTag/blueprint"
      values   = [blueprint.name]
    }
  }
}

resource "aws_iam_role_policy" "this_warm" {
  when = length(let.warmed) > 0

  name   = "warm"
  role   = aws_iam_role.this_warm.id
  policy = data.aws_iam_policy_document.this_warm.json
}

resource "aws_scheduler_schedule" "this_warm" {
  when = length(let.warmed) > 0

  name                = "${let.name}-warm"
  description         = "Keeps the hottest values of ${cache.name} where they are asked for"
  schedule_expression = "rate(${ceil(cache.in_memory_caching.warm_every / 60)} minutes)"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = "arn:aws:scheduler:::aws-sdk:ssm:sendCommand"
    role_arn = aws_iam_role.this_warm.arn
    input = jsonencode({
      DocumentName   = aws_ssm_document.this_warm.name
      MaxConcurrency = "1"
      Targets = [{
        Key = "tag:Name"
        Values = (
          !anytrue([for s in let.warmed : s.let.tracked]) ? [for s in let.warmed : s.let.name] :
          length(let.warmed) == 1 ? [for track in keys(local["${let.warmed[0].name}_tracks"]) : "${let.warmed[0].let.name}-${track}"] :
          flatten([for s in let.warmed : s.let.tracked ? [for track in keys(local["${s.name}_tracks"]) : "${s.let.name}-${track}"] : [s.let.name]])
        )
      }]
    })

    retry_policy {
      maximum_retry_attempts = 2
    }
  }
}
