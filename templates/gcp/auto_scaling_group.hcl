template "auto_scaling_group" {
  for  = service
  when = service.runs_on == null
  file = "service_${service.name}.tf"

  covers = {
    metrics       = [google_compute_region_autoscaler.this.autoscaling_policy.cpu_utilization.target]
    policies      = [google_compute_region_autoscaler.this.autoscaling_policy.scale_in_control, google_compute_region_autoscaler.this.autoscaling_policy.stabilization_period]
    health_checks = [google_compute_region_instance_group_manager.this.auto_healing_policies, google_compute_health_check.this.unhealthy_threshold]
    warm_up       = [google_compute_region_autoscaler.this.autoscaling_policy.cooldown_period, google_compute_region_instance_group_manager.this.auto_healing_policies.initial_delay_sec]
  }
  approximates = {
    costs = {
      by  = [google_monitoring_alert_policy.this_at_max.conditions.condition_threshold.threshold_value, let.spotted ? google_compute_region_instance_group_manager.this.version["spot"].instance_template : null]
      why = service.auto_scaling_group.spot == 0 ? null : let.spotted ? "A group cannot share out what comes above its fewest: the first ${let.steady} are never taken back, and each beyond them may be. With fewer it has no Spot instances, and costs more than a group that shares." : "No instance may be taken back at short notice, so none is cheaper for it."
    }
  }

  ignores = {
    max_lifetime   = service.auto_scaling_group.max_lifetime == null ? null : "Groups do not replace instances for their age; a new version or image does."
    "metric.query" = "The autoscaler reads a metric by its name."
  }

  check "spot" {
    condition = service.auto_scaling_group.spot == 0 || let.spotted
    message   = "All instances of ${service.name} cost the full price here and none is taken back: ${let.tracked ? "its versions have a group each, whose shares move with a rollout" : "an alarm brings a version back by giving the whole group one template, and Spot instances need a second"}."
    fix       = "${let.tracked ? "Use rolling_updates" : "Set rollback = \"operator\""} if the price matters more, or set spot = 0."
    at        = service.auto_scaling_group.spot
    severity  = "warning"
  }
  # Compute Engine: "Spot VMs", preemption process.
  check "spot_drain" {
    condition = !let.spotted || service.drain_time <= 30
    message   = "A Spot instance has 30 s from being told to its end, and requests of ${service.name} may take ${duration(service.drain_time)} to finish."
    fix       = "Set spot = 0, or let requests end sooner and lower drain_time."
    at        = service.auto_scaling_group.spot
    related   = [service.drain_time]
    severity  = "warning"
  }
  check "probe" {
    condition = let.probe != "udp"
    message   = "Whether ${service.name} lives cannot be asked over UDP, so no instance of it would ever be replaced."
    fix       = "Give it elastic_load_balancing with health_port, a port that answers HTTP."
    at        = service.protocol
  }
  check "billing_account" {
    condition = service.auto_scaling_group.monthly_budget == null || target.billing_account != null
    message   = "A budget belongs to a billing account, and the target names none: nobody is told when ${service.name} costs more than ${service.auto_scaling_group.monthly_budget == null ? 0 : service.auto_scaling_group.monthly_budget}."
    fix       = "Set billing_account in the target."
    at        = service.auto_scaling_group.monthly_budget
    related   = [target.billing_account]
    severity  = "warning"
  }
}

let {
  group   = service.auto_scaling_group
  counted = let.group.target_requests != null && contains(["global", "internal"], let.balancer_kind) && let.by_rate
  # Requests are counted against what the balancer gives one instance at most.
  rate         = service.instance_rps
  request_goal = let.counted ? min(1, max(0.01, let.group.target_requests / let.rate)) : 1
}

extend "google_compute_region_instance_group_manager" "this" {
  # Booted and stopped: growing takes as long as starting the program.
  target_stopped_size = let.group.standby > 0 && !let.tracked ? let.group.standby : null

  standby_policy {
    when = let.group.standby > 0 && !let.tracked

    mode              = "SCALE_OUT_POOL"
    initial_delay_sec = ceil(let.group.warm_up)
  }
}

