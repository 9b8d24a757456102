# A load balancer in front of a service on instances. The type follows from what is asked for:
# layer 7 is an Application Load Balancer, layer 4 a Network Load Balancer.
template "elastic_load_balancing" {
  for  = service
  when = service.runs_on == null
  file = "service_${service.name}_balancer.tf"

  covers = {
    health_checks = [aws_lb_target_group.this.health_check.interval, aws_lb_target_group.this.health_check.timeout, aws_lb_target_group.this.health_check.unhealthy_threshold]
    algorithm     = [service.balancer.layer == 7 ? aws_lb_target_group.this.load_balancing_algorithm_type : aws_lb.this.enable_cross_zone_load_balancing]
    stickiness    = [aws_lb_target_group.this.stickiness.enabled, aws_lb_target_group.this.stickiness.type]
    distribution  = [aws_cloudwatch_metric_alarm.this_balancer.threshold, aws_cloudwatch_metric_alarm.this_unhealthy.threshold, service.balancer.layer == 7 && service.balancer.access_logs ? aws_lb.this.access_logs : null]
    tls           = [service.balancer.tls ? aws_lb_listener.this.ssl_policy : null, service.balancer.tls ? aws_lb_listener.this.certificate_arn : null]
  }

  check "world" {
    condition = service.balancer.reach == "region"
    message   = "${service.name} asks for one address in all the world, which no load balancer of AWS has."
    fix       = "Set reach = \"region\" and put a site with cdn_distribution in front: CloudFront answers near the clients."
    at        = service.balancer.reach
  }
  check "static_layer_4" {
    condition = !service.balancer.static_address || service.balancer.layer == 4 || service.load_balancer_types != null
    message   = "The addresses of an Application Load Balancer change; ${service.name} asks for static ones."
    fix       = "Name load_balancer_types instead, which puts a balancer of connections in front; or set protocol = \"tcp\" (the program then ends TLS itself)."
    at        = service.balancer.static_address
    related   = [service.balancer.protocol]
  }
  check "two_zones" {
    condition = service.balancer.layer == 4 || (target.network == null ? target.zones : length(target.network.private_subnets)) >= 2
    message   = "An Application Load Balancer stands in two zones at least, and the target has one."
    fix       = "Give the target two zones; the service may stay in one."
    at        = target.zones
    related   = [service.balancer.protocol]
  }
  check "public_subnets" {
    condition = target.network == null ? true : !service.balancer.public || length(target.network.public_subnets) >= 2
    message   = "A public load balancer needs public subnets in two zones; the network names ${target.network == null ? 0 : length(target.network.public_subnets)}."
    fix       = "Set public_subnets in the target's network."
    at        = service.balancer.public
  }
  check "grpc_needs_tls" {
    condition = service.balancer.protocol != "grpc" || service.balancer.tls
    message   = "An Application Load Balancer speaks gRPC over TLS only, and ${service.name} has neither a domain nor is it public."
    fix       = "Give it a domain, or set protocol = \"tcp\"."
    at        = service.balancer.protocol
    related   = [service.balancer.domain]
  }
}

