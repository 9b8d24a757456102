# Pictures of a cache, taken from copies so that no primary has to fork for them.
template "cache_backup" {
  for  = cache
  when = target.provider == "kubernetes" && cache.engine != "memcached" && (cache.redis_cluster == null ? cache.backup_days : cache.redis_cluster.backup_days) > 0
  file = "${cache.name}/backup.yaml"
}

let {
  every_hours = cache.redis_cluster == null ? 24 : max(1, floor(cache.redis_cluster.backup_every / 3600))
  schedule    = let.every_hours == 24 ? "17 ${cache.backup_hour} * * *" : "17 ${join(",", [for h in range(cache.backup_hour % let.every_hours, 24, let.every_hours) : tostring(h)])} * * *"
  outside     = target.backup_url != null
  to_s3       = let.outside ? startswith(target.backup_url, "s3://") : false
  bucket      = let.outside ? "${trimsuffix(target.backup_url, "/")}/${cache.name}/" : ""
  # A picture is seldom larger than the data; three of them are kept here, and one is being made.
  pictures_gib    = max(2, ceil(gib(cache.memory) * (let.outside ? 1.2 : 4)))
  backup_sh       = <<-EOT
    #!/bin/sh
    # One picture of every shard, from a copy that is in step; from the primary
    # where there is none.
    set -eu
    hosts="${join(" ", let.hosts)}"
    stamp=$(date -u +%Y%m%dT%H%M%SZ)
    done_shards=
    pictures=0
    role() { timeout 5 ${let.cli} -h "$1" info replication | tr -d '\r'; }
    # The history that a node has is the same for all that hold the same data.
    shard() { role "$1" | sed -n 's/^master_replid://p'; }
    take() {
      id=$(shard "$1")
      case " $done_shards " in *" $id "*) return ;; esac
      ${let.cli} -h "$1" --rdb "/backup/.partial"
      mv /backup/.partial "/backup/$stamp-$${1%%.*}.rdb"
      done_shards="$done_shards $id"
      pictures=$((pictures + 1))
    }
    for host in $hosts; do
      case "$(role "$host")" in *role:slave*master_link_status:up*) take "$host" ;; esac
    done
    for host in $hosts; do
      case "$(role "$host")" in *role:master*) take "$host" ;; esac
    done
    ls -l /backup
    # A shard that nobody could be asked about is missed, and the job with it.
    [ "$pictures" -ge ${cache.shards} ]
  EOT
  prune_sh        = <<-EOT
    # The last three.
    cd /backup
    for old in $(ls | sed -n 's/-.*//p' | sort -u | head -n -3); do rm -f "$old"-*.rdb; done
  EOT
  backup_script   = let.outside ? let.backup_sh : join("", [let.backup_sh, let.prune_sh])
  backup_settings = "${cache.name}-backup-${hash(let.backup_script, 8)}"
}

manifest "v1" "ConfigMap" "this_backup" {
  metadata = {
    name      = let.backup_settings
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${cache.name}-backup" }
  }
  immutable = true
  data      = { "backup.sh" = let.backup_script }
}

manifest "v1" "PersistentVolumeClaim" "this_backup" {
  when = !let.outside
  metadata = {
    name      = "${cache.name}-backup"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${cache.name}-backup" }
  }
  spec = {
    accessModes      = ["ReadWriteOnce"]
    storageClassName = target.storage_class
    resources        = { requests = { storage = "${let.pictures_gib}Gi" } }
  }
}

