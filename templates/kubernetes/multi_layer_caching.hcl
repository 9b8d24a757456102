# The edge in front of a service (Varnish), and who throws copies out of all
# layers. Lifetimes are written once, here, and hold in every layer.
template "multi_layer_caching" {
  for  = service
  when = target.provider == "kubernetes"
  file = "${service.name}/layers.yaml"

  covers = {
    ttl       = [ConfigMap.this_edge.data, ConfigMap.this_layers.data, service.multi_layer_caching.browser_ttl]
    debugging = [ConfigMap.this_edge.data, service.multi_layer_caching.debug_percent]
  }
  approximates = {
    invalidation = {
      by  = [Deployment.this_invalidator.spec.template.spec.containers, ConfigMap.this_invalidator.data, Service.this_edge_peers.spec.clusterIP]
      why = "One event goes through cache and edges, from the inside to the outside, and is repeated until all have heard it; the program has to write the event, and browsers cannot be told."
    }
    coherence = {
      by  = [ConfigMap.this_edge.data, ConfigMap.this_layers.data]
      why = "The edge tells answers apart by the stated headers alone; the program has to use the same for its keys."
    }
    hit_ratio = {
      by  = [PrometheusRule.this_layers.spec.groups, PodMonitor.this_edge.spec.podMetricsEndpoints]
      why = "Edge and cache are measured; for copies in the program's own memory it has to count cache_local_requests_total itself."
    }
  }

  ignores = {
    shield = service.multi_layer_caching.shield ? "Each edge asks the program itself, once for an answer that several wait for." : null
  }

  check "way_to_the_edge" {
    condition = service.balancer == null ? false : service.balancer.layer == 7
    message   = "Nothing leads requests from outside to the edge of ${service.name}: only who asks ${service.name}-edge gets copies."
    fix       = "Add elastic_load_balancing."
    at        = service.multi_layer_caching.domain
    severity  = "warning"
  }
  check "strict_mesh" {
    condition = !let.strict
    message   = "The edge has no proxy of the mesh, and ${service.name} takes no connections without."
    fix       = "Set mtls = \"permissive\" in service_mesh, or leave out one of the two patterns."
    at        = service.mesh.mtls
    related   = [service.multi_layer_caching]
  }
  check "cache_speaks_streams" {
    condition = service.multi_layer_caching.cache == null ? true : service.multi_layer_caching.cache.engine != "memcached"
    message   = "Events travel through the cache, and memcached carries none."
    fix       = "Use valkey."
    at        = service.needs
  }
}

