# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_memorystore_instance" "products" {
  instance_id    = "multi-layer-caching-products"
  location       = "europe-west1"
  mode           = "CLUSTER_DISABLED"
  engine_version = "VALKEY_8_0"
  node_type      = "HIGHMEM_MEDIUM"
  shard_count    = 1
  replica_count  = 2

  # There is no password to keep or to change.
  authorization_mode          = "IAM_AUTH"
  transit_encryption_mode     = "SERVER_AUTHENTICATION"
  deletion_protection_enabled = false

  # What gives way when the memory is full, and what is announced.
  engine_configs = {
    "maxmemory-clients"      = "10%"
    "maxmemory-policy"       = "allkeys-lru"
    "notify-keyspace-events" = "Exe"
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
    mode = "DISABLED"
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
  products_addresses = flatten(google_memorystore_instance.products.endpoints[*].connections[*].psc_auto_connection)
}

locals {
  products_host = one([for address in local.products_addresses : address.ip_address if address.connection_type == "CONNECTION_TYPE_PRIMARY"])
}

# Clients log in as their own account, with a token that IAM gives them for an hour.
resource "google_project_iam_member" "products_clients" {
  for_each = {
    web = google_service_account.web.member
  }

  project = local.project
  role    = "roles/memorystore.dbConnectionUser"
  member  = each.value

  condition {
    title      = "multi-layer-caching-products"
    expression = "resource.name == \"${google_memorystore_instance.products.name}\""
  }
}

# Memorystore knows no lifetime for all keys: programs read these and set it with every key.
resource "google_parameter_manager_parameter" "products" {
  parameter_id = "multi-layer-caching-products-settings"
  format       = "JSON"
}

# A version cannot be changed: it is named after what is in it, and the next one is there before it goes.
resource "google_parameter_manager_parameter_version" "products" {
  parameter            = google_parameter_manager_parameter.products.id
  parameter_version_id = "v-7b782ed9"
  parameter_data = jsonencode({
    ttl_seconds          = 900
    negative_ttl_seconds = 30
    jitter_percent       = 10
    timeout_seconds      = 0.05
    coalesce             = true
    max_misses_at_once   = 120
  })

  lifecycle {
    create_before_destroy = true
  }
}

# The jobs have the images of the clients; each reads what its program asks for most.
resource "google_cloud_scheduler_job" "products_warm" {
  for_each = {
    web = google_cloud_run_v2_job.web_warm.id
  }

  name             = "multi-layer-caching-products-warm-${each.key}"
  region           = "europe-west1"
  description      = "Keeps the hottest values of products where they are asked for"
  schedule         = "every 60 minutes"
  time_zone        = "Etc/UTC"
  attempt_deadline = "60s"

  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/${each.value}:run"

    oauth_token {
      service_account_email = google_service_account.warming.email
    }
  }
}

# What is older than an hour has long run out of time.
resource "google_pubsub_topic" "products" {
  name                       = "multi-layer-caching-products-changes"
  message_retention_duration = "3600s"

  message_storage_policy {
    allowed_persistence_regions = ["europe-west1"]
  }
}

resource "google_pubsub_topic_iam_member" "products" {
  for_each = {
    web = google_service_account.web.member
  }

  topic  = google_pubsub_topic.products.name
  role   = "roles/pubsub.publisher"
  member = each.value
}

# Changes of one key arrive in order.
resource "google_pubsub_subscription" "products" {
  for_each = toset(["web"])

  name                       = "multi-layer-caching-products-${each.key}"
  topic                      = google_pubsub_topic.products.id
  ack_deadline_seconds       = 10
  message_retention_duration = "3600s"
  enable_message_ordering    = true

  expiration_policy {
    ttl = "" # never
  }

  retry_policy {
    minimum_backoff = "1s"
    maximum_backoff = "60s"
  }
}

resource "google_pubsub_subscription_iam_member" "products" {
  for_each = {
    web = google_service_account.web.member
  }

  subscription = google_pubsub_subscription.products[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = each.value
}

resource "google_monitoring_alert_policy" "products_changes" {
  display_name          = "multi-layer-caching-products: changes wait"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "a change has waited for more than 10 s"

    condition_threshold {
      filter          = "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = starts_with(\"multi-layer-caching-products-\") AND metric.type = \"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
      comparison      = "COMPARISON_GT"
      threshold_value = 10
      duration        = "120s"

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_MAX"
        cross_series_reducer = "REDUCE_MAX"
        group_by_fields      = ["resource.label.subscription_id"]
      }
    }
  }

  documentation {
    content = "A client does not hear of changes, so it goes on with old copies."
  }
}
