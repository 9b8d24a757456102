# A service on instances: a launch template and the group that starts from it. Patterns add to both.
template "service" {
  for  = service
  when = service.runs_on == null
  file = "service_${service.name}.tf"

  check "environment_lines" {
    condition = alltrue([for value in values(service.environment) : !can(regex("[\\r\\n]", value))])
    message   = "A value of ${service.name}'s environment has a line break, which Docker's environment files cannot hold."
    fix       = "Put it into a secret, or encode it."
    at        = service.environment
  }
  check "machine" {
    condition = lookup(service.machine, "aws", "") != "" || can(fit(table.instances, let.size))
    message   = "AWS has no ${target.architecture} machine for ${service.name} with ${service.total_cpu} vCPUs and ${ceil(gib(service.total_memory))} GiB."
    fix       = "Ask for less, choose the other architecture in the target, or name a machine: machine = { aws = \"x2gd.16xlarge\" }."
    at        = service.cpu
    related   = [service.memory, target.architecture]
  }
  check "machine_holds" {
    condition = lookup(service.machine, "aws", "") == "" ? true : alltrue([for row in table.instances : row.arch == target.architecture && row.vcpu >= service.total_cpu && row.memory_gib >= gib(service.total_memory) if row.name == service.machine.aws])
    message   = "${service.name} is to have ${service.total_cpu} vCPUs and ${ceil(gib(service.total_memory))} GiB of ${target.architecture}: ${join("", [for row in table.instances : "${row.name} has ${row.vcpu} and ${row.memory_gib} GiB and is ${row.arch}" if row.name == lookup(service.machine, "aws", "")])}."
    fix       = "Set cpu, memory and the target's architecture to what the machine has, or leave machine unset."
    at        = service.machine
    related   = [service.cpu, service.memory, target.architecture]
  }
  check "zones" {
    condition = service.zones <= target.zones
    message   = "${service.name} is to be spread over ${service.zones} zones, but the target has ${target.zones}: ${join(", ", let.zones)}."
    fix       = "Lower zones, or give the target more."
    at        = service.zones
    related   = [target.zones]
  }
  check "calls_pods" {
    condition = alltrue([for s in service.callees : s.runs_on == null || s.hostname != null])
    message   = "${service.name} runs on instances and calls pods that have no name outside of their cluster: ${join(", ", [for s in service.callees : s.name if s.runs_on != null && s.hostname == null])}."
    fix       = "Give them a domain, or let ${service.name} run on the cluster."
    at        = service.needs
    related   = [for s in service.callees : s.runs_on]
  }
}

