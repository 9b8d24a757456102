# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "google_service_account" "checkout" {
  account_id   = "shop-checkout"
  display_name = "checkout of shop"
}

output "checkout" {
  description = "The account that the pods of checkout have the rights of."
  value = {
    account = google_service_account.checkout.email
  }
}
