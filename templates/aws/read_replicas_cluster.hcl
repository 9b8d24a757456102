# Readers of a cluster: its instances are there already, and so is the name that spreads queries over them.
template "read_replicas_cluster" {
  for     = database
  pattern = "read_replicas"
  when    = database.flavour == "cluster"
  file    = "database_${database.name}.tf"

  covers = {
    lag         = [aws_cloudwatch_metric_alarm.this_reader_lag.threshold, aws_cloudwatch_metric_alarm.this_reader_behind.threshold]
    splitting   = [output.this.value.host, output.this.value.reader_host]
    performance = [aws_rds_cluster_instance.this.performance_insights_enabled, aws_cloudwatch_metric_alarm.this_reader.dimensions]
    failover    = [aws_rds_cluster_instance.this.promotion_tier, aws_rds_cluster.this.backup_retention_period, aws_db_event_subscription.this.event_categories]
  }
  approximates = {
    staleness = {
      by  = [aws_cloudwatch_metric_alarm.this_reader_lag.threshold, database.read_replicas.max_staleness]
      why = "Aurora's reader endpoint keeps a reader that lags; Aurora restarts one that is too far behind."
    }
  }

  check "other_region" {
    condition = database.read_replicas.other_region == null
    message   = "A root renders one region, and ${database.name} wants a copy in another, whose network and key it does not know."
    fix       = "Leave other_region unset and make the copy in the root of that region."
    at        = database.read_replicas.other_region
  }
  check "fifteen" {
    condition = database.read_replicas.most <= 15
    message   = "A cluster of Aurora has 15 readers at most, and ${database.name} may grow to ${database.read_replicas.most}."
    fix       = "Lower max."
    at        = database.read_replicas.max
  }
}

# Further readers come and go with the load of all; those above stay.
resource "aws_appautoscaling_target" "this_readers" {
  when = database.read_replicas.grows

  service_namespace  = "rds"
  scalable_dimension = "rds:cluster:ReadReplicaCount"
  resource_id        = "cluster:${aws_rds_cluster.this.cluster_identifier}"
  min_capacity       = let.readers
  max_capacity       = database.read_replicas.most

  depends_on = [aws_rds_cluster_instance.this]
}

resource "aws_appautoscaling_policy" "this_readers" {
  when = database.read_replicas.grows

  name               = "${let.name}-readers-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this_readers.service_namespace
  scalable_dimension = aws_appautoscaling_target.this_readers.scalable_dimension
  resource_id        = aws_appautoscaling_target.this_readers.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = database.read_replicas.target_cpu
    scale_in_cooldown  = 900
    scale_out_cooldown = 300

    predefined_metric_specification {
      predefined_metric_type = "RDSReaderAverageCPUUtilization"
    }
  }
}