let {
  name      = shortname("${let.prefix}-${service.name}", 48)                             # with a suffix, what IAM takes
  tracked   = service.blue_green_deployment != null || service.canary_deployment != null # more than one version at once
  fleet     = service.vertical_scaling == null
  spot      = service.auto_scaling_group == null ? false : service.auto_scaling_group.spot > 0
  dimension = let.fleet ? "AutoScalingGroupName" : "InstanceId"
  proxied   = service.breaker != null || service.mesh != null

  size    = { vcpu = service.total_cpu, memory_gib = gib(service.total_memory), arch = target.architecture }
  machine = lookup(service.machine, "aws", "") != "" ? lookup(service.machine, "aws", "") : fit(table.instances, let.size).name
  # Spot wants a choice of types: those that give at least as much, the cheapest first.
  alternatives = !let.spot ? [] : [for i, name in distinct(concat([let.machine], [
    for row in table.instances : row.name
    if row.arch == let.size.arch && row.vcpu >= let.size.vcpu && row.vcpu <= 2 * let.size.vcpu + 2 && row.memory_gib >= let.size.memory_gib
  ])) : name if i < 4]

  registry = length(regexall("^[0-9]{12}\\.dkr\\.ecr\\.", service.image)) > 0 ? split("/", service.image)[0] : ""
  # Whether it is found by name, in service discovery.
  found  = length(service.clients) > 0 || contains(let.stand_ins, service.name)
  strict = service.mesh == null ? false : service.mesh.strict
  # Pods have the network identity of their cluster's nodes.
  callers = distinct([for s in service.clients : s.runs_on == null ? s.name : s.runs_on.name])

  # What is called through the proxy on this machine, each on a port of its own.
  through = [for n in service.callees : n if service.breaker != null || (service.mesh != null && n.mesh != null && n.runs_on == null)]
  outside = service.breaker == null ? [] : service.breaker.external
  ports   = { for i, name in concat(let.through[*].name, let.outside[*].name) : name => 15001 + i }
  # How often what the proxy counts is sent.
  sample  = service.circuit_breaker_advanced == null ? 60 : service.circuit_breaker_advanced.sample <= 10 ? 10 : service.circuit_breaker_advanced.sample <= 30 ? 30 : 60
  guarded = service.breaker == null ? false : service.breaker.guards_itself
  entry   = let.guarded ? 15006 : service.port # where what is not of the mesh comes in

  # Pods are reached through their cluster's load balancer, on the port that is open anyway.
  reached = { for n in service.needs : n.name =>
    n.kind != "service" ? n.port : service.mesh != null && n.mesh != null ? 15443 : n.let.entry
    if n.kind != "service" ? true : n.runs_on == null && n.protocol != "udp"
  }
  datagrams = { for n in service.callees : n.name => n.port if n.runs_on == null && n.protocol == "udp" }

  # Where the program finds what it needs.
  variables = merge(
    { PORT = tostring(service.port) },
    { for n in service.callees : "${upper(replace(n.name, "-", "_"))}_URL" =>
      contains(keys(let.ports), n.name) ? "http://127.0.0.1:${let.ports[n.name]}" :
      n.runs_on != null ? "https://${coalesce(n.hostname, n.name)}" :
      "http://${n.name}.${let.namespace}:${n.let.entry}"
    },
    { for n in let.outside : "${upper(replace(n.name, "-", "_"))}_URL" => "http://127.0.0.1:${let.ports[n.name]}" },
    { for n in concat(service.databases, service.caches) : "${upper(replace(n.name, "-", "_"))}_PORT" => tostring(n.port) },
    { for n in service.databases : "${upper(replace(n.name, "-", "_"))}_DATABASE" => n.database_name },
    service.environment,
  )
  environment = concat(
    [for name, value in let.variables : { name = name, value = value, host = "", user = "" }],
    [for n in concat(service.databases, service.caches) : { name = "${upper(replace(n.name, "-", "_"))}_HOST", value = "", host = "${n.name}_host", user = "" }],
    [for n in service.databases : { name = "${upper(replace(n.name, "-", "_"))}_READER_HOST", value = "", host = "${n.name}_reader_host", user = "" } if n.readers > 0 && n.database_sharding == null],
    [for n in service.databases : { name = "${upper(replace(n.name, "-", "_"))}_SECRET_ARN", value = "", host = "${n.name}_secret_arn", user = "" } if n.database_sharding == null],
    [for n in service.databases : { name = "${upper(replace(n.name, "-", "_"))}_SHARD_MAP", value = "", host = "${n.name}_shard_map", user = "" } if n.database_sharding != null],
    [for n in service.caches : { name = "${upper(replace(n.name, "-", "_"))}_USER", value = "", host = "", user = n.name } if n.engine != "memcached"],
  )

  settled = alltrue([for v in let.environment : v.host == "" && v.user == ""]) # all of it is known before Terraform runs

  # What the scripts of the machine go by.
  settings = { for name, value in {
    IMAGE             = service.image
    REGISTRY          = let.registry
    LOG_GROUP         = "/${let.prefix}/${service.name}"
    AWS_REGION        = target.region
    DRAIN             = tostring(ceil(service.drain_time))
    GROUP             = let.fleet ? let.name : ""
    LINGER            = let.fleet ? tostring(ceil(service.stop_delay)) : ""
    READY_URL         = let.fleet && service.protocol == "http" ? "http://127.0.0.1:${service.port}${service.ready_path}" : ""
    HEALTH_URL        = let.fleet && service.protocol == "http" && service.balancer == null ? "http://127.0.0.1:${service.port}${service.health_path}" : ""
    DISCOVERY_SERVICE = let.found && let.fleet ? "known by Terraform" : ""
    MESH_NAME         = service.mesh == null ? "" : "${service.name}.${let.namespace}"
    MESH_LIFETIME     = service.mesh == null ? "" : tostring(ceil(service.mesh.certificate_lifetime))
    MESH_AUTHORITY    = service.mesh == null ? "" : "known by Terraform"
    DATA              = let.fleet ? "" : "/data"
    PROXY_MEMORY      = let.proxied ? "${service.mesh == null ? 256 : ceil(mib(service.mesh.proxy_memory))}m" : ""
    PROXY_CPUS        = let.proxied ? tostring(service.mesh == null ? 0.5 : service.mesh.proxy_cpu) : ""
  } : name => value if value != "" }

  files = concat(
    [
      { path = "/usr/local/bin/app", source = "instance/app.sh", mode = "0755" },
      { path = "/etc/systemd/system/app.service", source = "instance/app.service", mode = "0644" },
      { path = "/etc/app/cloudwatch_agent.json", source = "service_${service.name}/cloudwatch_agent.json", mode = "0644" },
    ],
    let.fleet ? [
      { path = "/usr/local/bin/lifecycle", source = "instance/lifecycle.sh", mode = "0755" },
      { path = "/etc/systemd/system/lifecycle.service", source = "instance/lifecycle.service", mode = "0644" },
    ] : [],
    let.fleet ? [] : [
      { path = "/usr/local/bin/data-volume", source = "instance/data_volume.sh", mode = "0755" },
      { path = "/etc/systemd/system/data-volume.service", source = "instance/data_volume.service", mode = "0644" },
    ],
    let.proxied ? [
      { path = "/etc/envoy/envoy.yaml", source = "service_${service.name}/envoy.yaml", mode = "0644" },
      { path = "/etc/systemd/system/envoy.service", source = "instance/envoy.service", mode = "0644" },
    ] : [],
    service.mesh == null ? [] : [
      { path = "/usr/local/bin/mesh-certificate", source = "instance/mesh_certificate.sh", mode = "0755" },
      { path = "/etc/systemd/system/mesh-certificate.service", source = "instance/mesh_certificate.service", mode = "0644" },
      { path = "/etc/systemd/system/mesh-certificate.timer", source = "instance/mesh_certificate.timer", mode = "0644" },
    ],
  )
  units = concat(
    service.mesh == null ? [] : ["mesh-certificate.service", "mesh-certificate.timer"],
    let.fleet ? [] : ["data-volume.service"],
    let.proxied ? ["envoy.service"] : [],
    ["app.service"],
    let.fleet ? ["lifecycle.service"] : [],
  )
}

