# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_service_account" "checkout" {
  account_id   = "everything-checkout"
  display_name = "checkout of everything"
}