let {
  balancer = service.balancer
  # Behind a balancer of connections, which has what it has not: an address that never changes, a private connection.
  nested = service.load_balancer_types == null ? false : service.load_balancer_types.type == "network_before_application"
  placed = target.network == null ? sort(let.zones) : let.zones # in the order of the subnets
  outer  = service.balancer.public && !let.nested               # whether the internet reaches it
  layer7 = service.balancer.layer == 7
  # Three apart, for paths whose hashes meet. A listener takes 1 to 50000.
  path_slots      = { for path in service.balancer.paths : path => parseint(hash(path, 4), 16) % 16000 }
  path_priorities = { for path, slot in let.path_slots : path => 100 + 3 * slot + index([for other, taken in let.path_slots : other if taken == slot], path) }
  hosted          = service.balancer.domain != null && target.hosted_zone_id != null
  issued          = service.balancer.tls && target.certificate_arn == null && let.hosted # else Terraform asks for one
  listens         = let.layer7 && !service.balancer.tls && service.balancer.port == 443 ? 80 : service.balancer.port
  transport       = service.balancer.protocol == "udp" ? "udp" : "tcp"
  # Past the breaker, whose state must not get the instance replaced.
  health_port = service.balancer.health_port == null ? service.port : service.balancer.health_port
  side_port   = let.health_port != let.entry
  firewall    = service.balancer.firewall && let.layer7
  logged      = service.balancer.access_logs && let.layer7 # a Network Load Balancer logs only where it ends TLS
  static      = service.balancer.static_address && service.balancer.public && !let.layer7
  check_http  = service.balancer.health_protocol == "http"
  check_grpc  = service.balancer.protocol == "grpc"
  metrics     = let.layer7 ? "AWS/ApplicationELB" : "AWS/NetworkELB"
}