resource "aws_security_group" "this" {
  name_prefix = "${let.name}-"
  description = "Instances of ${service.name}"
  vpc_id      = local.vpc_id

  tags = { Name = let.name }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "this_from_clients" {
  when     = let.found && !let.strict
  for_each = { for caller in let.callers : caller => aws_security_group[caller].id }

  security_group_id            = aws_security_group.this.id
  description                  = "From ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = service.protocol == "udp" ? "udp" : "tcp"
  from_port                    = let.entry
  to_port                      = let.entry
}

resource "aws_vpc_security_group_egress_rule" "this_to_needs" {
  when = length(let.reached) > 0
  for_each = {
    for name, port in let.reached : name => { group = aws_security_group[name].id, port = port }
  }

  security_group_id            = aws_security_group.this.id
  description                  = "To ${each.key}"
  referenced_security_group_id = each.value.group
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_egress_rule" "this_to_needs_udp" {
  when = length(let.datagrams) > 0
  for_each = {
    for name, port in let.datagrams : name => { group = aws_security_group[name].id, port = port }
  }

  security_group_id            = aws_security_group.this.id
  description                  = "To ${each.key}"
  referenced_security_group_id = each.value.group
  ip_protocol                  = "udp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

# Images, packages and the interfaces of AWS.
resource "aws_vpc_security_group_egress_rule" "this_https" {
  security_group_id = aws_security_group.this.id
  description       = "HTTPS to anywhere"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/${let.prefix}/${service.name}"
  retention_in_days = 30
  kms_key_id        = local.kms_key_arn

  depends_on = let.own_key ? [aws_kms_key_policy.main] : null
}

resource "aws_iam_role" "this" {
  name               = let.name
  description        = "Instances of ${service.name}"
  assume_role_policy = data.aws_iam_policy_document.instance_assume.json
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = toset(concat(
    ["AmazonSSMManagedInstanceCore", "CloudWatchAgentServerPolicy"],
    let.registry == "" ? [] : ["AmazonEC2ContainerRegistryPullOnly"],
  ))

  role       = aws_iam_role.this.name
  policy_arn = "arn:aws:iam::aws:policy/${each.value}"
}

data "aws_iam_policy_document" "this" {
  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this.arn}:*"]
  }

  statement {
    when = let.fleet

    sid       = "Lifecycle"
    actions   = ["autoscaling:CompleteLifecycleAction"]
    resources = ["arn:aws:autoscaling:${target.region}:*:autoScalingGroup:*:autoScalingGroupName/${let.name}${let.tracked ? "-*" : ""}"]
  }

  statement {
    when = let.fleet && service.balancer == null

    sid       = "Health"
    actions   = ["autoscaling:SetInstanceHealth"]
    resources = ["arn:aws:autoscaling:${target.region}:*:autoScalingGroup:*:autoScalingGroupName/${let.name}${let.tracked ? "-*" : ""}"]
  }

  statement {
    when = length(service.secrets) > 0

    sid       = "Secrets"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [for name in distinct(values(service.secrets)) : "arn:aws:secretsmanager:${target.region}:*:secret:${name}-??????"]
  }

  statement {
    when = let.found && let.fleet

    sid       = "Discovery"
    actions   = ["servicediscovery:RegisterInstance", "servicediscovery:DeregisterInstance"]
    resources = [aws_service_discovery_service.this.arn]
  }

  # Cloud Map writes the records with the caller's rights.
  statement {
    when = let.found && let.fleet

    sid       = "Records"
    actions   = ["route53:ChangeResourceRecordSets"]
    resources = ["arn:aws:route53:::hostedzone/${aws_service_discovery_private_dns_namespace.main.hosted_zone}"]
  }
}

