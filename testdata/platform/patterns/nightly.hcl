pattern "nightly" {
  title       = "Nightly"
  summary     = "A job runs every night, when nobody is in its way."
  attaches    = [job]
  quality     = 7
  difficulty  = 2
  performance = "Medium"
  when        = ["Work can wait until the night"]

  metrics {
    throughput = "<100 RPS"
  }

  input "hour" {
    type    = number
    default = length(job.needs) == 0 ? 2 : max([for d in job.needs : d.backup_hour]...) + 1
    range   = [0, 23]
    summary = "When it starts (UTC): after the backups of what it needs."
  }
  input "retries" {
    type    = number
    default = 1
    range   = [0, 10]
    summary = "How often a failed run is tried again."
  }

  derived "cron" {
    value   = "0 ${self.hour} * * *"
    summary = "When it starts, as cron has it."
  }

  point "time" { summary = "It runs at a stated hour." }
  point "backups" { summary = "It runs after the backups of what it needs." }
  point "retries" { summary = "A failed run is tried again." }
  point "alarm" { summary = "A run that failed for good is told." }
  point "overlap" { summary = "Two runs never meet." }

  check "after_backups" {
    condition = alltrue([for d in job.needs : self.hour != d.backup_hour])
    message   = "${job.name} starts at ${self.hour}:00, in the middle of the backup of ${join(", ", [for d in job.needs : d.name if self.hour == d.backup_hour])}."
    fix       = "Start it an hour later."
    at        = self.hour
    related   = [for d in job.needs : d.backup_hour]
  }
}
