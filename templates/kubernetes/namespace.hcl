# What all pods share: the namespace, what they may reach, and how much they may take.
template "namespace" {
  for  = blueprint
  file = "namespace.yaml"

  check "one_cluster" {
    condition = target.provider == "kubernetes" || length(blueprint.clusters) <= 1
    message   = "The manifests are one folder for one cluster, and the blueprint has ${length(blueprint.clusters)}: ${join(", ", blueprint.clusters[*].name)}."
    fix       = "Give each cluster a blueprint of its own."
    at        = blueprint.clusters[*].name
    related   = []
  }
  check "labels" {
    condition = alltrue([for k, v in blueprint.labels : can(regex("^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$", v)) && can(regex("^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$", k))])
    message   = "Kubernetes takes at most 63 letters, digits, dots, hyphens and underscores in a label, not: ${join(", ", [for k, v in blueprint.labels : jsonencode("${k} = ${v}") if !can(regex("^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$", v)) || !can(regex("^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$", k))])}."
    fix       = "Use other characters, or fewer."
    at        = blueprint.labels
  }
}

let {
  namespace = target.namespace
  bare      = target.provider == "kubernetes"
  cloud     = target.provider == "kubernetes" ? target.cloud : target.provider
  domain    = "${target.namespace}.svc.cluster.local"
  # The trust domain of the mesh: identities of callers begin with it.
  mesh_domain = "cluster.local"
  # The domain below which public services get a name.
  parent = target.provider == "kubernetes" ? target.domain : null
  # Addresses of a cloud's own networks: what is managed lies there.
  private = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]

  # Services that run as pods of this cluster.
  pods = [for s in blueprint.services : s if target.provider == "kubernetes" || s.runs_on != null]

  # Those whose calls another service answers while the one that they call does not.
  replaceable = [for s in let.pods : s if s.breaker == null ? false : s.breaker.fallback != null]

  # SCALE-004: peak_instances counts the surge and both colours; proxies count as well.
  pods_cpu    = sum([for s in let.pods : s.peak_instances * (s.cpu + s.let.proxy_cpu)])
  pods_memory = sum([for s in let.pods : s.peak_instances * (s.memory + s.let.proxy_memory)])
  pods_count  = sum([for s in let.pods : s.peak_instances])
  grown_cpu   = sum([for s in let.pods : s.vertical_scaling.max_cpu - s.cpu if s.vertical_scaling != null])
  grown_bytes = sum([for s in let.pods : s.vertical_scaling.max_memory - s.memory if s.vertical_scaling != null])

  # Databases and caches run in the namespace too where there is no cloud to run them.
  # So do sites, and the edges of services that cache in layers.
  data_nodes  = let.bare ? sum([for c in concat(blueprint.databases, blueprint.caches) : c.let.asks_pods]) + 4 * length(blueprint.sites) + 7 * length(let.layered) : 0
  data_cpu    = let.bare ? sum([for c in concat(blueprint.databases, blueprint.caches) : c.let.asks_cpu]) + 2.2 * length(blueprint.sites) + 4.5 * length(let.layered) : 0
  data_memory = let.bare ? sum([for c in concat(blueprint.databases, blueprint.caches) : c.let.asks_memory]) + 1342177280 * length(blueprint.sites) + sum([for s in let.layered : 6 * (s.multi_layer_caching_detailed == null ? 805306368 : s.multi_layer_caching_detailed.edge_memory)]) : 0
  layered     = [for s in blueprint.services : s if s.multi_layer_caching != null]

  # A tenth and 4 vCPUs more for jobs, poolers and exporters, in whole numbers.
  quota_cpu    = ceil(1.1 * (let.pods_cpu + let.grown_cpu + let.data_cpu)) + 4
  quota_memory = ceil(gib(1.1 * (let.pods_memory + let.grown_bytes + let.data_memory))) + 8
  quota_pods   = ceil(1.1 * (let.pods_count + let.data_nodes)) + 20

  # The largest single container.
  largest_cpu    = max(4, concat([for s in let.pods : s.vertical_scaling == null ? s.cpu : s.vertical_scaling.max_cpu], [for d in blueprint.databases : let.bare ? d.cpu : 0])...)
  largest_memory = max(8589934592, concat([for s in let.pods : s.vertical_scaling == null ? s.memory : s.vertical_scaling.max_memory], [for d in blueprint.databases : let.bare ? d.memory : 0], [for c in blueprint.caches : let.bare ? 1.5 * c.node_memory : 0])...)

  # On a cloud its own alarms have other ways; these are of what runs in the cluster.
  told              = target.alert_emails
  monitoring_labels = target.monitoring_labels
}

