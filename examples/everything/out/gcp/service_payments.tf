# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_service_account" "payments" {
  account_id   = "everything-payments"
  display_name = "payments of everything"
}
