# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_sql_database_instance" "orders" {
  name             = "read-replicas-orders" # for a week after it is deleted the name is taken
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
    user_labels                 = { database = "orders" }
    retain_backups_on_delete    = true

    disk_type             = "PD_SSD"
    disk_size             = 500
    disk_autoresize       = true
    disk_autoresize_limit = 2500

    # The number of connections does not follow the tier, for the pools of all services are sized by it. Times are in
    # milliseconds: nobody waits for a statement that runs longer, and a transaction that does nothing holds its locks.
    dynamic "database_flags" {
      for_each = local.orders_flags

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
  orders_flags = {
    "cloudsql.iam_authentication"       = "on"
    hot_standby_feedback                = "on"
    idle_in_transaction_session_timeout = "60000"
    log_min_duration_statement          = "1000"
    max_connections                     = "3604"
    max_standby_streaming_delay         = "30000"
    statement_timeout                   = "30000"
  }
}

resource "google_sql_database" "orders" {
  name            = "orders"
  instance        = google_sql_database_instance.orders.name
  deletion_policy = "ABANDON"
}

# Each has the connections of its source, which it must not have fewer of.
resource "google_sql_database_instance" "orders_replica" {
  for_each = toset(["1", "2"])

  name                 = "read-replicas-orders-replica-${each.key}"
  region               = "europe-west1"
  database_version     = google_sql_database_instance.orders.database_version
  instance_type        = "READ_REPLICA_INSTANCE"
  master_instance_name = google_sql_database_instance.orders.name

  deletion_protection = false # it can be made again from its source

  settings {
    tier              = "db-custom-8-32768"
    edition           = "ENTERPRISE"
    availability_type = "ZONAL"

    disk_type             = "PD_SSD"
    disk_autoresize       = true # it has to hold what its source holds
    disk_autoresize_limit = 2500

    # By its name, so that it stays in its zone when another goes.
    location_preference {
      zone = element(["europe-west1-b", "europe-west1-c", "europe-west1-d"], tonumber(each.key))
    }

    dynamic "database_flags" {
      for_each = local.orders_flags

      content {
        name  = database_flags.key
        value = database_flags.value
      }
    }

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
  }

  # Its disk grows by itself.
  lifecycle {
    ignore_changes = [settings[0].disk_size]
  }
}

# One name for all of them. Who asks gets all addresses and takes one.
resource "google_dns_record_set" "orders_reader" {
  managed_zone = google_dns_managed_zone.databases.name
  name         = "orders-reader.${google_dns_managed_zone.databases.dns_name}"
  type         = "A"
  ttl          = 5
  rrdatas      = [for replica in google_sql_database_instance.orders_replica : replica.private_ip_address]
}

locals {
  orders_host        = google_sql_database_instance.orders.private_ip_address
  orders_reader_host = trimsuffix(google_dns_record_set.orders_reader.name, ".")
}

# Each client logs in as its own account, with a token that IAM gives it for an hour.
resource "google_sql_user" "orders" {
  for_each = {
    reports = google_service_account.reports.email
  }

  name           = trimsuffix(each.value, ".gserviceaccount.com")
  instance       = google_sql_database_instance.orders.name
  type           = "CLOUD_IAM_SERVICE_ACCOUNT"
  database_roles = ["cloudsqlsuperuser"] # it makes its own tables
}
