# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_service_account" "ledger" {
  account_id   = "everything-ledger"
  display_name = "ledger of everything"
}
