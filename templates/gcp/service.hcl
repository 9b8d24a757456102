# A service on instances: a template and the group that starts from it. Patterns add to both.
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
  check "zones" {
    condition = service.zones <= target.zones
    message   = "${service.name} is to be spread over ${service.zones} zones, but the target has ${target.zones}: ${join(", ", let.all_zones)}."
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
  check "machine" {
    condition = lookup(service.machine, "gcp", "") != "" || length(let.fitting) > 0
    message   = "No machine type for ${target.architecture} has ${service.total_cpu} vCPUs and ${ceil(gib(service.total_memory))} GiB."
    fix       = "Make ${service.name} smaller, and run more of it."
    at        = service.cpu
    related   = [service.memory, target.architecture]
  }
  # A regional group adds or takes away none, or at least one for each of its zones.
  check "room_during_updates" {
    condition = service.vertical_scaling != null || let.unavailable == 0 || let.unavailable < service.min_instances
    message   = "A group over ${service.zones} zones takes away at least ${service.zones} instances at once in an update, which are all of the ${service.min_instances} of ${service.name}."
    fix       = "Set unavailable = 0, so that new ones are added first, or run more."
    at        = service.rolling_updates == null ? service.zones : service.rolling_updates.unavailable
    related   = [service.min_instances, service.zones]
  }
  # POOL-001: the surge is at least one for each zone, which can be more than the share that the pools are cut for.
  check "connections_during_updates" {
    condition = alltrue([for d in service.databases : d.let.most_connections <= d.client_limit])
    message   = "A group over ${service.zones} zones adds at least ${service.zones} instances in an update, ${let.surplus} more than the ${service.peak_instances} that pools are counted for: ${join(", ", [for d in service.databases : "${d.name} is asked for ${d.let.most_connections} connections and has ${d.client_limit}" if d.let.most_connections > d.client_limit])}."
    fix       = "Lower pool, or spread ${service.name} over fewer zones."
    at        = service.pool
    related   = [service.zones, service.max_instances]
  }
}

