# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_service_account" "payments" {
  account_id   = "service-mesh-payments"
  display_name = "payments of service-mesh"
}

output "payments" {
  description = "The account that the pods of payments have the rights of."
  value = {
    account = google_service_account.payments.email
  }
}
