# What clients of a cache agree on, who fills it, and what is watched.
template "in_memory_caching" {
  for  = cache
  when = target.provider == "kubernetes"
  file = "${cache.name}/caching.yaml"

  covers = {
    ttl       = [ConfigMap.this_policy.data, cache.in_memory_caching.ttl]
    hit_ratio = [PrometheusRule.this_caching.spec.groups, PodMonitor.this.spec.podMetricsEndpoints]
    warming   = [length(let.warmers) > 0 ? CronJob.this_warmer.spec.schedule : null, length(let.warmers) > 0 ? CronJob.this_warmer.spec.jobTemplate.spec.template.spec.containers : null]
  }
  approximates = {
    invalidation = {
      by  = [ConfigMap.this_policy.data, cache.engine == "memcached" ? null : ConfigMap.this.data]
      why = cache.in_memory_caching.invalidation == "events" ? "The server tells what ends and gives way; that whoever writes throws the old value out is up to the program, which is told so." : "Values stay until their time is over."
    }
    miss = {
      by  = [ConfigMap.this_policy.data, cache.in_memory_caching.origin_limit]
      why = "The program is told how long to wait, how many may ask the database at once and that one asks for all; it has to do it."
    }
  }
}

let {
  caching = cache.in_memory_caching
  # The program's contract, in its environment.
  policy = let.caching == null ? {} : {
    "${let.word}_TTL"          = duration(let.caching.ttl)
    "${let.word}_NEGATIVE_TTL" = duration(let.caching.negative_ttl)
    "${let.word}_TTL_JITTER"   = "${let.caching.jitter}%"
    "${let.word}_INVALIDATION" = let.caching.invalidation
    "${let.word}_TIMEOUT"      = duration(let.caching.timeout)
    "${let.word}_ON_ERROR"     = "origin"
    "${let.word}_COALESCE"     = let.caching.coalesce ? "true" : "false"
    "${let.word}_ORIGIN_LIMIT" = tostring(let.caching.origin_limit)
  }
  policy_name = "${cache.name}-policy-${hash(jsonencode(let.policy), 8)}"
  # The image with the warmer in it is the first client's.
  warms = length(cache.clients) == 0 ? null : cache.clients[0]
  # Every so many minutes or hours, off the full hour.
  warm_minutes  = let.caching == null ? 60 : max(5, floor(let.caching.warm_every / 60))
  warm_schedule = let.warm_minutes < 60 ? "*/${let.warm_minutes} * * * *" : let.warm_minutes < 1440 ? "7 */${floor(let.warm_minutes / 60)} * * *" : "7 ${cache.backup_hour} * * *"

  hits   = cache.engine == "memcached" ? "memcached_commands_total{${let.of_cache}, command=\"get\", status=\"hit\"}" : "redis_keyspace_hits_total{${let.of_cache}}"
  misses = cache.engine == "memcached" ? "memcached_commands_total{${let.of_cache}, command=\"get\", status=\"miss\"}" : "redis_keyspace_misses_total{${let.of_cache}}"
  gone   = cache.engine == "memcached" ? "memcached_items_evicted_total{${let.of_cache}}" : "redis_evicted_keys_total{${let.of_cache}}"
  held   = cache.engine == "memcached" ? "memcached_current_items{${let.of_cache}}" : "redis_db_keys{${let.of_cache}}"
}

manifest "v1" "ConfigMap" "this_policy" {
  metadata = {
    name      = let.policy_name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = cache.name }
  }
  immutable = true
  data = {
    "${let.word}_TTL" = duration(let.caching.ttl)
    # That something is not there is believed for less long.
    "${let.word}_NEGATIVE_TTL" = duration(let.caching.negative_ttl)
    # What is written together does not end together.
    "${let.word}_TTL_JITTER" = "${let.caching.jitter}%"
    # events: who writes throws the old value out. expiry: it stays until its time is over.
    "${let.word}_INVALIDATION" = let.caching.invalidation
    # When the cache does not answer in time, the database is asked: once for each key, and not by too many at once.
    "${let.word}_TIMEOUT"      = duration(let.caching.timeout)
    "${let.word}_ON_ERROR"     = "origin"
    "${let.word}_COALESCE"     = let.caching.coalesce ? "true" : "false"
    "${let.word}_ORIGIN_LIMIT" = tostring(let.caching.origin_limit)
  }
}

