# What the manifests have from Terraform, out of `terraform output -json`. Nothing is written when one is missing.
input
| {
    checkout_account: .checkout.value.account,
    payments_account: .payments.value.account
  }
| to_entries
| map(
    if (.value | type) == "string" and (.value | test("^[^\n]+$")) then "\(.key)=\(.value)"
    else error("Terraform puts out no \(.key): apply it, then try again") end
  )
| .[]
