# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_sql_database_instance" "catalog" {
  name             = "everything-catalog" # for a week after it is deleted the name is taken
  region           = "europe-west1"
  database_version = "POSTGRES_17"
  instance_type    = "CLOUD_SQL_INSTANCE"

  enforce_new_sql_network_architecture = true # the pooler needs it

  # Terraform refuses to delete it, and so does Google.
  deletion_protection = true

  settings {
    tier                        = "db-perf-optimized-N-4"
    edition                     = "ENTERPRISE_PLUS"
    availability_type           = "REGIONAL"
    deletion_protection_enabled = true
    user_labels                 = { database = "catalog" }
    retain_backups_on_delete    = true

    disk_type             = "PD_SSD"
    disk_size             = 200
    disk_autoresize       = true
    disk_autoresize_limit = 1000

    # The number of connections does not follow the tier, for the pools of all services are sized by it. Times are in
    # milliseconds: nobody waits for a statement that runs longer, and a transaction that does nothing holds its locks.
    dynamic "database_flags" {
      for_each = local.catalog_flags

      content {
        name  = database_flags.key
        value = database_flags.value
      }
    }

    connection_pool_config {
      connection_pooling_enabled = true

      dynamic "flags" {
        for_each = local.catalog_pool

        content {
          name  = flags.key
          value = flags.value
        }
      }
    }

    backup_configuration {
      enabled                        = true
      start_time                     = "01:00"
      point_in_time_recovery_enabled = true
      transaction_log_retention_days = 14 # a week at most in Enterprise, five in Enterprise Plus

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

    data_cache_config {
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
    hot_standby_feedback                = "on"
    idle_in_transaction_session_timeout = "60000"
    log_min_duration_statement          = "1000"
    max_connections                     = "3604"
    max_standby_streaming_delay         = "30000"
    statement_timeout                   = "30000"
    tcp_keepalives_count                = "3"
    tcp_keepalives_idle                 = "60"
    tcp_keepalives_interval             = "10"
  }
}

resource "google_sql_database" "catalog" {
  name            = "catalog"
  instance        = google_sql_database_instance.catalog.name
  deletion_policy = "ABANDON"
}

# Each has the connections of its source, which it must not have fewer of.
resource "google_sql_database_instance" "catalog_replica" {
  for_each = toset(["1", "2"])

  name                 = "everything-catalog-replica-${each.key}"
  region               = "europe-west1"
  database_version     = google_sql_database_instance.catalog.database_version
  instance_type        = "READ_REPLICA_INSTANCE"
  master_instance_name = google_sql_database_instance.catalog.name

  deletion_protection = false # it can be made again from its source

  settings {
    tier              = "db-perf-optimized-N-4"
    edition           = "ENTERPRISE_PLUS"
    availability_type = "ZONAL"

    disk_type             = "PD_SSD"
    disk_autoresize       = true # it has to hold what its source holds
    disk_autoresize_limit = 1000

    # By its name, so that it stays in its zone when another goes.
    location_preference {
      zone = element(["europe-west1-b", "europe-west1-c", "europe-west1-d"], tonumber(each.key))
    }

    dynamic "database_flags" {
      for_each = local.catalog_flags

      content {
        name  = database_flags.key
        value = database_flags.value
      }
    }

    # The same pooler as before the source, so that clients find it on the same port.
    connection_pool_config {
      connection_pooling_enabled = true

      dynamic "flags" {
        for_each = local.catalog_pool

        content {
          name  = flags.key
          value = flags.value
        }
      }
    }

    ip_configuration {
      ipv4_enabled    = false
      private_network = local.network_id
      ssl_mode        = "ENCRYPTED_ONLY"
    }

    data_cache_config {
      data_cache_enabled = true
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
resource "google_dns_record_set" "catalog_reader" {
  managed_zone = google_dns_managed_zone.databases.name
  name         = "catalog-reader.${google_dns_managed_zone.databases.dns_name}"
  type         = "A"
  ttl          = 5
  rrdatas      = [for replica in google_sql_database_instance.catalog_replica : replica.private_ip_address]
}

locals {
  # Sizes are for one pooler, of which there is one for every four vCPUs. Times are in seconds.
  catalog_pool = {
    client_connection_idle_timeout = "900"
    max_client_connections         = "4000"
    max_pool_size                  = "40"
    max_prepared_statements        = "100"
    min_pool_size                  = "10"
    pool_mode                      = "transaction"
    query_wait_timeout             = "5"
    server_connection_idle_timeout = "300"
  }
}

# The pooler knows no tokens of IAM: its clients share a user with a password. It reaches Cloud SQL and Secret Manager
# through write-only arguments, but neither plan nor state.
variable "catalog_password" {
  description = "Password of the user behind the pool of catalog: set TF_VAR_catalog_password."
  type        = string
  ephemeral   = true
  sensitive   = true
  nullable    = false

  validation {
    condition     = length(var.catalog_password) >= 24
    error_message = "At least 24 characters, for nobody has to type them."
  }
}

variable "catalog_password_version" {
  description = "Raise it by one to give the user behind the pool of catalog a new password."
  type        = number
  default     = 1
  nullable    = false
}

resource "google_sql_user" "catalog_pool" {
  name                = "pool"
  instance            = google_sql_database_instance.catalog.name
  type                = "BUILT_IN"
  password_wo         = var.catalog_password
  password_wo_version = var.catalog_password_version
}

resource "google_secret_manager_secret" "catalog_pool" {
  secret_id = "everything-catalog-pool"

  replication {
    user_managed {
      replicas {
        location = "europe-west1"
      }
    }
  }
}

resource "google_secret_manager_secret_version" "catalog_pool" {
  secret                 = google_secret_manager_secret.catalog_pool.id
  secret_data_wo         = var.catalog_password
  secret_data_wo_version = var.catalog_password_version
}

resource "google_secret_manager_secret_iam_member" "catalog_pool" {
  for_each = {
    web      = google_service_account.web.member
    magazine = google_service_account.magazine.member
  }

  secret_id = google_secret_manager_secret.catalog_pool.id
  role      = "roles/secretmanager.secretAccessor"
  member    = each.value
}

locals {
  catalog_host        = google_sql_database_instance.catalog.private_ip_address
  catalog_reader_host = trimsuffix(google_dns_record_set.catalog_reader.name, ".")
}

# Each client logs in as its own account, with a token that IAM gives it for an hour.
resource "google_sql_user" "catalog" {
  for_each = {
    web      = google_service_account.web.email
    magazine = google_service_account.magazine.email
  }

  name           = trimsuffix(each.value, ".gserviceaccount.com")
  instance       = google_sql_database_instance.catalog.name
  type           = "CLOUD_IAM_SERVICE_ACCOUNT"
  database_roles = ["cloudsqlsuperuser"] # it makes its own tables
}
