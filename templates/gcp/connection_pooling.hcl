# A pooler between the services and the database: Cloud SQL's own, or instances of PgBouncer.
template "connection_pooling" {
  for  = database
  when = database.database_sharding == null
  file = "database_${database.name}.tf"

  covers = {
    pool_size       = [let.pooled == "managed" ? google_sql_database_instance.this.settings.connection_pool_config.flags : google_compute_region_instance_template.this_pooler.metadata, database.connection_pooling.size]
    idle_timeout    = [let.pooled == "managed" ? google_sql_database_instance.this.settings.connection_pool_config.flags : google_compute_region_instance_template.this_pooler.metadata, google_sql_database_instance.this.settings.database_flags]
    utilisation     = [google_monitoring_alert_policy.this_pool.conditions.condition_threshold.filter, google_sql_database_instance.this.settings.insights_config.query_insights_enabled]
    max_connections = [google_sql_database_instance.this.settings.database_flags, google_sql_database_instance.this.settings.tier]
  }
  approximates = {
    validation = {
      by  = [let.pooled == "managed" ? google_sql_database_instance.this.settings.connection_pool_config.flags : database.connection_pooling.check_query]
      why = database.engine == "mysql" ? "MySQL's pooler lends threads of the server itself, which cannot break on the way." : "Cloud SQL's pooler runs no query before it lends a connection: unused ones are closed early and dead ends are noticed by TCP."
    }
  }

  # MySQL's pooler is a part of the server: clients' connections are the server's, threads are what is lent.
  check "clients_of_mysql" {
    condition = database.engine == "postgres" || database.connection_pooling.max_clients + database.reserved_connections <= 100000
    message   = "A server of Cloud SQL for MySQL takes 100000 connections, and ${database.connection_pooling.max_clients} clients and ${database.reserved_connections} more are wanted."
    fix       = "Lower max_clients."
    at        = database.connection_pooling.max_clients
    related   = [database.reserved_connections]
  }
}

let {
  pool = database.pooler
  # Cloud SQL runs one pooler for every four vCPUs, and each keeps a pool of its own (Cloud SQL documentation, "Managed
  # Connection Pooling overview"): together they have size.
  vcpus     = length([for row in table.sql_tiers : row if row.tier == let.tier]) > 0 ? [for row in table.sql_tiers : row.vcpu if row.tier == let.tier][0] : max(2, database.cpu)
  poolers   = max(1, floor(let.vcpus / 4))
  pool_size = let.pooled != "managed" ? 0 : max(1, floor(let.pool.size / let.poolers))
  pool_flags = let.pooled != "managed" ? {} : database.engine == "mysql" ? { max_pool_size = tostring(let.pool.size) } : {
    pool_mode                      = let.pool.mode
    max_pool_size                  = tostring(let.pool_size)
    min_pool_size                  = tostring(min(let.pool_size, floor(let.pool.min_size / let.poolers)))
    max_client_connections         = tostring(let.pool.max_clients)
    client_connection_idle_timeout = tostring(ceil(let.pool.client_idle))
    server_connection_idle_timeout = tostring(ceil(let.pool.server_idle))
    query_wait_timeout             = tostring(max(1, ceil(let.pool.wait_timeout)))
    max_prepared_statements        = tostring(let.pool.mode == "session" ? 0 : let.pool.prepared_statements)
  }
}

locals {
  when = let.pooled == "managed" && database.engine == "postgres"

  # Sizes are for one pooler, of which there is one for every four vCPUs. Times are in seconds.
  this_pool = let.pool_flags
}

locals {
  when = let.pooled == "managed" && database.engine == "mysql"

  # How many statements are worked on at once.
  this_pool = let.pool_flags
}

# The pooler knows no tokens of IAM: its clients share a user with a password. It reaches Cloud SQL and Secret Manager
# through write-only arguments, but neither plan nor state.
variable "this_password" {
  when = let.pool_user

  description = "Password of the user behind the pool of ${database.name}: set TF_VAR_${replace(database.name, "-", "_")}_password."
  type        = string
  ephemeral   = true
  sensitive   = true
  nullable    = false

  validation {
    condition     = length(var.this_password) >= 24
    error_message = "At least 24 characters, for nobody has to type them."
  }
}

variable "this_password_version" {
  when = let.pool_user

  description = "Raise it by one to give the user behind the pool of ${database.name} a new password."
  type        = number
  default     = 1
  nullable    = false
}

resource "google_sql_user" "this_pool" {
  when = let.pool_user

  name                = "pool"
  instance            = google_sql_database_instance.this.name
  type                = "BUILT_IN"
  password_wo         = var.this_password
  password_wo_version = var.this_password_version
}

resource "google_secret_manager_secret" "this_pool" {
  when = let.pool_user

  secret_id = "${let.name}-pool"

  replication {
    user_managed {
      replicas {
        location = target.region

        customer_managed_encryption {
          when = target.kms_key != null

          kms_key_name = target.kms_key
        }
      }
    }
  }

  depends_on = target.kms_key != null ? [google_kms_crypto_key_iam_member.secrets] : null
}

# Secret Manager encrypts with the key as an account of its own, which it makes for the project.
resource "google_kms_crypto_key_iam_member" "secrets" {
  when = let.pool_user && target.kms_key != null

  crypto_key_id = target.kms_key
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = "serviceAccount:service-${local.project_number}@gcp-sa-secretmanager.iam.gserviceaccount.com"
}

resource "google_secret_manager_secret_version" "this_pool" {
  when = let.pool_user

  secret                 = google_secret_manager_secret.this_pool.id
  secret_data_wo         = var.this_password
  secret_data_wo_version = var.this_password_version
}

resource "google_secret_manager_secret_iam_member" "this_pool" {
  when     = let.pool_user && length(let.clients) > 0
  for_each = { for client in let.clients : client => google_service_account[client].member }

  secret_id = google_secret_manager_secret.this_pool.id
  role      = "roles/secretmanager.secretAccessor"
  member    = each.value
}
