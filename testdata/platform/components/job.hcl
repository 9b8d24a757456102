component "job" {
  title   = "Job"
  plural  = "jobs"
  summary = "A program that runs, does its work and ends."

  input "image" {
    type    = string
    matches = "[a-z0-9./:-]+"
    hint    = "a container image"
    summary = "What runs."
  }
  input "memory" {
    type    = bytes
    default = "512MiB"
    range   = ["64MiB", "64GiB"]
    summary = "Memory of one run."
  }
  input "arguments" {
    type    = list(string)
    default = []
    summary = "What the program is given."
  }
  input "needs" {
    type    = list(ref(database))
    default = []
    summary = "What it connects to."
  }

  derived "schedule" {
    value   = self.nightly
    summary = "The pattern that starts it, null if nothing does."
  }

  check "starts" {
    condition = self.schedule != null
    message   = "Nothing ever starts ${self.name}."
    fix       = "Add nightly."
    at        = self.image
    severity  = "warning"
  }
}