resource "aws_iam_role_policy" "this" {
  name   = "instance"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.this.json
}

resource "aws_iam_instance_profile" "this" {
  name = let.name
  role = aws_iam_role.this.name
}

resource "aws_service_discovery_service" "this" {
  when = let.found

  name          = service.name
  description   = "Instances of ${service.name} that serve"
  force_destroy = true

  dns_config {
    namespace_id   = aws_service_discovery_private_dns_namespace.main.id
    routing_policy = "MULTIVALUE"

    dns_records {
      type = "A"
      ttl  = 10
    }
  }
}

resource "aws_launch_template" "this" {
  for_each = let.tracked ? local.this_tracks : null

  name                   = let.tracked ? "${let.name}-${each.key}" : let.name
  description            = let.tracked ? "Instances of ${service.name}, ${each.key}" : "Instances of ${service.name}"
  image_id               = target.image != null ? target.image : var.image_id
  instance_type          = let.fleet ? let.machine : null # the instance has it, so that a new size is no new instance
  update_default_version = true
  ebs_optimized          = true
  vpc_security_group_ids = [aws_security_group.this.id]

  # Compressed: user data has a limit of 16 KB.
  user_data = base64gzip(join("\n", ["#cloud-config", yamlencode({
    write_files = concat(
      [
        {
          path = "/etc/app/instance.env"
          content = join("\n", [
            for name, value in let.settings : name == "IMAGE" && let.tracked ? "IMAGE=${each.value.image}" : name == "GROUP" && let.tracked ? "GROUP=${let.name}-${each.key}" : name == "DISCOVERY_SERVICE" ? "DISCOVERY_SERVICE=${aws_service_discovery_service.this.id}" : name == "MESH_AUTHORITY" ? "MESH_AUTHORITY=${aws_acmpca_certificate_authority.mesh.arn}" : "${name}=${value}"
          ])
        },
        {
          path    = "/etc/app/app.env"
          content = let.settled ? join("\n", [for v in let.environment : "${v.name}=${v.value}"]) : join("\n", [for v in let.environment : v.user != "" ? "${v.name}=${aws_elasticache_user[v.user].user_name}" : v.host != "" ? "${v.name}=${local[v.host]}" : "${v.name}=${v.value}"])
        },
        {
          path    = "/etc/app/secrets"
          content = join("", [for name, secret in service.secrets : "${name} ${secret}\n"])
        },
      ],
      [for f in let.files : { path = f.path, permissions = f.mode, content = file("${path.module}/${f.source}") }],
    )
    packages = ["amazon-cloudwatch-agent", "docker"]
    runcmd = [
      ["systemctl", "daemon-reload"],
      ["/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl", "-a", "fetch-config", "-m", "ec2", "-s", "-c", "file:/etc/app/cloudwatch_agent.json"],
      concat(["systemctl", "enable", "--now"], let.units),
    ]
  })]))

  iam_instance_profile {
    arn = aws_iam_instance_profile.this.arn
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  monitoring {
    enabled = true
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_type           = "gp3"
      volume_size           = 30
      encrypted             = true
      kms_key_id            = local.kms_key_arn
      delete_on_termination = true
    }
  }

  tag_specifications {
    resource_type = "instance"
    tags          = merge(local.tags, { Name = let.tracked ? "${let.name}-${each.key}" : let.name })
  }

  tag_specifications {
    resource_type = "volume"
    tags          = merge(local.tags, { Name = let.tracked ? "${let.name}-${each.key}" : let.name })
  }
}

