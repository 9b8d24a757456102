# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "aws_security_group" "web_balancer" {
  name_prefix = "blue-green-deployment-web-balancer-"
  description = "Load balancer of web"
  vpc_id      = local.vpc_id

  tags = { Name = "blue-green-deployment-web-balancer" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "web_balancer" {
  for_each = toset(["0.0.0.0/0"])

  security_group_id = aws_security_group.web_balancer.id
  description       = "Clients"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "web_balancer_redirect" {
  for_each = toset(["0.0.0.0/0"])

  security_group_id = aws_security_group.web_balancer.id
  description       = "HTTP, only to be sent to HTTPS"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 80
  to_port           = 80
}

resource "aws_vpc_security_group_egress_rule" "web_balancer" {
  security_group_id            = aws_security_group.web_balancer.id
  description                  = "To the instances"
  referenced_security_group_id = aws_security_group.web.id
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
}

resource "aws_vpc_security_group_ingress_rule" "web_from_balancer" {
  security_group_id            = aws_security_group.web.id
  description                  = "From the load balancer"
  referenced_security_group_id = aws_security_group.web_balancer.id
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
}

resource "aws_lb" "web" {
  name               = "blue-green-deployment-web"
  load_balancer_type = "application"
  internal           = false
  security_groups    = [aws_security_group.web_balancer.id]
  subnets            = local.public_subnet_ids

  enable_deletion_protection = true
  enable_zonal_shift         = true
  idle_timeout               = 60
  client_keep_alive          = 3600
  drop_invalid_header_fields = true
  desync_mitigation_mode     = "defensive"

  access_logs {
    bucket  = aws_s3_bucket.balancer_logs.id
    prefix  = "web"
    enabled = true
  }

  depends_on = [aws_s3_bucket_policy.balancer_logs]
}

resource "aws_lb_target_group" "web" {
  for_each = local.web_tracks

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
resource "aws_lb_listener" "web" {
  load_balancer_arn = aws_lb.web.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn

  routing_http_response_server_enabled                         = false
  routing_http_response_strict_transport_security_header_value = "max-age=31536000; includeSubDomains"

  default_action {
    type = "forward"

    forward {
      dynamic "target_group" {
        for_each = local.web_tracks

        content {
          arn    = aws_lb_target_group.web[target_group.key].arn
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
  depends_on = [aws_autoscaling_group.web]
}

resource "aws_lb_listener" "web_redirect" {
  load_balancer_arn = aws_lb.web.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "redirect"

    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}

variable "certificate_arn" {
  description = "ACM certificate of this region for the names of the load balancers."
  type        = string
  nullable    = false
}

# Nobody gets an answer: more urgent than a slow one.
resource "aws_cloudwatch_metric_alarm" "web_balancer" {
  for_each = {
    HTTPCode_ELB_5XX_Count     = 10
    RejectedConnectionCount    = 0
    TargetConnectionErrorCount = 5
  }

  alarm_name          = "blue-green-deployment-web-balancer-${each.key}"
  alarm_description   = "More than ${each.value} in a minute."
  namespace           = "AWS/ApplicationELB"
  metric_name         = each.key
  dimensions          = { LoadBalancer = aws_lb.web.arn_suffix }
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

resource "aws_cloudwatch_metric_alarm" "web_unhealthy" {
  for_each = local.web_tracks

  alarm_name          = "blue-green-deployment-web-${each.key}-unhealthy"
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
    LoadBalancer = aws_lb.web.arn_suffix
    TargetGroup  = aws_lb_target_group.web[each.key].arn_suffix
  }
}

resource "aws_cloudwatch_metric_alarm" "web_latency" {
  alarm_name                            = "blue-green-deployment-web-latency"
  alarm_description                     = "One answer in a hundred comes later than half of what a request may take."
  namespace                             = "AWS/ApplicationELB"
  metric_name                           = "TargetResponseTime"
  dimensions                            = { LoadBalancer = aws_lb.web.arn_suffix }
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
resource "aws_cloudwatch_metric_alarm" "web_imbalance" {
  alarm_name          = "blue-green-deployment-web-imbalance"
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
        LoadBalancer     = aws_lb.web.arn_suffix
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
        LoadBalancer     = aws_lb.web.arn_suffix
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
        LoadBalancer     = aws_lb.web.arn_suffix
        AvailabilityZone = "eu-west-1c"
      }
    }
  }
}
