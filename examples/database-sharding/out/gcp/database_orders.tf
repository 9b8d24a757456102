# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

locals {
  # The first and the last slot of each shard. Names are for ever; slots may move.
  orders_shards = {
    s00 = { from = 0, to = 255 }
    s01 = { from = 256, to = 511 }
    s02 = { from = 512, to = 767 }
    s03 = { from = 768, to = 1023 }
  }

  orders_flags = {
    "cloudsql.iam_authentication"       = "on"
    "cloudsql.logical_decoding"         = "on"
    idle_in_transaction_session_timeout = "60000"
    log_min_duration_statement          = "1000"
    max_connections                     = "3604"
    statement_timeout                   = "30000"
  }
}

resource "google_sql_database_instance" "orders_shard" {
  for_each = local.orders_shards

  name             = "database-sharding-orders-${each.key}" # for a week after it is deleted the name is taken
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
    user_labels                 = { shard = each.key }
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

    # At the same hour for all, so that they can be put back to one moment.
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

resource "google_sql_database" "orders_shard" {
  for_each = local.orders_shards

  name            = "orders"
  instance        = google_sql_database_instance.orders_shard[each.key].name
  deletion_policy = "ABANDON"
}

# Each client logs in to each shard as its own account, with a token that IAM gives it for an hour.
resource "google_sql_user" "orders_shard" {
  for_each = {
    for pair in setproduct(keys(local.orders_shards), keys(local.orders_client_emails)) : join("-", pair) => { shard = pair[0], client = pair[1] }
  }

  name           = trimsuffix(local.orders_client_emails[each.value.client], ".gserviceaccount.com")
  instance       = google_sql_database_instance.orders_shard[each.value.shard].name
  type           = "CLOUD_IAM_SERVICE_ACCOUNT"
  database_roles = ["cloudsqlsuperuser"] # it makes its own tables
}

locals {
  orders_client_emails = {
    intake = google_service_account.intake.email
  }
}

# A name for each shard, which stays when a shard is put back from a backup and has another address.
resource "google_dns_record_set" "orders_shard" {
  for_each = local.orders_shards

  managed_zone = google_dns_managed_zone.databases.name
  name         = "${each.key}.orders.${google_dns_managed_zone.databases.dns_name}"
  type         = "A"
  ttl          = 5
  rrdatas      = [google_sql_database_instance.orders_shard[each.key].private_ip_address]
}

# The map. Programs read its newest version when they start and now and then.
resource "google_parameter_manager_parameter" "orders" {
  parameter_id = "database-sharding-orders-shards"
  format       = "JSON"
}

# A version cannot be changed: it is named after what is in it, and the next one is there before it goes.
resource "google_parameter_manager_parameter_version" "orders" {
  parameter            = google_parameter_manager_parameter.orders.id
  parameter_version_id = "v-fff03526"
  parameter_data = jsonencode({
    key              = "customer_id"
    key_type         = "bigint"
    slots            = 1024
    tables           = ["orders", "order_lines", "payments"]
    reference_tables = ["countries", "currencies"]
    cross_shard      = "refuse"
    shards = { for name, slots in local.orders_shards : name => {
      from = slots.from
      to   = slots.to
      host = trimsuffix(google_dns_record_set.orders_shard[name].name, ".")
    } }
  })

  lifecycle {
    create_before_destroy = true
  }
}

locals {
  # A shard's name and a dot in front of it make a host.
  orders_host      = "orders.${trimsuffix(google_dns_managed_zone.databases.dns_name, ".")}"
  orders_shard_map = google_parameter_manager_parameter.orders.id
}
