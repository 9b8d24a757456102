# The autoscaler itself is a manifest; here is what CloudWatch sees of it.
template "horizontal_pod_autoscaler" {
  for  = service
  when = service.runs_on != null
  file = "cluster_${service.runs_on.name}_services.tf"

  covers = {
    behaviour = [aws_cloudwatch_metric_alarm.this_pending.metric_name, aws_cloudwatch_metric_alarm.this_at_max.threshold]
  }
}

resource "aws_cloudwatch_metric_alarm" "this_pending" {
  alarm_name          = "${let.prefix}-${service.name}-pending"
  alarm_description   = "Pods of ${service.name} have been waiting for a node for ten minutes: the cluster is as large as it may be, or no node is large enough."
  namespace           = "ContainerInsights"
  metric_name         = "pod_status_pending"
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 10
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]

  dimensions = {
    ClusterName = aws_eks_cluster[service.runs_on.name].name
    Namespace   = target.namespace
    PodName     = service.name
  }
}

resource "aws_cloudwatch_metric_alarm" "this_at_max" {
  alarm_name          = "${let.prefix}-${service.name}-at-max"
  alarm_description   = "As many pods of ${service.name} run as may, and no more can be added: raise the maximum, or find out what drives it."
  namespace           = "ContainerInsights"
  metric_name         = "service_number_of_running_pods"
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 10
  threshold           = service.horizontal_pod_autoscaler.max
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]

  dimensions = {
    ClusterName = aws_eks_cluster[service.runs_on.name].name
    Namespace   = target.namespace
    Service     = service.name
  }
}
