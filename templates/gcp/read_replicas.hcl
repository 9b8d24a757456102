# Servers that only read: each with a name of its own and one name for all, or a pool of them behind one address.
template "read_replicas" {
  for  = database
  when = database.database_sharding == null
  file = "database_${database.name}.tf"

  covers = {
    lag         = [google_monitoring_alert_policy.this_lag.conditions.condition_threshold.threshold_value]
    splitting   = [let.read_pool ? google_sql_database_instance.this_readers.node_count : google_dns_record_set.this_reader.rrdatas, let.read_pool ? google_sql_database_instance.this_readers.instance_type : google_sql_database_instance.this_replica.master_instance_name]
    performance = [google_monitoring_alert_policy.this_reader.conditions.condition_threshold.filter, let.read_pool ? google_sql_database_instance.this_readers.settings.insights_config.query_insights_enabled : google_sql_database_instance.this_replica.settings.insights_config.query_insights_enabled]
    failover    = [google_sql_database_instance.this.settings.availability_type, google_sql_database_instance.this.settings.backup_configuration.enabled]
  }
  approximates = {
    staleness = {
      by  = [google_monitoring_alert_policy.this_lag.conditions.condition_threshold.threshold_value, database.read_replicas.max_staleness]
      why = "Somebody is told when a reader lags, but nothing on Google Cloud takes its queries away: a program that needs newer answers measures the lag itself or asks the writer."
    }
  }

  ignores = {
    read_own_writes = database.read_replicas.read_own_writes == "writer" ? null : "Nothing here waits for a reader: the program asks until one has what it wrote, or asks the writer."
  }

  # A regional server has ten replicas at most, and replicas beyond that hang on other replicas.
  check "replicas" {
    condition = let.read_pool || database.read_replicas.count + (let.far == "" ? 0 : 1) <= 10
    message   = "A server of Cloud SQL has at most ten replicas, not ${database.read_replicas.count + (let.far == "" ? 0 : 1)}."
    fix       = "Lower count, or set flavour = \"cluster\": its readers are a pool of up to 20."
    at        = database.read_replicas.count
    related   = [database.flavour]
  }
  check "other_region" {
    condition = let.far != target.region
    message   = "${target.region} is where ${database.name} is already."
    fix       = "Name another region in other_region."
    at        = database.read_replicas.other_region
    related   = [target.region]
  }
  check "key_of_other_region" {
    condition = let.far == "" || target.kms_key == null
    message   = "A copy in ${let.far} is encrypted with a key of that region, and the target names one of ${target.region}."
    fix       = "Leave other_region unset and make the copy beside this root, or leave kms_key unset."
    at        = database.read_replicas.other_region
    related   = [target.kms_key]
  }
}

let {
  # A pool needs two for a promise of availability.
  pool_min = database.read_replicas == null ? 0 : database.read_replicas.count
  pool_max = database.read_replicas == null ? 0 : database.read_replicas.most
}

# Each has the connections of its source, which it must not have fewer of.
resource "google_sql_database_instance" "this_replica" {
  when     = let.replicas
  for_each = toset(database.read_replicas.names)

  name                 = "${let.name}-replica-${each.key}"
  region               = target.region
  database_version     = google_sql_database_instance.this.database_version
  instance_type        = "READ_REPLICA_INSTANCE"
  master_instance_name = google_sql_database_instance.this.name

  encryption_key_name = target.kms_key
  deletion_protection = false # it can be made again from its source

  settings {
    tier              = let.tier
    edition           = let.edition
    availability_type = "ZONAL"

    disk_type             = let.disk
    disk_autoresize       = true # it has to hold what its source holds
    disk_autoresize_limit = database.max_storage > database.storage ? ceil(gib(database.max_storage)) : null

    # By its name, so that it stays in its zone when another goes.
    location_preference {
      zone = element(let.all_zones, tonumber(each.key))
    }

    dynamic "database_flags" {
      for_each = local.this_flags

      content {
        name  = database_flags.key
        value = database_flags.value
      }
    }

    # The same pooler as before the source, so that clients find it on the same port.
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
  }

  # Its disk grows by itself.
  lifecycle {
    ignore_changes = [settings[0].disk_size]
  }
}

