profile "frugal" {
  title    = "Frugal"
  summary  = "As little as will do."
  patterns = ["nightly"]
  weights  = { ease = 6 }

  defaults "job" {
    memory = "128MiB"

    nightly {
      retries = 0
    }
  }
}
