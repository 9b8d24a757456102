# Nothing counts the answers of what no balancer of requests stands before.
template "rolling_updates_unwatched" {
  for     = service
  pattern = "rolling_updates"
  when    = service.runs_on == null && (service.balancer == null ? true : service.balancer.layer != 7)

  approximates = {
    monitoring = {
      by  = [aws_cloudwatch_event_rule.this_rollout.event_pattern, aws_autoscaling_group.this.enabled_metrics]
      why = "Each step of the refresh is told and waits for health; errors and latency are counted by a balancer of layer 7, and ${service.name} has none."
    }
  }
}
