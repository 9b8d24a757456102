template "versions" {
  for  = blueprint
  file = "versions.tf"
}

let {
  # Environments may share an account, where names of roles, groups and topics must differ.
  prefix = blueprint.environment == null ? blueprint.name : "${blueprint.name}-${blueprint.environment}"
  zones  = slice(target.zone_names, 0, target.zones)

  # By site, which would search all services otherwise.
  site_fallbacks = { for s in blueprint.services : s.multi_layer_caching_detailed.fallback.name => s.name... if(s.multi_layer_caching_detailed == null ? false : s.multi_layer_caching_detailed.fallback != null) }

  # Which subnets anything stands in.
  uses = {
    public   = anytrue([for s in blueprint.services : s.runs_on == null && (s.balancer == null ? false : s.balancer.public)])
    private  = anytrue([for s in blueprint.services : s.runs_on == null]) || length(blueprint.clusters) > 0 || anytrue([for d in blueprint.databases : d.database_sharding != null])
    database = length(blueprint.databases) + length(blueprint.caches) > 0
  }
}

terraform {
  required_version = ">= 1.11.0" # write-only arguments and locking in S3 need it

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 7.0.0"
    }
  }

  # A backend is read before anything else, so it takes no variables.
  backend "s3" {
    when = target.state != null

    bucket       = target.state.bucket
    key          = target.state.key != null ? target.state.key : "${let.prefix}/terraform.tfstate"
    region       = target.state.region != null ? target.state.region : target.region
    encrypt      = true
    use_lockfile = target.state.lock
  }
}

provider "aws" {
  region              = target.region
  allowed_account_ids = target.account_id == null ? null : [target.account_id]

  default_tags {
    tags = local.tags
  }
}

locals {
  # default_tags do not reach what an Auto Scaling group starts, so launch templates name them again.
  tags = merge(
    blueprint.labels,
    { blueprint = blueprint.name, managed-by = "terraform" },
    blueprint.environment == null ? {} : { environment = blueprint.environment },
  )
}