let {
  tracked = service.blue_green_deployment != null || service.canary_deployment != null # more than one version at once
  fleet   = service.vertical_scaling == null
  scaled  = service.auto_scaling_group != null

  size     = { vcpu = service.total_cpu, memory_gib = gib(service.total_memory), arch = target.architecture }
  fitting  = [for row in table.machine_types : row if row.arch == let.size.arch && row.vcpu >= let.size.vcpu && row.memory_gib >= let.size.memory_gib && (let.fleet || contains(let.hyperdisk_only, row.series))]
  machine  = lookup(service.machine, "gcp", "") != "" ? lookup(service.machine, "gcp", "") : length(let.fitting) > 0 ? let.fitting[0].name : ""
  series   = split("-", let.machine)[0]
  vcpus    = ceil(element(concat([for row in table.machine_types : row.vcpu if row.name == let.machine], [service.total_cpu]), 0))
  disk     = contains(let.hyperdisk_only, let.series) ? "hyperdisk-balanced" : "pd-balanced"
  registry = can(regex("^[a-z0-9-]+-docker\\.pkg\\.dev/|^(?:[a-z]+\\.)?gcr\\.io/", service.image)) ? split("/", service.image)[0] : ""
  zones    = slice(let.all_zones, 0, min(service.zones, length(let.all_zones)))

  # How many may be added and missing in an update: none, or one for each zone and more.
  surge_percent       = service.rolling_updates == null ? 25 : service.rolling_updates.surge
  unavailable_percent = service.rolling_updates == null ? 0 : service.rolling_updates.unavailable
  surge               = let.surge_percent == 0 ? 0 : max(service.zones, ceil(service.min_instances * let.surge_percent / 100))
  unavailable         = let.unavailable_percent == 0 ? 0 : max(service.zones, floor(service.min_instances * let.unavailable_percent / 100))
  # Instances in an update beyond those that pools and quotas were counted for.
  surplus = let.fleet && !let.tracked ? max(0, service.max_instances + let.surge - service.peak_instances) : 0

  # What is asked whether an instance lives, and whether it can take requests.
  probe_port = service.balancer == null ? service.port : service.balancer.health_port == null ? service.port : service.balancer.health_port
  probe      = service.balancer == null ? service.protocol : service.balancer.health_port == null ? service.protocol : "http"
  transport  = service.protocol == "udp" ? "udp" : "tcp"
  ports      = distinct([service.port, let.probe_port])

  # The version that answers where traffic cannot be shared out.
  main_track = service.blue_green_deployment != null ? service.blue_green_deployment.live : "stable"

  # Callers that come straight, without a breaker of their own in between.
  callers   = [for s in service.clients : s if s.runs_on != null || s.breaker == null || service.protocol != "http"]
  stands_in = contains(keys(let.stand_ins), service.name)
  called    = length(let.callers) > 0
  # A private balancer that answers stated networks only cannot tell callers by their accounts, so these come straight.
  narrowed = let.balancer_kind == "internal" && !contains(service.balancer.allow, "0.0.0.0/0")
  inside   = let.called && (let.balancer_kind != "internal" || let.narrowed) ? (service.protocol == "http" && !let.narrowed ? "http" : "direct") : "none"
  through  = service.breaker == null ? [] : [for n in service.callees : n if n.runs_on == null && n.protocol == "http"]
  # Outside of the network: pods with a name of their own, and what the breaker names.
  outside = service.breaker == null ? [] : concat(
    [for n in service.callees : { name = n.name, host = n.hostname, port = 443 } if n.runs_on != null],
    [for n in service.breaker.external : { name = n.name, host = n.host, port = n.port }],
  )

  # Who balances what comes in, and who asks whether an instance is ready: a regional balancer has regional checks.
  client_address = service.load_balancer_types == null ? false : service.load_balancer_types.client_address
  # Only what ends connections can go on with them at another port.
  moves_port = service.balancer == null ? false : service.balancer.public && service.balancer.layer == 4 && service.balancer.port != service.port
  balancer_kind = (
    service.balancer == null ? "none" :
    service.balancer.layer == 7 && service.balancer.public ? "global" :
    service.balancer.layer == 7 ? "internal" :
    (service.balancer.reach == "world" || let.moves_port) && service.balancer.protocol == "tcp" && !let.client_address ? "proxy" : "passthrough"
  )

  # Where the breaker stands: before what is called, or else before the service itself, if requests come in there.
  self_guarded = service.breaker == null ? false : service.breaker.guards_itself && length(service.breaker.external) == 0
  guarded_by = (
    length(let.through) > 0 ? "edges" :
    length(let.outside) > 0 ? "outside" :
    !let.self_guarded ? "none" :
    let.balancer_kind == "internal" ? "internal" :
    let.inside == "http" ? "inside" :
    let.balancer_kind == "global" ? "global" : "none"
  )

  # One group can stand behind several balancers only where they count alike: requests, or else how busy it is.
  by_rate        = let.inside != "direct" && let.balancer_kind != "passthrough"
  regional_probe = let.inside != "none" || let.stands_in || length(service.clients) > length(let.callers) || contains(["internal", "passthrough"], let.balancer_kind)
  global_probe   = contains(["global", "proxy"], let.balancer_kind)

  budget  = service.auto_scaling_group != null ? service.auto_scaling_group.monthly_budget : service.vertical_scaling != null ? service.vertical_scaling.monthly_budget : null
  rollout = service.rolling_updates != null ? service.rolling_updates : service.blue_green_deployment != null ? service.blue_green_deployment : service.canary_deployment
  # Whose requests say whether a version is good.
  watch      = contains(["global", "internal"], let.balancer_kind) ? let.balancer_kind : let.inside == "http" ? "inside" : length(service.clients) > length(let.callers) ? "edges" : "none"
  rolls_back = let.rollout == null ? false : let.rollout.rollback == "alarms" && let.watch != "none"
  # Instances that may be taken back have a template of their own. The first of a group are never among them: its
  # fewest, and what is not Spot of those that it can grow by.
  spotted = let.scaled && !let.tracked && !let.rolls_back ? service.auto_scaling_group.spot > 0 : false
  steady  = let.spotted ? service.min_instances + ceil((100 - service.auto_scaling_group.spot) * (service.max_instances - service.min_instances) / 100) : service.max_instances
  # Versions that serve side by side: proxies are turned to a map for the one that is kept. A release has proxies of its own.
  turns   = let.rolls_back && let.tracked
  release = service.canary_deployment != null ? hash(service.canary_deployment.canary_image, 6) : service.blue_green_deployment != null ? hash("${service.blue_green_deployment.live} ${service.blue_green_deployment.colours[service.blue_green_deployment.live].image}", 6) : ""
  # Who can be left with all requests, and the other, who is then only reached by asking for it.
  kept       = !let.turns ? {} : service.blue_green_deployment != null ? { blue = "green", green = "blue" } : { stable = "canary" }
  other_maps = let.turns ? "(${join("|", [for track, other in let.kept : "-${track}"])})?" : ""

  # Where the program finds what it needs.
  variables = merge(
    { PORT = tostring(service.port) },
    { for n in service.callees : "${upper(replace(n.name, "-", "_"))}_URL" =>
      n.runs_on != null ? "https://${coalesce(n.hostname, n.name)}" :
      contains(let.through[*].name, n.name) ? "http://${n.name}.${service.name}.${let.namespace}:${n.port}" :
      "http://${n.name}.${let.namespace}:${n.port}"
    },
    { for n in let.outside : "${upper(replace(n.name, "-", "_"))}_URL" => "http://${n.name}.${service.name}.${let.namespace}" },
    { for n in service.caches : "${upper(replace(n.name, "-", "_"))}_PORT" => tostring(n.port) },
    { for n in service.databases : "${upper(replace(n.name, "-", "_"))}_PORT" => tostring(n.let.port) if !n.let.spanner },
    { for n in service.databases : "${upper(replace(n.name, "-", "_"))}_USER" => n.let.pooled == "pgbouncer" ? "app" : n.let.pool_user ? "pool" : let.account if n.let.pooled == "pgbouncer" || n.let.pool_user || (n.engine == "mysql" && !n.let.spanner) },
    { for n in service.databases : "${upper(replace(n.name, "-", "_"))}_DATABASE" => n.database_name },
    service.environment,
  )
  environment = concat(
    [for name, value in let.variables : { name = name, value = value, host = "" }],
    # As the account of the service, without the end of its name: Postgres has room for 63 characters.
    [for n in service.databases : { name = "${upper(replace(n.name, "-", "_"))}_USER", value = "", host = "account" } if n.engine == "postgres" && n.let.pooled != "pgbouncer" && !n.let.pool_user && !n.let.spanner],
    [for n in concat(service.databases, service.caches) : { name = "${upper(replace(n.name, "-", "_"))}_HOST", value = "", host = "${n.name}_host" }],
    [for n in service.databases : { name = "${upper(replace(n.name, "-", "_"))}_READER_HOST", value = "", host = "${n.name}_reader_host" } if n.readers > 0 && n.database_sharding == null],
    [for n in service.databases : { name = "${upper(replace(n.name, "-", "_"))}_SHARD_MAP", value = "", host = "${n.name}_shard_map" } if n.database_sharding == null ? false : !n.let.spanner],
  )
  # Read from Secret Manager when the program starts.
  secrets = merge(service.secrets, { for n in service.databases : "${upper(replace(n.name, "-", "_"))}_PASSWORD" => "${n.let.name}-pool" if n.let.pool_user })
}

