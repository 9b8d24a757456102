# An EKS cluster: control plane, nodes in every zone, add-ons, and roles for what runs in it. What it runs is in
# manifests of their own, which are applied once it stands.
template "cluster" {
  for  = cluster
  file = "cluster_${cluster.name}.tf"

  check "zones" {
    condition = cluster.zones <= target.zones && cluster.zones >= 2
    message   = "EKS wants two zones at least, and no more than the target has (${target.zones}); ${cluster.name} is to stand in ${cluster.zones}."
    fix       = "Set zones between 2 and ${target.zones}."
    at        = cluster.zones
    related   = [target.zones]
  }
  check "machine" {
    condition = lookup(cluster.machine, "aws", "") != "" || can(fit(table.instances, let.size))
    message   = "AWS has no ${target.architecture} machine for a node of ${cluster.name} with ${cluster.node_cpu} vCPUs and ${ceil(gib(cluster.node_memory))} GiB."
    fix       = "Ask for less, choose the other architecture in the target, or name a machine."
    at        = cluster.node_cpu
    related   = [cluster.node_memory, target.architecture]
  }
  check "machine_holds" {
    condition = alltrue([for row in table.instances : row.arch == target.architecture && row.vcpu >= cluster.node_cpu && row.memory_gib >= gib(cluster.node_memory) if row.name == lookup(cluster.machine, "aws", "")])
    message   = "A node of ${cluster.name} is to have ${cluster.node_cpu} vCPUs and ${ceil(gib(cluster.node_memory))} GiB of ${target.architecture}: ${join("", [for row in table.instances : "${row.name} has ${row.vcpu} and ${row.memory_gib} GiB and is ${row.arch}" if row.name == lookup(cluster.machine, "aws", "")])}."
    fix       = "Set node_cpu, node_memory and the target's architecture to what the machine has, or leave machine unset."
    at        = cluster.machine
    related   = [cluster.node_cpu, cluster.node_memory, target.architecture]
  }
  # SCALE-005: every pod has an address of the network, and a machine has only so many. Seven are the add-ons' own:
  # network, proxy, identity, metrics, logs and two of a mesh.
  check "room_for_pods" {
    condition = alltrue([for row in table.instances : sum([for s in cluster.services : s.peak_instances]) <= cluster.max_nodes * (row.pods - 7) if row.name == (lookup(cluster.machine, "aws", "") != "" ? lookup(cluster.machine, "aws", "") : try(fit(table.instances, let.size).name, ""))])
    message   = "At their most ${sum([for s in cluster.services : s.peak_instances])} pods run on ${cluster.name}, and ${cluster.max_nodes} nodes have addresses for ${join("", [for row in table.instances : tostring(cluster.max_nodes * (row.pods - 7)) if row.name == (lookup(cluster.machine, "aws", "") != "" ? lookup(cluster.machine, "aws", "") : try(fit(table.instances, let.size).name, ""))])}: the last would stay pending."
    fix       = "Raise max_nodes, or take larger nodes."
    at        = cluster.max_nodes
    related   = concat([cluster.node_cpu], [for s in cluster.services : s.autoscaler == null ? s.replicas : s.autoscaler.max])
  }
}

let {
  name       = shortname("${let.prefix}-${cluster.name}", 60)
  size       = { vcpu = cluster.node_cpu, memory_gib = gib(cluster.node_memory), arch = target.architecture }
  machine    = lookup(cluster.machine, "aws", "") != "" ? lookup(cluster.machine, "aws", "") : fit(table.instances, let.size).name
  node_zones = slice(let.zones, 0, cluster.zones)
  spot       = cluster.spot > 0
  # Spot wants a choice of types that give at least as much.
  alternatives = [for i, name in distinct(concat([let.machine], [
    for row in table.instances : row.name
    if row.arch == let.size.arch && row.vcpu == let.size.vcpu && row.memory_gib >= let.size.memory_gib
  ])) : name if i < 4]
  # What the services that run here need to be told.
  secrets = concat(
    [for name in distinct(flatten([for s in cluster.services : [for d in s.databases : d.name if d.database_sharding == null]])) : { database = name, name = "" }],
    [for name in distinct(flatten([for s in cluster.services : values(s.secrets)])) : { database = "", name = name }],
  )

  on_demand = ceil((100 - cluster.spot) * cluster.max_nodes / 100 / cluster.zones)
}

