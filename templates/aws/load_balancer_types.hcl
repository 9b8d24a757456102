# The type of load balancer that follows from stated needs, on top of elastic_load_balancing. An Application Load
# Balancer reads requests; a Network Load Balancer only connections. Where both are asked for one stands before the other.
template "load_balancer_types" {
  for  = service
  when = service.runs_on == null
  file = "service_${service.name}_balancer.tf"

  covers = {
    type                = [aws_lb.this.load_balancer_type, output.this_balancer]
    algorithm           = [service.load_balancer_types.layer == 7 ? aws_lb_target_group.this.load_balancing_algorithm_type : aws_lb.this.enable_cross_zone_load_balancing]
    health_checks       = [aws_lb_target_group.this.health_check.protocol, aws_lb_target_group.this.health_check.unhealthy_threshold]
    latency_or_features = [service.load_balancer_types.type, output.this_balancer]
    monitoring          = [aws_cloudwatch_metric_alarm.this_balancer.namespace, service.load_balancer_types.layer == 7 ? aws_cloudwatch_metric_alarm.this_latency.extended_statistic : aws_cloudwatch_metric_alarm.this_unhealthy.metric_name]
  }

  check "types" {
    condition = contains(["application", "network", "network_before_application"], service.load_balancer_types.type)
    message   = "${service.name} needs ${replace(service.load_balancer_types.type, "_", " ")} balancing, for ${service.load_balancer_types.reason}; this pack renders none."
    fix       = service.load_balancer_types.type == "gateway" ? "Inspect traffic with AWS Network Firewall, or let the appliance's maker bring its Gateway Load Balancer." : "Set reach = \"region\" and put a site with cdn_distribution in front."
    at        = service.load_balancer_types.reach
    related   = [service.load_balancer_types.appliance]
  }
}

let {
  kind = service.load_balancer_types
}

output "this_balancer" {
  description = "How ${service.name} is balanced, and why."
  value = {
    type    = let.kind.type
    reason  = let.kind.reason
    address = let.nested ? aws_lb.this_front.dns_name : aws_lb.this.dns_name
  }
}

resource "aws_security_group" "this_front" {
  when = let.nested

  name_prefix = "${let.name}-front-"
  description = "Balancer of connections before ${service.name}"
  vpc_id      = local.vpc_id

  tags = { Name = "${let.name}-front" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "this_front" {
  when     = let.nested
  for_each = toset(let.balancer.allow)

  security_group_id = aws_security_group.this_front.id
  description       = "Clients"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = let.listens
  to_port           = let.listens
}

resource "aws_vpc_security_group_egress_rule" "this_front" {
  when = let.nested

  security_group_id            = aws_security_group.this_front.id
  description                  = "To the balancer of requests"
  referenced_security_group_id = aws_security_group.this_balancer.id
  ip_protocol                  = "tcp"
  from_port                    = let.listens
  to_port                      = let.listens
}

resource "aws_vpc_security_group_ingress_rule" "this_balancer_front" {
  when = let.nested

  security_group_id            = aws_security_group.this_balancer.id
  description                  = "From the balancer of connections"
  referenced_security_group_id = aws_security_group.this_front.id
  ip_protocol                  = "tcp"
  from_port                    = let.listens
  to_port                      = let.listens
}

# One in each zone, for firewalls that list them.
resource "aws_eip" "this_front" {
  when     = let.nested && let.balancer.static_address && let.balancer.public
  for_each = toset(let.zones)

  domain = "vpc"

  tags = { Name = "${let.name}-front-${each.key}" }
}

resource "aws_lb" "this_front" {
  when = let.nested

  name                       = "${shortname(let.name, 26)}-front"
  load_balancer_type         = "network"
  internal                   = !let.balancer.public
  security_groups            = [aws_security_group.this_front.id]
  subnets                    = let.balancer.static_address && let.balancer.public ? null : let.balancer.public ? local.public_subnet_ids : local.private_subnet_ids
  enable_deletion_protection = true
  enable_zonal_shift         = true

  dynamic "subnet_mapping" {
    for_each = let.balancer.static_address && let.balancer.public ? let.zones : []

    content {
      subnet_id     = local.public_subnet_ids[index(let.placed, subnet_mapping.value)]
      allocation_id = aws_eip.this_front[subnet_mapping.value].id
    }
  }
}

resource "aws_lb_target_group" "this_front" {
  when = let.nested

  name        = "${shortname(let.name, 21)}-front-${hash(tostring(let.listens), 4)}"
  vpc_id      = local.vpc_id
  target_type = "alb"
  port        = let.listens
  protocol    = "TCP"

  health_check {
    protocol            = let.balancer.tls ? "HTTPS" : "HTTP"
    port                = "traffic-port"
    path                = service.health_path
    matcher             = "200-399"
    interval            = max(5, ceil(let.balancer.health_interval))
    timeout             = ceil(let.balancer.health_timeout)
    healthy_threshold   = let.balancer.healthy_after
    unhealthy_threshold = let.balancer.unhealthy_after
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lb_target_group_attachment" "this_front" {
  when = let.nested

  target_group_arn = aws_lb_target_group.this_front.arn
  target_id        = aws_lb.this.arn
  port             = let.listens

  # A balancer without a listener on the port is refused as a target.
  depends_on = [aws_lb_listener.this]
}

resource "aws_lb_listener" "this_front" {
  when = let.nested

  load_balancer_arn = aws_lb.this_front.arn
  port              = let.listens
  protocol          = "TCP"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this_front.arn
  }
}

# Others connect from their own networks, without the internet in between; each asks first.
resource "aws_vpc_endpoint_service" "this" {
  when = let.kind.private_link

  acceptance_required        = true
  network_load_balancer_arns = [let.nested ? aws_lb.this_front.arn : aws_lb.this.arn]

  tags = { Name = let.name }
}
