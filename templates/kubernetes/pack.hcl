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
    "mesh", "traffic", "adaptive", "circuit_breaker", "circuit_breaker_advanced", "service_mesh", "service_mesh_of_service",
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
      labels     = length(blueprint.labels) == 0 ? null : [{ pairs = blueprint.labels, includeTemplates = true }]
      configMapGenerator = target.provider == "kubernetes" ? null : [
        # Fill it after each change of the infrastructure, from the folder of the Terraform files:
        #   terraform output -json | jq -r 'to_entries[] | .key as $n | .value.value | objects | to_entries[]
        #     | select(.value != null) | "\($n)_\(.key)=\(.value)"' > manifests/infrastructure.env
        {
          name      = "infrastructure"
          namespace = target.namespace
          envs      = ["infrastructure.env"]
        },
      ]
      # Secrets are named in that file too, and fetched by name. Their values are never in it.
      replacements = target.provider == "kubernetes" || !anytrue([
        for s in blueprint.services : s.runs_on != null && (length(s.databases) > 0 || (target.provider == "gcp" ? target.project == null : false))
        ]) ? null : flatten([[
          for d in blueprint.databases : [{
            source  = { kind = "ConfigMap", name = "infrastructure", fieldPath = "data.${replace(d.name, "-", "_")}_${target.provider == "aws" ? "secret_arn" : "secret"}" }
            targets = [{ select = { kind = "ExternalSecret", name = "${d.name}-app" }, fieldPaths = ["spec.data.*.remoteRef.key"] }]
          }] if anytrue([for s in d.clients : s.runs_on != null])
          ], [
          # Accounts of Google Cloud have the project in their names. Where the blueprint does not say which, Terraform does.
          for s in blueprint.services : [{
            source  = { kind = "ConfigMap", name = "infrastructure", fieldPath = "data.${replace(s.name, "-", "_")}_account" }
            targets = [{ select = { kind = "ServiceAccount", name = s.name }, fieldPaths = ["metadata.annotations.[iam.gke.io/gcp-service-account]"] }]
          }] if s.runs_on != null && (target.provider == "gcp" ? target.project == null : false)
      ]])
      # So that a new address rolls out: kustomize does not know that Rollouts name ConfigMaps.
      configurations = target.provider == "kubernetes" ? null : ["kustomizeconfig.yaml"]
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
