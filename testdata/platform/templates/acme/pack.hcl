pack "acme" {
  target  = "acme"
  summary = "A cloud that there is not, to show what a folder of one's own can hold."
  order   = ["provider", "database", "job", "nightly"]

  table "sizes" { file = "sizes.tsv" }
}
