# Terraform for Google Cloud: hashicorp/google from 7.45 to the last 7.x.
pack "gcp" {
  target  = "gcp"
  summary = "Terraform for Google Cloud: instance groups behind load balancers, Cloud SQL, Memorystore, Cloud CDN; GKE where services run on a cluster."
  schema  = "google"

  # The manifests of what runs on GKE: a tree of their own, applied after this one.
  uses = [{ pack = "kubernetes", when = length(blueprint.clusters) > 0, folder = "manifests" }]

  # Where templates share a file they stand in this order.
  order = [
    "versions", "network", "existing_network", "proxies", "shared", "balancer_logs", "instances",
    "identity", "service", "auto_scaling_group", "vertical_scaling", "address",
    "balancer_global", "balancer_internal", "balancer_proxy", "balancer_passthrough", "elastic_load_balancing", "load_balancer_types",
    "rolling_updates", "blue_green_deployment", "blue_green_by_hand", "canary_deployment", "rollback",
    "circuit_breaker", "circuit_breaker_advanced", "circuit_breaker_missing", "circuit_breaker_advanced_missing",
    "cluster", "horizontal_pod_autoscaler", "service_mesh", "service_mesh_of_instances",
    "private_services", "databases", "database", "database_server", "database_sharding", "database_spanner", "read_replicas",
    "connection_pooling", "database_connection_pooling", "pgbouncer", "database_access", "database_outputs", "database_sharding_outputs",
    "database_server_alarms", "vertical_scaling_database", "read_replicas_alarms", "connection_pooling_alarms", "database_sharding_alarms",
    "caches", "warming_shared", "parameters", "cache", "cache_valkey", "cache_redis", "cache_memcached", "redis_cluster", "cache_access",
    "in_memory_caching", "cache_invalidation", "cache_outputs",
    "cache_valkey_alarms", "cache_memcached_alarms", "in_memory_caching_alarms", "redis_cluster_alarms", "warming",
    "purging", "site", "cdn_distribution", "cdn_distribution_purge", "cdn_distribution_alarms", "multi_layer_caching", "multi_layer_caching_changes", "multi_layer_caching_detailed", "multi_layer_caching_alarms", "multi_layer_caching_outputs", "multi_layer_caching_warming",
  ]

  forbids "rollouts" {
    patterns = ["blue_green_deployment", "canary_deployment"]
    why      = "Both set the weights of the load balancer's URL map, and each would undo what the other has set."
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
  forbids "vertical_and_colours" {
    patterns = ["vertical_scaling", "blue_green_deployment"]
    why      = "One machine with a disk of its own cannot be there twice."
  }
  forbids "vertical_and_canary" {
    patterns = ["vertical_scaling", "canary_deployment"]
    why      = "One machine has no second one that could take a share of the traffic."
  }

  table "machine_types" { file = "machine_types.tsv" }
  table "sql_tiers" { file = "sql_tiers.tsv" }
  table "cache_nodes" { file = "cache_nodes.tsv" }
}
