# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_cloud_run_v2_job" "api_warm" {
  name                = "in-memory-caching-api-warm"
  location            = "europe-west1"
  deletion_protection = false # it keeps nothing

  template {
    template {
      service_account = google_service_account.api.email
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
        image   = "${google_artifact_registry_repository.mirror["ghcr.io"].registry_uri}/acme/api:3.1.0"
        command = ["/opt/app/bin/cache-warm"]
        args    = ["--top", "5000", "--only-missing"]

        env {
          name  = "CATALOG_DATABASE"
          value = "catalog"
        }

        env {
          name  = "CATALOG_PORT"
          value = "5432"
        }

        env {
          name  = "PRODUCTS_PORT"
          value = "6379"
        }

        env {
          name  = "CATALOG_USER"
          value = trimsuffix(google_service_account.api.email, ".gserviceaccount.com")
        }

        env {
          name  = "CATALOG_HOST"
          value = local.catalog_host
        }

        env {
          name  = "PRODUCTS_HOST"
          value = local.products_host
        }
      }
    }
  }
}

resource "google_cloud_run_v2_job_iam_member" "api_warm" {
  name     = google_cloud_run_v2_job.api_warm.name
  location = google_cloud_run_v2_job.api_warm.location
  role     = "roles/run.invoker"
  member   = google_service_account.warming.member
}
