template "versions" {
  for  = blueprint
  file = "versions.tf"

  check "labels" {
    condition = alltrue([for k, v in blueprint.labels : can(regex("^[A-Za-z]", k))])
    message   = "A label's name begins with a letter on Google Cloud, not: ${join(", ", [for k, v in blueprint.labels : jsonencode(k) if !can(regex("^[A-Za-z]", k))])}."
    fix       = "Rename the label."
    at        = blueprint.labels
  }
  check "name" {
    condition = length(blueprint.name) > 1
    message   = "Networks of Google Cloud, and other things that are called after the blueprint, have names of two characters or more."
    fix       = "Give the blueprint a longer name."
    at        = blueprint.name
  }
  check "label_twice" {
    condition = length(distinct([for k, v in blueprint.labels : let.label_names[k]])) == length(blueprint.labels)
    message   = "Labels have lower case names without special characters on Google Cloud, so that some of these become one: ${join(", ", keys(blueprint.labels))}."
    fix       = "Rename one of them."
    at        = blueprint.labels
  }
  check "label_reserved" {
    condition = length(setintersection(values(let.label_names), ["blueprint", "environment", "managed-by", "service"])) == 0
    message   = "These labels are set by scaffold itself: ${join(", ", setintersection(values(let.label_names), ["blueprint", "environment", "managed-by", "service"]))}."
    fix       = "Rename the label."
    at        = blueprint.labels
  }
  # An apply does not see the quota; a group that is refused instances stays as it is, however much it has to do.
  check "quota" {
    condition = target.vcpu_quota == null ? true : let.most_vcpus <= target.vcpu_quota
    message   = "At their most, releases and upgrades included, there are ${let.most_vcpus} vCPUs in ${target.region}, and the project may have ${target.vcpu_quota == null ? 0 : target.vcpu_quota}: ${join(", ", [for m in let.counted_machines : "${m.name} ${m.count} × ${m.vcpu}"])}."
    fix       = "Have the quota raised, or lower a maximum."
    at        = target.vcpu_quota
  }
  check "zone_names" {
    condition = alltrue([for zone in target.zone_names : startswith(zone, "${target.region}-")])
    message   = "These zones are not in ${target.region}: ${join(", ", [for zone in target.zone_names : zone if !startswith(zone, "${target.region}-")])}."
    fix       = "Name zones of the region."
    at        = target.zone_names
    related   = [target.region]
  }
}

