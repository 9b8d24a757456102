# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "aws_security_group" "gateway_balancer" {
  name_prefix = "load-balancer-types-gateway-balancer-"
  description = "Load balancer of gateway"
  vpc_id      = local.vpc_id

  tags = { Name = "load-balancer-types-gateway-balancer" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "gateway_balancer" {
  for_each = toset(["0.0.0.0/0"])

  security_group_id = aws_security_group.gateway_balancer.id
  description       = "Clients"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 7000
  to_port           = 7000
}

resource "aws_vpc_security_group_egress_rule" "gateway_balancer" {
  security_group_id            = aws_security_group.gateway_balancer.id
  description                  = "To the instances"
  referenced_security_group_id = aws_security_group.gateway.id
  ip_protocol                  = "tcp"
  from_port                    = 7000
  to_port                      = 7000
}

resource "aws_vpc_security_group_ingress_rule" "gateway_from_balancer" {
  security_group_id            = aws_security_group.gateway.id
  description                  = "From the load balancer"
  referenced_security_group_id = aws_security_group.gateway_balancer.id
  ip_protocol                  = "tcp"
  from_port                    = 7000
  to_port                      = 7000
}

# Addresses that never change, one in each zone.
resource "aws_eip" "gateway_balancer" {
  for_each = toset(["eu-west-1a", "eu-west-1b", "eu-west-1c"])

  domain = "vpc"

  tags = { Name = "load-balancer-types-gateway-balancer-${each.key}" }
}

resource "aws_lb" "gateway" {
  name               = "load-balancer-types-gateway"
  load_balancer_type = "network"
  internal           = false
  security_groups    = [aws_security_group.gateway_balancer.id]

  enable_deletion_protection       = true
  enable_zonal_shift               = true
  enable_cross_zone_load_balancing = true # off, a zone with fewer instances would overload them

  subnet_mapping {
    subnet_id     = local.public_subnet_ids[0]
    allocation_id = aws_eip.gateway_balancer["eu-west-1a"].id
  }

  subnet_mapping {
    subnet_id     = local.public_subnet_ids[1]
    allocation_id = aws_eip.gateway_balancer["eu-west-1b"].id
  }

  subnet_mapping {
    subnet_id     = local.public_subnet_ids[2]
    allocation_id = aws_eip.gateway_balancer["eu-west-1c"].id
  }
}

resource "aws_lb_target_group" "gateway" {
  # Port and protocol cannot change in place: with them the name changes, so that the new group can stand before
  # the old one goes.
  name        = "load-balancer-types-gateway-8f15"
  vpc_id      = local.vpc_id
  target_type = "instance"
  port        = 7000
  protocol    = "TCP"

  preserve_client_ip   = true
  deregistration_delay = 30

  # Alive rather than ready: the group replaces what fails this, and must not replace everything while a database
  # is away.
  health_check {
    protocol            = "TCP"
    port                = "traffic-port"
    interval            = 5
    timeout             = 3
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }

  stickiness {
    enabled = false
    type    = "source_ip"
  }

  lifecycle {
    create_before_destroy = true
  }
}

# The only owner of where requests go.
resource "aws_lb_listener" "gateway" {
  load_balancer_arn = aws_lb.gateway.arn
  port              = 7000
  protocol          = "TCP"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.gateway.arn
  }
}

# Nobody gets an answer: more urgent than a slow one.
resource "aws_cloudwatch_metric_alarm" "gateway_balancer" {
  for_each = {
    PortAllocationErrorCount = 0
    TCP_Target_Reset_Count   = 100
  }

  alarm_name          = "load-balancer-types-gateway-balancer-${each.key}"
  alarm_description   = "More than ${each.value} in a minute."
  namespace           = "AWS/NetworkELB"
  metric_name         = each.key
  dimensions          = { LoadBalancer = aws_lb.gateway.arn_suffix }
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

resource "aws_cloudwatch_metric_alarm" "gateway_unhealthy" {
  alarm_name          = "load-balancer-types-gateway-unhealthy"
  alarm_description   = "Instances that do not answer their health check are not coming back."
  namespace           = "AWS/NetworkELB"
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
    LoadBalancer = aws_lb.gateway.arn_suffix
    TargetGroup  = aws_lb_target_group.gateway.arn_suffix
  }
}

output "gateway_balancer" {
  description = "How gateway is balanced, and why."
  value = {
    type    = "network"
    reason  = "tcp can only be balanced by connection"
    address = aws_lb.gateway.dns_name
  }
}
