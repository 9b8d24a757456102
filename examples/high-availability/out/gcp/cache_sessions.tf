# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_memorystore_instance" "sessions" {
  instance_id    = "shop-sessions"
  location       = "europe-west1"
  mode           = "CLUSTER_DISABLED"
  engine_version = "VALKEY_8_0"
  node_type      = "STANDARD_SMALL"
  shard_count    = 1
  replica_count  = 2

  # There is no password to keep or to change.
  authorization_mode          = "IAM_AUTH"
  transit_encryption_mode     = "SERVER_AUTHENTICATION"
  deletion_protection_enabled = true

  # What gives way when the memory is full, and what is announced.
  engine_configs = {
    "maxmemory-clients" = "10%"
    "maxmemory-policy"  = "volatile-lru"
  }

  desired_auto_created_endpoints {
    network    = local.network_id
    project_id = local.project
  }

  zone_distribution_config {
    mode = "MULTI_ZONE"
  }

  # What is on disk when all nodes are gone.
  persistence_config {
    mode = "AOF"

    aof_config {
      append_fsync = "EVERY_SEC"
    }
  }

  automated_backup_config {
    retention = "604800s"

    fixed_frequency_schedule {
      start_time {
        hours = 1
      }
    }
  }

  maintenance_policy {
    weekly_maintenance_window {
      day = "SUNDAY"

      start_time {
        hours = 3
      }
    }
  }

  depends_on = [google_network_connectivity_service_connection_policy.valkey]
}

locals {
  # Addresses in our own network, by what answers there.
  sessions_addresses = flatten(google_memorystore_instance.sessions.endpoints[*].connections[*].psc_auto_connection)
}

locals {
  sessions_host = one([for address in local.sessions_addresses : address.ip_address if address.connection_type == "CONNECTION_TYPE_PRIMARY"])
}

# Clients log in as their own account, with a token that IAM gives them for an hour.
resource "google_project_iam_member" "sessions_clients" {
  for_each = {
    web = google_service_account.web.member
  }

  project = local.project
  role    = "roles/memorystore.dbConnectionUser"
  member  = each.value

  condition {
    title      = "shop-sessions"
    expression = "resource.name == \"${google_memorystore_instance.sessions.name}\""
  }
}
