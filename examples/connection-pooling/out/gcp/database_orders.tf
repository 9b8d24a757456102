# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_sql_database_instance" "orders" {
  name             = "connection-pooling-orders" # for a week after it is deleted the name is taken
  region           = "europe-west1"
  database_version = "POSTGRES_17"
  instance_type    = "CLOUD_SQL_INSTANCE"

  enforce_new_sql_network_architecture = true # the pooler needs it

  # Terraform refuses to delete it, and so does Google.
  deletion_protection = true

  settings {
    tier                        = "db-perf-optimized-N-2"
    edition                     = "ENTERPRISE_PLUS"
    availability_type           = "REGIONAL"
    deletion_protection_enabled = true
    user_labels                 = { database = "orders" }
    retain_backups_on_delete    = true

    disk_type             = "PD_SSD"
    disk_size             = 200
    disk_autoresize       = true
    disk_autoresize_limit = 1000

    # The number of connections does not follow the tier, for the pools of all services are sized by it. Times are in
    # milliseconds: nobody waits for a statement that runs longer, and a transaction that does nothing holds its locks.
    dynamic "database_flags" {
      for_each = local.orders_flags

      content {
        name  = database_flags.key
        value = database_flags.value
      }
    }

    connection_pool_config {
      connection_pooling_enabled = true

      dynamic "flags" {
        for_each = local.orders_pool

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
  orders_flags = {
    "cloudsql.iam_authentication"       = "on"
    idle_in_transaction_session_timeout = "60000"
    log_min_duration_statement          = "1000"
    max_connections                     = "1802"
    statement_timeout                   = "30000"
    tcp_keepalives_count                = "3"
    tcp_keepalives_idle                 = "60"
    tcp_keepalives_interval             = "10"
  }
}

resource "google_sql_database" "orders" {
  name            = "orders"
  instance        = google_sql_database_instance.orders.name
  deletion_policy = "ABANDON"
}

locals {
  # Sizes are for one pooler, of which there is one for every four vCPUs. Times are in seconds.
  orders_pool = {
    client_connection_idle_timeout = "900"
    max_client_connections         = "5000"
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
variable "orders_password" {
  description = "Password of the user behind the pool of orders: set TF_VAR_orders_password."
  type        = string
  ephemeral   = true
  sensitive   = true
  nullable    = false

  validation {
    condition     = length(var.orders_password) >= 24
    error_message = "At least 24 characters, for nobody has to type them."
  }
}

variable "orders_password_version" {
  description = "Raise it by one to give the user behind the pool of orders a new password."
  type        = number
  default     = 1
  nullable    = false
}

resource "google_sql_user" "orders_pool" {
  name                = "pool"
  instance            = google_sql_database_instance.orders.name
  type                = "BUILT_IN"
  password_wo         = var.orders_password
  password_wo_version = var.orders_password_version
}

resource "google_secret_manager_secret" "orders_pool" {
  secret_id = "connection-pooling-orders-pool"

  replication {
    user_managed {
      replicas {
        location = "europe-west1"
      }
    }
  }
}

resource "google_secret_manager_secret_version" "orders_pool" {
  secret                 = google_secret_manager_secret.orders_pool.id
  secret_data_wo         = var.orders_password
  secret_data_wo_version = var.orders_password_version
}

resource "google_secret_manager_secret_iam_member" "orders_pool" {
  for_each = {
    fulfilment = google_service_account.fulfilment.member
  }

  secret_id = google_secret_manager_secret.orders_pool.id
  role      = "roles/secretmanager.secretAccessor"
  member    = each.value
}

locals {
  orders_host = google_sql_database_instance.orders.private_ip_address
}

# Each client logs in as its own account, with a token that IAM gives it for an hour.
resource "google_sql_user" "orders" {
  for_each = {
    fulfilment = google_service_account.fulfilment.email
  }

  name           = trimsuffix(each.value, ".gserviceaccount.com")
  instance       = google_sql_database_instance.orders.name
  type           = "CLOUD_IAM_SERVICE_ACCOUNT"
  database_roles = ["cloudsqlsuperuser"] # it makes its own tables
}
