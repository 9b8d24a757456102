# Two groups behind one listener. Which one serves is a weight, so the switch and the way back are one change of the
# listener, and no name has to expire.
template "blue_green_deployment" {
  for  = service
  when = service.runs_on == null
  file = "service_${service.name}_rollout.tf"

  covers = {
    double_capacity = [aws_autoscaling_group.this.min_size, aws_autoscaling_group.this.wait_for_elb_capacity]
    smoke_tests     = [aws_lb_listener.this_test.port, aws_lb_listener.this_test.default_action.forward.target_group.weight, aws_vpc_security_group_ingress_rule.this_test.cidr_ipv4]
    fast_switch     = [length(service.balancer.paths) == 0 ? aws_lb_listener.this.default_action.forward.target_group.weight : aws_lb_listener_rule.this_path.action.forward.target_group.weight, aws_lb_target_group.this.deregistration_delay]
    rollback        = [length(service.balancer.paths) == 0 ? aws_lb_listener.this.default_action.forward.target_group.weight : aws_lb_listener_rule.this_path.action.forward.target_group.weight, aws_cloudwatch_metric_alarm.this_track_errors.alarm_actions, let.automatic ? aws_ssm_document.this_rollback.content : null]
  }
  approximates = {
    shared_data = {
      by  = [service.backward_compatible]
      why = "Both colours share the data stores; that a change of the schema suits both of them is promised by the blueprint (expand, then contract) and cannot be seen in what is rendered."
    }
  }

  ignores = {
    promote    = service.blue_green_deployment.promote == "operator" ? null : "No controller runs the tests and switches. Who has seen them pass changes live."
    keep_old   = "It is for the controller of a cluster. The other colour stays as large as idle_warm says."
    smoke_path = "Nothing asks by itself; who releases asks on smoke_port."
  }

  check "balanced" {
    condition = service.balancer == null ? false : service.balancer.layer == 7
    message   = "Traffic is moved between the colours by a load balancer of layer 7, and ${service.name} has none."
    fix       = "Add elastic_load_balancing."
    at        = service.blue_green_deployment.live
    related   = [service.balancer]
  }
}

let {
  release = service.blue_green_deployment
  tested  = { port = service.blue_green_deployment.smoke_port, from = service.blue_green_deployment.smoke_from }
}

locals {
  # Both stay at full size around a release. Between releases the one that does not serve can be put to rest.
  this_tracks = {
    for colour, c in let.release.colours : colour => {
      image        = c.image
      min          = c.min
      max          = service.max_instances
      weight       = c.weight
      target_group = "${shortname(let.name, 21)}-${colour}-${hash("${let.entry} ${let.balancer.protocol}", 4)}"
    }
  }
}