variable "this_admins" {
  description = "IAM roles that administer the cluster ${cluster.name}, besides the one that makes it."
  type        = set(string)
  default     = []
}

resource "aws_security_group" "this" {
  name_prefix = "${let.name}-"
  description = "Nodes and pods of ${cluster.name}"
  vpc_id      = local.vpc_id

  tags = { Name = let.name }

  lifecycle {
    create_before_destroy = true
  }
}

# Pods reach what the network policies in the cluster let them.
resource "aws_vpc_security_group_egress_rule" "this" {
  security_group_id = aws_security_group.this.id
  description       = "To anywhere"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

# Made before the cluster, which would make one that is kept for ever.
resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/eks/${let.name}/cluster"
  retention_in_days = 90
  kms_key_id        = local.kms_key_arn

  depends_on = let.own_key ? [aws_kms_key_policy.main] : null
}

data "aws_iam_policy_document" "eks_assume" {
  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]

    principals {
      type        = "Service"
      identifiers = ["eks.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "node_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "pod_assume" {
  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]

    principals {
      type        = "Service"
      identifiers = ["pods.eks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "this" {
  name               = let.name
  description        = "Control plane of ${cluster.name}"
  assume_role_policy = data.aws_iam_policy_document.eks_assume.json
}

resource "aws_iam_role_policy_attachment" "this" {
  role       = aws_iam_role.this.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"
}

resource "aws_eks_cluster" "this" {
  name                      = let.name
  version                   = cluster.version
  role_arn                  = aws_iam_role.this.arn
  enabled_cluster_log_types = ["api", "audit", "authenticator", "controllerManager", "scheduler"]

  # The add-ons below take their place.
  bootstrap_self_managed_addons = false

  vpc_config {
    subnet_ids              = cluster.zones < target.zones ? slice(local.private_subnet_ids, 0, cluster.zones) : local.private_subnet_ids
    endpoint_private_access = true
    endpoint_public_access  = length(cluster.admins) > 0
    public_access_cidrs     = length(cluster.admins) > 0 ? cluster.admins : null
  }

  # Access is a matter of IAM alone. Whoever makes the cluster can get in, or nobody could.
  access_config {
    authentication_mode                         = "API"
    bootstrap_cluster_creator_admin_permissions = true
  }

  encryption_config {
    resources = ["secrets"]

    provider {
      key_arn = local.kms_key_arn
    }
  }

  # Not into extended support, which costs six times as much: the upgrade is then forced.
  upgrade_policy {
    support_type = "STANDARD"
  }

  zonal_shift_config {
    enabled = true
  }

  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy_attachment.this]
}

resource "aws_eks_access_entry" "this" {
  for_each = var.this_admins

  cluster_name  = aws_eks_cluster.this.name
  principal_arn = each.value
}

resource "aws_eks_access_policy_association" "this" {
  for_each = aws_eks_access_entry.this

  cluster_name  = aws_eks_cluster.this.name
  principal_arn = each.value.principal_arn
  policy_arn    = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"

  access_scope {
    type = "cluster"
  }
}

resource "aws_iam_role" "this_node" {
  name               = shortname("${let.name}-node", 64)
  description        = "Nodes of ${cluster.name}"
  assume_role_policy = data.aws_iam_policy_document.node_assume.json
}

resource "aws_iam_role_policy_attachment" "this_node" {
  for_each = toset([
    "AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryPullOnly", "AmazonSSMManagedInstanceCore",
  ])

  role       = aws_iam_role.this_node.name
  policy_arn = "arn:aws:iam::aws:policy/${each.value}"
}

resource "aws_launch_template" "this" {
  name                   = let.name
  description            = "Nodes of ${cluster.name}"
  update_default_version = true
  vpc_security_group_ids = [aws_eks_cluster.this.vpc_config[0].cluster_security_group_id, aws_security_group.this.id]

  # Pods cannot reach the metadata, and with it the node's role: they have roles of their own.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_type           = "gp3"
      volume_size           = ceil(gib(cluster.node_disk))
      encrypted             = true
      kms_key_id            = local.kms_key_arn
      delete_on_termination = true
    }
  }

  tag_specifications {
    resource_type = "instance"
    tags          = merge(local.tags, { Name = let.name })
  }

  tag_specifications {
    resource_type = "volume"
    tags          = merge(local.tags, { Name = let.name })
  }
}

