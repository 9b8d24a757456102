# Manifests for Kubernetes 1.33 and later. It serves two targets: a cluster of
# its own, in which everything runs; and the clusters of a cloud, where the data
# is the cloud's and only services run as pods.
pack "kubernetes" {
  target  = "kubernetes"
  summary = "Manifests: Argo Rollouts, KEDA, Istio, Envoy Gateway, CloudNativePG and the Prometheus operator where patterns ask for them."

  # Where templates share a file they stand in this order.
  order = [
    "namespace", "gateway",
    "database", "database_alarms", "database_sharding", "connection_pooling", "database_connection_pooling", "read_replicas",
    "cache", "cache_memcached", "cache_guard", "redis_cluster", "in_memory_caching", "cache_alarms", "cache_backup",
    "site", "cdn_distribution",
    "workload", "services", "network", "secrets", "monitoring",
    "horizontal_pod_autoscaler", "auto_scaling_group", "vertical_scaling",
    "rolling_updates", "blue_green_deployment", "canary_of_pods", "canary_deployment",
    "mesh", "traffic", "adaptive", "outside", "circuit_breaker", "circuit_breaker_advanced", "service_mesh", "service_mesh_of_service",
    "elastic_load_balancing", "load_balancer_types",
    "multi_layer_caching", "multi_layer_caching_detailed", "clients",
  ]

  # kubectl apply -k . takes the folder as it is. What only Terraform knows comes
  # from a file that Terraform's outputs fill.
  index {
    file = "kustomization.yaml"
    content = {
      apiVersion = "kustomize.config.k8s.io/v1beta1"
      kind       = "Kustomization"
      resources  = files
      labels = length(blueprint.labels) == 0 ? null : [
        {
          pairs = blueprint.labels
          # Pods too, but for those of jobs and for volumes, which no apply could give other labels later.
          fields = concat(
            [for kind in ["Deployment", "Rollout", "StatefulSet", "Pooler"] : { path = "spec/template/metadata/labels", kind = kind }],
            [{ path = "spec/jobTemplate/spec/template/metadata/labels", kind = "CronJob" }],
          )
        },
      ]
      configMapGenerator = target.provider == "kubernetes" || length(flatten([for s in blueprint.services : s.let.from_terraform if s.runs_on != null])) == 0 ? null : [
        # README.md says how Terraform's outputs get into this file.
        {
          name      = "infrastructure"
          namespace = target.namespace
          envs      = ["infrastructure.env"]
          options   = { immutable = true }
        },
      ]
      # Secrets and accounts are named in that file too. What is secret is never in it.
      replacements = target.provider == "kubernetes" || length(flatten([for c in concat(blueprint.databases, [for s in blueprint.services : s if s.runs_on != null]) : c.let.filled_in])) == 0 ? null : [
        for r in flatten([for c in concat(blueprint.databases, [for s in blueprint.services : s if s.runs_on != null]) : c.let.filled_in]) : {
          source  = { kind = "ConfigMap", name = "infrastructure", fieldPath = "data.${r.key}" }
          targets = [{ select = { kind = r.kind, name = r.name }, fieldPaths = [r.path] }]
        }
      ]
      # So that a new address rolls out: kustomize does not know that Rollouts name ConfigMaps.
      configurations = target.provider == "kubernetes" || length(flatten([for s in blueprint.services : s.let.from_terraform if s.runs_on != null])) == 0 ? null : ["kustomizeconfig.yaml"]
    }
  }

  forbids "vertical_blue_green" {
    patterns = ["vertical_scaling", "blue_green_deployment"]
    why      = "A service that grows vertically has a disk of its own, which two colours cannot share."
  }
  forbids "vertical_canary" {
    patterns = ["vertical_scaling", "canary_deployment"]
    why      = "A service that grows vertically is a single pod with a disk of its own, so there is nothing to split traffic between."
  }
}