let {
  layers       = service.multi_layer_caching
  elaborate    = service.multi_layer_caching_detailed
  edge         = "${service.name}-edge"
  layer_cache  = service.multi_layer_caching == null ? null : service.multi_layer_caching.cache
  edge_memory  = floor(mib(let.elaborate == null ? 805306368 : let.elaborate.edge_memory))
  edge_grace   = let.layers == null ? 0 : let.elaborate == null ? let.layers.stale_if_error : let.elaborate.grace
  channel      = "${service.name}:invalidations"
  patterns     = let.layers == null ? {} : { for p in distinct(concat(let.layers.paths, let.layers.private_paths)) : p => "^${replace(replace(p, ".", "\\."), "*", ".*")}$" }
  edge_private = let.layers == null ? [] : [for p in let.layers.private_paths : let.patterns[p]]
  edge_kept    = let.layers == null ? [] : [for p in let.layers.paths : let.patterns[p]]

  # Lifetimes from the outside to the inside, for the program.
  layer_policy = let.layers == null ? {} : {
    LAYERS_CACHE_CONTROL      = let.layers.cache_control
    LAYERS_BROWSER_TTL        = duration(let.layers.browser_ttl)
    LAYERS_LOCAL_TTL          = duration(let.layers.local_ttl)
    LAYERS_EDGE_TTL           = duration(let.layers.edge_ttl)
    LAYERS_CACHE_TTL          = duration(let.layers.cache_ttl)
    LAYERS_VARY               = join(",", let.layers.vary)
    LAYERS_INVALIDATIONS      = let.channel
    LAYERS_LOCAL_ENTRIES      = let.elaborate == null ? "10000" : tostring(let.elaborate.local_entries)
    LAYERS_CONSISTENCY_SAMPLE = let.elaborate == null ? "0%" : "${let.elaborate.consistency_sample}%"
  }
  layer_policy_name = "${service.name}-layers-${hash(jsonencode(let.layer_policy), 8)}"

  vcl      = let.layers == null ? "" : <<-EOT
    vcl 4.1;

    import std;

    backend program {
      .host = "${service.name}.${let.domain}";
      .port = "${service.port}";
      .connect_timeout = 1s;
      .first_byte_timeout = ${service.request_timeout}s;
      .between_bytes_timeout = ${service.request_timeout}s;
      .probe = {
        .url = "${service.ready_path}";
        .interval = 5s;
        .timeout = 2s;
        .window = 5;
        .threshold = 3;
      }
    }

    sub vcl_recv {
      if (req.url == "/.edge/livez") {
        return (synth(200, "OK"));
      }
      # Who may get here is the network policy's to say: the gateway leads nobody here with it.
      if (req.method == "BAN") {
        if (req.http.Surrogate-Key !~ "^[A-Za-z0-9_:.-]{1,200}$") {
          return (synth(400, "No key"));
        }
        if (!std.ban("obj.http.Surrogate-Key ~ (^|[\s,])" + regsuball(req.http.Surrogate-Key, "\.", "[.]") + "([\s,]|$)")) {
          return (synth(500, std.ban_error()));
        }
        return (synth(200, "Banned"));
      }
      if (req.method != "GET" && req.method != "HEAD") {
        return (pass);
      }
      set req.http.X-Path = regsub(req.url, "\?.*$", "");
      # What belongs to one person is kept nowhere.
      if (req.http.Authorization${join("", [for p in let.edge_private : " || req.http.X-Path ~ \"${p}\""])}) {
        return (pass);
      }
      if (!(${join(" || ", [for p in let.edge_kept : "req.http.X-Path ~ \"${p}\""])})) {
        return (pass);
      }
      unset req.http.Cookie;
      # While the program is well, an old answer is sent only for as long as a new one is fetched.
      if (std.healthy(req.backend_hint)) {
        set req.grace = ${let.layers.stale_while_revalidate}s;
      }
    }

    sub vcl_hash {
      hash_data(${let.layers.vary_query == "none" ? "req.http.X-Path" : "req.url"});
      hash_data(req.http.Host);
      # What makes another answer, in every layer alike.
      ${join("\n  ", [for h in let.layers.vary : "hash_data(req.http.${h});"])}
      return (lookup);
    }

    sub vcl_backend_fetch {
      unset bereq.http.X-Path;
    }

    sub vcl_backend_response {
      if (beresp.status >= 500 && bereq.is_bgfetch) {
        # The old answer is better.
        return (abandon);
      }
      if (beresp.http.Set-Cookie || beresp.http.Cache-Control ~ "(?i)(private|no-store)" || beresp.status >= 500) {
        set beresp.ttl = ${let.elaborate == null ? 5 : let.elaborate.error_ttl}s;
        set beresp.uncacheable = true;
        return (deliver);
      }
      if (!beresp.http.Cache-Control) {
        set beresp.ttl = ${let.layers.edge_ttl}s;
        set beresp.http.Cache-Control = "${let.layers.cache_control}";
      }
      if (beresp.ttl > ${let.layers.edge_max_ttl}s) {
        set beresp.ttl = ${let.layers.edge_max_ttl}s;
      }
      # How old an answer may be while the program fails.
      set beresp.grace = ${let.edge_grace}s;
      set beresp.keep = ${2 * let.edge_grace}s;
      # The headers above do this already, and more exactly.
      unset beresp.http.Vary;
      set beresp.http.Vary = "${join(", ", concat(["Accept-Encoding"], let.layers.vary))}";
    }

    sub vcl_deliver {
      # How long it lay here does not count against the browser's share.
      unset resp.http.Age;
      if (req.http.X-Debug-Cache == "1" || std.random(0, 100) < ${let.layers.debug_percent}) {
        if (obj.hits > 0) {
          set resp.http.X-Cache = "edge; hit; " + obj.hits;
        } else {
          set resp.http.X-Cache = "edge; miss";
        }
      }
      if (req.http.X-Debug-Cache != "1") {
        unset resp.http.Surrogate-Key;
      }
    }

    sub vcl_backend_error {
      set beresp.http.Content-Type = "text/html; charset=utf-8";
      set beresp.http.Cache-Control = "no-store";
      set beresp.http.Retry-After = "30";
      set beresp.ttl = ${let.elaborate == null ? 1 : let.elaborate.error_ttl}s;
      synthetic({"<!doctype html><title>One moment</title><p>We cannot answer right now. Please try again in a minute.</p>
    "});
      return (deliver);
    }
  EOT
  vcl_name = "${service.name}-edge-${hash(let.vcl, 8)}"

  cache_cli       = let.layer_cache == null ? "valkey-cli" : "${let.layer_cache.engine}-cli"
  cache_at        = let.layer_cache == null ? "" : "-h ${let.layer_cache.let.host} -p ${let.layer_cache.port}${let.layer_cache.redis_cluster == null ? "" : " -c"}"
  invalidate_bash = let.layers == null ? "" : <<-EOT
    #!/usr/bin/env bash
    # Throws out of all layers what a program has changed. It writes the event
    #   XADD ${let.channel} MAXLEN ~ 100000 * key KEY
    # and this deletes KEY in the cache and then, at every edge, what carries KEY in
    # its header Surrogate-Key. Programs with copies of their own read the same
    # stream. An event that was not heard by all is tried again, by anybody.
    set -uo pipefail
    stream=${let.channel}
    me=$${POD_NAME:-invalidator}
    ask() { timeout 15 ${let.cache_cli} ${let.cache_at} --raw "$@"; }
    edges() { getent ahostsv4 ${let.edge}-peers.${let.domain} | awk '{ print $1 }' | sort -u; }

    ban() { # ADDRESS KEY
      local status
      exec 3<>"/dev/tcp/$1/8080" || return 1
      printf 'BAN / HTTP/1.1\r\nHost: edge\r\nSurrogate-Key: %s\r\nConnection: close\r\n\r\n' "$2" >&3
      IFS= read -r -t 5 status <&3
      exec 3>&-
      [[ $status == *" 200 "* ]]
    }

    handle() { # ID KEY
      local edge all
      if [[ ! $2 =~ ^[A-Za-z0-9_:.-]{1,200}$ ]]; then
        echo "not a key, dropped: $1" >&2
      else
        ask del "$2" >/dev/null || return 1
        all=$(edges)
        # No edge at all is a name that could not be looked up.
        if [[ -z $all ]]; then return 1; fi
        for edge in $all; do
          ban "$edge" "$2" || { echo "edge $edge did not hear of $2" >&2; return 1; }
        done
      fi
      ask xack "$stream" invalidator "$1" >/dev/null
    }

    # An entry is its id, the word key, and the key.
    entries() {
      local id="" last="" line
      while IFS= read -r line; do
        if [[ $line =~ ^[0-9]+-[0-9]+$ ]]; then id=$line; fi
        if [[ $last == key && -n $id ]]; then handle "$id" "$line"; id=""; fi
        last=$line
      done
    }

    touch /tmp/alive
    until ask xgroup create "$stream" invalidator '$' mkstream 2>&1 | grep -qE 'OK|BUSYGROUP'; do sleep 2; done
    while true; do
      ask xautoclaim "$stream" invalidator "$me" 10000 0 count 100 | tail -n +2 | entries
      ask xreadgroup group invalidator "$me" count 100 block 5000 streams "$stream" '>' | entries
      touch /tmp/alive
    done
  EOT
  invalidate_name = "${service.name}-invalidator-${hash(let.invalidate_bash, 8)}"
}

manifest "v1" "ConfigMap" "this_layers" {
  metadata = {
    name      = let.layer_policy_name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
  }
  immutable = true
  data      = let.layer_policy
}

extend "apps/v1" "Deployment" "this" {
  spec = {
    template = {
      spec = {
        containers = [
          {
            name    = service.name
            envFrom = [{ configMapRef = { name = let.layer_policy_name } }]
          },
        ]
      }
    }
  }
}

# Reads that may be kept go by the edge, everything else straight to the program.
extend "gateway.networking.k8s.io/v1" "HTTPRoute" "this" {
  when = let.routed
  spec = {
    rules = [
      {
        name    = "private"
        matches = [for p in let.layers.private_paths : { path = { type = "PathPrefix", value = p == "/*" ? "/" : trimsuffix(p, "/*") } }]
        filters = [
          {
            type                   = "ResponseHeaderModifier"
            responseHeaderModifier = { set = [{ name = "Cache-Control", value = "private, no-store" }] }
          },
        ]
        timeouts    = { request = duration(service.request_timeout) }
        backendRefs = [for b in let.backends : { name = b.name, port = service.port, weight = b.weight }]
      },
      {
        name = "kept"
        matches = flatten([for p in let.layers.paths : [for method in ["GET", "HEAD"] : {
          path   = { type = "PathPrefix", value = p == "/*" ? "/" : trimsuffix(p, "/*") }
          method = method
        }]])
        timeouts    = { request = duration(service.request_timeout + 1) }
        backendRefs = [{ name = let.edge, port = 8080 }]
      },
    ]
  }
}

manifest "v1" "ConfigMap" "this_edge" {
  metadata = {
    name      = let.vcl_name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = let.edge }
  }
  immutable = true
  data      = { "default.vcl" = let.vcl }
}

manifest "v1" "ServiceAccount" "this_edge" {
  metadata = {
    name      = let.edge
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = let.edge }
  }
  automountServiceAccountToken = false
}