# A group for each zone, so that the zone grows in which a pending pod and its volume have to be.
resource "aws_eks_node_group" "this" {
  for_each = { for i, zone in let.node_zones : zone => target.network == null ? aws_subnet.private[zone].id : target.network.private_subnets[i] }

  cluster_name    = aws_eks_cluster.this.name
  node_group_name = each.key
  node_role_arn   = aws_iam_role.this_node.arn
  subnet_ids      = [each.value]
  ami_type        = target.architecture == "arm64" ? "AL2023_ARM_64_STANDARD" : "AL2023_x86_64_STANDARD"
  instance_types  = [let.machine]
  capacity_type   = "ON_DEMAND"

  launch_template {
    id      = aws_launch_template.this.id
    version = aws_launch_template.this.latest_version
  }

  scaling_config {
    min_size     = ceil(cluster.min_nodes / cluster.zones)
    desired_size = ceil(cluster.min_nodes / cluster.zones)
    max_size     = max(ceil(cluster.min_nodes / cluster.zones), let.spot ? let.on_demand : ceil(cluster.max_nodes / cluster.zones))
  }

  # Drains obey the disruption budgets in the cluster.
  update_config {
    max_unavailable_percentage = 33
  }

  node_repair_config {
    enabled = true
  }

  lifecycle {
    ignore_changes = [scaling_config[0].desired_size] # the autoscaler in the cluster owns it
  }

  # Without the network plugin no node becomes ready.
  depends_on = [aws_iam_role_policy_attachment.this_node, aws_eks_addon.this]
}

resource "aws_eks_node_group" "this_spot" {
  when     = let.spot
  for_each = { for i, zone in let.node_zones : zone => target.network == null ? aws_subnet.private[zone].id : target.network.private_subnets[i] }

  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "${each.key}-spot"
  node_role_arn   = aws_iam_role.this_node.arn
  subnet_ids      = [each.value]
  ami_type        = target.architecture == "arm64" ? "AL2023_ARM_64_STANDARD" : "AL2023_x86_64_STANDARD"
  instance_types  = let.alternatives
  capacity_type   = "SPOT"

  launch_template {
    id      = aws_launch_template.this.id
    version = aws_launch_template.this.latest_version
  }

  scaling_config {
    min_size     = 0
    desired_size = 0
    max_size     = ceil(cluster.spot * cluster.max_nodes / 100 / cluster.zones)
  }

  update_config {
    max_unavailable_percentage = 33
  }

  node_repair_config {
    enabled = true
  }

  lifecycle {
    ignore_changes = [scaling_config[0].desired_size]
  }

  depends_on = [aws_iam_role_policy_attachment.this_node, aws_eks_addon.this]
}

# What nodes need to become ready.
resource "aws_eks_addon" "this" {
  for_each = {
    vpc-cni                = jsonencode({ enableNetworkPolicy = "true" }) # else the policies in the manifests do nothing
    kube-proxy             = null
    eks-pod-identity-agent = null
  }

  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = each.key
  configuration_values        = each.value
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "PRESERVE"
}

