# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_sql_database_instance" "catalog" {
  name             = "caching-in-depth-catalog" # for a week after it is deleted the name is taken
  region           = "europe-west1"
  database_version = "POSTGRES_17"
  instance_type    = "CLOUD_SQL_INSTANCE"

  # Terraform refuses to delete it, and so does Google.
  deletion_protection = true

  settings {
    tier                        = "db-custom-8-32768"
    edition                     = "ENTERPRISE"
    availability_type           = "REGIONAL"
    deletion_protection_enabled = true
    user_labels                 = { database = "catalog" }
    retain_backups_on_delete    = true

    disk_type             = "PD_SSD"
    disk_size             = 100
    disk_autoresize       = true
    disk_autoresize_limit = 500

    # The number of connections does not follow the tier, for the pools of all services are sized by it. Times are in
    # milliseconds: nobody waits for a statement that runs longer, and a transaction that does nothing holds its locks.
    dynamic "database_flags" {
      for_each = local.catalog_flags

      content {
        name  = database_flags.key
        value = database_flags.value
      }
    }

    backup_configuration {
      enabled                        = true
      start_time                     = "01:00"
      point_in_time_recovery_enabled = true
      transaction_log_retention_days = 7 # a week at most in Enterprise, five in Enterprise Plus

      backup_retention_settings {
        retained_backups = 14
      }
    }

    # Only from inside the network, and only with TLS.
    ip_configuration {
      ipv4_enabled    = false
      private_network = local.network_id
      ssl_mode        = "ENCRYPTED_ONLY"
    }

    insights_config {
      query_insights_enabled  = true
      query_plans_per_minute  = 5
      query_string_length     = 1024
      record_application_tags = true
      record_client_address   = true
    }

    maintenance_window {
      day          = 7
      hour         = 3
      update_track = "stable"
    }
  }

  # Its disk grows by itself.
  lifecycle {
    ignore_changes = [settings[0].disk_size]
  }

  depends_on = [google_service_networking_connection.main]
}

locals {
  catalog_flags = {
    "cloudsql.iam_authentication"       = "on"
    idle_in_transaction_session_timeout = "60000"
    log_min_duration_statement          = "1000"
    max_connections                     = "3604"
    statement_timeout                   = "30000"
  }
}

resource "google_sql_database" "catalog" {
  name            = "catalog"
  instance        = google_sql_database_instance.catalog.name
  deletion_policy = "ABANDON"
}

locals {
  catalog_host = google_sql_database_instance.catalog.private_ip_address
}

# Each client logs in as its own account, with a token that IAM gives it for an hour.
resource "google_sql_user" "catalog" {
  for_each = {
    web = google_service_account.web.email
  }

  name           = trimsuffix(each.value, ".gserviceaccount.com")
  instance       = google_sql_database_instance.catalog.name
  type           = "CLOUD_IAM_SERVICE_ACCOUNT"
  database_roles = ["cloudsqlsuperuser"] # it makes its own tables
}
