# Every service has an account of its own: what it may do, and who may call it, hangs on that.
template "identity" {
  for  = service
  file = "service_${service.name}.tf"

  check "secret_names" {
    condition = alltrue([for name in values(service.secrets) : can(regex("^[A-Za-z0-9_-]+$", name))])
    message   = "Secret Manager's names have letters, digits, hyphens and underscores only, unlike: ${join(", ", [for name in values(service.secrets) : name if !can(regex("^[A-Za-z0-9_-]+$", name))])}."
    fix       = "Name the secret so, or name another one for this target: gcp { secrets = { … } }."
    at        = service.secrets
  }
  check "names" {
    condition = length(let.taken) == 0
    message   = "What belongs to ${service.name} gets names like ${service.name}-blue, which are these services' as well: ${join(", ", let.taken)}."
    fix       = "Rename one of them."
    at        = service.name
  }
}

let {
  taken = [for s in let.suffixed : s.name if s.stem == service.name]
  name  = shortname("${let.prefix}-${service.name}", 43)
  # 6 to 30 characters.
  account = length("${let.prefix}-${service.name}") < 6 ? "${let.prefix}-${service.name}-service" : shortname("${let.prefix}-${service.name}", 30)
}

resource "google_service_account" "this" {
  account_id   = let.account
  display_name = "${service.name} of ${let.prefix}"
}

# A secret can be read only by those that name it.
resource "google_secret_manager_secret_iam_member" "this" {
  when     = service.runs_on == null && length(service.secrets) > 0
  for_each = toset(distinct(values(service.secrets)))

  secret_id = each.value
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.this.member
}

output "this" {
  when = service.runs_on != null && target.project == null

  description = "The account that the pods of ${service.name} have the rights of."
  value = {
    account = google_service_account.this.email
  }
}