# What runs on them. Autoscalers have no figures without metrics-server.
resource "aws_eks_addon" "this_workload" {
  for_each = toset(["coredns", "metrics-server"])

  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = each.value
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "PRESERVE"

  depends_on = [aws_eks_node_group.this]
}

# Add-ons that call AWS do so with a role of their own.
resource "aws_iam_role" "this_addon" {
  for_each = local.this_addons

  name               = "${let.name}-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.pod_assume.json
}

resource "aws_iam_role_policy_attachment" "this_addon" {
  for_each = local.this_addons

  role       = aws_iam_role.this_addon[each.key].name
  policy_arn = "arn:aws:iam::aws:policy/${each.value.policy}"
}

locals {
  this_addons = {
    volumes = { addon = "aws-ebs-csi-driver", service_account = "ebs-csi-controller-sa", policy = "service-role/AmazonEBSCSIDriverPolicy" }
    metrics = { addon = "amazon-cloudwatch-observability", service_account = "cloudwatch-agent", policy = "CloudWatchAgentServerPolicy" }
  }
}

resource "aws_eks_addon" "this_role" {
  for_each = local.this_addons

  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = each.value.addon
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "PRESERVE"

  pod_identity_association {
    role_arn        = aws_iam_role.this_addon[each.key].arn
    service_account = each.value.service_account
  }

  depends_on = [aws_eks_addon.this, aws_eks_node_group.this]
}

# Volumes that pods ask for are encrypted with the key of the rest.
data "aws_iam_policy_document" "this_volumes" {
  statement {
    actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    resources = [local.kms_key_arn]
  }

  statement {
    actions   = ["kms:CreateGrant"]
    resources = [local.kms_key_arn]

    condition {
      test     = "Bool"
      variable = "kms:GrantIsForAWSResource"
      values   = ["true"]
    }
  }
}

resource "aws_iam_role_policy" "this_volumes" {
  name   = "key"
  role   = aws_iam_role.this_addon["volumes"].id
  policy = data.aws_iam_policy_document.this_volumes.json
}

# What is installed with the manifests and calls AWS: who may do what. A service account that is named here gets its
# role from EKS, without a secret or an annotation.
locals {
  this_controllers = {
    autoscaler     = { namespace = "kube-system", service_account = "cluster-autoscaler", policy = data.aws_iam_policy_document.this_autoscaler.json }
    load-balancers = { namespace = "kube-system", service_account = "aws-load-balancer-controller", policy = data.aws_iam_policy_document.this_load_balancers.json }
    secrets        = { namespace = "external-secrets", service_account = "external-secrets", policy = data.aws_iam_policy_document.this_secrets.json }
  }
}

resource "aws_iam_role" "this_controller" {
  for_each = local.this_controllers

  name               = "${let.name}-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.pod_assume.json
}

resource "aws_iam_role_policy" "this_controller" {
  for_each = local.this_controllers

  name   = each.key
  role   = aws_iam_role.this_controller[each.key].id
  policy = each.value.policy
}

resource "aws_eks_pod_identity_association" "this" {
  for_each = local.this_controllers

  cluster_name    = aws_eks_cluster.this.name
  namespace       = each.value.namespace
  service_account = each.value.service_account
  role_arn        = aws_iam_role.this_controller[each.key].arn
}

# The cluster autoscaler finds the node groups by the tags that EKS gives them.
data "aws_iam_policy_document" "this_autoscaler" {
  statement {
    actions = [
      "autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeAutoScalingInstances", "autoscaling:DescribeLaunchConfigurations",
      "autoscaling:DescribeScalingActivities", "autoscaling:DescribeTags", "ec2:DescribeImages", "ec2:DescribeInstanceTypes",
      "ec2:DescribeLaunchTemplateVersions", "ec2:GetInstanceTypesFromInstanceRequirements", "eks:DescribeNodegroup",
    ]
    resources = ["*"]
  }

  statement {
    actions   = ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/k8s.io/cluster-autoscaler/${let.name}"
      values   = ["owned"]
    }
  }
}

