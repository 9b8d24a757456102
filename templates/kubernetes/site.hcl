# Files for browsers. A cluster has no buckets, so nginx sends them: from an
# image that holds them, or from a volume that somebody fills. Where they come
# from a service, only the way in is made.
template "site" {
  for  = site
  when = target.provider == "kubernetes"
  file = "${site.name}/site.yaml"

  ignores = {
    was                = site.was == null ? null : "What has a name keeps it in a cluster: another one makes a new site, and the old one stays until somebody deletes it."
    keep_versions_days = "A volume has no versions, and an image is one."
  }

  check "files" {
    condition = site.origin != null || site.image != null
    message   = "A cluster has no buckets: the files of ${site.name} will lie on the volume ${site.name}-files, which several machines have to be able to mount at once, and which you fill."
    fix       = "Set image to one that has the files in /site: then a release is a release like any other."
    at        = site.image
    severity  = "warning"
  }
}

let {
  # Who sends the files, and on which port.
  sender = site.origin == null ? site.name : site.origin.name
  port   = site.origin == null ? 8080 : site.origin.port
  host   = site.hostname
  cdn    = site.cdn_distribution

  page_header  = let.cdn == null ? "public, max-age=60" : let.cdn.page_cache_control
  asset_header = let.cdn == null ? "public, max-age=31536000, immutable" : let.cdn.assets_cache_control
  error_header = let.cdn == null ? "public, max-age=10" : "public, max-age=${min(let.cdn.browser_ttl, let.cdn.error_ttl)}, s-maxage=${let.cdn.error_ttl}"
  min_tls      = let.cdn == null ? "1.2" : let.cdn.min_tls
  hsts         = let.cdn == null ? 31536000 : let.cdn.hsts
  headers = concat(
    let.hsts == 0 || let.host == null ? [] : ["Strict-Transport-Security \"max-age=${let.hsts}\""],
    let.cdn == null ? [] : [for h in let.cdn.key_headers : "Vary \"${h}\""],
    ["X-Content-Type-Options \"nosniff\""],
  )

  nginx_conf     = <<-EOT
    worker_processes 1;
    pid /tmp/nginx.pid;
    error_log stderr warn;
    events { worker_connections 4096; }
    http {
      include /etc/nginx/mime.types;
      default_type application/octet-stream;
      access_log off;
      server_tokens off;
      sendfile on;
      etag on;
      client_body_temp_path /tmp/body;
      proxy_temp_path /tmp/proxy;
      fastcgi_temp_path /tmp/fastcgi;
      uwsgi_temp_path /tmp/uwsgi;
      scgi_temp_path /tmp/scgi;

      gzip ${let.cdn == null ? "on" : let.cdn.compress ? "on" : "off"};
      # FILE.gz is sent instead of FILE where it is there.
      gzip_static on;
      gzip_proxied any;
      gzip_vary on;
      gzip_min_length 1024;
      gzip_types text/css text/plain application/javascript text/javascript application/json application/manifest+json image/svg+xml;

      server {
        listen 8080;
        root /site;
        index ${site.index};
        absolute_redirect off;

        location = /livez {
          add_header Cache-Control "no-store";
          return 200;
        }
        # The name changes with the content, so a copy is never old.
        location ^~ ${site.assets == "/" ? "/assets/" : site.assets} {
          add_header Cache-Control "${let.asset_header}";
          ${join("\n      ", [for h in let.headers : "add_header ${h};"])}
          try_files $uri =404;
        }
        location / {
          add_header Cache-Control "${site.assets == "/" ? let.asset_header : let.page_header}";
          ${join("\n      ", [for h in let.headers : "add_header ${h};"])}
          try_files $uri $uri/${site.index} ${site.single_page ? "/${site.index}" : "=404"};
        }

        error_page 404 /${site.error_page};
        location = /${site.error_page} {
          internal;
          # That something is not there is remembered for a moment only.
          add_header Cache-Control "${let.error_header}" always;
          ${join("\n      ", [for h in let.headers : "add_header ${h} always;"])}
        }
      }
      server {
        listen 127.0.0.1:8081;
        location = /status { stub_status; }
      }
    }
  EOT
  nginx_settings = "${site.name}-${hash(let.nginx_conf, 8)}"
}

manifest "v1" "ConfigMap" "this" {
  when = site.origin == null
  metadata = {
    name      = let.nginx_settings
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = site.name }
  }
  immutable = true
  data      = { "nginx.conf" = let.nginx_conf }
}

manifest "v1" "ServiceAccount" "this" {
  when = site.origin == null
  metadata = {
    name      = site.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = site.name }
  }
  automountServiceAccountToken = false
}

