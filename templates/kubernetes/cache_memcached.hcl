# Memcached: a node in every zone, over which clients spread the keys.
template "cache_memcached" {
  for  = cache
  when = target.provider == "kubernetes" && cache.engine == "memcached"
  file = "${cache.name}/cache.yaml"

  ignores = {
    was              = cache.was == null ? null : "What has a name keeps it in a cluster: another one makes a new cache, and the old one stays until somebody deletes it."
    machine          = contains(keys(cache.machine), target.provider) ? "Pods have no machine type; memory says what they get." : null
    maintenance_day  = "There is no window: nodes are replaced when their manifest changes."
    maintenance_hour = "There is no window: nodes are replaced when their manifest changes."
  }
}

let {
  # What one zone takes with it is kept small by spreading the keys over all of them.
  slabs       = floor(mib(cache.memory) / cache.zones)
  slabs_limit = ceil(let.slabs / 0.8 + 64)
}

manifest "v1" "ServiceAccount" "this" {
  metadata = {
    name      = cache.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = cache.name }
  }
  automountServiceAccountToken = false
}

manifest "apps/v1" "StatefulSet" "this" {
  metadata = {
    name      = cache.name
    namespace = let.namespace
    labels = {
      "app.kubernetes.io/name"    = cache.name
      "app.kubernetes.io/part-of" = blueprint.name
    }
  }
  spec = {
    # Names that stay: clients find a key's node by hashing over them.
    serviceName          = cache.name
    replicas             = cache.zones
    revisionHistoryLimit = 5
    # Each replaced node comes back empty.
    minReadySeconds     = 60
    podManagementPolicy = "Parallel"
    updateStrategy      = { type = "RollingUpdate" }
    selector            = { matchLabels = { "app.kubernetes.io/name" = cache.name } }
    template = {
      metadata = {
        labels = {
          "app.kubernetes.io/name"    = cache.name
          "app.kubernetes.io/part-of" = blueprint.name
        }
      }
      spec = {
        serviceAccountName            = cache.name
        automountServiceAccountToken  = false
        enableServiceLinks            = false
        imagePullSecrets              = target.pull_secret == null ? null : [{ name = target.pull_secret }]
        terminationGracePeriodSeconds = 30
        securityContext = {
          runAsNonRoot   = true
          runAsUser      = 65532
          runAsGroup     = 65532
          seccompProfile = { type = "RuntimeDefault" }
        }
        topologySpreadConstraints = cache.zones < 2 ? null : [
          {
            maxSkew           = 1
            topologyKey       = "topology.kubernetes.io/zone"
            whenUnsatisfiable = "DoNotSchedule"
            labelSelector     = { matchLabels = { "app.kubernetes.io/name" = cache.name } }
          },
        ]
        affinity = {
          podAntiAffinity = {
            requiredDuringSchedulingIgnoredDuringExecution = [
              {
                topologyKey   = "kubernetes.io/hostname"
                labelSelector = { matchLabels = { "app.kubernetes.io/name" = cache.name } }
              },
            ]
          }
        }
        containers = [
          {
            name            = "memcached"
            image           = "docker.io/library/memcached:${cache.version == "1.6" ? "1.6.39" : cache.version}"
            imagePullPolicy = "Always"
            # The memory is for values; connections and the table of keys come on top.
            command = ["memcached", "-m", tostring(let.slabs), "-c", tostring(cache.max_clients), "-p", "11211", "-U", "0", "-t", "2"]
            ports = [
              { name = "cache", containerPort = 11211, protocol = "TCP" },
            ]
            resources = {
              requests = { cpu = "1", memory = "${let.slabs_limit}Mi", "ephemeral-storage" = "32Mi" }
              limits   = { cpu = "1", memory = "${let.slabs_limit}Mi", "ephemeral-storage" = "32Mi" }
            }
            # It answers, and does not only listen.
            readinessProbe = {
              exec             = { command = ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/11211 && printf 'version\\r\\n' >&3 && IFS= read -r -t 1 line <&3 && [[ $line == VERSION* ]]"] }
              periodSeconds    = 5
              timeoutSeconds   = 2
              failureThreshold = 2
            }
            livenessProbe = {
              tcpSocket        = { port = "cache" }
              periodSeconds    = 10
              timeoutSeconds   = 2
              failureThreshold = 6
            }
            securityContext = {
              allowPrivilegeEscalation = false
              privileged               = false
              readOnlyRootFilesystem   = true
              runAsNonRoot             = true
              runAsUser                = 65532
              runAsGroup               = 65532
              capabilities             = { drop = ["ALL"] }
            }
          },
          {
            name            = "exporter"
            image           = "quay.io/prometheus/memcached-exporter:v0.15.3"
            imagePullPolicy = "Always"
            ports = [
              { name = "metrics", containerPort = 9150, protocol = "TCP" },
            ]
            resources = {
              requests = { cpu = "50m", memory = "64Mi", "ephemeral-storage" = "32Mi" }
              limits   = { cpu = "50m", memory = "64Mi", "ephemeral-storage" = "32Mi" }
            }
            readinessProbe = {
              httpGet          = { path = "/metrics", port = "metrics" }
              periodSeconds    = 15
              timeoutSeconds   = 5
              failureThreshold = 2
            }
            livenessProbe = {
              tcpSocket        = { port = "metrics" }
              periodSeconds    = 15
              timeoutSeconds   = 2
              failureThreshold = 6
            }
            securityContext = {
              allowPrivilegeEscalation = false
              privileged               = false
              readOnlyRootFilesystem   = true
              runAsNonRoot             = true
              runAsUser                = 65532
              runAsGroup               = 65532
              capabilities             = { drop = ["ALL"] }
            }
          },
        ]
      }
    }
  }
}

manifest "v1" "Service" "this_nodes" {
  metadata = {
    name      = cache.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = cache.name }
  }
  spec = {
    clusterIP = "None"
    selector  = { "app.kubernetes.io/name" = cache.name }
    ports = [
      { name = "tcp-cache", port = 11211, targetPort = "cache", protocol = "TCP" },
    ]
  }
}

manifest "policy/v1" "PodDisruptionBudget" "this" {
  when = cache.zones > 1
  metadata = {
    name      = cache.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = cache.name }
  }
  spec = {
    maxUnavailable             = 1
    unhealthyPodEvictionPolicy = "AlwaysAllow"
    selector                   = { matchLabels = { "app.kubernetes.io/name" = cache.name } }
  }
}

manifest "networking.k8s.io/v1" "NetworkPolicy" "this" {
  metadata = {
    name      = cache.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = cache.name }
  }
  spec = {
    podSelector = { matchLabels = { "app.kubernetes.io/name" = cache.name } }
    policyTypes = ["Ingress", "Egress"]
    ingress = [
      length(let.takers) == 0 ? null : {
        from  = [for c in let.takers : { podSelector = { matchLabels = { "app.kubernetes.io/name" = c } } }]
        ports = [{ port = 11211, protocol = "TCP" }]
      },
      {
        from  = [{ namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = target.monitoring_namespace } } }]
        ports = [{ port = 9150, protocol = "TCP" }]
      },
    ]
  }
}
