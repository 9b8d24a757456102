# Valkey: a primary with copies or, with redis_cluster, several of them. Clients log in with IAM, over TLS.
template "cache_valkey" {
  for  = cache
  when = let.kind == "valkey"
  file = "cache_${cache.name}.tf"
}

resource "google_memorystore_instance" "this" {
  instance_id    = let.name
  location       = target.region
  mode           = let.mode
  engine_version = let.version
  node_type      = let.node
  shard_count    = cache.shards
  replica_count  = cache.replica_count

  # There is no password to keep or to change.
  authorization_mode          = "IAM_AUTH"
  transit_encryption_mode     = "SERVER_AUTHENTICATION"
  kms_key                     = target.kms_key
  deletion_protection_enabled = cache.deletion_protection

  # What gives way when the memory is full, and what is announced.
  engine_configs = let.settings

  desired_auto_created_endpoints {
    network    = local.network_id
    project_id = local.project
  }

  zone_distribution_config {
    mode = cache.zones > 1 ? "MULTI_ZONE" : "SINGLE_ZONE"
    zone = cache.zones > 1 ? null : let.all_zones[0]
  }

  # What is on disk when all nodes are gone.
  persistence_config {
    mode = { none = "DISABLED", snapshots = "RDB", log = "AOF" }[let.persistence]

    rdb_config {
      when = let.persistence == "snapshots"

      rdb_snapshot_period = let.pictures
    }

    aof_config {
      when = let.persistence == "log"

      append_fsync = "EVERY_SEC"
    }
  }

  automated_backup_config {
    when = let.backup_days > 0

    retention = "${let.backup_days * 86400}s"

    fixed_frequency_schedule {
      start_time {
        hours = cache.backup_hour
      }
    }
  }

  maintenance_policy {
    weekly_maintenance_window {
      day = upper(cache.maintenance_day)

      start_time {
        hours = cache.maintenance_hour
      }
    }
  }

  depends_on = (
    (target.network == null ? true : !target.network.memorystore) && target.kms_key != null ? [google_network_connectivity_service_connection_policy.valkey, google_kms_crypto_key_iam_member.caches] :
    (target.network == null ? true : !target.network.memorystore) ? [google_network_connectivity_service_connection_policy.valkey] :
    target.kms_key != null ? [google_kms_crypto_key_iam_member.caches] : null
  )
}

locals {
  # Addresses in our own network, by what answers there.
  this_addresses = flatten(google_memorystore_instance.this.endpoints[*].connections[*].psc_auto_connection)
}
