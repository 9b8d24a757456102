# A start with what 'scaffold recommend' found for
# ASKED.
# It goes by rules of thumb: measure, and change what does not fit.
#
#   scaffold validate     what is wrong, and why
#   scaffold explain      where every value comes from
#   scaffold render       the files

blueprint "NAME" {
  extensions = length(init.extensions) > 0 ? init.extensions : null
  profile    = init.profile
}

target "aws" {
  when = contains(init.targets, "aws")

  region = "eu-west-1"
  # image            = "ami-0123456789abcdef0" # without it Terraform asks for one
  # hosted_zone_id   = "Z0123456789ABCDEFGHIJ" # with it records and certificates are made
  # hosted_zone_name = "example.com"
}

target "gcp" {
  when = contains(init.targets, "gcp")

  region = "europe-west1"
  # project  = "acme-shop" # without it Terraform asks for one
  # dns_zone = "example-com"
}

target "kubernetes" {
  when = contains(init.targets, "kubernetes")

  backup_url = "s3://acme-backups/${init.name}" # where backups go, out of the cluster
}

# ── what keeps data ──────────────────────────────────────────────────────────

database "main" {
  engine       = "postgres"
  storage      = "100GiB"
  availability = init.availability == null ? null : min(max(init.availability, 90), 99.999)

  read_replicas {
    when = contains(init.patterns, "read_replicas")
  }
  connection_pooling {
    when = contains(init.patterns, "connection_pooling")
  }

  # The rows of a customer lie together: choose the key that most queries have.
  database_sharding {
    when = contains(init.patterns, "database_sharding")

    key    = "customer_id"
    tables = ["orders"]
  }
}

# What is read again and again.
cache "results" {
  when = contains(init.patterns, "in_memory_caching") || contains(init.patterns, "multi_layer_caching")

  memory       = "4GiB"
  availability = init.availability == null ? null : min(max(init.availability, 90), 99.999)

  in_memory_caching {
    when = contains(init.patterns, "in_memory_caching")
  }
}

# What is too large, or asked for too often, for one machine.
cache "shared" {
  when = contains(init.patterns, "redis_cluster")

  memory       = "12GiB"
  availability = init.availability == null ? null : min(max(init.availability, 90), 99.999)

  redis_cluster {
    shards = 3
  }

  kubernetes {
    when = contains(init.targets, "kubernetes")

    redis_cluster {
      max_shards = 3 # nothing adds primaries by itself there
    }
  }
}

# ── what answers ─────────────────────────────────────────────────────────────

# Both run as pods, so that the mesh has a proxy beside each.
cluster "pods" {
  when = contains(init.patterns, "service_mesh")

  service_mesh {
    mtls = contains(init.patterns, "multi_layer_caching") ? "permissive" : null # the edge is outside of the mesh
  }
}

service "web" {
  runs_on      = contains(init.patterns, "service_mesh") ? cluster.pods : null
  image        = "ghcr.io/acme/web:1.0.0"
  port         = 8080
  needs        = concat([database.main], contains(init.patterns, "in_memory_caching") || contains(init.patterns, "multi_layer_caching") ? [cache.results] : [], contains(init.patterns, "redis_cluster") ? [cache.shared] : [], contains(init.patterns, "circuit_breaker") ? [service.backend] : [])
  availability = init.availability == null ? null : min(max(init.availability, 90), 99.999)
  peak_rps     = init.rps == null ? null : init.rps <= 20000 ? max(1, init.rps) : null # of all that reaches it; measure what one instance answers
  cpu          = init.rps == null ? null : init.rps > 500 ? 4 : null

  # Longer than any balancer keeps a silent connection: Google's do for ten minutes.
  keep_alive = contains(init.targets, "gcp") ? "620s" : null

  vertical_scaling {
    when = (contains(init.patterns, "vertical_scaling") && (init.availability == null ? true : init.availability <= 95))
  }
  auto_scaling_group {
    when = !(contains(init.patterns, "vertical_scaling") && (init.availability == null ? true : init.availability <= 95)) && !contains(init.patterns, "service_mesh")
  }
  horizontal_pod_autoscaler {
    when = contains(init.patterns, "service_mesh")
  }
  elastic_load_balancing {
    domain = "www.example.com"
  }
  blue_green_deployment {
    when = contains(init.patterns, "blue_green_deployment")

    live = "blue"
  }
  canary_deployment {
    when = contains(init.patterns, "canary_deployment")
  }
  rolling_updates {
    when = contains(init.patterns, "rolling_updates")
  }
  multi_layer_caching {
    when = contains(init.patterns, "multi_layer_caching")

    domain = "shop.example.com"
  }
  circuit_breaker {
    when = contains(init.patterns, "circuit_breaker")
  }
}

# What web calls, and stops calling while it fails.
service "backend" {
  when = contains(init.patterns, "circuit_breaker")

  runs_on      = contains(init.patterns, "service_mesh") ? cluster.pods : null
  image        = "ghcr.io/acme/backend:1.0.0"
  port         = 9090
  needs        = [database.main]
  availability = init.availability == null ? null : min(max(init.availability, 90), 99.999)

  auto_scaling_group {
    when = !contains(init.patterns, "service_mesh")
  }
  horizontal_pod_autoscaler {
    when = contains(init.patterns, "service_mesh")
  }
}

site "assets" {
  when = contains(init.patterns, "cdn_distribution")

  kubernetes {
    when = contains(init.targets, "kubernetes")

    image = "ghcr.io/acme/assets:1.0.0" # a cluster has no buckets
  }

  cdn_distribution {
    domain = "assets.example.com"
  }

  aws {
    when = init.worldwide && contains(init.targets, "aws")

    cdn_distribution {
      audience = "world" # from everywhere, at the price of everywhere
    }
  }
}
