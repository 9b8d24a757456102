# The pods of a service, and what they are made of. A Deployment; a Rollout where
# releases go in steps or back by themselves; a StatefulSet where it grows
# vertically and has a disk. Patterns fill in the strategy.
template "workload" {
  for  = service
  when = target.provider == "kubernetes" || service.runs_on != null
  file = "${service.name}/${lower(let.workload[1])}.yaml"

  ignores = {
    was     = service.was == null || target.provider != "kubernetes" ? null : "What has a name keeps it in a cluster: another one makes a new service, and the old one stays until somebody deletes it."
    machine = contains(keys(service.machine), target.provider) ? "Pods have no machine type; cpu and memory say what they get." : null
  }

  check "zones" {
    condition = let.bare ? service.zones <= target.zones : true
    message   = "${service.name} is to be spread over ${service.zones} zones, but the target's cluster has ${let.bare ? target.zones : service.zones}."
    fix       = "Lower zones, or raise zones of the target if the cluster has more."
    at        = service.zones
    related   = [target.zones]
  }
  check "way_in" {
    condition = !service.public || service.balancer != null
    message   = "${service.name} is public, but nothing leads from the internet to its pods."
    fix       = "Add elastic_load_balancing."
    at        = service.public
    related   = [service.domain]
    severity  = "warning"
  }
  check "udp_health" {
    condition = service.protocol != "udp" || let.health_port != null
    message   = "Nothing can ask ${service.name} over UDP whether it is well, so its pods count as ready once they have started."
    fix       = "Add load_balancer_types with health_port, a port that answers HTTP."
    at        = service.protocol
    severity  = "warning"
  }
}

