# A database that grows by its tier, up to a known end.
template "vertical_scaling_database" {
  for     = database
  pattern = "vertical_scaling"
  when    = database.database_sharding == null
  file    = "database_${database.name}_alarms.tf"

  covers = {
    limits      = [google_sql_database_instance.this.settings.tier, google_sql_database_instance.this.settings.disk_autoresize, database.vertical_scaling.max_cpu]
    utilisation = [google_monitoring_alert_policy.this_size.conditions.condition_threshold.threshold_value]
    costs       = [google_monitoring_alert_policy.this_size.conditions.condition_threshold.filter, let.budget == null || target.billing_account == null ? database.vertical_scaling.low_cpu : google_billing_budget.this.amount]
    horizontal  = [google_monitoring_alert_policy.this_size.severity, database.vertical_scaling.ceiling_warning]
  }
  approximates = {
    downtime = {
      by  = [google_sql_database_instance.this.settings.maintenance_window, google_sql_database_instance.this.settings.backup_configuration.enabled]
      why = let.plus ? "Cloud SQL takes a new tier when it is applied, in a second or less on Enterprise Plus; backups are daily, and any second can be gone back to." : "Cloud SQL takes a new tier when it is applied and not in its window: apply it then, and take a backup before."
    }
  }

  check "ceiling" {
    condition = database.vertical_scaling.max_cpu <= let.tier_most_cpu && gib(database.vertical_scaling.max_memory) <= let.tier_most_memory
    message   = "Cloud SQL ${let.edition_name} ends at ${let.tier_most_cpu} vCPUs and ${let.tier_most_memory} GiB, and ${database.name} is to grow to ${database.vertical_scaling.max_cpu} and ${ceil(gib(database.vertical_scaling.max_memory))}."
    fix       = "Lower max_cpu and max_memory, and plan for database_sharding."
    at        = database.vertical_scaling.max_cpu
    related   = [database.vertical_scaling.max_memory]
  }
  check "billing_account" {
    condition = let.budget == null || target.billing_account != null
    message   = "A budget belongs to a billing account, and the target names none: nobody is told when ${database.name} costs more than ${let.budget == null ? 0 : let.budget}."
    fix       = "Set billing_account in the target."
    at        = database.vertical_scaling.monthly_budget
    related   = [target.billing_account]
    severity  = "warning"
  }
}

let {
  tier_most_cpu    = max([for row in table.sql_tiers : row.vcpu if(let.plus ? row.plus : row.enterprise) == 1]...)
  tier_most_memory = max([for row in table.sql_tiers : row.memory_gib if(let.plus ? row.plus : row.enterprise) == 1]...)
  # Alerts about the last steps are worse news than others.
  last_step = database.vertical_scaling == null ? false : database.vertical_scaling.share_of_ceiling >= database.vertical_scaling.ceiling_warning
}

resource "google_monitoring_alert_policy" "this_size" {
  for_each = {
    small-cpu = {
      metric     = "cpu/utilization"
      comparison = "COMPARISON_GT"
      threshold  = database.vertical_scaling.high_cpu / 100
    }
    small-memory = {
      metric     = "memory/utilization"
      comparison = "COMPARISON_GT"
      threshold  = database.vertical_scaling.high_memory / 100
    }
    large = {
      metric     = "cpu/utilization"
      comparison = "COMPARISON_LT"
      threshold  = database.vertical_scaling.low_cpu / 100
    }
  }

  display_name          = "${let.name}: size (${each.key})"
  combiner              = "OR"
  severity              = each.key == "large" ? "WARNING" : let.last_step ? "ERROR" : "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = each.key

    condition_threshold {
      filter          = "${local.this_database} AND metric.type = \"cloudsql.googleapis.com/database/${each.value.metric}\""
      comparison      = each.value.comparison
      threshold_value = each.value.threshold
      duration        = "${60 * min(1410, max(1, floor(database.vertical_scaling.observe / 60)))}s"

      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_MEAN"
      }
    }
  }

  documentation {
    content = each.key == "large" ? "The server is larger than it need be: a smaller tier costs less." : "The server has ${database.vertical_scaling.share_of_ceiling} % of the largest size that it may get. ${let.last_step ? "There is little left to grow: plan for readers or shards now." : "Choose the next tier; it costs ${span(database.vertical_scaling.downtime)} of downtime."}"
  }
}

resource "google_billing_budget" "this" {
  when = let.budget != null && target.billing_account != null

  billing_account = target.billing_account
  display_name    = let.name

  budget_filter {
    projects = ["projects/${local.project_number}"]
    labels   = { database = database.name }
  }

  amount {
    specified_amount {
      units = tostring(let.budget)
    }
  }

  threshold_rules {
    threshold_percent = 0.8
  }

  threshold_rules {
    threshold_percent = 1
    spend_basis       = "FORECASTED_SPEND"
  }
}