manifest "apps/v1" "Deployment" "this_edge" {
  metadata = {
    name      = let.edge
    namespace = let.namespace
    labels = {
      "app.kubernetes.io/name"    = let.edge
      "app.kubernetes.io/part-of" = blueprint.name
    }
  }
  spec = {
    replicas             = max(2, service.zones)
    revisionHistoryLimit = 5
    # Each new one comes up empty: not all at once.
    minReadySeconds         = 30
    progressDeadlineSeconds = 900
    strategy = {
      type          = "RollingUpdate"
      rollingUpdate = { maxSurge = 1, maxUnavailable = 0 }
    }
    selector = { matchLabels = { "app.kubernetes.io/name" = let.edge } }
    template = {
      metadata = {
        labels = {
          "app.kubernetes.io/name"    = let.edge
          "app.kubernetes.io/part-of" = blueprint.name
        }
      }
      spec = {
        serviceAccountName            = let.edge
        automountServiceAccountToken  = false
        enableServiceLinks            = false
        imagePullSecrets              = target.pull_secret == null ? null : [{ name = target.pull_secret }]
        terminationGracePeriodSeconds = 45
        securityContext = {
          runAsNonRoot        = true
          runAsUser           = 65532
          runAsGroup          = 65532
          fsGroup             = 65532
          fsGroupChangePolicy = "OnRootMismatch"
          seccompProfile      = { type = "RuntimeDefault" }
        }
        topologySpreadConstraints = [
          {
            maxSkew           = 1
            topologyKey       = "topology.kubernetes.io/zone"
            whenUnsatisfiable = "ScheduleAnyway"
            labelSelector     = { matchLabels = { "app.kubernetes.io/name" = let.edge } }
            matchLabelKeys    = ["pod-template-hash"]
          },
        ]
        affinity = {
          podAntiAffinity = {
            preferredDuringSchedulingIgnoredDuringExecution = [
              {
                weight = 100
                podAffinityTerm = {
                  topologyKey   = "kubernetes.io/hostname"
                  labelSelector = { matchLabels = { "app.kubernetes.io/name" = let.edge } }
                }
              },
            ]
          }
        }
        containers = [
          {
            name            = "varnish"
            image           = "docker.io/library/varnish:7.7.3"
            imagePullPolicy = "Always"
            # Three quarters of the memory are for copies, the rest for threads and what is on its way.
            command = ["varnishd", "-F", "-n", "/tmp/varnish", "-f", "/etc/varnish/default.vcl", "-a", "http=0.0.0.0:8080,HTTP", "-s", "malloc,${let.edge_memory}m", "-p", "thread_pool_min=50"]
            ports = [
              { name = "http", containerPort = 8080, protocol = "TCP" },
            ]
            resources = {
              requests = { cpu = "1", memory = "${ceil(let.edge_memory / 0.75)}Mi", "ephemeral-storage" = "256Mi" }
              limits   = { cpu = "1", memory = "${ceil(let.edge_memory / 0.75)}Mi", "ephemeral-storage" = "256Mi" }
            }
            readinessProbe = {
              httpGet          = { path = "/.edge/livez", port = "http" }
              periodSeconds    = 5
              timeoutSeconds   = 2
              failureThreshold = 2
            }
            livenessProbe = {
              tcpSocket        = { port = "http" }
              periodSeconds    = 10
              timeoutSeconds   = 2
              failureThreshold = 6
            }
            lifecycle = { preStop = { sleep = { seconds = 15 } } }
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
              { name = "config", mountPath = "/etc/varnish", readOnly = true },
            ]
          },
          {
            name            = "exporter"
            image           = "docker.io/jonnenauha/prometheus_varnish_exporter:1.6.1"
            imagePullPolicy = "Always"
            args            = ["-n=/tmp/varnish"]
            ports = [
              { name = "metrics", containerPort = 9131, protocol = "TCP" },
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
            volumeMounts = [
              { name = "tmp", mountPath = "/tmp" },
            ]
          },
        ]
        volumes = [
          {
            # Varnish compiles its configuration here, and the exporter reads its counters.
            name     = "tmp"
            emptyDir = { sizeLimit = "256Mi" }
          },
          {
            name      = "config"
            configMap = { name = let.vcl_name }
          },
        ]
      }
    }
  }
}