manifest "batch/v1" "CronJob" "this_warmer" {
  when = length(let.warmers) > 0
  metadata = {
    name      = "${cache.name}-warmer"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${cache.name}-warmer" }
  }
  spec = {
    schedule                   = let.warm_schedule
    timeZone                   = "Etc/UTC"
    concurrencyPolicy          = "Forbid"
    startingDeadlineSeconds    = 300
    successfulJobsHistoryLimit = 1
    failedJobsHistoryLimit     = 3
    jobTemplate = {
      spec = {
        backoffLimit = 1
        # It must not run into the next one.
        activeDeadlineSeconds = min(3600, floor(let.warm_minutes * 60 * 8 / 10))
        template = {
          metadata = { labels = { "app.kubernetes.io/name" = "${cache.name}-warmer" } }
          spec = {
            serviceAccountName            = let.warms.name
            automountServiceAccountToken  = false
            enableServiceLinks            = false
            imagePullSecrets              = target.pull_secret == null ? null : [{ name = target.pull_secret }]
            restartPolicy                 = "Never"
            terminationGracePeriodSeconds = 10
            securityContext = {
              runAsNonRoot   = true
              runAsUser      = 65532
              runAsGroup     = 65532
              seccompProfile = { type = "RuntimeDefault" }
            }
            containers = [
              {
                name            = "warmer"
                image           = let.warms.image
                imagePullPolicy = "Always"
                command         = [let.caching.warm_command]
                args            = ["--top", tostring(let.caching.warm_keys), "--only-missing"]
                envFrom = [
                  { configMapRef = { name = let.warms.let.settings } },
                  { configMapRef = { name = let.policy_name } },
                ]
                env = concat(
                  [for c in let.warms.caches : {
                    name      = "${c.let.word}_PASSWORD"
                    valueFrom = { secretKeyRef = { name = "${c.name}-password", key = "password" } }
                  } if c.engine != "memcached"],
                  flatten([for d in let.warms.databases : [
                    {
                      name      = "${d.let.word}_USER"
                      valueFrom = { secretKeyRef = { name = d.let.secret, key = "username" } }
                    },
                    {
                      name      = "${d.let.word}_PASSWORD"
                      valueFrom = { secretKeyRef = { name = d.let.secret, key = "password" } }
                    },
                  ]]),
                )
                resources = {
                  requests = { cpu = "250m", memory = "256Mi", "ephemeral-storage" = "128Mi" }
                  limits   = { cpu = "250m", memory = "256Mi", "ephemeral-storage" = "128Mi" }
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
  }
}

manifest "networking.k8s.io/v1" "NetworkPolicy" "this_warmer" {
  when = length(let.warmers) > 0
  metadata = {
    name      = "${cache.name}-warmer"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${cache.name}-warmer" }
  }
  spec = {
    podSelector = { matchLabels = { "app.kubernetes.io/name" = "${cache.name}-warmer" } }
    policyTypes = ["Ingress", "Egress"]
    egress = concat(
      [{
        to    = [for labels in let.pods : { podSelector = { matchLabels = labels } }]
        ports = [{ port = cache.port, protocol = "TCP" }]
      }],
      [for d in let.warms.databases : {
        to    = [for labels in d.let.pods : { podSelector = { matchLabels = labels } }]
        ports = [{ port = d.port, protocol = "TCP" }]
      }],
    )
  }
}

manifest "monitoring.coreos.com/v1" "PrometheusRule" "this_caching" {
  metadata = {
    name      = "${cache.name}-caching"
    namespace = let.namespace
    labels = merge(
      { "app.kubernetes.io/name" = cache.name },
      target.monitoring_labels,
    )
  }
  spec = {
    groups = [
      {
        name = "${cache.name}.caching"
        rules = [
          {
            record = "scaffold:cache_hit:ratio"
            expr   = "sum(rate(${let.hits}[5m])) / (sum(rate(${let.hits}[5m])) + sum(rate(${let.misses}[5m])))"
            labels = { cache = cache.name }
          },
          {
            alert       = "CacheHitRatioLow"
            expr        = "scaffold:cache_hit:ratio{cache=\"${cache.name}\"} < ${let.caching.min_hit_ratio / 100}"
            for         = "15m"
            labels      = { severity = "warning", cache = cache.name }
            annotations = { summary = "${cache.name} answers less than ${let.caching.min_hit_ratio} % of the reads; ${let.caching.hit_ratio} % are expected" }
          },
          {
            # A tenth of all that it holds within five minutes.
            alert       = "CacheEvictsMuch"
            expr        = "sum(increase(${let.gone}[5m])) > 0.1 * sum(${let.held})"
            for         = "10m"
            labels      = { severity = "warning", cache = cache.name }
            annotations = { summary = "${cache.name} throws a tenth of its values out every five minutes: it is too small" }
          },
          {
            alert       = "CacheCold"
            expr        = "sum(rate(${let.misses}[5m])) > 3 * sum(rate(${let.misses}[1d])) and sum(rate(${let.misses}[5m])) > 10"
            for         = "5m"
            labels      = { severity = "critical", cache = cache.name }
            annotations = { summary = "Three times as many reads as usual miss ${cache.name} and go to the database" }
          },
        ]
      },
    ]
  }
}
