# Spanner spreads the rows by ranges of their keys and moves them by itself.
template "database_spanner" {
  for     = database
  pattern = "database_sharding"
  when    = let.spanner
  file    = "database_${database.name}.tf"

  covers = {
    hot_spots   = [google_spanner_instance.this.autoscaling_config.autoscaling_targets.high_priority_cpu_utilization_percent, google_monitoring_alert_policy.this_hot.conditions.condition_threshold.filter]
    routing     = [google_spanner_database.this.database_dialect]
    rebalancing = [google_spanner_instance.this.autoscaling_config.autoscaling_limits.max_processing_units]
  }
  approximates = {
    key = {
      by  = [google_spanner_database.this.database_dialect, database.database_sharding.key]
      why = "The key is named; making it the first part of each table's primary key is the part of the program's migrations."
    }
    joins = {
      by  = [google_spanner_database.this.database_dialect, database.database_sharding.key]
      why = "Spanner joins over all rows; tables that share the key are kept together by INTERLEAVE IN PARENT, in the program's migrations."
    }
  }

  check "dialect" {
    condition = database.engine == "postgres"
    message   = "Spanner speaks the SQL of Postgres, not that of MySQL."
    fix       = "Set engine = \"postgres\", or by = \"servers\"."
    at        = database.engine
    related   = [database.database_sharding.by]
  }
  check "key_type" {
    condition = database.database_sharding.key_type != "bigint"
    message   = "Numbers that count up all go to the end of the key range, so one server takes every new row of ${database.name}."
    fix       = "Use uuid or text keys, or bit-reversed sequences and keep this in mind."
    at        = database.database_sharding.key_type
    severity  = "warning"
  }
  check "blocks" {
    condition = length(database.database_sharding.shard) == 0 && length(database.database_sharding.move) == 0
    message   = "Spanner places and moves the rows by itself."
    fix       = "Leave out shard and move, or set by = \"servers\"."
    at        = database.database_sharding.shard
    related   = [database.database_sharding.move]
  }
  check "name" {
    condition = length(database.database_name) >= 2 && length(database.database_name) <= 30 && !endswith(database.database_name, "_")
    message   = "A database of Spanner has a name of 2 to 30 characters that does not end with an underscore, unlike ${database.database_name}."
    fix       = "Choose another database_name."
    at        = database.database_name
  }
}

let {
  # Two vCPUs are about one node, which is 1000 processing units.
  instance  = length(let.name) < 6 ? "${let.name}-spanner" : shortname(let.name, 30)
  units_max = let.spanner ? 1000 * max(1, database.database_sharding.count) * max(1, ceil(database.cpu / 4)) : 0
}

resource "google_spanner_instance" "this" {
  name                         = let.instance
  display_name                 = let.instance
  config                       = "regional-${target.region}"
  edition                      = "ENTERPRISE" # autoscaling needs it
  default_backup_schedule_type = "NONE"       # there is one below
  force_destroy                = false

  autoscaling_config {
    autoscaling_limits {
      min_processing_units = 1000
      max_processing_units = let.units_max
    }

    autoscaling_targets {
      high_priority_cpu_utilization_percent = 65
      storage_utilization_percent           = 90
    }
  }
}

# Tables are made by the program's migrations: their statements here could only ever be added to.
resource "google_spanner_database" "this" {
  instance                 = google_spanner_instance.this.name
  name                     = database.database_name
  database_dialect         = "POSTGRESQL"
  version_retention_period = database.backup_days == 0 ? "1h" : "${min(7, database.backup_days)}d"
  enable_drop_protection   = database.deletion_protection
  deletion_protection      = database.deletion_protection

  encryption_config {
    when = target.kms_key != null

    kms_key_name = target.kms_key
  }

  lifecycle {
    ignore_changes = [ddl]
  }

  depends_on = target.kms_key != null ? [google_kms_crypto_key_iam_member.spanner] : null
}

# Spanner encrypts with the key as an account of its own, which it makes for the project.
resource "google_kms_crypto_key_iam_member" "spanner" {
  when = target.kms_key != null

  crypto_key_id = target.kms_key
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = "serviceAccount:service-${local.project_number}@gcp-sa-spanner.iam.gserviceaccount.com"
}

resource "google_spanner_backup_schedule" "this" {
  when = database.backup_days > 0

  instance           = google_spanner_instance.this.name
  database           = google_spanner_database.this.name
  name               = "daily"
  retention_duration = "${database.backup_days * 86400}s"

  spec {
    cron_spec {
      text = "0 ${database.backup_hour} * * *"
    }
  }

  full_backup_spec {}
}

resource "google_spanner_database_iam_member" "this" {
  when     = length(let.clients) > 0
  for_each = { for client in let.clients : client => google_service_account[client].member }

  instance = google_spanner_instance.this.name
  database = google_spanner_database.this.name
  role     = "roles/spanner.databaseUser"
  member   = each.value
}

locals {
  this_host = "spanner.googleapis.com"
}

resource "google_monitoring_alert_policy" "this_hot" {
  display_name          = "${let.name}: hot spot"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "one range of keys takes all that a server has"

    condition_threshold {
      filter          = "resource.type = \"spanner_instance\" AND resource.labels.instance_id = \"${google_spanner_instance.this.name}\" AND metric.type = \"spanner.googleapis.com/instance/peak_split_cpu_usage_score\""
      comparison      = "COMPARISON_GT"
      threshold_value = 90
      duration        = "600s"

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_MAX"
        cross_series_reducer = "REDUCE_MAX"
      }
    }
  }

  documentation {
    content = "More servers do not help against one hot key. Look for keys that count up, and for a row that everybody writes."
  }
}
