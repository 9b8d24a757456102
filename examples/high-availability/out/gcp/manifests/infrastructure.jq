# What the manifests have from Terraform, out of `terraform output -json`. Nothing is written when one is missing.
input
| {
    orders_host: .orders.value.host,
    checkout_account: .checkout.value.account,
    checkout_user: (.checkout.value.account | rtrimstr(".gserviceaccount.com")),
    payments_account: .payments.value.account,
    payments_user: (.payments.value.account | rtrimstr(".gserviceaccount.com"))
  }
| to_entries
| map(
    if (.value | type) == "string" and (.value | test("^[^\n]+$")) then "\(.key)=\(.value)"
    else error("Terraform puts out no \(.key): apply it, then try again") end
  )
| .[]
