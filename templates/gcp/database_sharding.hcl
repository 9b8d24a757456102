# A database in shards: equal servers, each with a range of slots, and a map that says which.
template "database_sharding" {
  for  = database
  when = !let.spanner
  file = "database_${database.name}.tf"

  covers = {
    hot_spots   = [google_monitoring_alert_policy.this_hot.conditions.condition_prometheus_query_language.query, google_monitoring_alert_policy.this_shard.conditions.condition_threshold.filter]
    routing     = [google_parameter_manager_parameter_version.this.parameter_data, google_dns_record_set.this_shard.rrdatas]
    rebalancing = [google_sql_database_instance.this_shard.settings.database_flags, database.database_sharding.slots]
  }
  approximates = {
    key = {
      by  = [google_parameter_manager_parameter_version.this.parameter_data, database.database_sharding.key]
      why = "The key is named and written into the map; hashing it is the program's part."
    }
    joins = {
      by  = [google_parameter_manager_parameter_version.this.parameter_data, database.database_sharding.reference_tables]
      why = "Which tables are spread and which are copied is in the map; keeping queries to one shard is the program's part."
    }
  }

  check "router" {
    condition = database.database_sharding.router == "application"
    message   = "No managed proxy of Google Cloud knows the shards of ${database.name}."
    fix       = "Set router = \"application\"; the program reads the map. Or set by = \"managed\": Spanner routes by itself."
    at        = database.database_sharding.router
  }
  check "moves" {
    condition = length(database.database_sharding.move) == 0 || (length(database.database_sharding.tables) > 0 && database.engine == "postgres" && tonumber(database.version) >= 15)
    message   = "Rows are chosen by their slot when they are copied from shard to shard, which PostgreSQL 15 and later can do, and ${database.name} is ${database.engine} ${database.version} with ${length(database.database_sharding.tables) == 0 ? "no tables named" : "tables named"}."
    fix       = "Name the tables, use PostgreSQL 15 or later, or move the slots with a program of your own and leave out the move."
    at        = database.database_sharding.move
    related   = [database.version]
  }
}

let {
  sharding = database.database_sharding
  routes = let.sharding == null ? null : {
    key              = let.sharding.key
    key_type         = let.sharding.key_type
    slots            = let.sharding.slots
    tables           = let.sharding.tables
    reference_tables = let.sharding.reference_tables
    cross_shard      = let.sharding.cross_shard
    shards           = let.sharding.ring
  }
  moved_tables = let.sharding == null ? [] : let.sharding.tables
  move_steps = let.sharding == null ? [] : [
    for m in let.sharding.move : join("\n", [
      "-- ${m.name}: slots ${m.from} to ${m.to}, on ${m.from_shard}:",
      "CREATE PUBLICATION ${replace(m.name, "-", "_")} FOR TABLE ${join(", ", [for t in let.moved_tables : "${t} WHERE (slot BETWEEN ${m.from} AND ${m.to})"])};",
      "-- Then on ${m.to_shard}:",
      "\\set connection 'host=${m.from_shard}.${database.name}.db.${let.prefix}.internal dbname=${database.database_name} user=replicator sslmode=require password=' :password",
      "CREATE SUBSCRIPTION ${replace(m.name, "-", "_")} CONNECTION :'connection' PUBLICATION ${replace(m.name, "-", "_")};",
      "-- Once it has caught up: change the shards' ranges in the blueprint, wait until programs have the new map, then",
      "DROP SUBSCRIPTION ${replace(m.name, "-", "_")};",
      "-- and on ${m.from_shard}: DROP PUBLICATION ${replace(m.name, "-", "_")}; DELETE FROM … WHERE slot BETWEEN ${m.from} AND ${m.to};",
    ])
  ]
  move_text = join("\n\n", let.move_steps)
}

locals {
  # The first and the last slot of each shard. Names are for ever; slots may move.
  this_shards = { for shard in database.database_sharding.ring : shard.name => { from = shard.from, to = shard.to } }

  this_flags = let.flags
}