# The program writes logs and measurements as its account.
resource "google_project_iam_member" "this" {
  for_each = toset(concat(
    ["roles/logging.logWriter", "roles/monitoring.metricWriter"],
    let.registry == "" ? [] : ["roles/artifactregistry.reader"],
  ))

  project = local.project
  role    = each.value
  member  = google_service_account.this.member
}

# Google asks from these addresses whether instances are well, and its global proxies come from them too.
resource "google_compute_firewall" "this_from_google" {
  name                    = "${let.name}-from-google"
  network                 = local.network_id
  direction               = "INGRESS"
  source_ranges           = let.balancer_kind == "passthrough" ? ["35.191.0.0/16", "130.211.0.0/22", "209.85.152.0/22", "209.85.204.0/22"] : ["35.191.0.0/16", "130.211.0.0/22"]
  target_service_accounts = [google_service_account.this.email]

  allow {
    protocol = "tcp"
    ports    = [for port in let.ports : tostring(port)]
  }
}

# Alive rather than ready: what fails this is replaced, and everything must not be replaced while a database is away.
# It takes longer to fail than the load balancer's check, which only takes the traffic away.
resource "google_compute_health_check" "this" {
  when = let.fleet && let.probe != "udp"

  name                = "${let.name}-alive"
  check_interval_sec  = 10
  timeout_sec         = 5
  healthy_threshold   = 2
  unhealthy_threshold = 5

  http_health_check {
    when = let.probe == "http"

    port         = let.probe_port
    request_path = service.health_path
  }

  grpc_health_check {
    when = let.probe == "grpc"

    port = let.probe_port
  }

  tcp_health_check {
    when = let.probe == "tcp"

    port = let.probe_port
  }

  log_config {
    enable = true
  }
}