manifest "v1" "Service" "this_edge" {
  metadata = {
    name      = let.edge
    namespace = let.namespace
    labels = {
      "app.kubernetes.io/name"    = let.edge
      "app.kubernetes.io/part-of" = blueprint.name
    }
  }
  spec = {
    trafficDistribution = service.zones > 1 ? "PreferSameZone" : null
    selector            = { "app.kubernetes.io/name" = let.edge }
    ports = [
      { name = "http", port = 8080, targetPort = "http", protocol = "TCP" },
    ]
  }
}

# Headless: what is thrown out has to be thrown out of every edge, not of one of them.
manifest "v1" "Service" "this_edge_peers" {
  metadata = {
    name      = "${let.edge}-peers"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = let.edge }
  }
  spec = {
    clusterIP                = "None"
    publishNotReadyAddresses = true
    selector                 = { "app.kubernetes.io/name" = let.edge }
    ports = [
      { name = "http", port = 8080, targetPort = "http", protocol = "TCP" },
    ]
  }
}

manifest "policy/v1" "PodDisruptionBudget" "this_edge" {
  metadata = {
    name      = let.edge
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = let.edge }
  }
  spec = {
    maxUnavailable             = 1
    unhealthyPodEvictionPolicy = "AlwaysAllow"
    selector                   = { matchLabels = { "app.kubernetes.io/name" = let.edge } }
  }
}