manifest "batch/v1" "CronJob" "this_backup" {
  metadata = {
    name      = "${cache.name}-backup"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${cache.name}-backup" }
    annotations = let.outside ? {
      # You make the secret: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, or credentials.json.
      "scaffold/provided-elsewhere" = "Secret/${target.backup_secret}"
    } : null
  }
  spec = {
    schedule                   = let.schedule
    timeZone                   = "Etc/UTC"
    concurrencyPolicy          = "Forbid"
    startingDeadlineSeconds    = 1800
    successfulJobsHistoryLimit = 2
    failedJobsHistoryLimit     = 3
    jobTemplate = {
      spec = {
        backoffLimit          = 2
        activeDeadlineSeconds = 7200
        template = {
          metadata = { labels = { "app.kubernetes.io/name" = "${cache.name}-backup" } }
          spec = {
            serviceAccountName            = cache.name
            automountServiceAccountToken  = false
            enableServiceLinks            = false
            imagePullSecrets              = target.pull_secret == null ? null : [{ name = target.pull_secret }]
            restartPolicy                 = "Never"
            terminationGracePeriodSeconds = 10
            securityContext = {
              runAsNonRoot        = true
              runAsUser           = 65532
              runAsGroup          = 65532
              fsGroup             = 65532
              fsGroupChangePolicy = "OnRootMismatch"
              seccompProfile      = { type = "RuntimeDefault" }
            }
            initContainers = let.outside ? [
              {
                name            = "picture"
                image           = let.image
                imagePullPolicy = "Always"
                command         = ["sh", "/scripts/backup.sh"]
                env = [
                  {
                    name      = "REDISCLI_AUTH"
                    valueFrom = { secretKeyRef = { name = let.secret, key = "password" } }
                  },
                ]
                resources = {
                  requests = { cpu = "500m", memory = "256Mi", "ephemeral-storage" = "${let.pictures_gib}Gi" }
                  limits   = { cpu = "500m", memory = "256Mi", "ephemeral-storage" = "${let.pictures_gib}Gi" }
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
                volumeMounts = [
                  { name = "scripts", mountPath = "/scripts", readOnly = true },
                  { name = "backup", mountPath = "/backup" },
                ]
              },
            ] : null
            containers = [
              {
                name            = let.outside ? "upload" : "picture"
                image           = !let.outside ? let.image : let.to_s3 ? "public.ecr.aws/aws-cli/aws-cli:2.31.0" : "gcr.io/google.com/cloudsdktool/google-cloud-cli:540.0.0-slim"
                imagePullPolicy = "Always"
                command         = !let.outside ? ["sh", "/scripts/backup.sh"] : let.to_s3 ? ["aws", "s3", "cp", "--recursive", "/backup", let.bucket] : ["gcloud", "storage", "rsync", "--recursive", "/backup", let.bucket]
                envFrom         = let.to_s3 ? [{ secretRef = { name = target.backup_secret } }] : null
                env = concat(
                  !let.outside ? [
                    {
                      name      = "REDISCLI_AUTH"
                      valueFrom = { secretKeyRef = { name = let.secret, key = "password" } }
                    },
                  ] : [],
                  let.outside ? [{ name = "HOME", value = "/tmp" }] : [],
                  let.outside && !let.to_s3 ? [{ name = "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE", value = "/credentials/credentials.json" }] : [],
                )
                resources = {
                  requests = { cpu = "500m", memory = "256Mi", "ephemeral-storage" = let.outside ? "${let.pictures_gib}Gi" : "32Mi" }
                  limits   = { cpu = "500m", memory = "256Mi", "ephemeral-storage" = let.outside ? "${let.pictures_gib}Gi" : "32Mi" }
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
                volumeMounts = [
                  let.outside ? null : { name = "scripts", mountPath = "/scripts", readOnly = true },
                  let.outside ? { name = "tmp", mountPath = "/tmp" } : null,
                  let.outside && !let.to_s3 ? { name = "credentials", mountPath = "/credentials", readOnly = true } : null,
                  { name = "backup", mountPath = "/backup", readOnly = let.outside ? true : null },
                ]
              },
            ]
            volumes = [
              {
                name      = "scripts"
                configMap = { name = let.backup_settings }
              },
              let.outside ? {
                name     = "tmp"
                emptyDir = { sizeLimit = "64Mi" }
              } : null,
              let.outside && !let.to_s3 ? {
                name   = "credentials"
                secret = { secretName = target.backup_secret }
              } : null,
              let.outside ? {
                # How long they are kept is a rule of the bucket.
                name     = "backup"
                emptyDir = { sizeLimit = "${let.pictures_gib}Gi" }
                } : {
                name                  = "backup"
                persistentVolumeClaim = { claimName = "${cache.name}-backup" }
              },
            ]
          }
        }
      }
    }
  }
}

manifest "networking.k8s.io/v1" "NetworkPolicy" "this_backup" {
  metadata = {
    name      = "${cache.name}-backup"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${cache.name}-backup" }
  }
  spec = {
    podSelector = { matchLabels = { "app.kubernetes.io/name" = "${cache.name}-backup" } }
    policyTypes = ["Ingress", "Egress"]
    egress = [
      {
        to    = [{ podSelector = { matchLabels = { "app.kubernetes.io/name" = cache.name } } }]
        ports = [{ port = 6379, protocol = "TCP" }]
      },
      let.outside ? {
        to    = [{ ipBlock = { cidr = "0.0.0.0/0", except = ["169.254.0.0/16"] } }]
        ports = [{ port = 443, protocol = "TCP" }]
      } : null,
    ]
  }
}

manifest "monitoring.coreos.com/v1" "PrometheusRule" "this_backup" {
  metadata = {
    name      = "${cache.name}-backup"
    namespace = let.namespace
    labels = merge(
      { "app.kubernetes.io/name" = "${cache.name}-backup" },
      target.monitoring_labels,
    )
  }
  spec = {
    groups = [
      {
        name = "${cache.name}.backup"
        rules = [
          {
            # One may fail.
            alert       = "CacheBackupStale"
            expr        = "time() - max(kube_cronjob_status_last_successful_time{namespace=\"${let.namespace}\", cronjob=\"${cache.name}-backup\"}) > ${(2 * let.every_hours + 1) * 3600}"
            for         = "10m"
            labels      = { severity = "critical", cache = cache.name }
            annotations = { summary = "There has been no picture of ${cache.name} for ${2 * let.every_hours} hours" }
          },
        ]
      },
    ]
  }
}