# Templates cannot be changed: every change is a new one, which exists before the group lets go of the old one.
resource "google_compute_region_instance_template" "this" {
  when     = let.fleet
  for_each = let.tracked ? local.this_tracks : let.spotted ? toset(["main", "spot"]) : null

  name_prefix  = let.tracked || let.spotted ? "${let.name}-${each.key}-" : "${let.name}-"
  region       = target.region
  machine_type = let.machine
  labels       = { service = service.name }

  metadata = {
    block-project-ssh-keys    = "true"
    enable-oslogin            = "TRUE"
    google-monitoring-enabled = let.bare_image ? "true" : null

    user-data = join("\n", ["#cloud-config", yamlencode({
      write_files = [
        {
          path        = "/etc/app/instance.env"
          permissions = "0600"
          content = join("\n", [
            "IMAGE=${let.tracked ? each.value.image : service.image}",
            "SERVICE=${service.name}",
            "PROJECT=${local.project}",
            "REGISTRY=${let.registry}",
            "PORTS=${join(",", let.ports)}",
            "DRAIN=${ceil(service.drain_time)}",
            "VOLUME=",
            "",
          ])
        },
        {
          path        = "/etc/app/app.env"
          permissions = "0600"
          content     = join("\n", [for v in let.environment : v.host == "" ? "${v.name}=${v.value}" : v.host == "account" ? "${v.name}=${trimsuffix(google_service_account.this.email, ".gserviceaccount.com")}" : "${v.name}=${local[v.host]}"])
        },
        {
          path        = "/etc/app/secrets"
          permissions = "0600"
          content     = join("", [for name, secret in let.secrets : "${name} ${secret}\n"])
        },
        {
          path        = "/etc/app/app.sh"
          permissions = "0700"
          content     = file("${path.module}/instance/app.sh")
        },
        {
          path        = "/etc/systemd/system/app.service"
          permissions = "0644"
          content     = file("${path.module}/instance/app.service")
        },
      ]
      runcmd = [
        ["systemctl", "daemon-reload"],
        ["systemctl", "start", "app.service"],
      ]
    })])
  }

  disk {
    source_image = target.image
    boot         = true
    auto_delete  = true
    disk_type    = let.disk
    disk_size_gb = 30

    disk_encryption_key {
      when = target.kms_key != null

      kms_key_self_link = target.kms_key
    }
  }

  network_interface {
    subnetwork = local.subnetwork_id
    nic_type   = "GVNIC"
  }

  service_account {
    email  = google_service_account.this.email
    scopes = ["https://www.googleapis.com/auth/cloud-platform"]
  }

  shielded_instance_config {
    enable_secure_boot          = target.architecture != "arm64"
    enable_vtpm                 = true
    enable_integrity_monitoring = true
  }

  scheduling {
    provisioning_model  = let.spotted ? (each.key == "spot" ? "SPOT" : "STANDARD") : null
    preemptible         = let.spotted ? each.key == "spot" : null
    automatic_restart   = let.spotted ? each.key != "spot" : true
    on_host_maintenance = let.spotted ? (each.key == "spot" ? "TERMINATE" : "MIGRATE") : "MIGRATE"
  }

  lifecycle {
    create_before_destroy = true
  }

  depends_on = target.kms_key == null ? null : [google_kms_crypto_key_iam_member.main]
}

resource "google_compute_region_instance_group_manager" "this" {
  when     = let.fleet
  for_each = let.tracked ? local.this_tracks : null

  name                             = let.tracked ? "${let.name}-${each.key}" : let.name
  region                           = target.region
  base_instance_name               = let.tracked ? "${let.name}-${each.key}" : let.name
  distribution_policy_zones        = let.zones
  distribution_policy_target_shape = "EVEN"
  target_size                      = let.scaled ? null : let.tracked ? each.value.min : service.replicas

  # An apply ends when every instance runs what is written here and is well, and fails when that takes too long.
  wait_for_instances        = true
  wait_for_instances_status = "UPDATED"

  version {
    name              = let.tracked ? each.key : "main"
    instance_template = let.tracked ? google_compute_region_instance_template.this[each.key].self_link : let.spotted ? google_compute_region_instance_template.this["main"].self_link : google_compute_region_instance_template.this.self_link

    target_size {
      when = let.spotted

      fixed = let.steady
    }
  }

  # What comes above these may be taken back at short notice.
  version {
    when = let.spotted

    name              = "spot"
    instance_template = google_compute_region_instance_template.this["spot"].self_link
  }

  named_port {
    name = "app"
    port = service.port
  }

  auto_healing_policies {
    when = let.probe != "udp"

    health_check      = google_compute_health_check.this.id
    initial_delay_sec = ceil(let.scaled ? service.auto_scaling_group.health_grace : service.boot_time)
  }

  instance_lifecycle_policy {
    when = service.rolling_updates == null

    force_update_on_repair    = "YES"
    default_action_on_failure = "REPAIR"
  }

  # A group over several zones adds or takes away none, or at least one for each zone.
  update_policy {
    type                           = "PROACTIVE"
    minimal_action                 = "REPLACE"
    most_disruptive_allowed_action = "REPLACE"
    replacement_method             = "SUBSTITUTE"
    instance_redistribution_type   = "PROACTIVE"
    max_surge_fixed                = let.surge
    max_unavailable_fixed          = let.unavailable
  }

  timeouts {
    create = duration(max(1200, 4 * ceil(service.boot_time)))
    update = duration(max(1800, 4 * ceil(service.boot_time), service.rolling_updates == null ? 0 : ceil(service.rolling_updates.deadline)))
  }
}
