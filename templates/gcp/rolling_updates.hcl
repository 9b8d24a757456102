# The group replaces its instances a few at a time whenever its template changes; an apply waits for the end of that.
template "rolling_updates" {
  for  = service
  when = service.runs_on == null
  file = "service_${service.name}_rollout.tf"

  covers = {
    health_checks = [google_compute_region_instance_group_manager.this.auto_healing_policies, google_compute_region_instance_group_manager.this.wait_for_instances_status]
    compatibility = [service.backward_compatible]
  }
  approximates = {
    strategy = {
      by  = [google_compute_region_instance_group_manager.this.update_policy.max_surge_fixed, google_compute_region_instance_group_manager.this.update_policy.max_unavailable_fixed]
      why = "How many are added and missing is stated, and an instance that does not become healthy stops the update; groups have no pauses at checkpoints."
    }
    rollback = {
      by  = [let.rolls_back ? google_eventarc_trigger.this_rollback.destination : service.rolling_updates.rollback, let.rolls_back ? google_workflows_workflow.this_rollback.source_contents : null, let.rolls_back ? google_compute_region_instance_group_manager.this.lifecycle.precondition : null]
      why = let.watch == "none" ? "Instances that do not become well stop the update; but no load balancer reads requests and counts those that fail, so somebody has to see that and bring the old version back." : null
    }
    monitoring = {
      by  = [let.watch == "none" ? null : google_monitoring_alert_policy.this_rollout.conditions, google_compute_region_instance_group_manager.this.timeouts.update]
      why = let.watch == "none" ? "How long an update may take is stated; errors and latency are not measured, for no load balancer reads requests." : null
    }
  }

  ignores = {
    checkpoints = "A group does not pause: it updates until it is done, or an instance does not become well."
    pause       = "A group does not pause."
    rollback    = service.rolling_updates.rollback == "operator" || let.watch != "none" ? null : "Errors and latency are not measured, for no load balancer reads requests, so no alarm can bring the old version back. With elastic_load_balancing one can."
  }

  check "on_a_group" {
    condition = service.vertical_scaling == null
    message   = "${service.name} is one machine: there is nothing to roll over."
    fix       = "Drop rolling_updates or vertical_scaling."
    at        = service.rolling_updates.surge
  }
}

extend "google_compute_region_instance_group_manager" "this" {
  instance_lifecycle_policy {
    force_update_on_repair    = "NO" # a repair must not run ahead of the update
    default_action_on_failure = "REPAIR"
  }
}

# What an alarm took back has a mark, and is not rolled out again: the group has the version before it then.
extend "google_compute_region_instance_group_manager" "this" {
  when = let.rolls_back

  lifecycle {
    precondition {
      condition     = lookup(google_pubsub_topic.this_rollback.effective_labels, "withdrawn", "") != google_compute_region_instance_template.this.name
      error_message = "An alarm took this release of ${service.name} back. Change the blueprint to another one, or take the mark off to try it again: gcloud pubsub topics update ${let.name}-rollback --remove-labels=withdrawn"
    }
  }
}

resource "google_monitoring_alert_policy" "this_rollout" {
  when = let.watch != "none"

  display_name          = "${let.name}: a version that does badly"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = let.rolls_back ? concat(local.notification_channels, [google_monitoring_notification_channel.this_rollback.id]) : local.notification_channels

  conditions {
    display_name = "more than ${let.rollout.max_errors} % of the requests fail"

    condition_threshold {
      filter             = "${let.watched} AND metric.type = \"${let.watch_metrics.requests}\" AND metric.labels.response_code_class = 500"
      denominator_filter = "${let.watched} AND metric.type = \"${let.watch_metrics.requests}\""
      comparison         = "COMPARISON_GT"
      threshold_value    = let.rollout.max_errors / 100
      duration           = let.window_text

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
      }

      denominator_aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  conditions {
    display_name = "one answer in a hundred takes longer than ${duration(let.rollout.max_latency)}"

    condition_threshold {
      filter          = "${let.watched} AND metric.type = \"${let.watch_metrics.latencies}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 1000 * let.rollout.max_latency
      duration        = let.window_text

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_PERCENTILE_99"
        cross_series_reducer = "REDUCE_MAX"
      }
    }
  }

  alert_strategy {
    auto_close = "1800s"
  }

  documentation {
    content = let.rolls_back ? "While an update is under way the group gets the version before it back. An apply that still waits for the update fails, for the template of the version before is in use again. The release is marked as withdrawn, and Terraform refuses to roll it out again: change the blueprint to another one. To try the same again, take the mark off and apply: gcloud pubsub topics update ${let.name}-rollback --remove-labels=withdrawn" : "Stop the update and go back: put the image before into the blueprint, render and apply."
  }
}
