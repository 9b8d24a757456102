template "database_sharding_alarms" {
  for     = database
  pattern = "database_sharding"
  file    = "database_${database.name}_alarms.tf"
}

locals {
  this_shard_alarms = {
    cpu = {
      metric    = "CPUUtilization"
      operator  = "GreaterThanThreshold"
      threshold = 80
      means     = "The shard's processor is busy: move slots away, or halve it."
    }
    memory = {
      metric    = "FreeableMemory"
      operator  = "LessThanThreshold"
      threshold = floor(database.memory / (database.flavour == "server" ? 10 : 20))
      means     = "The shard's memory is nearly used: soon reads come from the disk."
    }
    connections = {
      metric    = "DatabaseConnections"
      operator  = "GreaterThanThreshold"
      threshold = database.usable_connections
      means     = "Services use the connections of the shard that are reserved for administration and failover."
    }
    storage = {
      metric    = database.flavour == "server" ? "FreeStorageSpace" : "FreeLocalStorage"
      operator  = "LessThanThreshold"
      threshold = database.flavour == "server" ? floor(database.storage / 10) : 5368709120
      means     = database.flavour == "server" ? "The shard's disk is nearly full and has not grown by itself: move slots away, or halve it." : "Less than 5 GiB are left for temporary tables and logs: large sorts will fail."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this_shard" {
  for_each = {
    for pair in setproduct(keys(local.this_shards), keys(local.this_shard_alarms)) :
    "${pair[0]}-${pair[1]}" => merge(local.this_shard_alarms[pair[1]], { shard = pair[0] })
  }

  alarm_name          = "${let.name}-${each.key}"
  alarm_description   = each.value.means
  comparison_operator = each.value.operator
  threshold           = each.value.threshold
  evaluation_periods  = 3
  period              = 300
  namespace           = "AWS/RDS"
  metric_name         = each.value.metric
  statistic           = "Average"
  dimensions          = database.flavour == "server" ? { DBInstanceIdentifier = aws_db_instance.this[each.value.shard].identifier } : { DBClusterIdentifier = aws_rds_cluster.this[each.value.shard].cluster_identifier, Role = "WRITER" }
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# Half of what was planned for one shard: time to halve it, while that is still easy.
resource "aws_cloudwatch_metric_alarm" "this_large" {
  when     = database.flavour == "cluster"
  for_each = aws_rds_cluster.this

  alarm_name          = "${each.value.cluster_identifier}-large"
  alarm_description   = "The shard holds half of what was planned for (max_storage): plan to halve it."
  comparison_operator = "GreaterThanThreshold"
  threshold           = floor(database.max_storage / 2)
  evaluation_periods  = 1
  period              = 3600
  namespace           = "AWS/RDS"
  metric_name         = "VolumeBytesUsed"
  statistic           = "Maximum"
  dimensions          = { DBClusterIdentifier = each.value.cluster_identifier }
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

# One shard works more than the others. While all idle there is nothing to compare.
resource "aws_cloudwatch_metric_alarm" "this_hot" {
  when     = database.database_sharding.shards <= 10 # an alarm looks at ten measurements at most
  for_each = local.this_shards

  alarm_name          = "${let.name}-${each.key}-hot"
  alarm_description   = "The shard works more than ${database.database_sharding.max_skew} times as much as the average: look for a key that is asked for often, and move slots."
  comparison_operator = "GreaterThanThreshold"
  threshold           = database.database_sharding.max_skew
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
    for_each = local.this_shards

    content {
      id = "shard_${replace(metric_query.key, "-", "_")}"

      metric {
        namespace   = "AWS/RDS"
        metric_name = "CPUUtilization"
        period      = 300
        stat        = "Average"
        dimensions  = database.flavour == "server" ? { DBInstanceIdentifier = aws_db_instance.this[metric_query.key].identifier } : { DBClusterIdentifier = aws_rds_cluster.this[metric_query.key].cluster_identifier, Role = "WRITER" }
      }
    }
  }
}
