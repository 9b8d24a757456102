target "acme" {
  title   = "Acme Cloud"
  summary = "Terraform for a cloud that there is not."

  input "region" {
    type    = string
    one_of  = ["north", "south"]
    summary = "Where everything stands."
  }
  input "owner" {
    type     = string
    nullable = true
    length   = [1, 100]
    summary  = "Who pays."
  }
}
