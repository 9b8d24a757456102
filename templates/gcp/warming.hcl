# What fills caches before they are asked: a job with the image of the service, started by a clock.
template "warming" {
  for  = service
  when = service.runs_on == null && anytrue([for c in service.caches : c.in_memory_caching == null ? false : c.in_memory_caching.warm])
  file = "service_${service.name}_warm.tf"
}

let {
  warm_of = [for c in service.caches : c.in_memory_caching if c.in_memory_caching == null ? false : c.in_memory_caching.warm][0]
  # Cloud Run takes images from Google's registries and from Docker Hub. Others are fetched through a repository of ours.
  image_path   = split("/", service.image)
  image_host   = length(let.image_path) > 1 && can(regex("[.:]", let.image_path[0])) ? let.image_path[0] : "docker.io"
  image_direct = let.image_host == "docker.io" || can(regex("(?:^|[.-])(?:docker\\.pkg\\.dev|gcr\\.io)$", let.image_host))
}

resource "google_cloud_run_v2_job" "this_warm" {
  name                = "${let.name}-warm"
  location            = target.region
  deletion_protection = false # it keeps nothing

  template {
    template {
      service_account = google_service_account.this.email
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
        image   = let.image_direct ? service.image : "${google_artifact_registry_repository.mirror[let.image_host].registry_uri}/${trimprefix(service.image, "${let.image_host}/")}"
        command = [let.warm_of.warm_command]
        args    = ["--top", tostring(let.warm_of.warm_keys), "--only-missing"]

        dynamic "env" {
          for_each = let.environment

          content {
            name  = env.value.name
            value = env.value.host == "" ? env.value.value : local[env.value.host]
          }
        }

        dynamic "env" {
          for_each = service.secrets

          content {
            name = env.key

            value_source {
              secret_key_ref {
                secret  = env.value
                version = "latest"
              }
            }
          }
        }
      }
    }
  }
}

resource "google_service_account" "this_warm" {
  account_id   = shortname("${let.prefix}-${service.name}-warm", 30)
  display_name = "Starts what fills the caches of ${service.name}"
}

resource "google_cloud_run_v2_job_iam_member" "this_warm" {
  name     = google_cloud_run_v2_job.this_warm.name
  location = google_cloud_run_v2_job.this_warm.location
  role     = "roles/run.invoker"
  member   = google_service_account.this_warm.member
}

resource "google_cloud_scheduler_job" "this_warm" {
  name             = "${let.name}-warm"
  region           = target.region
  description      = "Keeps the hottest values of ${service.name} where they are asked for"
  schedule         = "every ${ceil(let.warm_of.warm_every / 60)} minutes"
  time_zone        = "Etc/UTC"
  attempt_deadline = "60s"

  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/${google_cloud_run_v2_job.this_warm.id}:run"

    oauth_token {
      service_account_email = google_service_account.this_warm.email
    }
  }
}