manifest "networking.k8s.io/v1" "NetworkPolicy" "this_edge" {
  metadata = {
    name      = let.edge
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = let.edge }
  }
  spec = {
    podSelector = { matchLabels = { "app.kubernetes.io/name" = let.edge } }
    policyTypes = ["Ingress", "Egress"]
    ingress = [
      {
        from = [
          { namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = target.gateway_namespace } } },
          { podSelector = { matchLabels = { "app.kubernetes.io/name" = "${service.name}-invalidator" } } },
          let.elaborate == null ? null : { podSelector = { matchLabels = { "app.kubernetes.io/name" = "${service.name}-layers-warmer" } } },
        ]
        ports = [{ port = 8080, protocol = "TCP" }]
      },
      {
        from  = [{ namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = target.monitoring_namespace } } }]
        ports = [{ port = 9131, protocol = "TCP" }]
      },
    ]
    egress = [
      {
        to    = [{ podSelector = { matchLabels = { "app.kubernetes.io/name" = service.name } } }]
        ports = [{ port = service.port, protocol = "TCP" }]
      },
    ]
  }
}

# The other end of it: the edge is let in beside those that the service knows already.
manifest "networking.k8s.io/v1" "NetworkPolicy" "this_from_edge" {
  metadata = {
    name      = "${service.name}-from-edge"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
    annotations = let.rollout ? {
      # The pods come from a Rollout, a kind that kube-score does not know.
      "kube-score/ignore" = "networkpolicy-targets-pod"
    } : null
  }
  spec = {
    podSelector = { matchLabels = { "app.kubernetes.io/name" = service.name } }
    policyTypes = ["Ingress"]
    ingress = [
      {
        from  = [{ podSelector = { matchLabels = { "app.kubernetes.io/name" = let.edge } } }]
        ports = [{ port = service.port, protocol = "TCP" }]
      },
    ]
  }
}

# -- Throwing out -------------------------------------------------------------

manifest "v1" "ConfigMap" "this_invalidator" {
  metadata = {
    name      = let.invalidate_name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${service.name}-invalidator" }
  }
  immutable = true
  data      = { "invalidate.bash" = let.invalidate_bash }
}

