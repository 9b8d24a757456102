# What the manifests have from Terraform, out of `terraform output -json`. Nothing is written when one is missing.
input
| {
    orders_host: .orders.value.host,
    orders_secret: .orders.value.secret_arn
  }
| to_entries
| map(
    if (.value | type) == "string" and (.value | test("^[^\n]+$")) then "\(.key)=\(.value)"
    else error("Terraform puts out no \(.key): apply it, then try again") end
  )
| .[]
