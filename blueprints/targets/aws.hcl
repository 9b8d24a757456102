target "aws" {
  title   = "Amazon Web Services"
  summary = "Terraform for AWS: instances, RDS, ElastiCache, CloudFront; EKS where services run on a cluster."

  input "region" {
    type    = string
    matches = "[a-z]{2}(?:-[a-z]+){1,3}-[0-9]"
    hint    = "a region such as eu-west-1"
    summary = "The region of everything regional."
  }
  input "zones" {
    type    = number
    default = length(self.zone_names)
    range   = [1, 6]
    summary = "How many zones the network spans."
  }
  input "zone_names" {
    type     = list(string)
    distinct = true
    default  = [for letter in ["a", "b", "c"] : "${self.region}${letter}"]
    length   = [1, 6]
    matches  = "[a-z]{2}(?:-[a-z]+){1,3}-[0-9](?:-[a-z]{3}-[0-9])?[a-z]"
    hint     = "zones such as eu-west-1a"
    summary  = "The zones, by name: a, b and c of the region. Name them where yours lacks one of these."
  }
  input "account_id" {
    type     = string
    nullable = true
    matches  = "[0-9]{12}"
    hint     = "twelve digits"
    summary  = "The account. Terraform then refuses to work in any other."
  }
  input "architecture" {
    type    = string
    default = "x86_64"
    one_of  = ["x86_64", "arm64"]
    summary = "The processors of instances and nodes. arm64 (Graviton) costs a fifth less, but images have to be built for it."
  }
  input "image" {
    type     = string
    nullable = true
    matches  = "ami-(?:[0-9a-f]{8}|[0-9a-f]{17})"
    hint     = "an image id such as ami-0123456789abcdef0"
    summary  = "The machine image (AMI) of instances: Amazon Linux 2023 with a container runtime. Null: Terraform asks for it. An id and no alias, so that nothing is rolled out unseen."
  }
  input "hosted_zone_id" {
    type     = string
    nullable = true
    matches  = "Z[A-Z0-9]{4,31}"
    hint     = "an id such as Z0123456789ABCDEFGHIJ"
    summary  = "The public Route 53 zone for domains. With it records and certificates are made; without, you point the names yourself."
  }
  input "hosted_zone_name" {
    type     = string
    nullable = true
    matches  = "(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}"
    hint     = "a domain name such as example.com"
    summary  = "The name of that zone."
  }
  input "certificate_arn" {
    type     = string
    nullable = true
    matches  = "arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[0-9a-f-]{36}"
    hint     = "the ARN of an ACM certificate in the region"
    summary  = "The certificate of the load balancers' domains. Null: made where there is a hosted zone, else Terraform asks for it."
  }
  input "edge_certificate_arn" {
    type     = string
    nullable = true
    matches  = "arn:aws[a-z-]*:acm:us-east-1:[0-9]{12}:certificate/[0-9a-f-]{36}"
    hint     = "the ARN of an ACM certificate in us-east-1"
    summary  = "The certificate of CloudFront's domains, which CloudFront takes from us-east-1 only. Null: as above."
  }
  input "kms_key_arn" {
    type     = string
    nullable = true
    matches  = "arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[0-9A-Za-z-]{36,}"
    hint     = "the ARN of a KMS key"
    summary  = "The key that data is encrypted with. Null: one is made."
  }
  input "cidr" {
    type    = string
    default = "10.0.0.0/16"
    matches = "[0-9]{1,3}(?:\\.[0-9]{1,3}){3}/(?:1[6-9]|2[0-4])"
    hint    = "a network from /16 to /24"
    summary = "The addresses of the network that is made."
  }
  input "nat" {
    type    = string
    default = "zone"
    one_of  = ["zone", "one"]
    summary = "A way out for each zone, or one for all: cheaper, and all zones lose it together."
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

    input "vpc_id" {
      type    = string
      matches = "vpc-[0-9a-f]{8,17}"
      hint    = "an id such as vpc-0123456789abcdef0"
      summary = "The VPC."
    }
    input "public_subnets" {
      type     = list(string)
      distinct = true
      default  = []
      matches  = "subnet-[0-9a-f]{8,17}"
      hint     = "ids such as subnet-0123456789abcdef0"
      summary  = "Subnets of public load balancers, one in each zone, in the order of zone_names."
    }
    input "private_subnets" {
      type     = list(string)
      distinct = true
      length   = [1, 6]
      matches  = "subnet-[0-9a-f]{8,17}"
      hint     = "ids such as subnet-0123456789abcdef0"
      summary  = "Subnets of instances and nodes, one in each zone, in the order of zone_names."
    }
    input "database_subnets" {
      type     = list(string)
      distinct = true
      default  = self.private_subnets
      matches  = "subnet-[0-9a-f]{8,17}"
      hint     = "ids such as subnet-0123456789abcdef0"
      summary  = "Subnets of databases and caches, one in each zone, in the order of zone_names."
    }
  }
  block "state" {
    summary = "Where Terraform keeps its state. Without the block, in a local file."

    input "bucket" {
      type    = string
      matches = "[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
      hint    = "the name of a bucket"
      summary = "The S3 bucket."
    }
    input "key" {
      type     = string
      nullable = true
      matches  = "[A-Za-z0-9][A-Za-z0-9._/-]{0,200}"
      hint     = "a path such as shop/terraform.tfstate"
      summary  = "The object. Null: named after the blueprint and its environment."
    }
    input "region" {
      type     = string
      nullable = true
      matches  = "[a-z]{2}(?:-[a-z]+){1,3}-[0-9]"
      hint     = "a region such as eu-west-1"
      summary  = "The bucket's region. Null: that of the target."
    }
    input "lock" {
      type    = bool
      default = true
      summary = "Whether a file beside the state keeps two runs apart."
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
    default  = "gp3"
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
    default = "aws-secrets-manager"
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
  derived "private_addresses" {
    # Each zone gets an eighth of the network for its instances and pods; AWS keeps
    # five addresses of every subnet to itself (VPC user guide, "Subnet sizing").
    value   = pow(2, 29 - tonumber(split("/", self.cidr)[1])) - 5
    summary = "How many addresses the private subnet of a zone has, in a network that is made."
  }
  derived "peak_addresses" {
    value   = ceil(sum(concat([0], [for s in blueprint.services : s.peak_instances], [for c in blueprint.clusters : c.max_nodes])) / self.zones)
    summary = "How many addresses instances, pods and nodes of a zone take at their most, rollouts included."
  }
  check "addresses" {
    condition = self.network != null || self.peak_addresses <= self.private_addresses
    message   = "At their most instances, pods and nodes take ${self.peak_addresses} addresses in each zone, and its subnet has ${self.private_addresses}: the rest would not start."
    fix       = "Choose a larger network, 10.0.0.0/16 for example, before the first apply: it cannot grow later."
    at        = self.cidr
    related   = [self.zones]
  }
  check "hosted_zone" {
    condition = (self.hosted_zone_id == null) == (self.hosted_zone_name == null)
    message   = "A hosted zone needs both its id and its name."
    fix       = "Set both hosted_zone_id and hosted_zone_name, or neither."
    at        = self.hosted_zone_id
    related   = [self.hosted_zone_name]
    firm      = true
  }
}
