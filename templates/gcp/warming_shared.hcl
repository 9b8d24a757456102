# What all jobs that fill caches share.
template "warming_shared" {
  for  = blueprint
  when = anytrue([for s in blueprint.services : s.runs_on == null && (s.multi_layer_caching_detailed != null || anytrue([for c in s.caches : c.in_memory_caching == null ? false : c.in_memory_caching.warm]))])
  file = "caches.tf"
}

let {
  mirrored = distinct([
    for s in blueprint.services : split("/", s.image)[0]
    if s.runs_on == null && (s.multi_layer_caching_detailed != null || anytrue([for c in s.caches : c.in_memory_caching == null ? false : c.in_memory_caching.warm])) && can(regex("^[^/]+[.:][^/]*/", s.image)) && !can(regex("^(?:[^/]+[.-])?(?:docker\\.pkg\\.dev|gcr\\.io|docker\\.io)/", s.image))
  ])
}

# Starts the jobs, and may do nothing else.
resource "google_service_account" "warming" {
  when = anytrue([for c in blueprint.caches : c.in_memory_caching == null ? false : c.in_memory_caching.warm])

  account_id   = shortname("${let.prefix}-warming", 30)
  display_name = "Starts what fills the caches of ${let.prefix}"
}

# Cloud Run takes images from Google's registries and from Docker Hub. From others they are fetched, and kept, by a
# repository of ours.
resource "google_artifact_registry_repository" "mirror" {
  when     = length(let.mirrored) > 0
  for_each = toset(let.mirrored)

  location      = target.region
  repository_id = "${let.prefix}-${replace(each.key, "/[.:]/", "-")}"
  description   = "Fetches and keeps images of ${each.key}"
  format        = "DOCKER"
  mode          = "REMOTE_REPOSITORY"

  remote_repository_config {
    docker_repository {
      custom_repository {
        uri = "https://${each.key}"
      }
    }
  }
}
