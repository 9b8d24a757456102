# One server with a standby; where the blueprint says cluster, its edition is the one whose readers share an address.
template "database_server" {
  for  = database
  when = database.database_sharding == null
  file = "database_${database.name}.tf"

  check "cluster" {
    condition = database.flavour == "server"
    message   = "${database.name} becomes a server of Cloud SQL Enterprise Plus: its standby and its readers have disks of their own and do not share one, and a reader cannot take over."
    fix       = "Nothing need be done; flavour = \"server\" costs less."
    at        = database.flavour
    severity  = "warning"
  }
}

resource "google_sql_database_instance" "this" {
  name             = let.name # for a week after it is deleted the name is taken
  region           = target.region
  database_version = let.version
  instance_type    = "CLOUD_SQL_INSTANCE"

  encryption_key_name                  = target.kms_key
  enforce_new_sql_network_architecture = let.pooled == "managed" ? true : null # the pooler needs it

  # Terraform refuses to delete it, and so does Google.
  deletion_protection = database.deletion_protection

  settings {
    tier                        = let.tier
    edition                     = let.edition
    availability_type           = database.multi_zone ? "REGIONAL" : "ZONAL"
    deletion_protection_enabled = database.deletion_protection
    user_labels                 = { database = database.name }
    retain_backups_on_delete    = database.backup_days > 0 ? true : null

    disk_type             = let.disk
    disk_size             = ceil(gib(database.storage))
    disk_autoresize       = database.max_storage > database.storage
    disk_autoresize_limit = database.max_storage > database.storage ? ceil(gib(database.max_storage)) : null

    # The number of connections does not follow the tier, for the pools of all services are sized by it. Times are in
    # milliseconds: nobody waits for a statement that runs longer, and a transaction that does nothing holds its locks.
    dynamic "database_flags" {
      for_each = local.this_flags

      content {
        name  = database_flags.key
        value = database_flags.value
      }
    }

    connection_pool_config {
      when = let.pooled == "managed"

      connection_pooling_enabled = true

      dynamic "flags" {
        for_each = local.this_pool

        content {
          name  = flags.key
          value = flags.value
        }
      }
    }

    backup_configuration {
      enabled                        = database.backup_days > 0
      start_time                     = format("%02d:00", database.backup_hour)
      point_in_time_recovery_enabled = database.engine == "postgres" ? database.backup_days > 0 : null
      binary_log_enabled             = database.engine == "mysql" ? database.backup_days > 0 : null
      transaction_log_retention_days = database.backup_days > 0 ? let.log_days : null # a week at most in Enterprise, five in Enterprise Plus

      backup_retention_settings {
        when = database.backup_days > 0

        retained_backups = database.backup_days
      }
    }

    # Only from inside the network, and only with TLS.
    ip_configuration {
      ipv4_enabled    = false
      private_network = local.network_id
      ssl_mode        = "ENCRYPTED_ONLY"
    }

    data_cache_config {
      when = let.plus

      data_cache_enabled = true
    }

    insights_config {
      query_insights_enabled  = true
      query_plans_per_minute  = 5
      query_string_length     = 1024
      record_application_tags = true
      record_client_address   = true
    }

    maintenance_window {
      day          = let.window_day
      hour         = let.window_hour
      update_track = "stable"
    }
  }

  # Its disk grows by itself.
  lifecycle {
    when = database.max_storage > database.storage

    ignore_changes = [settings[0].disk_size]
  }

  depends_on = (
    let.own_peering && target.kms_key != null ? [google_service_networking_connection.main, google_kms_crypto_key_iam_member.databases] :
    let.own_peering ? [google_service_networking_connection.main] :
    target.kms_key != null ? [google_kms_crypto_key_iam_member.databases] : null
  )
}

locals {
  this_flags = let.flags
}

resource "google_sql_database" "this" {
  name            = database.database_name
  instance        = google_sql_database_instance.this.name
  deletion_policy = database.deletion_protection ? "ABANDON" : null
}
