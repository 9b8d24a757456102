# It elaborates a pattern of the same folder.
pattern "weekly_rest" {
  title       = "Nightly, but for one day"
  summary     = "As nightly, but for one day of the week."
  attaches    = [job]
  extends     = "nightly"
  quality     = 6
  difficulty  = 3
  performance = "Medium"
  when        = ["One night of the week belongs to something else"]

  input "rest" {
    type    = string
    default = "sunday"
    one_of  = ["saturday", "sunday"]
    summary = "The day on which it does not run."
  }

  derived "cron" {
    value   = "0 ${self.hour} * * ${self.rest == "sunday" ? "1-6" : "0-5"}"
    summary = "When it starts, as cron has it."
  }

  point "time" { summary = "It runs at a stated hour." }
  point "rest" { summary = "It does not run on the day of rest." }
  point "retries" { summary = "A failed run is tried again." }
  point "alarm" { summary = "A run that failed for good is told." }
  point "overlap" { summary = "Two runs never meet." }
}
