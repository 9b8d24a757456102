template "nightly" {
  for  = job
  file = "job_${job.name}.tf"

  covers = {
    time    = [acme_job.this.schedule]
    backups = [self.hour]
    retries = [acme_job.this.retries]
    alarm   = [acme_alarm.this_failed]
    rest    = [acme_job.this.schedule]
  }
  misses = { overlap = "Acme Cloud starts a run whether the last one is over or not" }
}

extend "acme_job" "this" {
  schedule = self.cron
  retries  = self.retries
}

resource "acme_alarm" "this_failed" {
  job     = acme_job.this.id
  message = "${job.name} has failed."
}

file "this.sh" {
  format  = "sh"
  content = <<-EOT
    #!/bin/sh
    # Runs the job by hand.
    exec acme run --image ${job.image} --message ${length(job.arguments) == 0 ? "none" : join(" ", job.arguments)}
  EOT
}
