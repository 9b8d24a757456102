# What fills caches before they are asked: a job with the image of the service. Each cache has a clock that starts it.
template "warming" {
  for  = service
  when = service.runs_on == null && (service.multi_layer_caching_detailed != null || anytrue([for c in service.caches : c.in_memory_caching == null ? false : c.in_memory_caching.warm]))
  file = "service_${service.name}_warm.tf"
}

let {
  warm_caches  = [for c in service.caches : c.in_memory_caching if c.in_memory_caching == null ? false : c.in_memory_caching.warm]
  warm_command = length(let.warm_caches) > 0 ? let.warm_caches[0].warm_command : service.multi_layer_caching_detailed.warm_command
  warm_keys    = length(let.warm_caches) > 0 ? let.warm_caches[0].warm_keys : 10000
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
        command = [let.warm_command]
        args    = ["--top", tostring(let.warm_keys), "--only-missing"]

        dynamic "env" {
          for_each = [for v in let.environment : v if v.name != "PORT"] # a job listens on none

          content {
            name  = env.value.name
            value = env.value.host == "" ? env.value.value : env.value.host == "account" ? trimsuffix(google_service_account.this.email, ".gserviceaccount.com") : local[env.value.host]
          }
        }

        dynamic "env" {
          for_each = let.secrets

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

resource "google_cloud_run_v2_job_iam_member" "this_warm" {
  when = length(let.warm_caches) > 0

  name     = google_cloud_run_v2_job.this_warm.name
  location = google_cloud_run_v2_job.this_warm.location
  role     = "roles/run.invoker"
  member   = google_service_account.warming.member
}