resource "aws_autoscaling_group" "this" {
  when     = let.fleet
  for_each = let.tracked ? local.this_tracks : null

  name                = let.tracked ? "${let.name}-${each.key}" : let.name
  min_size            = let.tracked ? each.value.min : service.min_instances
  max_size            = let.tracked ? each.value.max : service.max_instances
  vpc_zone_identifier = service.zones < target.zones ? slice(local.private_subnet_ids, 0, service.zones) : local.private_subnet_ids
  target_group_arns   = service.balancer == null ? null : let.tracked ? [aws_lb_target_group.this[each.key].arn] : [aws_lb_target_group.this.arn]

  # An instance that does not answer is replaced, one that boots is left in peace.
  health_check_type         = service.balancer == null ? "EC2" : "ELB"
  health_check_grace_period = ceil(service.auto_scaling_group == null ? service.boot_time : service.auto_scaling_group.health_grace)
  default_instance_warmup   = ceil(service.auto_scaling_group == null ? service.boot_time : service.auto_scaling_group.warm_up)

  # In seconds: machines are replaced before they are far behind with patches.
  max_instance_lifetime = service.auto_scaling_group == null ? null : service.auto_scaling_group.max_lifetime == null ? null : ceil(service.auto_scaling_group.max_lifetime)

  termination_policies = ["OldestLaunchTemplate", "Default"]

  enabled_metrics = [
    "GroupDesiredCapacity", "GroupInServiceInstances", "GroupMaxSize", "GroupMinSize",
    "GroupPendingInstances", "GroupTerminatingInstances", "GroupTotalInstances",
  ]

  # An apply waits until the instances serve, so that nothing that follows meets ones that are still starting.
  wait_for_elb_capacity     = service.balancer == null ? null : let.tracked ? each.value.min : service.min_instances
  wait_for_capacity_timeout = "${ceil(max(600, 4 * service.boot_time) / 60)}m"

  launch_template {
    when = !let.spot

    id      = let.tracked ? aws_launch_template.this[each.key].id : aws_launch_template.this.id
    version = let.tracked ? aws_launch_template.this[each.key].latest_version : aws_launch_template.this.latest_version
  }

  mixed_instances_policy {
    when = let.spot

    instances_distribution {
      on_demand_base_capacity                  = service.min_instances
      on_demand_percentage_above_base_capacity = service.auto_scaling_group == null ? 100 : 100 - service.auto_scaling_group.spot
      spot_allocation_strategy                 = "price-capacity-optimized"
    }

    launch_template {
      launch_template_specification {
        launch_template_id = let.tracked ? aws_launch_template.this[each.key].id : aws_launch_template.this.id
        version            = let.tracked ? aws_launch_template.this[each.key].latest_version : aws_launch_template.this.latest_version
      }

      # Several types, so that one that runs short does not stop the group from growing.
      dynamic "override" {
        for_each = let.alternatives

        content {
          instance_type = override.value
        }
      }
    }
  }

  instance_refresh {
    when = service.rolling_updates == null

    strategy = "Rolling"

    preferences {
      min_healthy_percentage = 100
      max_healthy_percentage = 125
    }
  }

  dynamic "tag" {
    for_each = merge(local.tags, { Name = let.tracked ? "${let.name}-${each.key}" : let.name })

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }

  lifecycle {
    when = service.auto_scaling_group != null && service.rolling_updates == null

    # The policies below own the size.
    ignore_changes = [desired_capacity]
  }

  lifecycle {
    when = service.auto_scaling_group == null && service.rolling_updates != null

    # A rollout moves the version once the new one has proved itself, and a rollback leaves it.
    ignore_changes = [launch_template[0].version]
  }

  lifecycle {
    when = service.auto_scaling_group != null && service.rolling_updates != null && !let.spot

    # The policies below own the size. A rollout moves the version once the new one has proved itself, and a rollback
    # leaves it.
    ignore_changes = [desired_capacity, launch_template[0].version]
  }

  lifecycle {
    when = service.auto_scaling_group != null && service.rolling_updates != null && let.spot

    # The policies below own the size. A rollout moves the version once the new one has proved itself, and a rollback
    # leaves it.
    ignore_changes = [
      desired_capacity,
      mixed_instances_policy[0].launch_template[0].launch_template_specification[0].version,
    ]
  }
}

