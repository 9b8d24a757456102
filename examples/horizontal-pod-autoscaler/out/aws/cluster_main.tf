# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

variable "main_admins" {
  description = "IAM roles that administer the cluster main, besides the one that makes it."
  type        = set(string)
  default     = []
}

resource "aws_security_group" "main" {
  name_prefix = "pod-autoscaler-main-"
  description = "Nodes and pods of main"
  vpc_id      = local.vpc_id

  tags = { Name = "pod-autoscaler-main" }

  lifecycle {
    create_before_destroy = true
  }
}

# Pods reach what the network policies in the cluster let them.
resource "aws_vpc_security_group_egress_rule" "main" {
  security_group_id = aws_security_group.main.id
  description       = "To anywhere"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

# Made before the cluster, which would make one that is kept for ever.
resource "aws_cloudwatch_log_group" "main" {
  name              = "/aws/eks/pod-autoscaler-main/cluster"
  retention_in_days = 90
  kms_key_id        = local.kms_key_arn

  depends_on = [aws_kms_key_policy.main]
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

resource "aws_iam_role" "main" {
  name               = "pod-autoscaler-main"
  description        = "Control plane of main"
  assume_role_policy = data.aws_iam_policy_document.eks_assume.json
}

resource "aws_iam_role_policy_attachment" "main" {
  role       = aws_iam_role.main.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"
}

resource "aws_eks_cluster" "main" {
  name                      = "pod-autoscaler-main"
  version                   = "1.33"
  role_arn                  = aws_iam_role.main.arn
  enabled_cluster_log_types = ["api", "audit", "authenticator", "controllerManager", "scheduler"]

  # The add-ons below take their place.
  bootstrap_self_managed_addons = false

  vpc_config {
    subnet_ids              = local.private_subnet_ids
    endpoint_private_access = true
    endpoint_public_access  = false
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

  depends_on = [aws_cloudwatch_log_group.main, aws_iam_role_policy_attachment.main]
}

resource "aws_eks_access_entry" "main" {
  for_each = var.main_admins

  cluster_name  = aws_eks_cluster.main.name
  principal_arn = each.value
}

resource "aws_eks_access_policy_association" "main" {
  for_each = aws_eks_access_entry.main

  cluster_name  = aws_eks_cluster.main.name
  principal_arn = each.value.principal_arn
  policy_arn    = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"

  access_scope {
    type = "cluster"
  }
}

resource "aws_iam_role" "main_node" {
  name               = "pod-autoscaler-main-node"
  description        = "Nodes of main"
  assume_role_policy = data.aws_iam_policy_document.node_assume.json
}

resource "aws_iam_role_policy_attachment" "main_node" {
  for_each = toset([
    "AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryPullOnly", "AmazonSSMManagedInstanceCore",
  ])

  role       = aws_iam_role.main_node.name
  policy_arn = "arn:aws:iam::aws:policy/${each.value}"
}

resource "aws_launch_template" "main" {
  name                   = "pod-autoscaler-main"
  description            = "Nodes of main"
  update_default_version = true
  vpc_security_group_ids = [aws_eks_cluster.main.vpc_config[0].cluster_security_group_id, aws_security_group.main.id]

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
      volume_size           = 100
      encrypted             = true
      kms_key_id            = local.kms_key_arn
      delete_on_termination = true
    }
  }

  tag_specifications {
    resource_type = "instance"
    tags          = merge(local.tags, { Name = "pod-autoscaler-main" })
  }

  tag_specifications {
    resource_type = "volume"
    tags          = merge(local.tags, { Name = "pod-autoscaler-main" })
  }
}

# A group for each zone, so that the zone grows in which a pending pod and its volume have to be.
resource "aws_eks_node_group" "main" {
  for_each = {
    "eu-west-1a" = aws_subnet.private["eu-west-1a"].id
    "eu-west-1b" = aws_subnet.private["eu-west-1b"].id
    "eu-west-1c" = aws_subnet.private["eu-west-1c"].id
  }

  cluster_name    = aws_eks_cluster.main.name
  node_group_name = each.key
  node_role_arn   = aws_iam_role.main_node.arn
  subnet_ids      = [each.value]
  ami_type        = "AL2023_x86_64_STANDARD"
  instance_types  = ["m7i.xlarge"]
  capacity_type   = "ON_DEMAND"

  launch_template {
    id      = aws_launch_template.main.id
    version = aws_launch_template.main.latest_version
  }

  scaling_config {
    min_size     = 1
    desired_size = 1
    max_size     = 3
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
  depends_on = [aws_iam_role_policy_attachment.main_node, aws_eks_addon.main]
}

# What nodes need to become ready.
resource "aws_eks_addon" "main" {
  for_each = {
    vpc-cni                = jsonencode({ enableNetworkPolicy = "true" }) # else the policies in the manifests do nothing
    kube-proxy             = null
    eks-pod-identity-agent = null
  }

  cluster_name                = aws_eks_cluster.main.name
  addon_name                  = each.key
  configuration_values        = each.value
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "PRESERVE"
}

# What runs on them. Autoscalers have no figures without metrics-server.
resource "aws_eks_addon" "main_workload" {
  for_each = toset(["coredns", "metrics-server"])

  cluster_name                = aws_eks_cluster.main.name
  addon_name                  = each.value
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "PRESERVE"

  depends_on = [aws_eks_node_group.main]
}

# Add-ons that call AWS do so with a role of their own.
resource "aws_iam_role" "main_addon" {
  for_each = local.main_addons

  name               = "pod-autoscaler-main-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.pod_assume.json
}

resource "aws_iam_role_policy_attachment" "main_addon" {
  for_each = local.main_addons

  role       = aws_iam_role.main_addon[each.key].name
  policy_arn = "arn:aws:iam::aws:policy/${each.value.policy}"
}

locals {
  main_addons = {
    volumes = { addon = "aws-ebs-csi-driver", service_account = "ebs-csi-controller-sa", policy = "service-role/AmazonEBSCSIDriverPolicy" }
    metrics = { addon = "amazon-cloudwatch-observability", service_account = "cloudwatch-agent", policy = "CloudWatchAgentServerPolicy" }
  }
}

resource "aws_eks_addon" "main_role" {
  for_each = local.main_addons

  cluster_name                = aws_eks_cluster.main.name
  addon_name                  = each.value.addon
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "PRESERVE"

  pod_identity_association {
    role_arn        = aws_iam_role.main_addon[each.key].arn
    service_account = each.value.service_account
  }

  depends_on = [aws_eks_addon.main, aws_eks_node_group.main]
}

# Volumes that pods ask for are encrypted with the key of the rest.
data "aws_iam_policy_document" "main_volumes" {
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

resource "aws_iam_role_policy" "main_volumes" {
  name   = "key"
  role   = aws_iam_role.main_addon["volumes"].id
  policy = data.aws_iam_policy_document.main_volumes.json
}

# What is installed with the manifests and calls AWS: who may do what. A service account that is named here gets its
# role from EKS, without a secret or an annotation.
locals {
  main_controllers = {
    autoscaler     = { namespace = "kube-system", service_account = "cluster-autoscaler", policy = data.aws_iam_policy_document.main_autoscaler.json }
    load-balancers = { namespace = "kube-system", service_account = "aws-load-balancer-controller", policy = data.aws_iam_policy_document.main_load_balancers.json }
    secrets        = { namespace = "external-secrets", service_account = "external-secrets", policy = data.aws_iam_policy_document.main_secrets.json }
  }
}

resource "aws_iam_role" "main_controller" {
  for_each = local.main_controllers

  name               = "pod-autoscaler-main-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.pod_assume.json
}

resource "aws_iam_role_policy" "main_controller" {
  for_each = local.main_controllers

  name   = each.key
  role   = aws_iam_role.main_controller[each.key].id
  policy = each.value.policy
}

resource "aws_eks_pod_identity_association" "main" {
  for_each = local.main_controllers

  cluster_name    = aws_eks_cluster.main.name
  namespace       = each.value.namespace
  service_account = each.value.service_account
  role_arn        = aws_iam_role.main_controller[each.key].arn
}

# The cluster autoscaler finds the node groups by the tags that EKS gives them.
data "aws_iam_policy_document" "main_autoscaler" {
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
      variable = "aws:ResourceTag/k8s.io/cluster-autoscaler/pod-autoscaler-main"
      values   = ["owned"]
    }
  }
}

# The AWS Load Balancer Controller may change only what it has made itself, which it tags with the cluster's name.
data "aws_iam_policy_document" "main_load_balancers" {
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
      values   = ["arn:aws:ec2:eu-west-1:${split(":", aws_eks_cluster.main.arn)[4]}:vpc/${local.vpc_id}"]
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
      values   = ["pod-autoscaler-main"]
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
      values   = ["pod-autoscaler-main"]
    }
  }
}

# external-secrets reads what the services that run here name, and nothing else.
data "aws_iam_policy_document" "main_secrets" {
  statement {
    actions   = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
    resources = [local.orders_secret_arn]
  }

  statement {
    actions   = ["kms:Decrypt"]
    resources = [local.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.eu-west-1.amazonaws.com"]
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "main_nodes" {
  alarm_name          = "pod-autoscaler-main-failed-nodes"
  alarm_description   = "Nodes of main are not well, and neither repaired nor replaced."
  namespace           = "ContainerInsights"
  metric_name         = "cluster_failed_node_count"
  dimensions          = { ClusterName = aws_eks_cluster.main.name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 15
  datapoints_to_alarm = 10
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

output "main" {
  description = "The cluster main: its name for `aws eks update-kubeconfig`, and where it answers."
  value = {
    name     = aws_eks_cluster.main.name
    endpoint = aws_eks_cluster.main.endpoint
  }
}
