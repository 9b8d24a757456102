# The breaker itself is in Envoy's configuration (proxy.hcl); here is what it reports.
template "circuit_breaker" {
  for  = service
  when = service.runs_on == null
  file = "service_${service.name}_breaker.tf"

  covers = {
    thresholds = [file["service_this/envoy.yaml"].static_resources.clusters.outlier_detection.consecutive_5xx, file["service_this/envoy.yaml"].static_resources.clusters.outlier_detection.failure_percentage_threshold, file["service_this/envoy.yaml"].static_resources.clusters.circuit_breakers.thresholds.max_requests]
    timeouts   = [let.mode == "forced_open" ? null : file["service_this/envoy.yaml"].static_resources.listeners.filter_chains.filters.typed_config.route_config.virtual_hosts.routes.route.timeout, file["service_this/envoy.yaml"].static_resources.clusters.connect_timeout]
    fallback   = [file["service_this/envoy.yaml"].static_resources.listeners.filter_chains.filters.typed_config.local_reply_config.mappers.body]
    states     = [aws_cloudwatch_metric_alarm.this_breaker_open.metric_name, aws_cloudwatch_metric_alarm.this_breaker_open.ok_actions]
  }
  approximates = {
    half_open = {
      by  = [file["service_this/envoy.yaml"].static_resources.clusters.outlier_detection.base_ejection_time, file["service_this/envoy.yaml"].static_resources.clusters.outlier_detection.max_ejection_time]
      why = "Envoy lets a host back in after open_for and leaves it alone again, for longer, if it still fails; it does not count trial calls."
    }
  }
}

let {
  broken = flatten([for r in let.routes : [for c in r.clusters : c.name]])
}

# 0 while it is closed.
resource "aws_cloudwatch_metric_alarm" "this_breaker_open" {
  when     = service.circuit_breaker_advanced == null
  for_each = toset(let.broken)

  alarm_name          = "${let.name}-breaker-open-${each.key}"
  alarm_description   = "Hosts of ${each.key} are left alone: its breaker is open."
  namespace           = let.name
  metric_name         = "envoy.cluster.outlier_detection.ejections_active"
  dimensions          = { "envoy.cluster_name" = each.key }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "this_breaker_overflow" {
  when     = service.circuit_breaker_advanced == null
  for_each = toset(let.broken)

  alarm_name          = "${let.name}-breaker-overflow-${each.key}"
  alarm_description   = "Calls to ${each.key} are refused because too many are at work or waiting."
  namespace           = let.name
  metric_name         = "envoy.cluster.upstream_rq_pending_overflow"
  dimensions          = { "envoy.cluster_name" = each.key }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 3
  threshold           = 10
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

# What is outside of the blueprint, on other ports than HTTPS.
resource "aws_vpc_security_group_egress_rule" "this_outside" {
  when     = anytrue([for n in let.outside : n.port != 443])
  for_each = toset([for port in distinct([for n in let.outside : n.port if n.port != 443]) : tostring(port)])

  security_group_id = aws_security_group.this.id
  description       = "To what is called outside"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
}

# The service that answers in place of those that do not.
resource "aws_vpc_security_group_egress_rule" "this_to_fallback" {
  when = let.guard.fallback != null

  security_group_id            = aws_security_group.this.id
  description                  = "To ${let.guard.fallback.name}, in place of what does not answer"
  referenced_security_group_id = aws_security_group[let.guard.fallback.name].id
  ip_protocol                  = "tcp"
  from_port                    = let.guard.fallback.let.entry
  to_port                      = let.guard.fallback.let.entry
}

resource "aws_vpc_security_group_ingress_rule" "this_to_fallback" {
  when = let.guard.fallback != null

  security_group_id            = aws_security_group[let.guard.fallback.name].id
  description                  = "From ${service.name}, in place of what does not answer"
  referenced_security_group_id = aws_security_group.this.id
  ip_protocol                  = "tcp"
  from_port                    = let.guard.fallback.let.entry
  to_port                      = let.guard.fallback.let.entry
}