# A new instance counts once its program answers; one that never does is given up.
resource "aws_autoscaling_lifecycle_hook" "this_ready" {
  when     = let.fleet
  for_each = let.tracked ? local.this_tracks : null

  name                   = "ready"
  autoscaling_group_name = let.tracked ? aws_autoscaling_group.this[each.key].name : aws_autoscaling_group.this.name
  lifecycle_transition   = "autoscaling:EC2_INSTANCE_LAUNCHING"
  heartbeat_timeout      = max(300, 3 * ceil(service.boot_time))
  default_result         = "ABANDON"
}

# A leaving instance stays until it has finished what it has begun.
resource "aws_autoscaling_lifecycle_hook" "this_drain" {
  when     = let.fleet
  for_each = let.tracked ? local.this_tracks : null

  name                   = "drain"
  autoscaling_group_name = let.tracked ? aws_autoscaling_group.this[each.key].name : aws_autoscaling_group.this.name
  lifecycle_transition   = "autoscaling:EC2_INSTANCE_TERMINATING"
  heartbeat_timeout      = max(30, ceil(service.grace_period))
  default_result         = "CONTINUE"
}

file "service_this/cloudwatch_agent.json" {
  path   = "service_${service.name}/cloudwatch_agent.json"
  format = "json"
  content = {
    agent = { metrics_collection_interval = 60 }
    metrics = {
      namespace              = let.name
      append_dimensions      = { (let.dimension) = "$${aws:${let.dimension}}" }
      aggregation_dimensions = concat([[let.dimension]], let.proxied ? [["envoy.cluster_name"]] : [])
      metrics_collected = merge(
        {
          mem  = { measurement = ["mem_used_percent"] }
          disk = { measurement = ["disk_used_percent"], resources = ["/"] }
        },
        let.proxied ? { statsd = { service_address = "127.0.0.1:8125", metrics_collection_interval = min(10, let.sample), metrics_aggregation_interval = let.sample } } : {},
        service.mesh == null ? {} : { procstat = [{ exe = "envoy", measurement = ["cpu_usage", "memory_rss"] }] },
      )
    }
  }
}