manifest "v1" "PersistentVolumeClaim" "this_files" {
  when = site.origin == null && site.image == null
  metadata = {
    name      = "${site.name}-files"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = site.name }
  }
  spec = {
    # Several machines read it at once, and somebody writes.
    accessModes      = ["ReadWriteMany"]
    storageClassName = target.storage_class
    resources        = { requests = { storage = "10Gi" } }
  }
}

manifest "apps/v1" "Deployment" "this" {
  when = site.origin == null
  metadata = {
    name      = site.name
    namespace = let.namespace
    labels = {
      "app.kubernetes.io/name"    = site.name
      "app.kubernetes.io/part-of" = blueprint.name
    }
  }
  spec = {
    replicas                = 3
    revisionHistoryLimit    = 5
    minReadySeconds         = 10
    progressDeadlineSeconds = 600
    strategy = {
      type          = "RollingUpdate"
      rollingUpdate = { maxSurge = 1, maxUnavailable = 0 }
    }
    selector = { matchLabels = { "app.kubernetes.io/name" = site.name } }
    template = {
      metadata = {
        labels = {
          "app.kubernetes.io/name"    = site.name
          "app.kubernetes.io/part-of" = blueprint.name
        }
      }
      spec = {
        serviceAccountName            = site.name
        automountServiceAccountToken  = false
        enableServiceLinks            = false
        imagePullSecrets              = target.pull_secret == null ? null : [{ name = target.pull_secret }]
        terminationGracePeriodSeconds = 40
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
            labelSelector     = { matchLabels = { "app.kubernetes.io/name" = site.name } }
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
                  labelSelector = { matchLabels = { "app.kubernetes.io/name" = site.name } }
                }
              },
            ]
          }
        }
        initContainers = site.image == null ? null : [
          {
            name            = "files"
            image           = site.image
            imagePullPolicy = "Always"
            command         = ["cp", "-a", "/site/.", "/files/"]
            resources = {
              requests = { cpu = "100m", memory = "128Mi", "ephemeral-storage" = "32Mi" }
              limits   = { cpu = "100m", memory = "128Mi", "ephemeral-storage" = "32Mi" }
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
              { name = "files", mountPath = "/files" },
            ]
          },
        ]
        containers = [
          {
            name            = "nginx"
            image           = "docker.io/nginxinc/nginx-unprivileged:1.29.1"
            imagePullPolicy = "Always"
            command         = ["nginx", "-g", "daemon off;"]
            ports = [
              { name = "http", containerPort = 8080, protocol = "TCP" },
            ]
            resources = {
              requests = { cpu = "500m", memory = "256Mi", "ephemeral-storage" = "128Mi" }
              limits   = { cpu = "500m", memory = "256Mi", "ephemeral-storage" = "128Mi" }
            }
            readinessProbe = {
              httpGet          = { path = "/livez", port = "http" }
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
              # Only this file of the folder, for the types of files are in it too.
              { name = "config", mountPath = "/etc/nginx/nginx.conf", subPath = "nginx.conf", readOnly = true },
              { name = "files", mountPath = "/site", readOnly = true },
            ]
          },
          {
            name            = "exporter"
            image           = "docker.io/nginx/nginx-prometheus-exporter:1.4.2"
            imagePullPolicy = "Always"
            args            = ["--nginx.scrape-uri=http://127.0.0.1:8081/status"]
            ports = [
              { name = "metrics", containerPort = 9113, protocol = "TCP" },
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
        volumes = [
          {
            name     = "tmp"
            emptyDir = { sizeLimit = "64Mi" }
          },
          {
            name      = "config"
            configMap = { name = let.nginx_settings }
          },
          site.image == null ? {
            name                  = "files"
            persistentVolumeClaim = { claimName = "${site.name}-files" }
            } : {
            name     = "files"
            emptyDir = { sizeLimit = "10Gi" }
          },
        ]
      }
    }
  }
}

manifest "v1" "Service" "this" {
  when = site.origin == null
  metadata = {
    name      = site.name
    namespace = let.namespace
    labels = {
      "app.kubernetes.io/name"    = site.name
      "app.kubernetes.io/part-of" = blueprint.name
    }
  }
  spec = {
    trafficDistribution = "PreferSameZone"
    selector            = { "app.kubernetes.io/name" = site.name }
    ports = [
      { name = "http", port = 8080, targetPort = "http", protocol = "TCP" },
    ]
  }
}

manifest "policy/v1" "PodDisruptionBudget" "this" {
  when = site.origin == null
  metadata = {
    name      = site.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = site.name }
  }
  spec = {
    maxUnavailable             = 1
    unhealthyPodEvictionPolicy = "AlwaysAllow"
    selector                   = { matchLabels = { "app.kubernetes.io/name" = site.name } }
  }
}

