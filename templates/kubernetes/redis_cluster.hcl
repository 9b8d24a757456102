# What makes a cluster of the nodes in cache.yaml: the job that gives them their
# slots, and what is watched. The nodes heal it by themselves.
template "redis_cluster" {
  for  = cache
  when = target.provider == "kubernetes" && cache.engine != "memcached"
  file = "${cache.name}/cluster.yaml"

  covers = {
    sharding = [StatefulSet.this.spec.replicas, ConfigMap.this_bootstrap.data, Job.this_bootstrap.spec.template.spec.containers]
    health   = [StatefulSet.this.spec.template.spec.containers, ConfigMap.this.data, PrometheusRule.this_cluster.spec.groups, PodMonitor.this.spec.podMetricsEndpoints]
    memory   = [ConfigMap.this.data, PrometheusRule.this.spec.groups, PrometheusRule.this_cluster.spec.groups]
  }
  approximates = {
    backups = {
      by  = [cache.redis_cluster.backup_days > 0 ? CronJob.this_backup.spec.schedule : null, cache.redis_cluster.backup_days > 0 ? CronJob.this_backup.spec.jobTemplate.spec.template.spec.containers : null]
      why = "Pictures are taken from copies every ${duration(cache.redis_cluster.backup_every)}; before an upgrade somebody has to start the same job by hand."
    }
    replication = {
      by  = [StatefulSet.this.spec.template.spec.affinity.podAntiAffinity, StatefulSet.this.spec.template.spec.topologySpreadConstraints, PodDisruptionBudget.this.spec.maxUnavailable, ConfigMap.this_bootstrap.data]
      why = "Nodes are spread over zones and machines, and copies follow a lost primary by themselves; but the servers do not know their zone, so nothing keeps a copy out of its primary's."
    }
  }

  ignores = {
    max_shards    = cache.redis_cluster.grows ? "Nothing adds primaries by itself in a cluster of your own: there are ${cache.redis_cluster.shards} until you say more." : null
    target_memory = "Nothing adds primaries by itself in a cluster of your own."
    target_cpu    = "Nothing adds copies by itself in a cluster of your own."
  }

  check "version" {
    condition = cache.engine == "valkey" || tonumber(split(".", cache.version)[0]) >= 7
    message   = "Redis ${cache.version} knows its nodes by address only, and pods change theirs."
    fix       = "Use version 7 or later."
    at        = cache.version
  }
}

let {
  bootstrap_sh       = <<-EOT
    #!/bin/sh
    # Gives the 16384 slots to the first primaries and every primary its copies,
    # once. Run again after the cluster has got more nodes, it takes those in.
    set -eu
    hosts="${join(" ", let.hosts)}"
    address() { getent hosts "$1" | awk '{ print $1; exit }'; }
    ask() {
      node=$1
      shift
      timeout 5 ${let.cli} -h "$node" "$@" | tr -d '\r'
    }
    for host in $hosts; do
      until ip=$(address "$host") && [ -n "$ip" ] && [ "$(ask "$ip" ping)" = PONG ]; do sleep 2; done
    done

    first=$(address ${let.hosts[0]})
    lonely=
    for host in $hosts; do
      ip=$(address "$host")
      if ask "$ip" cluster info | grep -qx cluster_known_nodes:1; then lonely="$lonely $ip"; else first=$ip; fi
    done

    if [ "$(printf '%s' "$lonely" | wc -w)" -eq ${cache.nodes} ]; then
      set --
      for ip in $lonely; do set -- "$@" "$ip:6379"; done
      ${let.cli} --cluster create "$@" --cluster-replicas ${cache.replica_count} --cluster-yes
    else
      primaries=$(ask "$first" cluster nodes | awk '$3 ~ /master/ && $3 !~ /fail/ { n++ } END { print n + 0 }')
      grown=
      for ip in $lonely; do
        if [ "$primaries" -lt ${cache.shards} ]; then
          ${let.cli} --cluster add-node "$ip:6379" "$first:6379"
          primaries=$((primaries + 1))
          grown=yes
        else
          # To the primary with the fewest copies.
          ${let.cli} --cluster add-node "$ip:6379" "$first:6379" --cluster-slave
        fi
        sleep 5
      done
      if [ -n "$grown" ]; then ${let.cli} --cluster rebalance "$first:6379" --cluster-use-empty-masters; fi
    fi

    until ask "$first" cluster info | grep -qx cluster_state:ok; do sleep 1; done
    ${let.cli} --cluster check "$first:6379"
  EOT
  bootstrap_settings = "${cache.name}-bootstrap-${hash(jsonencode([let.bootstrap_sh, let.image]), 8)}"
}