resource "google_sql_database_instance" "this_shard" {
  for_each = local.this_shards

  name             = "${let.name}-${each.key}" # for a week after it is deleted the name is taken
  region           = target.region
  database_version = let.version
  instance_type    = "CLOUD_SQL_INSTANCE"

  encryption_key_name = target.kms_key

  # Terraform refuses to delete it, and so does Google.
  deletion_protection = database.deletion_protection

  settings {
    tier                        = let.tier
    edition                     = let.edition
    availability_type           = database.multi_zone ? "REGIONAL" : "ZONAL"
    deletion_protection_enabled = database.deletion_protection
    user_labels                 = { shard = each.key }
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

    # At the same hour for all, so that they can be put back to one moment.
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

resource "google_sql_database" "this_shard" {
  for_each = local.this_shards

  name            = database.database_name
  instance        = google_sql_database_instance.this_shard[each.key].name
  deletion_policy = database.deletion_protection ? "ABANDON" : null
}

# Each client logs in to each shard as its own account, with a token that IAM gives it for an hour.
resource "google_sql_user" "this_shard" {
  when = length(let.clients) > 0
  for_each = {
    for pair in setproduct(keys(local.this_shards), keys(local.this_client_emails)) : join("-", pair) => { shard = pair[0], client = pair[1] }
  }

  name           = database.engine == "postgres" ? trimsuffix(local.this_client_emails[each.value.client], ".gserviceaccount.com") : local.this_client_emails[each.value.client]
  instance       = google_sql_database_instance.this_shard[each.value.shard].name
  type           = "CLOUD_IAM_SERVICE_ACCOUNT"
  database_roles = ["cloudsqlsuperuser"] # it makes its own tables
}

locals {
  when = length(let.clients) > 0

  this_client_emails = { for client in let.clients : client => google_service_account[client].email }
}

# A name for each shard, which stays when a shard is put back from a backup and has another address.
resource "google_dns_record_set" "this_shard" {
  for_each = local.this_shards

  managed_zone = google_dns_managed_zone.databases.name
  name         = "${each.key}.${database.name}.${google_dns_managed_zone.databases.dns_name}"
  type         = "A"
  ttl          = 5
  rrdatas      = [google_sql_database_instance.this_shard[each.key].private_ip_address]
}

# The map. Programs read its newest version when they start and now and then.
resource "google_parameter_manager_parameter" "this" {
  parameter_id = "${let.name}-shards"
  format       = "JSON"
}

# A version cannot be changed: it is named after what is in it, and the next one is there before it goes.
resource "google_parameter_manager_parameter_version" "this" {
  parameter            = google_parameter_manager_parameter.this.id
  parameter_version_id = "v-${hash(jsonencode(let.routes), 8)}"
  parameter_data = jsonencode({
    key              = database.database_sharding.key
    key_type         = database.database_sharding.key_type
    slots            = database.database_sharding.slots
    tables           = database.database_sharding.tables
    reference_tables = database.database_sharding.reference_tables
    cross_shard      = database.database_sharding.cross_shard
    shards = { for name, slots in local.this_shards : name => {
      from = slots.from
      to   = slots.to
      host = trimsuffix(google_dns_record_set.this_shard[name].name, ".")
    } }
  })

  lifecycle {
    create_before_destroy = true
  }
}

locals {
  # A shard's name and a dot in front of it make a host.
  this_host      = "${database.name}.${trimsuffix(google_dns_managed_zone.databases.dns_name, ".")}"
  this_shard_map = google_parameter_manager_parameter.this.id
}

# Slots on their way from one shard to another.
file "moves_this/moves.sql" {
  when    = length(database.database_sharding.move) > 0
  path    = "moves/${database.name}.sql"
  format  = "text"
  content = <<-EOT
    -- Moves slots between the shards of ${database.name} while everything runs. Every table keeps the slot of its key in a
    -- column named slot, and it is part of what identifies a row (REPLICA IDENTITY).
    -- Run each part on its shard with psql, with -v password=… of a user that may replicate.
    ${let.move_text}
  EOT
}
