target "gcp" {
  title   = "Google Cloud"
  summary = "Terraform for Google Cloud: instance groups, Cloud SQL, Memorystore, Cloud CDN; GKE where services run on a cluster."

  input "region" {
    type    = string
    matches = "[a-z]+-[a-z]+[0-9]{1,2}"
    hint    = "a region such as europe-west1"
    summary = "The region of everything regional."
  }
  input "zones" {
    type    = number
    default = length(self.zone_names)
    range   = [1, 4]
    summary = "How many zones are used."
  }
  input "zone_names" {
    type     = list(string)
    distinct = true
    # europe-west1 and us-east1 have b, c and d but no a (Compute Engine documentation, regions and zones).
    default = [for letter in(contains(["europe-west1", "us-east1"], self.region) ? ["b", "c", "d"] : ["a", "b", "c"]) : "${self.region}-${letter}"]
    length  = [1, 4]
    matches = "[a-z]+-[a-z]+[0-9]{1,2}-[a-z]"
    hint    = "zones such as europe-west1-b"
    summary = "The zones, by name. Name them where your region's are not a, b and c."
  }
  input "project" {
    type     = string
    nullable = true
    matches  = "(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]"
    hint     = "a project id such as acme-shop"
    summary  = "The project. Null: Terraform asks for it."
  }
  input "project_number" {
    type     = string
    nullable = true
    matches  = "[0-9]{6,19}"
    hint     = "digits"
    summary  = "Its number, after which Google names the accounts of its services. Null: Terraform asks for it where it is needed."
  }
  input "billing_account" {
    type     = string
    nullable = true
    matches  = "[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}"
    hint     = "an id such as 012345-6789AB-CDEF01"
    summary  = "The billing account, for budgets. Null: no budget is made."
  }
  input "vcpu_quota" {
    type     = number
    nullable = true
    range    = [1, 1000000]
    summary  = "How many vCPUs the project may have in the region: Google refuses more, in the middle of a rollout. Null: nobody counts."
  }
  input "architecture" {
    type    = string
    default = "x86_64"
    one_of  = ["x86_64", "arm64"]
    summary = "The processors of instances and nodes. Images have to be built for it."
  }
  input "image" {
    type    = string
    default = self.architecture == "arm64" ? "projects/cos-cloud/global/images/family/cos-arm64-stable" : "projects/cos-cloud/global/images/family/cos-stable"
    matches = "projects/[a-z][a-z0-9:.-]{1,60}/global/images/(?:family/)?[a-z][a-z0-9-]{0,61}[a-z0-9]"
    hint    = "an image such as projects/acme/global/images/shop-20261101"
    summary = "The machine image of instances, with a container runtime. A full name and not a family lets two plans of one commit agree."
  }
  input "dns_zone" {
    type     = string
    nullable = true
    matches  = "[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
    hint     = "the name of a managed zone, such as example-com"
    summary  = "The Cloud DNS zone for domains. With it records are made and certificates proven; without, you do that yourself."
  }
  input "kms_key" {
    type     = string
    nullable = true
    matches  = "projects/[a-z0-9:.-]+/locations/[a-z0-9-]+/keyRings/[A-Za-z0-9_-]+/cryptoKeys/[A-Za-z0-9_-]+"
    hint     = "the full name of a key"
    summary  = "The key that data is encrypted with. Null: Google's own."
  }
  input "cidr" {
    type    = string
    default = "10.0.0.0/16"
    matches = "[0-9]{1,3}(?:\\.[0-9]{1,3}){3}/(?:1[0-9]|20)"
    hint    = "a network from /10 to /20"
    summary = "The addresses of the network that is made."
  }
  input "alert_emails" {
    type     = list(string)
    distinct = true
    default  = []
    matches  = "[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]+\\.)+[A-Za-z]{2,63}"
    hint     = "an address such as oncall@example.com"
    summary  = "Who is told when an alarm goes off."
  }

  block "network" {
    summary = "A network that is there already. Without the block one is made."

    input "name" {
      type    = string
      matches = "[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
      hint    = "the name of a network"
      summary = "The VPC network."
    }
    input "subnetwork" {
      type    = string
      matches = "[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
      hint    = "the name of a subnetwork in the region"
      summary = "The subnetwork of instances and nodes."
    }
    input "proxy_only" {
      type    = bool
      default = true
      summary = "Whether the network has a subnet for proxies in the region, which regional load balancers need: there can be only one."
    }
    input "private_services" {
      type    = bool
      default = true
      summary = "Whether the network is peered with Google's services, which Cloud SQL needs."
    }
    input "memorystore" {
      type    = bool
      default = false
      summary = "Whether the network has service connection policies for Memorystore in the region: there can be only one for each kind."
    }
  }
  block "state" {
    summary = "Where Terraform keeps its state. Without the block, in a local file."

    input "bucket" {
      type    = string
      matches = "[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]"
      hint    = "the name of a bucket"
      summary = "The Cloud Storage bucket."
    }
    input "prefix" {
      type     = string
      nullable = true
      matches  = "[A-Za-z0-9][A-Za-z0-9._/-]{0,200}"
      hint     = "a path such as shop/production"
      summary  = "The folder in it. Null: named after the blueprint and its environment."
    }
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
    default  = "premium-rwo"
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
    default = "gcp-secret-manager"
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

  check "zones" {
    condition = self.zones <= length(self.zone_names)
    message   = "${self.zones} zones are wanted, ${length(self.zone_names)} are named: ${join(", ", self.zone_names)}."
    fix       = "Name as many in zone_names, or lower zones."
    at        = self.zones
    related   = [self.zone_names]
    firm      = true
  }
}
