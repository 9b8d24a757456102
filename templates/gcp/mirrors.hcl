# Cloud Run takes images from Google's registries and from Docker Hub. From others they are fetched, and kept, by a
# repository of ours.
template "mirrors" {
  for  = blueprint
  when = anytrue([for c in blueprint.caches : c.in_memory_caching == null ? false : c.in_memory_caching.warm]) && length([for s in blueprint.services : s if s.runs_on == null && can(regex("^[^/]+[.:][^/]*/", s.image)) && !can(regex("^(?:[^/]+[.-])?(?:docker\\.pkg\\.dev|gcr\\.io|docker\\.io)/", s.image))]) > 0
  file = "caches.tf"
}

let {
  mirrored = distinct([
    for s in blueprint.services : split("/", s.image)[0]
    if s.runs_on == null && can(regex("^[^/]+[.:][^/]*/", s.image)) && !can(regex("^(?:[^/]+[.-])?(?:docker\\.pkg\\.dev|gcr\\.io|docker\\.io)/", s.image))
  ])
}

resource "google_artifact_registry_repository" "mirror" {
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