let {
  vertical = service.vertical_scaling != null
  # ROLL-004: one object owns the pods, whatever patterns are named.
  stepped  = service.blue_green_deployment != null || service.canary_deployment != null
  undoing  = service.rolling_updates == null ? false : service.rolling_updates.rollback == "alarms"
  rollout  = !let.vertical && (let.stepped || let.undoing)
  workload = let.vertical ? ["apps/v1", "StatefulSet"] : let.rollout ? ["argoproj.io/v1alpha1", "Rollout"] : ["apps/v1", "Deployment"]
  # The label by which the controller tells the pods of a revision.
  revision = let.vertical ? "controller-revision-hash" : let.rollout ? "rollouts-pod-template-hash" : "pod-template-hash"

  plain    = service.rolling_updates == null && !let.stepped
  settle   = service.rolling_updates == null ? 10 : ceil(service.rolling_updates.settle)
  deadline = service.rolling_updates == null ? max(600, ceil(4 * (service.boot_time + 10))) : ceil(service.rolling_updates.deadline)

  # Proxies: those of a mesh, or one beside a caller whose calls are broken off, and one that measures latency beside
  # whom it calls.
  ambient = service.mesh == null ? false : service.mesh.mode == "ambient"
  sidecar = service.mesh != null ? service.mesh.mode == "sidecar" : (
    service.breaker != null ||
    anytrue([for c in service.callees : c.breaker == null ? false : c.breaker.guards_itself]) ||
    let.layer_7 && anytrue([for c in let.pod_callers : c.circuit_breaker_advanced == null ? false : c.circuit_breaker_advanced.adaptive && c.circuit_breaker_advanced.mode != "forced_closed" && c.mesh == null])
  )
  meshed       = let.sidecar || let.ambient
  waypoint     = let.ambient && contains(["http", "grpc"], service.protocol)
  strict       = service.mesh == null ? false : service.mesh.strict
  proxy_cpu    = service.mesh == null ? (let.sidecar ? 0.1 : 0) : service.sidecar_cpu
  proxy_memory = service.mesh == null ? (let.sidecar ? 134217728 : 0) : service.sidecar_memory
  drain        = service.mesh == null ? min(30, ceil(service.drain_time)) : ceil(service.mesh.drain)

  cpu       = service.cpu == floor(service.cpu) ? tostring(service.cpu) : "${floor(1000 * service.cpu + 0.5)}m"
  memory    = quantity(service.memory)
  burstable = service.horizontal_pod_autoscaler == null ? false : service.horizontal_pod_autoscaler.burstable
  grace     = ceil(service.grace_period)

  layer_7     = contains(["http", "grpc"], service.protocol)
  balanced    = service.balancer != null
  routed      = service.balancer == null ? false : service.balancer.layer == 7
  health_port = service.balancer == null ? null : service.balancer.health_port
  # A port of its own for health only where one is named.
  probe_port = let.health_port == null ? service.protocol : "health"
  probe = (
    service.protocol == "http" || let.health_port != null ? "http" :
    service.protocol == "grpc" ? "grpc" :
    service.protocol == "tcp" ? "tcp" : "none"
  )

  # The version is the image's tag, or the beginning of its digest.
  tag     = can(regex("@sha256:", service.image)) ? substr(element(split("@sha256:", service.image), 1), 0, 12) : element(reverse(split(":", service.image)), 0)
  version = can(regex("^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$", let.tag)) ? let.tag : hash(let.tag, 12)

  # Where the program finds what it needs. What only Terraform knows comes from the ConfigMap infrastructure.
  variables = merge(
    { PORT = tostring(service.port) },
    { for n in service.callees : "${upper(replace(n.name, "-", "_"))}_URL" =>
      let.bare || n.runs_on != null ? "${n.protocol == "http" ? "http" : n.protocol}://${n.name}.${let.namespace}.svc:${n.port}" :
      n.hostname != null ? "https://${n.hostname}" : "http://${n.name}.${blueprint.name}.internal:${n.port}"
    },
    { for n in service.databases : "${n.let.word}_PORT" => tostring(n.let.port) if !n.let.managed },
    { for n in service.caches : "${n.let.word}_PORT" => tostring(n.port) },
    { for n in service.databases : "${n.let.word}_DATABASE" => n.database_name },
    { for n in service.databases : "${n.let.word}_USER" => n.let.user if contains(["pgbouncer", "pool"], n.let.login) },
    # With a token for a password. Postgres has room for 63 characters and leaves the end of an account's name away.
    { for n in service.databases : "${n.let.word}_USER" => n.engine == "mysql" ? let.google_id : trimsuffix(let.google_account, ".gserviceaccount.com") if n.let.login == "account" && (n.engine == "mysql" || let.google_known) },
    let.bare ? { for n in concat(service.databases, service.caches) : "${upper(replace(n.name, "-", "_"))}_HOST" => n.let.host } : {},
    let.bare ? { for n in service.databases : "${upper(replace(n.name, "-", "_"))}_READER_HOST" => n.let.reader_host if n.readers > 0 } : {},
    service.environment,
  )
  settings = "${service.name}-${hash(jsonencode(let.variables), 8)}"
  # As the gcp pack names it: 6 to 30 characters. The whole name has the project in it, which the blueprint may leave to Terraform.
  google_name    = "${blueprint.name}${blueprint.environment == null ? "" : "-${blueprint.environment}"}-${service.name}"
  google_id      = length(let.google_name) < 6 ? "${let.google_name}-service" : shortname(let.google_name, 30)
  google_known   = target.provider == "gcp" ? target.project != null : false
  google_account = target.provider != "gcp" ? "" : let.google_known ? "${let.google_id}@${target.project}.iam.gserviceaccount.com" : "${let.key}_account"
  # Variables whose values only Terraform knows.
  key = replace(service.name, "-", "_")
  looked_up = let.bare ? [] : concat(
    flatten([for n in concat(service.databases, service.caches) : n.let.outputs]),
    [for n in service.databases : { name = "${n.let.word}_USER", key = "${let.key}_user", field = "" } if n.let.login == "account" && n.engine == "postgres" && !let.google_known],
  )
  # All that the manifests of its pods have from Terraform: what it is called there and where it stands in the outputs.
  from_terraform = let.bare ? [] : concat(
    flatten([for n in concat(service.databases, service.caches) : [for o in n.let.outputs : { key = o.key, at = ".${n.let.key}.value.${o.field}" }]]),
    [for n in service.databases : { key = "${n.let.key}_secret", at = n.let.login == "pool" ? ".${n.let.key}_login.value.secret" : ".${n.let.key}.value.secret_arn" } if contains(["secret", "pool"], n.let.login)],
    target.provider != "gcp" || let.google_known ? [] : [{ key = "${let.key}_account", at = ".${let.key}.value.account" }],
    [for v in let.looked_up : { key = v.key, at = "(.${let.key}.value.account | rtrimstr(\".gserviceaccount.com\"))" } if v.field == ""],
  )
  filled_in = target.provider != "gcp" || let.google_known ? [] : [{ key = "${let.key}_account", kind = "ServiceAccount", name = service.name, path = "metadata.annotations.[iam.gke.io/gcp-service-account]" }]
  # Databases whose password, and mostly the user name as well, stand in a secret.
  with_password = [for d in service.databases : d if contains(["secret", "pool"], d.let.login)]
}