# The gateway's way to whoever sends the files.
manifest "networking.k8s.io/v1" "NetworkPolicy" "this" {
  metadata = {
    name      = site.origin == null ? site.name : "${site.name}-origin"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = site.name }
    annotations = site.origin == null ? null : {
      # The pods may come from a kind that kube-score does not know.
      "kube-score/ignore" = "networkpolicy-targets-pod"
    }
  }
  spec = {
    podSelector = { matchLabels = { "app.kubernetes.io/name" = let.sender } }
    policyTypes = site.origin == null ? ["Ingress", "Egress"] : ["Ingress"]
    ingress = [
      {
        from  = [{ namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = target.gateway_namespace } } }]
        ports = [{ port = let.port, protocol = "TCP" }]
      },
      site.origin != null ? null : {
        from  = [{ namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = target.monitoring_namespace } } }]
        ports = [{ port = 9113, protocol = "TCP" }]
      },
    ]
  }
}

# -- The way in ---------------------------------------------------------------

manifest "cert-manager.io/v1" "Certificate" "this" {
  when = let.host != null
  metadata = {
    name      = site.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = site.name }
  }
  spec = {
    secretName = "${site.name}-tls"
    dnsNames   = [let.host]
    duration   = "2160h"
    # A month to notice that it is not renewed.
    renewBefore = "720h"
    privateKey = {
      algorithm      = "ECDSA"
      size           = 256
      rotationPolicy = "Always"
    }
    usages = ["server auth", "digital signature"]
    issuerRef = {
      group = "cert-manager.io"
      kind  = "ClusterIssuer"
      name  = target.certificate_issuer
    }
  }
}

manifest "gateway.networking.k8s.io/v1" "Gateway" "this" {
  metadata = {
    name      = site.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = site.name }
  }
  spec = {
    gatewayClassName = target.gateway_class
    listeners = [
      let.host == null ? null : {
        name     = "https"
        port     = 443
        protocol = "HTTPS"
        hostname = let.host
        tls = {
          mode            = "Terminate"
          certificateRefs = [{ name = "${site.name}-tls" }]
        }
        allowedRoutes = { namespaces = { from = "Same" } }
      },
      {
        name          = "http"
        port          = 80
        protocol      = "HTTP"
        hostname      = let.host
        allowedRoutes = { namespaces = { from = "Same" } }
      },
    ]
  }
}

manifest "gateway.envoyproxy.io/v1alpha1" "ClientTrafficPolicy" "this" {
  when = let.host != null
  metadata = {
    name      = site.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = site.name }
  }
  spec = {
    targetRefs = [
      {
        group       = "gateway.networking.k8s.io"
        kind        = "Gateway"
        name        = site.name
        sectionName = "https"
      },
    ]
    tls = {
      minVersion    = let.min_tls
      alpnProtocols = ["h2", "http/1.1"]
    }
  }
}

manifest "gateway.networking.k8s.io/v1" "HTTPRoute" "this_redirect" {
  when = let.host != null
  metadata = {
    name      = "${site.name}-redirect"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = site.name }
  }
  spec = {
    parentRefs = [{ name = site.name, sectionName = "http" }]
    rules = [
      {
        filters = [
          {
            type            = "RequestRedirect"
            requestRedirect = { scheme = "https", statusCode = 301 }
          },
        ]
      },
    ]
  }
}

manifest "gateway.networking.k8s.io/v1" "HTTPRoute" "this" {
  metadata = {
    name      = site.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = site.name }
  }
  spec = {
    parentRefs = [{ name = site.name, sectionName = let.host == null ? "http" : "https" }]
    hostnames  = let.host == null ? null : [let.host]
    rules = [
      {
        name    = "assets"
        matches = [{ path = { type = "PathPrefix", value = let.assets_prefix } }]
        filters = [
          {
            type = "ResponseHeaderModifier"
            responseHeaderModifier = {
              # nginx says so itself; a service may not.
              set = site.origin == null ? null : [{ name = "Cache-Control", value = let.asset_header }]
              # An answer with a cookie belongs to one person and is kept by nobody.
              remove = ["Set-Cookie"]
            }
          },
        ]
        timeouts    = { request = "30s" }
        backendRefs = [{ name = let.sender, port = let.port }]
      },
      {
        name        = "pages"
        timeouts    = { request = "30s" }
        backendRefs = [{ name = let.sender, port = let.port }]
      },
    ]
  }
}

let {
  assets_prefix = site.assets == "/" ? "/" : trimsuffix(site.assets, "/")
}

manifest "monitoring.coreos.com/v1" "PodMonitor" "this" {
  when = site.origin == null
  metadata = {
    name      = site.name
    namespace = let.namespace
    labels = merge(
      { "app.kubernetes.io/name" = site.name },
      target.monitoring_labels,
    )
  }
  spec = {
    selector = { matchLabels = { "app.kubernetes.io/name" = site.name } }
    podMetricsEndpoints = [
      {
        port     = "metrics"
        interval = "30s"
      },
    ]
  }
}
