# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "aws_security_group" "api_balancer" {
  name_prefix = "everything-api-balancer-"
  description = "Load balancer of api"
  vpc_id      = local.vpc_id

  tags = { Name = "everything-api-balancer" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_egress_rule" "api_balancer" {
  security_group_id            = aws_security_group.api_balancer.id
  description                  = "To the instances"
  referenced_security_group_id = aws_security_group.api.id
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
}

resource "aws_vpc_security_group_ingress_rule" "api_from_balancer" {
  security_group_id            = aws_security_group.api.id
  description                  = "From the load balancer"
  referenced_security_group_id = aws_security_group.api_balancer.id
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
}

resource "aws_lb" "api" {
  name               = "everything-api"
  load_balancer_type = "application"
  internal           = true
  security_groups    = [aws_security_group.api_balancer.id]
  subnets            = local.private_subnet_ids

  enable_deletion_protection = true
  enable_zonal_shift         = true
  idle_timeout               = 60
  client_keep_alive          = 3600
  drop_invalid_header_fields = true
  desync_mitigation_mode     = "defensive"

  access_logs {
    bucket  = aws_s3_bucket.balancer_logs.id
    prefix  = "api"
    enabled = true
  }

  depends_on = [aws_s3_bucket_policy.balancer_logs]
}

resource "aws_lb_target_group" "api" {
  for_each = local.api_tracks

  # Port and protocol cannot change in place: with them the name changes, so that the new group can stand before
  # the old one goes.
  name             = each.value.target_group
  vpc_id           = local.vpc_id
  target_type      = "instance"
  port             = 8080
  protocol         = "HTTP"
  protocol_version = "HTTP1"

  deregistration_delay          = 30
  load_balancing_algorithm_type = "least_outstanding_requests"

  # Alive rather than ready: the group replaces what fails this, and must not replace everything while a database
  # is away.
  health_check {
    protocol            = "HTTP"
    port                = "traffic-port"
    path                = "/healthz"
    matcher             = "200-299"
    interval            = 5
    timeout             = 3
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }

  stickiness {
    enabled = false
    type    = "lb_cookie"
  }

  lifecycle {
    create_before_destroy = true
  }
}

# The only owner of where requests go.
resource "aws_lb_listener" "api" {
  load_balancer_arn = aws_lb.api.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = aws_acm_certificate_validation.api.certificate_arn

  routing_http_response_server_enabled                         = false
  routing_http_response_strict_transport_security_header_value = "max-age=31536000; includeSubDomains"

  default_action {
    type = "forward"

    forward {
      dynamic "target_group" {
        for_each = local.api_tracks

        content {
          arn    = aws_lb_target_group.api[target_group.key].arn
          weight = target_group.value.weight
        }
      }

      stickiness {
        enabled  = false
        duration = 1
      }
    }
  }

  # A version gets traffic only after its instances serve.
  depends_on = [aws_autoscaling_group.api]
}

