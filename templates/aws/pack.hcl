# Terraform for Amazon Web Services: hashicorp/aws from 5.100 to the last 6.x.
pack "aws" {
  target  = "aws"
  summary = "Terraform for AWS: instances behind load balancers, RDS, ElastiCache, CloudFront; EKS where services run on a cluster."
  schema  = "aws"

  # The manifests of what runs on EKS: a tree of their own, applied after this one.
  uses = [{ pack = "kubernetes", when = length(blueprint.clusters) > 0, folder = "manifests" }]

  # Where templates share a file they stand in this order.
  order = [
    "versions", "network", "existing_network", "shared", "balancer_logs", "instances", "mesh",
    "service", "auto_scaling_group", "vertical_scaling",
    "elastic_load_balancing", "load_balancer_types",
    "rolling_updates", "rolling_updates_unwatched", "blue_green_deployment", "canary_deployment", "tracks",
    "proxy", "circuit_breaker", "circuit_breaker_advanced", "service_mesh",
    "cluster", "pods", "horizontal_pod_autoscaler",
    "databases", "database", "database_server", "database_cluster", "database_server_alarms", "database_cluster_alarms",
    "read_replicas", "read_replicas_cluster", "read_replicas_alarms", "read_replicas_cluster_alarms",
    "connection_pooling", "database_connection_pooling", "connection_pooling_alarms", "database_connection_pooling_alarms",
    "vertical_scaling_database", "database_sharding", "database_sharding_access", "database_sharding_alarms", "database_sharding_moves", "database_access", "database_outputs", "database_sharding_outputs",
    "caches", "cache", "cache_valkey", "cache_memcached", "redis_cluster", "in_memory_caching", "in_memory_caching_memcached",
    "cache_valkey_alarms", "in_memory_caching_alarms", "redis_cluster_alarms", "cache_invalidation", "cache_access", "cache_outputs",
    "edge", "site", "cdn_distribution", "cdn_distribution_alarms", "cdn_distribution_invalidation", "site_outputs", "multi_layer_caching", "multi_layer_caching_changes",
    "multi_layer_caching_alarms", "multi_layer_caching_detailed", "multi_layer_caching_outputs",
  ]

  forbids "rollouts" {
    patterns = ["blue_green_deployment", "canary_deployment"]
    why      = "Both set the weights of the load balancer's listener, and each would undo what the other has set."
  }
  forbids "rolling_and_colours" {
    patterns = ["rolling_updates", "blue_green_deployment"]
    why      = "A colour is replaced as a whole: there is no old version left in it to roll over."
  }
  forbids "rolling_and_canary" {
    patterns = ["rolling_updates", "canary_deployment"]
    why      = "The canary is the first step of the rollout, and its stable group takes the version over once it has held."
  }
  forbids "vertical_and_horizontal" {
    patterns = ["vertical_scaling", "auto_scaling_group"]
    why      = "One machine that grows has no group of machines to grow instead."
  }

  forbids "shards_and_pool" {
    patterns = ["database_sharding", "connection_pooling"]
    why      = "RDS Proxy stands before one database; every shard would need one, and the program, which knows the shards, pools by itself."
  }
  forbids "shards_and_replicas" {
    patterns = ["database_sharding", "read_replicas"]
    why      = "Every shard has a standby already, or with flavour = \"cluster\" readers; more shards take more reads than replicas of shards do."
  }
  forbids "shards_and_growth" {
    patterns = ["database_sharding", "vertical_scaling"]
    why      = "A database in shards grows by more shards, and its shards stay equal."
  }

  table "instances" { file = "instances.tsv" }
  table "database_classes" { file = "database_classes.tsv" }
  table "cache_nodes" { file = "cache_nodes.tsv" }
  table "cloudfront" { file = "cloudfront.tsv" }
}