# It follows whichever signal asks for the most. The group itself names no size: the two would fight over it.
resource "google_compute_region_autoscaler" "this" {
  for_each = let.tracked ? local.this_tracks : null

  name   = let.tracked ? "${let.name}-${each.key}" : let.name
  region = target.region
  target = let.tracked ? google_compute_region_instance_group_manager.this[each.key].id : google_compute_region_instance_group_manager.this.id

  autoscaling_policy {
    min_replicas         = let.tracked ? each.value.min : let.group.min
    max_replicas         = let.tracked ? each.value.max : let.group.max
    mode                 = "ON"
    cooldown_period      = ceil(let.group.warm_up)       # younger instances are not measured
    stabilization_period = ceil(let.group.scale_in_wait) # shrinks to the most that was needed in that time

    cpu_utilization {
      target            = let.group.cpu_ratio
      predictive_method = let.group.forecast == "scale" ? "OPTIMIZE_AVAILABILITY" : "NONE"
    }

    # Requests for one instance, as a share of the backend's max_rate_per_instance.
    load_balancing_utilization {
      when = let.counted

      target = max(1, floor(100 * let.request_goal)) / 100
    }

    # Not seen from outside: something on the instance measures it.
    metric {
      when = let.group.target_memory != null

      name   = let.memory_metric
      type   = "GAUGE"
      target = let.group.target_memory
      filter = "resource.type = \"gce_instance\" AND metric.labels.state = \"used\""
    }

    dynamic "metric" {
      for_each = let.group.metric

      content {
        name   = "custom.googleapis.com/${metric.value.name}"
        type   = "GAUGE"
        target = metric.value.target
        filter = "resource.type = \"gce_instance\""
      }
    }

    # It grows at once and gives back a little at a time.
    scale_in_control {
      time_window_sec = max(60, ceil(let.group.scale_in_wait))

      max_scaled_in_replicas {
        percent = let.group.scale_in_percent
      }
    }

    dynamic "scaling_schedules" {
      for_each = let.group.schedule

      content {
        name                  = scaling_schedules.value.name
        schedule              = scaling_schedules.value.cron
        time_zone             = scaling_schedules.value.time_zone
        duration_sec          = ceil(scaling_schedules.value.duration)
        min_required_replicas = let.tracked ? min(each.value.max, scaling_schedules.value.min) : scaling_schedules.value.min
      }
    }
  }
}

resource "google_monitoring_alert_policy" "this_at_max" {
  for_each = let.tracked ? local.this_tracks : null

  display_name          = let.tracked ? "${let.name} ${each.key}: as large as it may be" : "${let.name}: as large as it may be"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "at its maximum for 15 minutes"

    condition_threshold {
      filter          = let.tracked ? "resource.type = \"instance_group\" AND resource.labels.instance_group_name = \"${google_compute_region_instance_group_manager.this[each.key].name}\" AND metric.type = \"compute.googleapis.com/instance_group/size\"" : "resource.type = \"instance_group\" AND resource.labels.instance_group_name = \"${google_compute_region_instance_group_manager.this.name}\" AND metric.type = \"compute.googleapis.com/instance_group/size\""
      comparison      = "COMPARISON_GT"
      threshold_value = let.tracked ? each.value.max - 0.5 : let.group.max - 0.5
      duration        = "900s"

      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_MEAN"
      }
    }
  }

  documentation {
    content = "The group cannot grow any further: raise its maximum, or find out what drives it."
  }
}

resource "google_billing_budget" "this" {
  when = let.budget != null && target.billing_account != null

  billing_account = target.billing_account
  display_name    = let.name

  budget_filter {
    projects = ["projects/${local.project_number}"]
    labels   = { service = service.name }
  }

  amount {
    specified_amount {
      units = tostring(let.budget)
    }
  }

  threshold_rules {
    threshold_percent = 1
    spend_basis       = "FORECASTED_SPEND"
  }

  all_updates_rule {
    when = length(let.told) > 0 && length(let.told) <= 5

    monitoring_notification_channels = local.notification_channels
  }

  # A budget tells five at the most.
  all_updates_rule {
    when = length(let.told) > 5

    monitoring_notification_channels = slice(local.notification_channels, 0, 5)
  }
}