resource "aws_security_group" "this_balancer" {
  name_prefix = "${let.name}-balancer-"
  description = "Load balancer of ${service.name}"
  vpc_id      = local.vpc_id

  tags = { Name = "${let.name}-balancer" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "this_balancer" {
  when     = !let.nested
  for_each = toset(let.balancer.allow)

  security_group_id = aws_security_group.this_balancer.id
  description       = "Clients"
  cidr_ipv4         = each.value
  ip_protocol       = let.transport
  from_port         = let.listens
  to_port           = let.listens
}

resource "aws_vpc_security_group_ingress_rule" "this_balancer_redirect" {
  when     = let.balancer.tls && !let.nested
  for_each = toset(let.balancer.allow)

  security_group_id = aws_security_group.this_balancer.id
  description       = "HTTP, only to be sent to HTTPS"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 80
  to_port           = 80
}

resource "aws_vpc_security_group_egress_rule" "this_balancer" {
  security_group_id            = aws_security_group.this_balancer.id
  description                  = "To the instances"
  referenced_security_group_id = aws_security_group.this.id
  ip_protocol                  = let.transport
  from_port                    = let.entry
  to_port                      = let.entry
}

resource "aws_vpc_security_group_egress_rule" "this_balancer_health" {
  when = let.side_port

  security_group_id            = aws_security_group.this_balancer.id
  description                  = "Health checks of the instances"
  referenced_security_group_id = aws_security_group.this.id
  ip_protocol                  = "tcp"
  from_port                    = let.health_port
  to_port                      = let.health_port
}

resource "aws_vpc_security_group_ingress_rule" "this_from_balancer" {
  security_group_id            = aws_security_group.this.id
  description                  = "From the load balancer"
  referenced_security_group_id = aws_security_group.this_balancer.id
  ip_protocol                  = let.transport
  from_port                    = let.entry
  to_port                      = let.entry
}

resource "aws_vpc_security_group_ingress_rule" "this_from_balancer_health" {
  when = let.side_port

  security_group_id            = aws_security_group.this.id
  description                  = "Health checks of the load balancer"
  referenced_security_group_id = aws_security_group.this_balancer.id
  ip_protocol                  = "tcp"
  from_port                    = let.health_port
  to_port                      = let.health_port
}

# Addresses that never change, one in each zone.
resource "aws_eip" "this_balancer" {
  when     = let.static
  for_each = toset(let.zones)

  domain = "vpc"

  tags = { Name = "${let.name}-balancer-${each.key}" }
}

resource "aws_lb" "this" {
  name               = shortname(let.name, 32)
  load_balancer_type = let.layer7 ? "application" : "network"
  internal           = !let.outer
  security_groups    = [aws_security_group.this_balancer.id]
  subnets            = let.static ? null : let.outer ? local.public_subnet_ids : local.private_subnet_ids

  enable_deletion_protection       = true
  enable_zonal_shift               = true
  enable_cross_zone_load_balancing = let.layer7 ? null : true # off, a zone with fewer instances would overload them
  idle_timeout                     = let.layer7 ? ceil(let.balancer.idle_timeout) : null
  client_keep_alive                = let.layer7 ? 3600 : null
  drop_invalid_header_fields       = let.layer7 ? true : null
  desync_mitigation_mode           = let.layer7 ? "defensive" : null

  dynamic "subnet_mapping" {
    for_each = let.static ? let.zones : []

    content {
      subnet_id     = local.public_subnet_ids[index(let.placed, subnet_mapping.value)]
      allocation_id = aws_eip.this_balancer[subnet_mapping.value].id
    }
  }

  access_logs {
    when = let.logged

    bucket  = aws_s3_bucket.balancer_logs.id
    prefix  = service.name
    enabled = true
  }

  depends_on = let.logged ? [aws_s3_bucket_policy.balancer_logs] : null
}

resource "aws_lb_target_group" "this" {
  for_each = let.tracked ? local.this_tracks : null

  # Port and protocol cannot change in place: with them the name changes, so that the new group can stand before
  # the old one goes.
  name             = let.tracked ? each.value.target_group : "${shortname(let.name, 27)}-${hash("${let.entry} ${let.balancer.protocol}", 4)}"
  vpc_id           = local.vpc_id
  target_type      = "instance"
  port             = let.entry
  protocol         = let.layer7 ? "HTTP" : upper(let.transport)
  protocol_version = let.layer7 ? (let.check_grpc ? "GRPC" : "HTTP1") : null

  preserve_client_ip                = let.layer7 ? null : true
  deregistration_delay              = ceil(service.drain_time)
  slow_start                        = let.balancer.slow_start > 0 ? ceil(let.balancer.slow_start) : null
  load_balancing_algorithm_type     = let.layer7 ? { round_robin = "round_robin", least_requests = "least_outstanding_requests", random = "weighted_random" }[let.balancer.algorithm] : null
  load_balancing_anomaly_mitigation = let.layer7 && let.balancer.algorithm == "random" ? "on" : null

  # Alive rather than ready: the group replaces what fails this, and must not replace everything while a database
  # is away.
  health_check {
    protocol            = let.check_http ? "HTTP" : "TCP"
    port                = let.side_port ? tostring(let.health_port) : "traffic-port"
    path                = let.check_grpc ? "/grpc.health.v1.Health/Check" : let.check_http ? service.health_path : null
    matcher             = let.check_grpc ? "0" : let.check_http ? "200-299" : null
    interval            = ceil(let.balancer.health_interval)
    timeout             = ceil(let.balancer.health_timeout)
    healthy_threshold   = let.balancer.healthy_after
    unhealthy_threshold = let.balancer.unhealthy_after
  }

  stickiness {
    enabled         = let.balancer.sticky
    type            = let.layer7 ? "lb_cookie" : "source_ip"
    cookie_duration = let.layer7 && let.balancer.sticky ? ceil(let.balancer.sticky_for) : null
  }

  lifecycle {
    create_before_destroy = true
  }
}

# The only owner of where requests go.
resource "aws_lb_listener" "this" {
  load_balancer_arn = aws_lb.this.arn
  port              = let.listens
  protocol          = let.balancer.tls ? "HTTPS" : let.layer7 ? "HTTP" : upper(let.transport)
  ssl_policy        = let.balancer.tls ? (let.balancer.min_tls == "1.3" ? "ELBSecurityPolicy-TLS13-1-3-2021-06" : "ELBSecurityPolicy-TLS13-1-2-2021-06") : null
  certificate_arn   = !let.balancer.tls ? null : let.issued ? aws_acm_certificate_validation.this.certificate_arn : target.certificate_arn != null ? target.certificate_arn : var.certificate_arn

  routing_http_response_server_enabled                         = let.layer7 ? false : null
  routing_http_response_strict_transport_security_header_value = let.balancer.tls ? "max-age=31536000; includeSubDomains" : null

  default_action {
    when = length(let.balancer.paths) > 0

    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      status_code  = "404"
    }
  }

  default_action {
    when = length(let.balancer.paths) == 0

    type             = "forward"
    target_group_arn = let.tracked ? null : aws_lb_target_group.this.arn

    forward {
      when = let.tracked

      dynamic "target_group" {
        for_each = local.this_tracks

        content {
          arn    = aws_lb_target_group.this[target_group.key].arn
          weight = target_group.value.weight
        }
      }

      stickiness {
        enabled  = service.canary_deployment != null
        duration = service.canary_deployment != null ? ceil(service.canary_deployment.sticky_for) : 1
      }
    }
  }

  # A version gets traffic only after its instances serve.
  depends_on = let.tracked ? [aws_autoscaling_group.this] : null
}

# A priority follows from its path, so that no other rule moves when one comes or goes; all lead to the same place.
resource "aws_lb_listener_rule" "this_path" {
  when     = length(let.balancer.paths) > 0
  for_each = let.path_priorities

  listener_arn = aws_lb_listener.this.arn
  priority     = each.value

  condition {
    path_pattern {
      values = [each.key]
    }
  }

  action {
    type             = "forward"
    target_group_arn = let.tracked ? null : aws_lb_target_group.this.arn

    forward {
      when = let.tracked

      dynamic "target_group" {
        for_each = local.this_tracks

        content {
          arn    = aws_lb_target_group.this[target_group.key].arn
          weight = target_group.value.weight
        }
      }
    }
  }
}

resource "aws_lb_listener" "this_redirect" {
  when = let.balancer.tls && !let.nested

  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "redirect"

    redirect {
      port        = tostring(let.listens)
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}

variable "certificate_arn" {
  when = let.balancer.tls && target.certificate_arn == null && !let.issued

  description = "ACM certificate of this region for the names of the load balancers."
  type        = string
  nullable    = false
}

resource "aws_acm_certificate" "this" {
  when = let.issued

  domain_name       = let.balancer.domain
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "this_validation" {
  when = let.issued
  for_each = {
    for option in aws_acm_certificate.this.domain_validation_options : option.domain_name => option
  }

  zone_id         = target.hosted_zone_id
  name            = each.value.resource_record_name
  type            = each.value.resource_record_type
  records         = [each.value.resource_record_value]
  ttl             = 60
  allow_overwrite = true
}

# The listener waits for this, not for the certificate: an unproven one is refused.
resource "aws_acm_certificate_validation" "this" {
  when = let.issued

  certificate_arn         = aws_acm_certificate.this.arn
  validation_record_fqdns = [for record in aws_route53_record.this_validation : record.fqdn]
}

resource "aws_route53_record" "this" {
  when = let.hosted && service.balancer.public

  zone_id = target.hosted_zone_id
  name    = let.balancer.domain
  type    = "A"

  alias {
    name                   = let.nested ? aws_lb.this_front.dns_name : aws_lb.this.dns_name
    zone_id                = let.nested ? aws_lb.this_front.zone_id : aws_lb.this.zone_id
    evaluate_target_health = true
  }
}

resource "aws_wafv2_web_acl" "this" {
  when = let.firewall

  name        = let.name
  description = "Requests to ${service.name}"
  scope       = "REGIONAL"

  default_action {
    allow {}
  }

  dynamic "rule" {
    for_each = {
      AWSManagedRulesAmazonIpReputationList = 10
      AWSManagedRulesCommonRuleSet          = 20
      AWSManagedRulesKnownBadInputsRuleSet  = 30
    }

    content {
      name     = rule.key
      priority = rule.value

      override_action {
        none {}
      }

      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = rule.key
        }
      }

      visibility_config {
        metric_name                = rule.key
        cloudwatch_metrics_enabled = true
        sampled_requests_enabled   = true
      }
    }
  }

  visibility_config {
    metric_name                = let.name
    cloudwatch_metrics_enabled = true
    sampled_requests_enabled   = true
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  when = let.firewall

  resource_arn = aws_lb.this.arn
  web_acl_arn  = aws_wafv2_web_acl.this.arn
}

# Nobody gets an answer: more urgent than a slow one.
resource "aws_cloudwatch_metric_alarm" "this_balancer" {
  for_each = let.layer7 ? {
    HTTPCode_ELB_5XX_Count     = 10
    RejectedConnectionCount    = 0
    TargetConnectionErrorCount = 5
    } : {
    PortAllocationErrorCount = 0
    TCP_Target_Reset_Count   = 100
  }

  alarm_name          = "${let.name}-balancer-${each.key}"
  alarm_description   = "More than ${each.value} in a minute."
  namespace           = let.metrics
  metric_name         = each.key
  dimensions          = { LoadBalancer = aws_lb.this.arn_suffix }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  threshold           = each.value
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "this_unhealthy" {
  for_each = let.tracked ? local.this_tracks : null

  alarm_name          = let.tracked ? "${let.name}-${each.key}-unhealthy" : "${let.name}-unhealthy"
  alarm_description   = "Instances that do not answer their health check are not coming back."
  namespace           = let.metrics
  metric_name         = "UnHealthyHostCount"
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 5
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  dimensions = {
    LoadBalancer = aws_lb.this.arn_suffix
    TargetGroup  = let.tracked ? aws_lb_target_group.this[each.key].arn_suffix : aws_lb_target_group.this.arn_suffix
  }
}

resource "aws_cloudwatch_metric_alarm" "this_latency" {
  when = let.layer7

  alarm_name                            = "${let.name}-latency"
  alarm_description                     = "One answer in a hundred comes later than half of what a request may take."
  namespace                             = "AWS/ApplicationELB"
  metric_name                           = "TargetResponseTime"
  dimensions                            = { LoadBalancer = aws_lb.this.arn_suffix }
  extended_statistic                    = "p99"
  evaluate_low_sample_count_percentiles = "ignore"
  period                                = 60
  evaluation_periods                    = 5
  datapoints_to_alarm                   = 3
  threshold                             = service.request_timeout / 2
  comparison_operator                   = "GreaterThanThreshold"
  treat_missing_data                    = "notBreaching"
  alarm_actions                         = [aws_sns_topic.alarms.arn]
  ok_actions                            = [aws_sns_topic.alarms.arn]
}

# The zone with the most requests against the one with the fewest.
resource "aws_cloudwatch_metric_alarm" "this_imbalance" {
  when = let.layer7 && target.zones > 1

  alarm_name          = "${let.name}-imbalance"
  alarm_description   = "A zone gets more than twice the requests of another."
  evaluation_periods  = 3
  threshold           = 2
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "spread"
    label       = "most to fewest"
    expression  = "IF(most > 1000, most / (fewest + 1), 0)"
    return_data = true
  }

  metric_query {
    id         = "most"
    expression = "MAX([${join(", ", [for zone in let.zones : substr(zone, -1, 1)])}])"
  }

  metric_query {
    id         = "fewest"
    expression = "MIN([${join(", ", [for zone in let.zones : substr(zone, -1, 1)])}])"
  }

  dynamic "metric_query" {
    for_each = let.zones

    content {
      id = substr(metric_query.value, -1, 1)

      metric {
        namespace   = "AWS/ApplicationELB"
        metric_name = "RequestCount"
        period      = 300
        stat        = "Sum"
        dimensions = {
          LoadBalancer     = aws_lb.this.arn_suffix
          AvailabilityZone = metric_query.value
        }
      }
    }
  }
}

extend "aws_autoscaling_group" "this" {
  when = let.fleet

  # Until a listener leads to its target group, no instance of it counts as healthy.
  depends_on = let.tracked ? [aws_lb_listener.this_test] : [aws_lb_listener.this]
}