# The AWS Load Balancer Controller may change only what it has made itself, which it tags with the cluster's name.
data "aws_iam_policy_document" "this_load_balancers" {
  statement {
    actions = [
      "acm:DescribeCertificate", "acm:ListCertificates", "ec2:DescribeAccountAttributes", "ec2:DescribeAddresses",
      "ec2:DescribeAvailabilityZones", "ec2:DescribeCoipPools", "ec2:DescribeInstances", "ec2:DescribeInternetGateways",
      "ec2:DescribeIpamPools", "ec2:DescribeNetworkInterfaces", "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups",
      "ec2:DescribeSubnets", "ec2:DescribeTags", "ec2:DescribeVpcPeeringConnections", "ec2:DescribeVpcs",
      "ec2:GetCoipPoolUsage", "ec2:GetSecurityGroupsForVpc", "elasticloadbalancing:Describe*", "shield:GetSubscriptionState",
      "wafv2:GetWebACL", "wafv2:GetWebACLForResource",
    ]
    resources = ["*"]
  }

  # Rules of the groups that the nodes are in, so that a balancer reaches the pods.
  statement {
    actions   = ["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"]
    resources = ["*"]

    condition {
      test     = "ArnEquals"
      variable = "ec2:Vpc"
      values   = ["arn:aws:ec2:${target.region}:${split(":", aws_eks_cluster.this.arn)[4]}:vpc/${local.vpc_id}"]
    }
  }

  statement {
    actions = [
      "ec2:CreateSecurityGroup", "ec2:CreateTags", "elasticloadbalancing:AddTags", "elasticloadbalancing:CreateListener",
      "elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:CreateRule", "elasticloadbalancing:CreateTargetGroup",
    ]
    resources = ["*"]

    condition {
      test     = "StringEqualsIfExists"
      variable = "aws:RequestTag/elbv2.k8s.aws/cluster"
      values   = [let.name]
    }
  }

  statement {
    actions = [
      "ec2:DeleteSecurityGroup", "elasticloadbalancing:AddListenerCertificates", "elasticloadbalancing:DeleteListener",
      "elasticloadbalancing:DeleteLoadBalancer", "elasticloadbalancing:DeleteRule", "elasticloadbalancing:DeleteTargetGroup",
      "elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:Modify*", "elasticloadbalancing:RegisterTargets",
      "elasticloadbalancing:RemoveListenerCertificates", "elasticloadbalancing:RemoveTags", "elasticloadbalancing:Set*",
    ]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/elbv2.k8s.aws/cluster"
      values   = [let.name]
    }
  }
}

# external-secrets reads what the services that run here name, and nothing else.
data "aws_iam_policy_document" "this_secrets" {
  statement {
    when = length(let.secrets) > 0

    actions   = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
    resources = [for s in let.secrets : s.name == "" ? local["${s.database}_secret_arn"] : "arn:aws:secretsmanager:${target.region}:*:secret:${s.name}-??????"]
  }

  statement {
    actions   = ["kms:Decrypt"]
    resources = [local.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.${target.region}.amazonaws.com"]
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this_nodes" {
  alarm_name          = "${let.name}-failed-nodes"
  alarm_description   = "Nodes of ${cluster.name} are not well, and neither repaired nor replaced."
  namespace           = "ContainerInsights"
  metric_name         = "cluster_failed_node_count"
  dimensions          = { ClusterName = aws_eks_cluster.this.name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 15
  datapoints_to_alarm = 10
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

output "this" {
  description = "The cluster ${cluster.name}: its name for `aws eks update-kubeconfig`, and where it answers."
  value = {
    name     = aws_eks_cluster.this.name
    endpoint = aws_eks_cluster.this.endpoint
  }
}
