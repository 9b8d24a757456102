# Changes are announced to all that keep copies: each client has a queue of its own.
template "cache_invalidation" {
  for  = cache
  when = let.announced
  file = "cache_${cache.name}.tf"
}

# What is older than an hour has long run out of time.
resource "google_pubsub_topic" "this" {
  name                       = "${let.name}-changes"
  message_retention_duration = "3600s"

  message_storage_policy {
    allowed_persistence_regions = [target.region]
  }
}

resource "google_pubsub_topic_iam_member" "this" {
  when     = length(let.clients) > 0
  for_each = { for client in let.clients : client => google_service_account[client].member }

  topic  = google_pubsub_topic.this.name
  role   = "roles/pubsub.publisher"
  member = each.value
}

# Changes of one key arrive in order.
resource "google_pubsub_subscription" "this" {
  when     = length(let.clients) > 0
  for_each = toset(let.clients)

  name                       = "${let.name}-${each.key}"
  topic                      = google_pubsub_topic.this.id
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

resource "google_pubsub_subscription_iam_member" "this" {
  when     = length(let.clients) > 0
  for_each = { for client in let.clients : client => google_service_account[client].member }

  subscription = google_pubsub_subscription.this[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = each.value
}

resource "google_monitoring_alert_policy" "this_changes" {
  when = length(let.clients) > 0

  display_name          = "${let.name}: changes wait"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.notification_channels

  conditions {
    display_name = "a change has waited for more than ${let.change_wait} s"

    condition_threshold {
      filter          = "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = starts_with(\"${let.name}-\") AND metric.type = \"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
      comparison      = "COMPARISON_GT"
      threshold_value = let.change_wait
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

let {
  layered     = [for s in cache.clients : s.multi_layer_caching if s.multi_layer_caching != null]
  change_wait = length(let.layered) > 0 ? min([for p in let.layered : p.max_invalidation]...) : 60
}