manifest "v1" "ConfigMap" "this_bootstrap" {
  metadata = {
    name      = let.bootstrap_settings
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${cache.name}-bootstrap" }
  }
  immutable = true
  data      = { "bootstrap.sh" = let.bootstrap_sh }
}

# A job cannot be changed, so one with other nodes gets another name.
manifest "batch/v1" "Job" "this_bootstrap" {
  metadata = {
    name      = let.bootstrap_settings
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${cache.name}-bootstrap" }
  }
  spec = {
    backoffLimit          = 10
    activeDeadlineSeconds = 1800
    template = {
      metadata = { labels = { "app.kubernetes.io/name" = "${cache.name}-bootstrap" } }
      spec = {
        serviceAccountName            = cache.name
        automountServiceAccountToken  = false
        enableServiceLinks            = false
        imagePullSecrets              = target.pull_secret == null ? null : [{ name = target.pull_secret }]
        restartPolicy                 = "OnFailure"
        terminationGracePeriodSeconds = 10
        securityContext = {
          runAsNonRoot   = true
          runAsUser      = 65532
          runAsGroup     = 65532
          seccompProfile = { type = "RuntimeDefault" }
        }
        containers = [
          {
            name            = "bootstrap"
            image           = let.image
            imagePullPolicy = "Always"
            command         = ["sh", "/scripts/bootstrap.sh"]
            env = [
              {
                name      = "REDISCLI_AUTH"
                valueFrom = { secretKeyRef = { name = let.secret, key = "password" } }
              },
            ]
            resources = {
              requests = { cpu = "100m", memory = "64Mi", "ephemeral-storage" = "32Mi" }
              limits   = { cpu = "100m", memory = "64Mi", "ephemeral-storage" = "32Mi" }
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
            ]
          },
        ]
        volumes = [
          {
            name      = "scripts"
            configMap = { name = let.bootstrap_settings }
          },
        ]
      }
    }
  }
}

manifest "networking.k8s.io/v1" "NetworkPolicy" "this_bootstrap" {
  metadata = {
    name      = "${cache.name}-bootstrap"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${cache.name}-bootstrap" }
  }
  spec = {
    podSelector = { matchLabels = { "app.kubernetes.io/name" = "${cache.name}-bootstrap" } }
    policyTypes = ["Ingress", "Egress"]
    egress = [
      {
        to    = [{ podSelector = { matchLabels = { "app.kubernetes.io/name" = cache.name } } }]
        ports = [{ port = 6379, protocol = "TCP" }]
      },
    ]
  }
}

manifest "monitoring.coreos.com/v1" "PrometheusRule" "this_cluster" {
  metadata = {
    name      = "${cache.name}-cluster"
    namespace = let.namespace
    labels = merge(
      { "app.kubernetes.io/name" = cache.name },
      target.monitoring_labels,
    )
  }
  spec = {
    groups = [
      {
        name = "${cache.name}.cluster"
        rules = [
          {
            alert       = "RedisClusterDown"
            expr        = "min(redis_cluster_state{${let.of_cache}}) == 0"
            for         = "1m"
            labels      = { severity = "critical", cache = cache.name }
            annotations = { summary = "A node of ${cache.name} says that the cluster is not well" }
          },
          {
            alert       = "RedisSlotsUnserved"
            expr        = "min(redis_cluster_slots_ok{${let.of_cache}}) < 16384"
            for         = "1m"
            labels      = { severity = "critical", cache = cache.name }
            annotations = { summary = "Keys of some slots of ${cache.name} are served by nobody" }
          },
          {
            alert       = "RedisCopyMissing"
            expr        = "min(redis_connected_slaves{${let.of_cache}} and on (pod) redis_instance_info{${let.of_cache}, role=\"master\"}) < ${cache.replica_count}"
            for         = "5m"
            labels      = { severity = "critical", cache = cache.name }
            annotations = { summary = cache.replica_count == 1 ? "A primary of ${cache.name} has no copy" : "A primary of ${cache.name} has fewer than ${cache.replica_count} copies" }
          },
          {
            # One key too large, or one hash tag for too many.
            alert       = "RedisMemoryUneven"
            expr        = "max(redis_memory_used_bytes{${let.of_cache}}) / avg(redis_memory_used_bytes{${let.of_cache}}) > ${cache.redis_cluster.max_skew} and max(redis_memory_used_bytes{${let.of_cache}} / redis_memory_max_bytes{${let.of_cache}}) > 0.2"
            for         = "30m"
            labels      = { severity = "warning", cache = cache.name }
            annotations = { summary = "One node of ${cache.name} holds ${cache.redis_cluster.max_skew} times as much as the average" }
          },
        ]
      },
    ]
  }
}
