# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

locals {
  orders_shard_alarms = {
    cpu = {
      metric    = "CPUUtilization"
      operator  = "GreaterThanThreshold"
      threshold = 80
      means     = "The shard's processor is busy: move slots away, or halve it."
    }
    memory = {
      metric    = "FreeableMemory"
      operator  = "LessThanThreshold"
      threshold = 3435973836
      means     = "The shard's memory is nearly used: soon reads come from the disk."
    }
    connections = {
      metric    = "DatabaseConnections"
      operator  = "GreaterThanThreshold"
      threshold = 3243
      means     = "Services use the connections of the shard that are reserved for administration and failover."
    }
    storage = {
      metric    = "FreeStorageSpace"
      operator  = "LessThanThreshold"
      threshold = 53687091200
      means     = "The shard's disk is nearly full and has not grown by itself: move slots away, or halve it."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "orders_shard" {
  for_each = {
    for pair in setproduct(keys(local.orders_shards), keys(local.orders_shard_alarms)) :
    "${pair[0]}-${pair[1]}" => merge(local.orders_shard_alarms[pair[1]], { shard = pair[0] })
  }

  alarm_name          = "everything-orders-${each.key}"
  alarm_description   = each.value.means
  comparison_operator = each.value.operator
  threshold           = each.value.threshold
  evaluation_periods  = 3
  period              = 300
  namespace           = "AWS/RDS"
  metric_name         = each.value.metric
  statistic           = "Average"
  dimensions          = { DBInstanceIdentifier = aws_db_instance.orders[each.value.shard].identifier }
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# One shard works more than the others. While all idle there is nothing to compare.
resource "aws_cloudwatch_metric_alarm" "orders_hot" {
  for_each = local.orders_shards

  alarm_name          = "everything-orders-${each.key}-hot"
  alarm_description   = "The shard works more than 1.5 times as much as the average: look for a key that is asked for often, and move slots."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1.5
  evaluation_periods  = 6
  datapoints_to_alarm = 4
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "skew"
    expression  = "IF(AVG(METRICS()) > 10, shard_${replace(each.key, "-", "_")} / AVG(METRICS()), 1)"
    label       = "load over average"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = local.orders_shards

    content {
      id = "shard_${replace(metric_query.key, "-", "_")}"

      metric {
        namespace   = "AWS/RDS"
        metric_name = "CPUUtilization"
        period      = 300
        stat        = "Average"
        dimensions  = { DBInstanceIdentifier = aws_db_instance.orders[metric_query.key].identifier }
      }
    }
  }
}
