# What may throw copies out of Cloud CDN, and nothing else.
template "purging" {
  for  = blueprint
  when = anytrue([for s in blueprint.sites : s.cdn_distribution == null ? false : s.cdn_distribution.invalidate == "changed" && s.origin == null]) || anytrue([for s in blueprint.services : s.multi_layer_caching != null])
  file = "purging.tf"
}

# The name stays taken for weeks after the role is deleted.
resource "google_project_iam_custom_role" "purge" {
  role_id     = "${replace(let.prefix, "-", "_")}_purge"
  title       = "Throw copies out of Cloud CDN (${let.prefix})"
  permissions = ["compute.globalOperations.get", "compute.urlMaps.get", "compute.urlMaps.invalidateCache"]
}