# One name for all of them. Who asks gets all addresses and takes one.
resource "google_dns_record_set" "this_reader" {
  when = let.replicas

  managed_zone = google_dns_managed_zone.databases.name
  name         = "${database.name}-reader.${google_dns_managed_zone.databases.dns_name}"
  type         = "A"
  ttl          = ceil(database.read_replicas.name_ttl)
  rrdatas      = [for replica in google_sql_database_instance.this_replica : replica.private_ip_address]
}

# One address for all readers: the pool spreads connections over its servers.
resource "google_sql_database_instance" "this_readers" {
  when = let.read_pool

  name                 = "${let.name}-readers"
  region               = target.region
  database_version     = google_sql_database_instance.this.database_version
  instance_type        = "READ_POOL_INSTANCE"
  master_instance_name = google_sql_database_instance.this.name
  node_count           = let.pool_min

  encryption_key_name = target.kms_key
  deletion_protection = false # it can be made again from its source

  settings {
    tier    = let.tier
    edition = let.edition

    read_pool_auto_scale_config {
      when = database.read_replicas.grows

      enabled                    = true
      min_node_count             = let.pool_min
      max_node_count             = let.pool_max
      scale_out_cooldown_seconds = 60
      scale_in_cooldown_seconds  = 600

      target_metrics {
        metric       = "AVERAGE_CPU_UTILIZATION"
        target_value = database.read_replicas.target_cpu / 100
      }
    }

    dynamic "database_flags" {
      for_each = local.this_flags

      content {
        name  = database_flags.key
        value = database_flags.value
      }
    }

    # The same pooler as before the source, so that clients find it on the same port.
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

  # Disks grow by themselves, and the pool sets the number of its servers.
  lifecycle {
    ignore_changes = database.read_replicas.grows ? [settings[0].disk_size, node_count] : [settings[0].disk_size]
  }
}

# In another region: what takes over when this one is lost. It is promoted as it is, so it is as large as its source.
resource "google_sql_database_instance" "this_far" {
  when = let.far != ""

  name                 = "${let.name}-${let.far}"
  region               = let.far
  database_version     = google_sql_database_instance.this.database_version
  instance_type        = "READ_REPLICA_INSTANCE"
  master_instance_name = google_sql_database_instance.this.name
  deletion_protection  = database.deletion_protection

  settings {
    tier                        = let.tier
    edition                     = let.edition
    availability_type           = database.multi_zone ? "REGIONAL" : "ZONAL"
    deletion_protection_enabled = database.deletion_protection
    disk_type                   = let.disk
    disk_autoresize             = true

    dynamic "database_flags" {
      for_each = local.this_flags

      content {
        name  = database_flags.key
        value = database_flags.value
      }
    }

    # The same pooler as before the source, so that clients find it on the same port.
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

    ip_configuration {
      ipv4_enabled    = false
      private_network = local.network_id
      ssl_mode        = "ENCRYPTED_ONLY"
    }

    insights_config {
      query_insights_enabled = true
    }
  }

  # A switchover exchanges the roles of the two; Terraform must not turn it back.
  lifecycle {
    ignore_changes = [settings[0].disk_size, instance_type, master_instance_name, replication_cluster]
  }
}

# Cloud SQL takes the name of a copy that may take over only once both are there.
variable "this_far_linked" {
  when = let.far != ""

  description = "Whether the copy of ${database.name} in ${let.far} may take over. False for the first apply, true from then on."
  type        = bool
  default     = false
  nullable    = false
}

extend "google_sql_database_instance" "this" {
  dynamic "replication_cluster" {
    when     = let.far != ""
    for_each = var.this_far_linked ? ["${let.name}-${let.far}"] : []

    content {
      failover_dr_replica_name = replication_cluster.value
    }
  }
}