resource "aws_acm_certificate" "api" {
  domain_name       = "api.example.com"
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "api_validation" {
  for_each = {
    for option in aws_acm_certificate.api.domain_validation_options : option.domain_name => option
  }

  zone_id         = "Z0123456789ABCDEFGHIJ"
  name            = each.value.resource_record_name
  type            = each.value.resource_record_type
  records         = [each.value.resource_record_value]
  ttl             = 60
  allow_overwrite = true
}

# The listener waits for this, not for the certificate: an unproven one is refused.
resource "aws_acm_certificate_validation" "api" {
  certificate_arn         = aws_acm_certificate.api.arn
  validation_record_fqdns = [for record in aws_route53_record.api_validation : record.fqdn]
}

resource "aws_route53_record" "api" {
  zone_id = "Z0123456789ABCDEFGHIJ"
  name    = "api.example.com"
  type    = "A"

  alias {
    name                   = aws_lb.api_front.dns_name
    zone_id                = aws_lb.api_front.zone_id
    evaluate_target_health = true
  }
}

# Nobody gets an answer: more urgent than a slow one.
resource "aws_cloudwatch_metric_alarm" "api_balancer" {
  for_each = {
    HTTPCode_ELB_5XX_Count     = 10
    RejectedConnectionCount    = 0
    TargetConnectionErrorCount = 5
  }

  alarm_name          = "everything-api-balancer-${each.key}"
  alarm_description   = "More than ${each.value} in a minute."
  namespace           = "AWS/ApplicationELB"
  metric_name         = each.key
  dimensions          = { LoadBalancer = aws_lb.api.arn_suffix }
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

resource "aws_cloudwatch_metric_alarm" "api_unhealthy" {
  for_each = local.api_tracks

  alarm_name          = "everything-api-${each.key}-unhealthy"
  alarm_description   = "Instances that do not answer their health check are not coming back."
  namespace           = "AWS/ApplicationELB"
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
    LoadBalancer = aws_lb.api.arn_suffix
    TargetGroup  = aws_lb_target_group.api[each.key].arn_suffix
  }
}

resource "aws_cloudwatch_metric_alarm" "api_latency" {
  alarm_name                            = "everything-api-latency"
  alarm_description                     = "One answer in a hundred comes later than half of what a request may take."
  namespace                             = "AWS/ApplicationELB"
  metric_name                           = "TargetResponseTime"
  dimensions                            = { LoadBalancer = aws_lb.api.arn_suffix }
  extended_statistic                    = "p99"
  evaluate_low_sample_count_percentiles = "ignore"
  period                                = 60
  evaluation_periods                    = 5
  datapoints_to_alarm                   = 3
  threshold                             = 5
  comparison_operator                   = "GreaterThanThreshold"
  treat_missing_data                    = "notBreaching"
  alarm_actions                         = [aws_sns_topic.alarms.arn]
  ok_actions                            = [aws_sns_topic.alarms.arn]
}

# The zone with the most requests against the one with the fewest.
resource "aws_cloudwatch_metric_alarm" "api_imbalance" {
  alarm_name          = "everything-api-imbalance"
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
    expression = "MAX([a, b, c])"
  }

  metric_query {
    id         = "fewest"
    expression = "MIN([a, b, c])"
  }

  metric_query {
    id = "a"

    metric {
      namespace   = "AWS/ApplicationELB"
      metric_name = "RequestCount"
      period      = 300
      stat        = "Sum"
      dimensions = {
        LoadBalancer     = aws_lb.api.arn_suffix
        AvailabilityZone = "eu-west-1a"
      }
    }
  }

  metric_query {
    id = "b"

    metric {
      namespace   = "AWS/ApplicationELB"
      metric_name = "RequestCount"
      period      = 300
      stat        = "Sum"
      dimensions = {
        LoadBalancer     = aws_lb.api.arn_suffix
        AvailabilityZone = "eu-west-1b"
      }
    }
  }

  metric_query {
    id = "c"

    metric {
      namespace   = "AWS/ApplicationELB"
      metric_name = "RequestCount"
      period      = 300
      stat        = "Sum"
      dimensions = {
        LoadBalancer     = aws_lb.api.arn_suffix
        AvailabilityZone = "eu-west-1c"
      }
    }
  }
}

output "api_balancer" {
  description = "How api is balanced, and why."
  value = {
    type    = "network_before_application"
    reason  = "it speaks http, which is routed by request, and needs an address that never changes, which only a balancer of connections has: one stands before the other"
    address = aws_lb.api_front.dns_name
  }
}

resource "aws_security_group" "api_front" {
  name_prefix = "everything-api-front-"
  description = "Balancer of connections before api"
  vpc_id      = local.vpc_id

  tags = { Name = "everything-api-front" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "api_front" {
  for_each = toset(["0.0.0.0/0"])

  security_group_id = aws_security_group.api_front.id
  description       = "Clients"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "api_front" {
  security_group_id            = aws_security_group.api_front.id
  description                  = "To the balancer of requests"
  referenced_security_group_id = aws_security_group.api_balancer.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_ingress_rule" "api_balancer_front" {
  security_group_id            = aws_security_group.api_balancer.id
  description                  = "From the balancer of connections"
  referenced_security_group_id = aws_security_group.api_front.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

# One in each zone, for firewalls that list them.
resource "aws_eip" "api_front" {
  for_each = toset(["eu-west-1a", "eu-west-1b", "eu-west-1c"])

  domain = "vpc"

  tags = { Name = "everything-api-front-${each.key}" }
}

resource "aws_lb" "api_front" {
  name                       = "everything-api-front"
  load_balancer_type         = "network"
  internal                   = false
  security_groups            = [aws_security_group.api_front.id]
  enable_deletion_protection = true
  enable_zonal_shift         = true

  subnet_mapping {
    subnet_id     = local.public_subnet_ids[0]
    allocation_id = aws_eip.api_front["eu-west-1a"].id
  }

  subnet_mapping {
    subnet_id     = local.public_subnet_ids[1]
    allocation_id = aws_eip.api_front["eu-west-1b"].id
  }

  subnet_mapping {
    subnet_id     = local.public_subnet_ids[2]
    allocation_id = aws_eip.api_front["eu-west-1c"].id
  }
}

resource "aws_lb_target_group" "api_front" {
  name        = "everything-api-front-6d05"
  vpc_id      = local.vpc_id
  target_type = "alb"
  port        = 443
  protocol    = "TCP"

  health_check {
    protocol            = "HTTPS"
    port                = "traffic-port"
    path                = "/healthz"
    matcher             = "200-399"
    interval            = 5
    timeout             = 3
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lb_target_group_attachment" "api_front" {
  target_group_arn = aws_lb_target_group.api_front.arn
  target_id        = aws_lb.api.arn
  port             = 443

  # A balancer without a listener on the port is refused as a target.
  depends_on = [aws_lb_listener.api]
}

resource "aws_lb_listener" "api_front" {
  load_balancer_arn = aws_lb.api_front.arn
  port              = 443
  protocol          = "TCP"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.api_front.arn
  }
}