let {
  # Environments may share a project, where names of networks, groups and accounts must differ.
  prefix    = blueprint.environment == null ? blueprint.name : "${blueprint.name}-${blueprint.environment}"
  all_zones = slice(target.zone_names, 0, target.zones)
  bits      = tonumber(split("/", target.cidr)[1])

  # Lower case letters, digits, hyphens and underscores; 63 of them.
  label_names = { for k, v in blueprint.labels : k => substr(replace(lower(k), "/[^a-z0-9_-]/", "-"), 0, 63) }
  labels = merge(
    { for k, v in blueprint.labels : let.label_names[k] => substr(replace(lower(v), "/[^a-z0-9_-]/", "-"), 0, 63) },
    { blueprint = blueprint.name, managed-by = "terraform" },
    blueprint.environment == null ? {} : { environment = blueprint.environment },
  )

  # Looked up by each service and site, which would search all services otherwise.
  suffixes       = "-(?:blue|green|stable|canary|inside|redirect|rollback|balancer|ready|alive)$"
  suffixed       = [for s in blueprint.services : { name = s.name, stem = replace(s.name, "/${let.suffixes}/", "") } if can(regex(let.suffixes, s.name))]
  stand_ins      = { for s in let.instances : s.breaker.fallback.name => true... if(s.breaker == null ? false : s.breaker.fallback != null) }
  site_fallbacks = { for s in blueprint.services : s.multi_layer_caching_detailed.fallback.name => s.name... if(s.multi_layer_caching_detailed == null ? false : s.multi_layer_caching_detailed.fallback != null) }

  # What counts towards the quota.
  counted_machines = concat(
    [for s in let.instances : { name = s.name, count = s.peak_instances + s.let.surplus, vcpu = s.let.vcpus }],
    [for c in blueprint.clusters : { name = c.name, count = c.max_nodes + 1, vcpu = c.let.vcpus }],
    [for d in blueprint.databases : { name = "poolers of ${d.name}", count = d.let.pool_most, vcpu = d.let.pool_vcpus } if d.let.pooled == "pgbouncer"],
  )
  most_vcpus = sum(concat([0], [for m in let.counted_machines : m.count * m.vcpu]))

  # What services on instances share.
  instances   = [for s in blueprint.services : s if s.runs_on == null]
  named       = anytrue([for s in let.instances : s.let.called || length(s.let.through) + length(s.let.outside) > 0]) # found by name
  namespace   = "${blueprint.name}.internal"
  proxied     = anytrue([for s in let.instances : s.let.inside == "http" || s.let.balancer_kind == "internal" || length(s.let.through) + length(s.let.outside) > 0])
  proxy_calls = anytrue([for s in let.instances : s.let.from_proxies])        # whether their calls are let in somewhere
  reaches     = anytrue([for s in let.instances : length(s.let.outside) > 0]) # whether proxies call what lies outside
  own_proxy   = target.network == null ? true : !target.network.proxy_only

  # Whether anything is watched: a service by itself, without a pattern that could be, is not.
  alarmed = length(blueprint.databases) + length(blueprint.caches) + length(blueprint.clusters) + length(blueprint.sites) > 0 || anytrue([for s in let.instances :
    s.auto_scaling_group != null || s.vertical_scaling != null || s.balancer != null || s.multi_layer_caching != null || (s.breaker != null && s.let.guarded_by != "none") || (s.let.rollout != null && s.let.watch != "none")
  ])

  # Whether anything takes its addresses from the subnet: databases have theirs from Google.
  subnet = length(let.instances) + length(blueprint.clusters) > 0 || anytrue([for d in blueprint.databases : d.let.pooled == "pgbouncer"]) || (
    anytrue([for c in blueprint.caches : c.let.kind != "memcached"]) && (target.network == null ? true : !target.network.memorystore)
  )

  # Private connections come out of subnets of 64 addresses: what proxies leave of their eighth of the network, and the
  # eighth of Kubernetes services where there are none.
  linked    = [for s in let.instances : s.name if s.load_balancer_types == null ? false : s.load_balancer_types.private_link]
  link_room = 8 * pow(2, 20 - let.bits) * (length(blueprint.clusters) > 0 ? 1 : 2) - 8

  # On Container-Optimized OS a detector that is part of it measures memory, elsewhere the Ops Agent does.
  bare_image     = can(regex("^projects/cos-cloud/", target.image))
  memory_metric  = let.bare_image ? "compute.googleapis.com/guest/memory/percent_used" : "agent.googleapis.com/memory/percent_used"
  hyperdisk_only = ["c4", "c4a"]

  # Whether anything is granted to an account that Google names after the project's number.
  rolls_back = anytrue([for s in let.instances : s.let.rolls_back])
  budgets = target.billing_account != null && anytrue(concat(
    [for s in let.instances : s.let.budget != null],
    [for s in blueprint.sites : s.let.budget != null],
    [for d in blueprint.databases : d.let.budget != null],
  ))
  numbered = let.rolls_back || let.budgets || target.kms_key != null || anytrue([for s in blueprint.sites : s.let.invalidates]) || anytrue([for s in let.instances : s.multi_layer_caching_detailed != null]) || anytrue([for c in blueprint.clusters : length(c.let.secrets) + length(c.let.pools) > 0])
}

terraform {
  required_version = ">= 1.11.0" # write-only arguments need it

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 7.45.0, < 8.0.0"
    }
  }

  # A backend is read before anything else, so it takes no variables.
  backend "gcs" {
    when = target.state != null

    bucket = target.state.bucket
    prefix = target.state.prefix != null ? target.state.prefix : let.prefix
  }
}

provider "google" {
  project        = local.project
  region         = target.region
  default_labels = let.labels
}

variable "project" {
  when = target.project == null

  description = "Project that everything is made in."
  type        = string
  nullable    = false
}

locals {
  project = target.project != null ? target.project : var.project
}