manifest "v1" "Namespace" "namespace" {
  metadata = {
    name = target.namespace
    labels = {
      "app.kubernetes.io/part-of" = blueprint.name
      # No pod runs as root. Proxies of the mesh get their rules from the Istio CNI plugin, for which this has no room either.
      "pod-security.kubernetes.io/enforce"         = "restricted"
      "pod-security.kubernetes.io/enforce-version" = "latest"
      "pod-security.kubernetes.io/warn"            = "restricted"
    }
  }
}

# Who is told.
manifest "monitoring.coreos.com/v1alpha1" "AlertmanagerConfig" "alarms" {
  when = length(let.told) > 0
  metadata = {
    name      = blueprint.name
    namespace = target.namespace
    labels    = target.monitoring_labels
  }
  spec = {
    route = {
      receiver       = "people"
      groupBy        = ["service", "alertname"]
      groupWait      = "30s"
      groupInterval  = "5m"
      repeatInterval = "4h"
    }
    receivers = [
      {
        name         = "people"
        emailConfigs = [for address in let.told : { to = address, sendResolved = true }]
      },
    ]
  }
}

# Nothing is reached and nothing reaches out but for what the policies of the
# services add. Names can be looked up.
manifest "networking.k8s.io/v1" "NetworkPolicy" "default-deny" {
  metadata = {
    name      = "default-deny"
    namespace = target.namespace
    annotations = length(let.pods) > 0 || let.bare ? null : {
      # It waits for the first pod.
      "kube-score/ignore" = "networkpolicy-targets-pod"
    }
  }
  spec = {
    podSelector = {}
    policyTypes = ["Ingress", "Egress"]
    egress = [
      {
        to = [
          {
            namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = "kube-system" } }
            podSelector       = { matchLabels = { "k8s-app" = "kube-dns" } }
          },
        ]
        ports = [
          { port = 53, protocol = "UDP" },
          { port = 53, protocol = "TCP" },
        ]
      },
    ]
  }
}

# All pods at their most, in the middle of every rollout at once, proxies and jobs included.
manifest "v1" "ResourceQuota" "quota" {
  metadata = {
    name      = "quota"
    namespace = target.namespace
  }
  spec = {
    hard = {
      "requests.cpu"    = tostring(let.quota_cpu)
      "requests.memory" = "${let.quota_memory}Gi"
      "limits.cpu"      = tostring(let.quota_cpu)
      "limits.memory"   = "${let.quota_memory}Gi"
      pods              = tostring(let.quota_pods)
    }
  }
}

# What a container gets that does not say, and the most that any may ask for.
manifest "v1" "LimitRange" "sizes" {
  metadata = {
    name      = "sizes"
    namespace = target.namespace
  }
  spec = {
    limits = [
      {
        type           = "Container"
        default        = { cpu = "250m", memory = "256Mi" }
        defaultRequest = { cpu = "250m", memory = "256Mi" }
        max            = { cpu = tostring(ceil(let.largest_cpu)), memory = "${ceil(gib(let.largest_memory))}Gi" }
      },
    ]
  }
}

file "kustomizeconfig.yaml" {
  when   = length(flatten([for s in let.pods : s.let.from_terraform])) > 0
  format = "yaml"
  content = {
    nameReference = [
      {
        kind    = "ConfigMap"
        version = "v1"
        fieldSpecs = [
          { kind = "Rollout", path = "spec/template/spec/containers/env/valueFrom/configMapKeyRef/name" },
        ]
      },
    ]
  }
}
