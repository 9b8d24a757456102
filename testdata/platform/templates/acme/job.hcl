template "job" {
  for  = job
  file = "job_${job.name}.tf"

  check "fits" {
    condition = job.memory <= 8589934592
    message   = "The largest size of Acme Cloud has 8 GiB, and ${job.name} wants ${floor(gib(job.memory))} GiB."
    fix       = "Lower memory."
    at        = job.memory
  }
}

let {
  size = fit(table.sizes, { memory_mib = mib(job.memory) })
}

# Runs to its end and is billed by the second.
resource "acme_job" "this" {
  name      = "${blueprint.name}-${job.name}"
  image     = job.image
  size      = let.size.name
  arguments = length(job.arguments) == 0 ? null : job.arguments

  dynamic "database" {
    for_each = [for d in job.needs : d.name]
    content {
      id = acme_database[database.value].id
    }
  }

  labels = merge(blueprint.labels, { job = job.name })
}
