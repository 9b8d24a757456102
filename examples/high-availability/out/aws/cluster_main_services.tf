# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "aws_cloudwatch_metric_alarm" "checkout_pending" {
  alarm_name          = "shop-checkout-pending"
  alarm_description   = "Pods of checkout have been waiting for a node for ten minutes: the cluster is as large as it may be, or no node is large enough."
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
    ClusterName = aws_eks_cluster.main.name
    Namespace   = "shop"
    PodName     = "checkout"
  }
}

resource "aws_cloudwatch_metric_alarm" "checkout_at_max" {
  alarm_name          = "shop-checkout-at-max"
  alarm_description   = "As many pods of checkout run as may, and no more can be added: raise the maximum, or find out what drives it."
  namespace           = "ContainerInsights"
  metric_name         = "service_number_of_running_pods"
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 10
  threshold           = 12
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]

  dimensions = {
    ClusterName = aws_eks_cluster.main.name
    Namespace   = "shop"
    Service     = "checkout"
  }
}

resource "aws_cloudwatch_metric_alarm" "payments_pending" {
  alarm_name          = "shop-payments-pending"
  alarm_description   = "Pods of payments have been waiting for a node for ten minutes: the cluster is as large as it may be, or no node is large enough."
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
    ClusterName = aws_eks_cluster.main.name
    Namespace   = "shop"
    PodName     = "payments"
  }
}

resource "aws_cloudwatch_metric_alarm" "payments_at_max" {
  alarm_name          = "shop-payments-at-max"
  alarm_description   = "As many pods of payments run as may, and no more can be added: raise the maximum, or find out what drives it."
  namespace           = "ContainerInsights"
  metric_name         = "service_number_of_running_pods"
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 10
  threshold           = 9
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]

  dimensions = {
    ClusterName = aws_eks_cluster.main.name
    Namespace   = "shop"
    Service     = "payments"
  }
}