manifest "v1" "ServiceAccount" "this" {
  metadata = {
    name      = service.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
    # The service's account in Google Cloud, whose rights the pods have.
    annotations = let.google_account == "" ? null : { "iam.gke.io/gcp-service-account" = let.google_account }
  }
  automountServiceAccountToken = false
}

# A new content gets a new name, so that it rolls out and rolls back with the pods.
manifest "v1" "ConfigMap" "this" {
  metadata = {
    name      = let.settings
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
  }
  immutable = true
  data      = let.variables
}

manifest "apps/v1" "Deployment" "this" {
  written_as = let.workload
  metadata = {
    name      = service.name
    namespace = let.namespace
    labels = {
      "app.kubernetes.io/name"    = service.name
      "app.kubernetes.io/part-of" = blueprint.name
      "app.kubernetes.io/version" = let.version
    }
    annotations = merge(
      service.auto_scaling_group != null ? {
        # KEDA owns the number of pods; kube-score does not know it.
        "kube-score/ignore" = "deployment-replicas"
      } : null,
      length(let.looked_up) > 0 ? {
        # kustomization.yaml makes it from what Terraform puts out.
        "scaffold/provided-elsewhere" = "ConfigMap/infrastructure"
      } : null,
    )
  }
  spec = {
    serviceName             = let.vertical ? "${service.name}-peers" : null
    replicas                = service.autoscaler == null ? service.replicas : null
    revisionHistoryLimit    = 5
    minReadySeconds         = let.settle
    progressDeadlineSeconds = let.vertical ? null : let.deadline
    # Back to the last good version by itself, which a Deployment would not do.
    progressDeadlineAbort = let.rollout ? true : null
    # Going back to one of the last two versions skips pauses and analysis.
    rollbackWindow = let.rollout ? { revisions = 2 } : null
    strategy = let.vertical ? null : let.plain ? {
      type          = "RollingUpdate"
      rollingUpdate = { maxSurge = "25%", maxUnavailable = 0 }
    } : {}
    updateStrategy = let.vertical ? { type = "RollingUpdate" } : null
    persistentVolumeClaimRetentionPolicy = let.vertical ? {
      whenDeleted = "Retain"
      whenScaled  = "Retain"
    } : null
    selector = { matchLabels = { "app.kubernetes.io/name" = service.name } }
    template = {
      metadata = {
        labels = {
          "app.kubernetes.io/name"    = service.name
          "app.kubernetes.io/part-of" = blueprint.name
          "app.kubernetes.io/version" = let.version
          # Proxies are asked for by each pod, for not everything in the namespace is in the mesh.
          "sidecar.istio.io/inject" = let.sidecar ? (target.mesh_revision == null ? "true" : null) : null
          "istio.io/rev"            = let.sidecar ? target.mesh_revision : null
          "istio.io/dataplane-mode" = let.ambient ? "ambient" : null
        }
        annotations = let.sidecar ? {
          # The proxy is up before the program and goes on while it drains.
          "proxy.istio.io/config" = join("\n", concat(
            [
              "holdApplicationUntilProxyStarts: true",
              "terminationDrainDuration: ${let.drain}s",
              "concurrency: ${max(1, floor(let.proxy_cpu))}",
            ],
            # Istio drops what breakers measure unless it is asked for.
            service.breaker == null && !let.adapts ? [] : ["proxyStatsMatcher:", "  inclusionRegexps:"],
            service.breaker == null ? [] : [
              "    - .*circuit_breakers.*",
              "    - .*outlier_detection.*",
              "    - .*upstream_rq_(retry|pending).*",
              "    - .*membership_.*",
            ],
            let.adapts ? ["    - .*adaptive_concurrency.*"] : [],
            [""],
          ))
          "sidecar.istio.io/proxyCPU"         = "${floor(1000 * let.proxy_cpu + 0.5)}m"
          "sidecar.istio.io/proxyCPULimit"    = "${floor(1000 * let.proxy_cpu + 0.5)}m"
          "sidecar.istio.io/proxyMemory"      = quantity(let.proxy_memory)
          "sidecar.istio.io/proxyMemoryLimit" = quantity(let.proxy_memory)
        } : null
      }
      spec = {
        serviceAccountName           = service.name
        automountServiceAccountToken = false
        enableServiceLinks           = false
        imagePullSecrets             = target.pull_secret == null ? null : [{ name = target.pull_secret }]
        # The delay before the stop, the time to finish what was begun, and 10 s to spare.
        terminationGracePeriodSeconds = let.grace
        securityContext = {
          runAsNonRoot        = true
          runAsUser           = 65532
          runAsGroup          = 65532
          fsGroup             = 65532
          fsGroupChangePolicy = "OnRootMismatch"
          seccompProfile      = { type = "RuntimeDefault" }
        }
        topologySpreadConstraints = service.zones < 2 ? null : [
          {
            maxSkew           = 1
            topologyKey       = "topology.kubernetes.io/zone"
            whenUnsatisfiable = service.min_instances >= service.zones ? "DoNotSchedule" : "ScheduleAnyway"
            labelSelector     = { matchLabels = { "app.kubernetes.io/name" = service.name } }
            # Each version is spread by itself.
            matchLabelKeys = [let.revision]
          },
        ]
        affinity = {
          podAntiAffinity = {
            preferredDuringSchedulingIgnoredDuringExecution = [
              {
                weight = 100
                podAffinityTerm = {
                  topologyKey   = "kubernetes.io/hostname"
                  labelSelector = { matchLabels = { "app.kubernetes.io/name" = service.name } }
                }
              },
            ]
          }
        }
        containers = [
          {
            name            = service.name
            image           = service.image
            imagePullPolicy = "Always"
            ports = [
              { name = service.protocol, containerPort = service.port, protocol = service.protocol == "udp" ? "UDP" : "TCP" },
              let.health_port == null ? null : { name = "health", containerPort = let.health_port, protocol = "TCP" },
            ]
            envFrom = [
              { configMapRef = { name = let.settings } },
              length(service.secrets) == 0 ? null : { secretRef = { name = "${service.name}-secrets" } },
            ]
            env = length(let.with_password) + length(let.looked_up) == 0 && !let.vertical ? null : concat(
              [for v in let.looked_up : {
                name      = v.name
                valueFrom = { configMapKeyRef = { name = "infrastructure", key = v.key } }
              }],
              flatten([for d in let.with_password : [
                d.let.login == "secret" ? {
                  name      = "${d.let.word}_USER"
                  valueFrom = { secretKeyRef = { name = d.let.secret, key = "username" } }
                } : null,
                {
                  name      = "${d.let.word}_PASSWORD"
                  valueFrom = { secretKeyRef = { name = d.let.secret, key = "password" } }
                },
              ]]),
              let.vertical ? [
                # The runtime has to follow when the container grows.
                {
                  name      = "CPU_LIMIT"
                  valueFrom = { resourceFieldRef = { resource = "limits.cpu" } }
                },
                {
                  name      = "MEMORY_LIMIT"
                  valueFrom = { resourceFieldRef = { resource = "limits.memory" } }
                },
              ] : [],
            )
            resources = {
              requests = { cpu = let.cpu, memory = let.memory, "ephemeral-storage" = "1Gi" }
              limits = {
                cpu = let.burstable ? (
                  # As much again, where its node has it to spare.
                  "${floor(2000 * service.cpu + 0.5)}m"
                ) : let.cpu
                memory              = let.memory
                "ephemeral-storage" = "1Gi"
              }
            }
            resizePolicy = let.vertical ? [
              { resourceName = "cpu", restartPolicy = "NotRequired" },
              # Few programs take more memory than they started with.
              { resourceName = "memory", restartPolicy = "RestartContainer" },
            ] : null
            startupProbe = let.probe == "none" ? null : {
              httpGet        = let.probe == "http" ? { path = service.health_path, port = let.probe_port } : null
              grpc           = let.probe == "grpc" ? { port = service.port } : null
              tcpSocket      = let.probe == "tcp" ? { port = let.probe_port } : null
              periodSeconds  = 2
              timeoutSeconds = 1
              # Twice the time that it needs to start.
              failureThreshold = max(30, ceil(service.boot_time))
            }
            readinessProbe = let.probe == "none" ? null : {
              httpGet          = let.probe == "http" ? { path = service.ready_path, port = let.probe_port } : null
              grpc             = let.probe == "grpc" ? { port = service.port } : null
              tcpSocket        = let.probe == "tcp" ? { port = let.probe_port } : null
              periodSeconds    = 5
              timeoutSeconds   = 2
              failureThreshold = 2
            }
            livenessProbe = contains(["http", "grpc"], let.probe) ? {
              httpGet          = let.probe == "http" ? { path = service.health_path, port = let.probe_port } : null
              grpc             = let.probe == "grpc" ? { port = service.port } : null
              periodSeconds    = 10
              timeoutSeconds   = 2
              failureThreshold = 6
            } : null
            # Still takes requests until balancers and proxies have heard that it goes.
            lifecycle = service.stop_delay == 0 ? null : { preStop = { sleep = { seconds = ceil(service.stop_delay) } } }
            securityContext = {
              allowPrivilegeEscalation = false
              privileged               = false
              readOnlyRootFilesystem   = true
              runAsNonRoot             = true
              runAsUser                = 65532
              runAsGroup               = 65532
              capabilities             = { drop = ["ALL"] }
            }
            volumeMounts = [
              { name = "tmp", mountPath = "/tmp" },
              let.vertical ? { name = "data", mountPath = "/data" } : null,
            ]
          },
        ]
        volumes = [
          {
            name     = "tmp"
            emptyDir = { sizeLimit = "64Mi" }
          },
        ]
      }
    }
    volumeClaimTemplates = let.vertical ? [
      {
        metadata = { name = "data" }
        spec = {
          accessModes      = ["ReadWriteOnce"]
          storageClassName = target.storage_class
          resources        = { requests = { storage = quantity(service.vertical_scaling == null ? 0 : service.vertical_scaling.disk) } }
        }
      },
    ] : null
  }
}

# Maintenance takes a few at a time. A pod that is not well may always go.
manifest "policy/v1" "PodDisruptionBudget" "this" {
  metadata = {
    name      = service.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
  }
  spec = {
    maxUnavailable             = service.horizontal_pod_autoscaler != null ? "${service.horizontal_pod_autoscaler.max_unavailable}%" : service.min_instances >= 4 ? "25%" : 1
    unhealthyPodEvictionPolicy = "AlwaysAllow"
    selector                   = { matchLabels = { "app.kubernetes.io/name" = service.name } }
  }
}