manifest "apps/v1" "Deployment" "this_invalidator" {
  metadata = {
    name      = "${service.name}-invalidator"
    namespace = let.namespace
    labels = {
      "app.kubernetes.io/name"    = "${service.name}-invalidator"
      "app.kubernetes.io/part-of" = blueprint.name
    }
  }
  spec = {
    # They share the events; what one drops, the other takes up.
    replicas                = 2
    revisionHistoryLimit    = 5
    minReadySeconds         = 10
    progressDeadlineSeconds = 600
    strategy = {
      type          = "RollingUpdate"
      rollingUpdate = { maxSurge = 1, maxUnavailable = 0 }
    }
    selector = { matchLabels = { "app.kubernetes.io/name" = "${service.name}-invalidator" } }
    template = {
      metadata = {
        labels = {
          "app.kubernetes.io/name"    = "${service.name}-invalidator"
          "app.kubernetes.io/part-of" = blueprint.name
        }
      }
      spec = {
        serviceAccountName            = let.edge
        automountServiceAccountToken  = false
        enableServiceLinks            = false
        imagePullSecrets              = target.pull_secret == null ? null : [{ name = target.pull_secret }]
        terminationGracePeriodSeconds = 20
        securityContext = {
          runAsNonRoot   = true
          runAsUser      = 65532
          runAsGroup     = 65532
          seccompProfile = { type = "RuntimeDefault" }
        }
        topologySpreadConstraints = [
          {
            maxSkew           = 1
            topologyKey       = "topology.kubernetes.io/zone"
            whenUnsatisfiable = "ScheduleAnyway"
            labelSelector     = { matchLabels = { "app.kubernetes.io/name" = "${service.name}-invalidator" } }
            matchLabelKeys    = ["pod-template-hash"]
          },
        ]
        affinity = {
          podAntiAffinity = {
            preferredDuringSchedulingIgnoredDuringExecution = [
              {
                weight = 100
                podAffinityTerm = {
                  topologyKey   = "kubernetes.io/hostname"
                  labelSelector = { matchLabels = { "app.kubernetes.io/name" = "${service.name}-invalidator" } }
                }
              },
            ]
          }
        }
        containers = [
          {
            name            = "invalidator"
            image           = let.layer_cache.let.image
            imagePullPolicy = "Always"
            command         = ["bash", "/scripts/invalidate.bash"]
            env = [
              {
                name      = "POD_NAME"
                valueFrom = { fieldRef = { fieldPath = "metadata.name" } }
              },
              {
                name      = "REDISCLI_AUTH"
                valueFrom = { secretKeyRef = { name = "${let.layer_cache.name}-password", key = "password" } }
              },
            ]
            resources = {
              requests = { cpu = "100m", memory = "64Mi", "ephemeral-storage" = "32Mi" }
              limits   = { cpu = "100m", memory = "64Mi", "ephemeral-storage" = "32Mi" }
            }
            # It has gone round within the last minute.
            readinessProbe = {
              exec             = { command = ["sh", "-c", "test -f /tmp/alive"] }
              periodSeconds    = 10
              timeoutSeconds   = 2
              failureThreshold = 2
            }
            livenessProbe = {
              exec             = { command = ["sh", "-c", "find /tmp/alive -mmin -2 | grep -q ."] }
              periodSeconds    = 30
              timeoutSeconds   = 2
              failureThreshold = 4
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
              { name = "tmp", mountPath = "/tmp" },
              { name = "scripts", mountPath = "/scripts", readOnly = true },
            ]
          },
        ]
        volumes = [
          {
            name     = "tmp"
            emptyDir = { sizeLimit = "16Mi" }
          },
          {
            name      = "scripts"
            configMap = { name = let.invalidate_name }
          },
        ]
      }
    }
  }
}

manifest "policy/v1" "PodDisruptionBudget" "this_invalidator" {
  metadata = {
    name      = "${service.name}-invalidator"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${service.name}-invalidator" }
  }
  spec = {
    maxUnavailable             = 1
    unhealthyPodEvictionPolicy = "AlwaysAllow"
    selector                   = { matchLabels = { "app.kubernetes.io/name" = "${service.name}-invalidator" } }
  }
}

