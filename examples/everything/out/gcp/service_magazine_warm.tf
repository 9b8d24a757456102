# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_cloud_run_v2_job" "magazine_warm" {
  name                = "everything-magazine-warm"
  location            = "europe-west1"
  deletion_protection = false # it keeps nothing

  template {
    template {
      service_account = google_service_account.magazine.email
      max_retries     = 1
      timeout         = "900s"

      vpc_access {
        egress = "PRIVATE_RANGES_ONLY"

        network_interfaces {
          network    = local.network_id
          subnetwork = local.subnetwork_id
        }
      }

      containers {
        image   = "${google_artifact_registry_repository.mirror["ghcr.io"].registry_uri}/acme/magazine:1.4.2"
        command = ["/opt/app/bin/cache-warm"]
        args    = ["--top", "10000", "--only-missing"]

        env {
          name  = "CATALOG_DATABASE"
          value = "catalog"
        }

        env {
          name  = "CATALOG_PORT"
          value = "6432"
        }

        env {
          name  = "CATALOG_USER"
          value = "pool"
        }

        env {
          name  = "PRODUCTS_PORT"
          value = "6379"
        }

        env {
          name  = "CATALOG_HOST"
          value = local.catalog_host
        }

        env {
          name  = "PRODUCTS_HOST"
          value = local.products_host
        }

        env {
          name  = "CATALOG_READER_HOST"
          value = local.catalog_reader_host
        }

        env {
          name = "CATALOG_PASSWORD"

          value_source {
            secret_key_ref {
              secret  = "everything-catalog-pool"
              version = "latest"
            }
          }
        }
      }
    }
  }
}

resource "google_cloud_run_v2_job_iam_member" "magazine_warm" {
  name     = google_cloud_run_v2_job.magazine_warm.name
  location = google_cloud_run_v2_job.magazine_warm.location
  role     = "roles/run.invoker"
  member   = google_service_account.warming.member
}

# An edge that has gone cold says so here.
resource "google_pubsub_topic" "magazine_cold" {
  name = "everything-magazine-cold"
}

resource "google_monitoring_notification_channel" "magazine_cold" {
  display_name = "Warming of everything-magazine"
  type         = "pubsub"
  labels       = { topic = google_pubsub_topic.magazine_cold.id }
}

resource "google_pubsub_topic_iam_member" "magazine_cold" {
  topic  = google_pubsub_topic.magazine_cold.name
  role   = "roles/pubsub.publisher"
  member = "serviceAccount:service-${local.project_number}@gcp-sa-monitoring-notification.iam.gserviceaccount.com"

  # Google makes the account when there is a channel for it.
  depends_on = [google_monitoring_notification_channel.magazine_cold]
}

# Starts the job that fills the cache, waits for it, then fetches what is asked for most through the edge.
resource "google_service_account" "magazine_cold" {
  account_id   = "everything-magazine-cold"
  display_name = "Warms the layers of magazine"
}

resource "google_project_iam_member" "magazine_cold" {
  for_each = toset(["roles/eventarc.eventReceiver", "roles/logging.logWriter", "roles/run.viewer", "roles/workflows.invoker"])

  project = local.project
  role    = each.value
  member  = google_service_account.magazine_cold.member
}

resource "google_cloud_run_v2_job_iam_member" "magazine_cold" {
  name     = google_cloud_run_v2_job.magazine_warm.name
  location = google_cloud_run_v2_job.magazine_warm.location
  role     = "roles/run.invoker"
  member   = google_service_account.magazine_cold.member
}

resource "google_workflows_workflow" "magazine_warm" {
  name                = "everything-magazine-warm"
  region              = "europe-west1"
  description         = "Warms the layers of magazine, from the inside to the outside"
  service_account     = google_service_account.magazine_cold.id
  deletion_protection = false # it keeps nothing
  source_contents     = file("${path.module}/edge/warm.yaml")

  user_env_vars = {
    JOB   = google_cloud_run_v2_job.magazine_warm.id
    EDGE  = "https://www.example.com"
    PATHS = "[\"/\",\"/stories\"]"
    PAUSE = "0.007"
  }
}

resource "google_eventarc_trigger" "magazine_warm" {
  name            = "everything-magazine-warm"
  location        = "europe-west1"
  service_account = google_service_account.magazine_cold.email

  matching_criteria {
    attribute = "type"
    value     = "google.cloud.pubsub.topic.v1.messagePublished"
  }

  transport {
    pubsub {
      topic = google_pubsub_topic.magazine_cold.id
    }
  }

  destination {
    workflow = google_workflows_workflow.magazine_warm.id
  }

  depends_on = [google_project_iam_member.magazine_cold]
}
