# Warming after a release, from the inside to the outside, and what is watched
# besides.
template "multi_layer_caching_detailed" {
  for  = service
  when = target.provider == "kubernetes"
  file = "${service.name}/warming.yaml"

  covers = {
    warming  = [Job.this_warmer.spec.template.spec.initContainers, Job.this_warmer.spec.template.spec.containers]
    eviction = [ConfigMap.this_layers.data, Deployment.this_edge.spec.template.spec.containers, ConfigMap.this_edge.data]
  }
  approximates = {
    consistency = {
      by  = [ConfigMap.this_layers.data, PrometheusRule.this_warming.spec.groups]
      why = "The program is told what share of its reads to compare with the database, and has to count what differs."
    }
    fallback = {
      by  = [ConfigMap.this_edge.data]
      why = let.elaborate.fallback == null ? "The edge sends the old answer, then a plain page; while the gateway itself is down nobody does." : "The edge sends the old answer, then a plain page; it does not read the pages of ${let.elaborate.fallback == null ? "" : let.elaborate.fallback.name}."
    }
    cold_start = {
      by  = [Deployment.this_edge.spec.minReadySeconds, PrometheusRule.this_warming.spec.groups, Job.this_warmer.spec.template.spec.containers]
      why = "A cold layer is told and a release warms it; that new pods get less at first is the mesh's or the gateway's doing, if there is one."
    }
  }

  ignores = {
    ramp = service.multi_layer_caching_detailed.ramp == 0 ? null : "A pod gets its whole share once it is ready, unless slow_start of its balancer or ramp of its circuit_breaker says otherwise."
  }
}

let {
  warm_sh = let.elaborate == null ? "" : <<-EOT
    #!/bin/sh
    # Every page once, through the edges, no faster than ${let.elaborate.warm_rate} in a second.
    set -eu
    for page in ${join(" ", [for p in let.elaborate.warm_paths : shell(p)])}; do
      for edge in $(getent ahostsv4 ${let.edge}-peers.${let.domain} | awk '{ print $1 }' | sort -u); do
        printf 'url = "http://%s:8080%s"\noutput = "/dev/null"\n' "$edge" "$page"
      done
    done | curl --silent --show-error --max-time 30 --rate ${let.elaborate.warm_rate}/s --header ${shell("Host: ${let.layers.domain == null ? service.name : let.layers.domain}")} --config -
  EOT
  # A release is another image, and gets another job.
  warm_name = let.elaborate == null ? "" : "${service.name}-warm-${hash(jsonencode([let.warm_sh, service.image, let.elaborate.warm_command, let.settings, let.layer_policy_name]), 8)}"
}

manifest "v1" "ConfigMap" "this_warmer" {
  metadata = {
    name      = let.warm_name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${service.name}-layers-warmer" }
  }
  immutable = true
  data      = { "warm.sh" = let.warm_sh }
}

manifest "batch/v1" "Job" "this_warmer" {
  metadata = {
    name      = let.warm_name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${service.name}-layers-warmer" }
    annotations = {
      # With Argo CD: when everything else is there. It means nothing to kubectl.
      "argocd.argoproj.io/hook"               = "PostSync"
      "argocd.argoproj.io/hook-delete-policy" = "BeforeHookCreation"
    }
  }
  spec = {
    backoffLimit          = 4
    activeDeadlineSeconds = 1800
    template = {
      metadata = { labels = { "app.kubernetes.io/name" = "${service.name}-layers-warmer" } }
      spec = {
        serviceAccountName            = service.name
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
        initContainers = [
          {
            # The cache first: what the edge asks for is then there.
            name            = "cache"
            image           = service.image
            imagePullPolicy = "Always"
            command         = [let.elaborate.warm_command]
            args            = ["--only-missing"]
            envFrom = [
              { configMapRef = { name = let.settings } },
              { configMapRef = { name = let.layer_policy_name } },
            ]
            env = concat(
              [for c in service.caches : {
                name      = "${c.let.word}_PASSWORD"
                valueFrom = { secretKeyRef = { name = "${c.name}-password", key = "password" } }
              } if c.engine != "memcached"],
              flatten([for d in service.databases : [
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
        containers = [
          {
            name            = "edge"
            image           = "docker.io/curlimages/curl:8.15.0"
            imagePullPolicy = "Always"
            command         = ["sh", "/scripts/warm.sh"]
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
            configMap = { name = let.warm_name }
          },
        ]
      }
    }
  }
}

manifest "networking.k8s.io/v1" "NetworkPolicy" "this_warmer" {
  metadata = {
    name      = "${service.name}-layers-warmer"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${service.name}-layers-warmer" }
  }
  spec = {
    podSelector = { matchLabels = { "app.kubernetes.io/name" = "${service.name}-layers-warmer" } }
    policyTypes = ["Ingress", "Egress"]
    egress = concat(
      [{
        to    = [{ podSelector = { matchLabels = { "app.kubernetes.io/name" = let.edge } } }]
        ports = [{ port = 8080, protocol = "TCP" }]
      }],
      [{
        to    = [for labels in let.layer_cache.let.pods : { podSelector = { matchLabels = labels } }]
        ports = [{ port = let.layer_cache.port, protocol = "TCP" }]
      }],
      [for d in service.databases : {
        to    = [for labels in d.let.pods : { podSelector = { matchLabels = labels } }]
        ports = [{ port = d.port, protocol = "TCP" }]
      }],
    )
  }
}

manifest "monitoring.coreos.com/v1" "PrometheusRule" "this_warming" {
  metadata = {
    name      = "${service.name}-warming"
    namespace = let.namespace
    labels = merge(
      { "app.kubernetes.io/name" = service.name },
      target.monitoring_labels,
    )
  }
  spec = {
    groups = [
      {
        name = "${service.name}.warming"
        rules = [
          {
            alert       = "EdgeCold"
            expr        = "scaffold:layer_hit:ratio{service=\"${service.name}\", layer=\"edge\"} < ${let.elaborate.cold_below / 100}"
            for         = "5m"
            labels      = { severity = "critical", service = service.name }
            annotations = { summary = "The edge of ${service.name} has gone cold: the program does its work. Warm it by running the last warming job again" }
          },
          {
            alert       = "LayersDisagree"
            expr        = "sum(rate(cache_consistency_mismatch_total{namespace=\"${let.namespace}\", container=\"${service.name}\"}[10m])) / sum(rate(cache_consistency_sample_total{namespace=\"${let.namespace}\", container=\"${service.name}\"}[10m])) > 0.001"
            for         = "10m"
            labels      = { severity = "warning", service = service.name }
            annotations = { summary = "More than one in a thousand compared reads of ${service.name} differs from the database" }
          },
        ]
      },
    ]
  }
}