manifest "networking.k8s.io/v1" "NetworkPolicy" "this_invalidator" {
  metadata = {
    name      = "${service.name}-invalidator"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = "${service.name}-invalidator" }
  }
  spec = {
    podSelector = { matchLabels = { "app.kubernetes.io/name" = "${service.name}-invalidator" } }
    policyTypes = ["Ingress", "Egress"]
    egress = [
      {
        to    = [for labels in let.layer_cache.let.pods : { podSelector = { matchLabels = labels } }]
        ports = [{ port = let.layer_cache.port, protocol = "TCP" }]
      },
      {
        to    = [{ podSelector = { matchLabels = { "app.kubernetes.io/name" = let.edge } } }]
        ports = [{ port = 8080, protocol = "TCP" }]
      },
    ]
  }
}

# -- Watching -----------------------------------------------------------------

manifest "monitoring.coreos.com/v1" "PodMonitor" "this_edge" {
  metadata = {
    name      = let.edge
    namespace = let.namespace
    labels = merge(
      { "app.kubernetes.io/name" = let.edge },
      target.monitoring_labels,
    )
  }
  spec = {
    selector = { matchLabels = { "app.kubernetes.io/name" = let.edge } }
    podMetricsEndpoints = [
      {
        port     = "metrics"
        path     = "/metrics"
        interval = "15s"
      },
    ]
  }
}

let {
  at_edge  = "namespace=\"${let.namespace}\", pod=~\"${let.edge}-.+\""
  at_cache = let.layer_cache == null ? "" : "namespace=\"${let.namespace}\", pod=~\"${let.layer_cache.name}-[0-9]+\""
}

manifest "monitoring.coreos.com/v1" "PrometheusRule" "this_layers" {
  metadata = {
    name      = "${service.name}-layers"
    namespace = let.namespace
    labels = merge(
      { "app.kubernetes.io/name" = service.name },
      target.monitoring_labels,
    )
  }
  spec = {
    groups = [
      {
        name = "${service.name}.layers"
        rules = [
          {
            record = "scaffold:layer_hit:ratio"
            expr   = "sum(rate(varnish_main_cache_hit{${let.at_edge}}[5m])) / (sum(rate(varnish_main_cache_hit{${let.at_edge}}[5m])) + sum(rate(varnish_main_cache_miss{${let.at_edge}}[5m])))"
            labels = { service = service.name, layer = "edge" }
          },
          {
            record = "scaffold:layer_hit:ratio"
            expr   = "sum(rate(redis_keyspace_hits_total{${let.at_cache}}[5m])) / (sum(rate(redis_keyspace_hits_total{${let.at_cache}}[5m])) + sum(rate(redis_keyspace_misses_total{${let.at_cache}}[5m])))"
            labels = { service = service.name, layer = "cache" }
          },
          {
            record = "scaffold:layer_hit:ratio"
            expr   = "sum(rate(cache_local_requests_total{namespace=\"${let.namespace}\", container=\"${service.name}\", result=\"hit\"}[5m])) / sum(rate(cache_local_requests_total{namespace=\"${let.namespace}\", container=\"${service.name}\"}[5m]))"
            labels = { service = service.name, layer = "local" }
          },
          {
            alert       = "LayerHitRatioLow"
            expr        = "scaffold:layer_hit:ratio{service=\"${service.name}\", layer=~\"edge|cache\"} < ${let.layers.min_hit_ratio / 100}"
            for         = "15m"
            labels      = { severity = "warning", service = service.name }
            annotations = { summary = "The layer {{ $labels.layer }} of ${service.name} answers less than ${let.layers.min_hit_ratio} % by itself" }
          },
          {
            alert       = "InvalidationBehind"
            expr        = "max(redis_stream_group_messages_pending{${let.at_cache}, stream=\"${let.channel}\"}) > 0"
            for         = duration(max(10, let.layers.max_invalidation))
            labels      = { severity = "critical", service = service.name }
            annotations = { summary = "Changes of ${service.name} take longer than ${duration(let.layers.max_invalidation)} to get through all layers" }
          },
          {
            alert       = "EdgeThrowsOutMuch"
            expr        = "sum(rate(varnish_main_n_lru_nuked{${let.at_edge}}[5m])) > 0.1 * sum(rate(varnish_main_cache_miss{${let.at_edge}}[5m]))"
            for         = "30m"
            labels      = { severity = "warning", service = service.name }
            annotations = { summary = "The edge of ${service.name} is too small: one in ten new copies pushes an old one out" }
          },
        ]
      },
    ]
  }
}
