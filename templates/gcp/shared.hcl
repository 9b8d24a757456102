# What all components share: whom alarms are sent to.
template "shared" {
  for  = blueprint
  file = "shared.tf"

  check "budget_addresses" {
    condition = length(let.told) <= 5 || target.billing_account == null || alltrue([for s in let.instances : s.let.budget == null])
    message   = "A budget of Google's tells five addresses at the most: the budgets of ${join(", ", [for s in let.instances : s.name if s.let.budget != null])} tell ${join(", ", slice(sort(let.told), 0, min(5, length(let.told))))}."
    fix       = "Name up to five in alert_emails, a group's address among them."
    at        = target.alert_emails
    severity  = "warning"
  }
}

let {
  told = distinct(target.alert_emails)
}

resource "google_monitoring_notification_channel" "email" {
  when     = length(target.alert_emails) > 0
  for_each = toset(target.alert_emails)

  display_name = each.value
  type         = "email"
  labels       = { email_address = each.value }
}

locals {
  when = let.alarmed

  notification_channels = length(target.alert_emails) > 0 ? [for channel in google_monitoring_notification_channel.email : channel.id] : []
}

# Google names the accounts of its services after the number of the project.
variable "project_number" {
  when = target.project_number == null && let.numbered

  description = "Number of the project."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]+$", var.project_number))
    error_message = "A project's number has digits only."
  }
}

locals {
  when = let.numbered

  project_number = target.project_number != null ? target.project_number : var.project_number
}

# Disks of instances and nodes are opened with the key by Compute Engine, secrets of clusters by GKE.
resource "google_kms_crypto_key_iam_member" "main" {
  when = target.kms_key != null
  for_each = toset(concat(
    ["compute-system"],
    length(blueprint.clusters) > 0 ? ["container-engine-robot"] : [],
  ))

  crypto_key_id = target.kms_key
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = "serviceAccount:service-${local.project_number}@${each.value}.iam.gserviceaccount.com"
}
