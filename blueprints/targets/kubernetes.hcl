target "kubernetes" {
  title   = "Kubernetes"
  summary = "Manifests for a cluster that is there already. Everything runs in it, through operators where state is involved."

  input "context" {
    type     = string
    nullable = true
    matches  = "[A-Za-z0-9][A-Za-z0-9._:/@-]{0,252}"
    hint     = "the name of a kubectl context"
    summary  = "The kubectl context, for the commands in the README."
  }
  input "version" {
    type    = string
    default = "1.33"
    matches = "1\\.[2-9][0-9]"
    hint    = "a minor version such as 1.33"
    summary = "The cluster's version."
  }
  input "zones" {
    type    = number
    default = 3
    range   = [1, 6]
    summary = "Over how many zones its nodes stand."
  }
  input "architecture" {
    type    = string
    default = "x86_64"
    one_of  = ["x86_64", "arm64"]
    summary = "The processors of its nodes. Images have to be built for it."
  }
  input "cloud" {
    type    = string
    default = "none"
    one_of  = ["none", "aws", "gcp"]
    summary = "The cloud that it stands in, for annotations of its load balancers."
  }
  input "domain" {
    type     = string
    nullable = true
    matches  = "(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}"
    hint     = "a domain name such as example.com"
    summary  = "The domain under which public services without a name of their own get one."
  }
  input "backup_url" {
    type     = string
    nullable = true
    matches  = "(?:s3|gs)://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[A-Za-z0-9._/-]*)?"
    hint     = "a URL such as s3://acme-backups/shop"
    summary  = "Where backups of databases and caches go. Null: volume snapshots in the cluster only."
  }
  input "backup_secret" {
    type    = string
    default = "backup-credentials"
    matches = "[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?"
    hint    = "the name of a Secret"
    summary = "The secret with the credentials for it."
  }
  input "database_namespace" {
    type    = string
    default = "cnpg-system"
    matches = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
    hint    = "lower case letters, digits and hyphens"
    summary = "Where the CloudNativePG operator runs: it is let in to look after databases."
  }
  input "alert_emails" {
    type     = list(string)
    distinct = true
    default  = []
    matches  = "[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]+\\.)+[A-Za-z]{2,63}"
    hint     = "an address such as oncall@example.com"
    summary  = "Who is told when an alarm goes off."
  }

  # For what runs in a cluster. The same names in every target, for the manifests are the same.

  input "namespace" {
    type    = string
    default = blueprint.name
    matches = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
    hint    = "lower case letters, digits and hyphens"
    summary = "The namespace of everything that runs in the cluster."
  }
  input "storage_class" {
    type     = string
    default  = null
    nullable = true
    matches  = "[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?"
    hint     = "the name of a StorageClass"
    summary  = "Where volumes come from. Null: the cluster's own default."
  }
  input "snapshot_class" {
    type     = string
    nullable = true
    matches  = "[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?"
    hint     = "the name of a VolumeSnapshotClass"
    summary  = "How volumes are snapshotted. Null: the class that the driver marks as default."
  }
  input "gateway_class" {
    type    = string
    default = "envoy"
    matches = "[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?"
    hint    = "the name of a GatewayClass"
    summary = "Who implements the Gateway API. Health checks, balancing and rate limits use Envoy Gateway's policies."
  }
  input "gateway_namespace" {
    type    = string
    default = "envoy-gateway-system"
    matches = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
    hint    = "lower case letters, digits and hyphens"
    summary = "Where the gateway's proxies run: traffic from there is let in."
  }
  input "mesh_namespace" {
    type    = string
    default = "istio-system"
    matches = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
    hint    = "lower case letters, digits and hyphens"
    summary = "Where the mesh's control plane runs."
  }
  input "mesh_revision" {
    type     = string
    nullable = true
    matches  = "[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?"
    hint     = "a revision tag such as stable"
    summary  = "The revision of Istio that injects proxies. Null: the one that is not tagged."
  }
  input "certificate_issuer" {
    type    = string
    default = "letsencrypt"
    matches = "[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?"
    hint    = "the name of a ClusterIssuer"
    summary = "The cert-manager ClusterIssuer that signs certificates of gateways."
  }
  input "secret_store" {
    type    = string
    default = "default"
    matches = "[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?"
    hint    = "the name of a ClusterSecretStore"
    summary = "The external-secrets ClusterSecretStore that secrets come from."
  }
  input "pull_secret" {
    type     = string
    nullable = true
    matches  = "[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?"
    hint     = "the name of a Secret"
    summary  = "The secret with which images are pulled, where the registry is private and the nodes may not."
  }
  input "monitoring_namespace" {
    type    = string
    default = "monitoring"
    matches = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
    hint    = "lower case letters, digits and hyphens"
    summary = "Where Prometheus runs: it is let in to read measurements."
  }
  input "monitoring_labels" {
    type    = map(string)
    default = { release = "kube-prometheus-stack" }
    matches = "[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
    hint    = "a label value"
    summary = "Labels by which Prometheus finds its monitors and rules."
  }
  input "prometheus" {
    type    = string
    default = "http://prometheus-operated.monitoring.svc:9090"
    matches = "https?://[a-z0-9.-]{1,200}(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*)?"
    hint    = "a URL such as http://prometheus-operated.monitoring.svc:9090"
    summary = "Where Prometheus is asked, by autoscalers and rollouts."
  }
  input "node_provisioner" {
    type    = string
    default = "none"
    one_of  = ["none", "karpenter"]
    summary = "Who adds nodes on the strength of objects in the cluster. none: whoever made the cluster."
  }
}
