# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

# The name stays taken for weeks after the role is deleted.
resource "google_project_iam_custom_role" "purge" {
  role_id     = "caching_in_depth_purge"
  title       = "Throw copies out of Cloud CDN (caching-in-depth)"
  permissions = ["compute.globalOperations.get", "compute.urlMaps.get", "compute.urlMaps.invalidateCache"]
}
