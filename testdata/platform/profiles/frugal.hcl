profile "frugal" {
  title    = "Frugal"
  summary  = "As little as will do."
  patterns = ["nightly"]

  defaults "job" {
    memory = "128MiB"

    nightly {
      retries = 0
    }
  }
}
