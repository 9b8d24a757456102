# Instances of PgBouncer behind one address. As many as there are, for the connections of each add up.
template "pgbouncer" {
  for     = database
  pattern = "connection_pooling"
  when    = let.pooled == "pgbouncer"
  file    = "database_${database.name}_pooler.tf"

  covers = {
    validation = [google_compute_region_health_check.this_pooler.http_health_check.request_path, google_compute_region_instance_template.this_pooler.metadata, database.connection_pooling.check_query]
  }

  check "one_for_each_update" {
    condition = (let.pool_each + let.pool_reserve + 1) * let.pool_most <= database.usable_connections
    message   = "In an update ${let.pool_most} poolers run at once, one more in each of ${length(let.pool_zones)} zones: even with one connection each they need more than the ${database.usable_connections} of ${database.name}."
    fix       = "Run fewer poolers."
    at        = database.connection_pooling.instances
    related   = [database.max_connections]
  }
  check "stop" {
    # Compute Engine cuts an instance's power 90 s after telling it to stop, and the balancer drains it for an hour at most.
    condition = database.statement_timeout <= 3600
    message   = "A pooler that leaves can wait for an hour at most, and a statement of ${database.name} may take ${span(database.statement_timeout)}."
    fix       = "Lower statement_timeout."
    at        = database.statement_timeout
  }
}

let {
  pool_zones   = slice(let.all_zones, 0, min(length(let.all_zones), database.pooler == null ? 1 : database.pooler.instances, 3))
  pool_most    = (database.pooler == null ? 0 : database.pooler.instances) + length(let.pool_zones)
  pool_reserve = database.pooler == null ? 0 : floor(database.pooler.reserve / database.pooler.instances)
  # All together have size; with those that an update adds they still fit into what the server has.
  pool_each = database.pooler == null ? 0 : max(1, min(
    floor(database.pooler.size / database.pooler.instances),
    floor(database.usable_connections / let.pool_most) - let.pool_reserve - 1
  ))
  pool_account = shortname("${let.prefix}-${database.name}-pooler", 30)
  pool_machine = [for row in table.machine_types : row if row.arch == target.architecture && row.vcpu >= 2 && row.memory_gib >= 2][0].name
  pool_vcpus   = [for row in table.machine_types : row.vcpu if row.name == let.pool_machine][0]
  pool_disk    = contains(let.hyperdisk_only, split("-", let.pool_machine)[0]) ? "hyperdisk-balanced" : "pd-balanced"
  pool_drain   = max(30, ceil(database.statement_timeout))
}

# What the poolers do, they do as this account.
resource "google_service_account" "this_pooler" {
  account_id   = let.pool_account
  display_name = "PgBouncer before ${let.name}"
}

resource "google_project_iam_member" "this_pooler" {
  for_each = toset(["roles/cloudsql.client", "roles/cloudsql.instanceUser", "roles/logging.logWriter", "roles/monitoring.metricWriter"])

  project = local.project
  role    = each.value
  member  = google_service_account.this_pooler.member
}

# The poolers log in for their clients, with a token of IAM that the Auth Proxy beside them gets: there is no password.
resource "google_sql_user" "this_pooler" {
  name           = trimsuffix(google_service_account.this_pooler.email, ".gserviceaccount.com")
  instance       = google_sql_database_instance.this.name
  type           = "CLOUD_IAM_SERVICE_ACCOUNT"
  database_roles = ["cloudsqlsuperuser"] # clients make their own tables
}

resource "google_compute_region_instance_template" "this_pooler" {
  name_prefix  = "${let.name}-pooler-"
  region       = target.region
  machine_type = let.pool_machine
  labels       = { service = "${database.name}-pooler" }

  metadata = {
    block-project-ssh-keys    = "true"
    enable-oslogin            = "TRUE"
    google-monitoring-enabled = let.bare_image ? "true" : null

    user-data = join("\n", ["#cloud-config", yamlencode({
      write_files = [
        {
          path        = "/etc/pooler/pgbouncer.ini"
          permissions = "0644"
          content     = templatefile("${path.module}/pooler/${database.name}.ini", { user = google_sql_user.this_pooler.name })
        },
        {
          path        = "/etc/pooler/hba.conf"
          permissions = "0644"
          content     = file("${path.module}/pooler/${database.name}.hba")
        },
        {
          path        = "/etc/pooler/users.txt"
          permissions = "0644"
          content     = "\"app\" \"\"\n\"stats\" \"\"\n"
        },
        {
          path        = "/etc/pooler/pooler.env"
          permissions = "0644"
          content     = "INSTANCE=${google_sql_database_instance.this.connection_name}\nDATABASE=${let.name}\nDRAIN=${let.pool_drain}\n"
        },
        {
          path        = "/etc/pooler/answer.sh"
          permissions = "0755"
          content     = file("${path.module}/pooler/answer.sh")
        },
        {
          path        = "/etc/pooler/measure.sh"
          permissions = "0755"
          content     = file("${path.module}/pooler/measure.sh")
        },
        {
          path        = "/etc/systemd/system/proxy.service"
          permissions = "0644"
          content     = file("${path.module}/pooler/proxy.service")
        },
        {
          path        = "/etc/systemd/system/pgbouncer.service"
          permissions = "0644"
          content     = file("${path.module}/pooler/pgbouncer.service")
        },
        {
          path        = "/etc/systemd/system/answer.service"
          permissions = "0644"
          content     = file("${path.module}/pooler/answer.service")
        },
        {
          path        = "/etc/systemd/system/measure.service"
          permissions = "0644"
          content     = file("${path.module}/pooler/measure.service")
        },
      ]
      runcmd = [
        ["systemctl", "daemon-reload"],
        ["systemctl", "start", "proxy.service", "pgbouncer.service", "answer.service", "measure.service"],
      ]
    })])
  }

  disk {
    source_image = target.image
    boot         = true
    auto_delete  = true
    disk_type    = let.pool_disk
    disk_size_gb = 20

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
    email  = google_service_account.this_pooler.email
    scopes = ["https://www.googleapis.com/auth/cloud-platform"]
  }

  shielded_instance_config {
    enable_secure_boot          = true
    enable_vtpm                 = true
    enable_integrity_monitoring = true
  }

  lifecycle {
    create_before_destroy = true
  }

  depends_on = target.kms_key != null ? [google_kms_crypto_key_iam_member.main] : null
}

# Whether a query comes back through the pool, not only whether somebody listens.
resource "google_compute_region_health_check" "this_pooler" {
  name                = "${let.name}-pooler"
  check_interval_sec  = 5
  timeout_sec         = 4
  healthy_threshold   = 2
  unhealthy_threshold = 3

  http_health_check {
    port         = 8008
    request_path = "/ready"
  }

  log_config {
    enable = true
  }
}

# While the database is away no pooler is at fault: only who does not listen is replaced.
resource "google_compute_health_check" "this_pooler" {
  name                = "${let.name}-pooler-alive"
  check_interval_sec  = 10
  timeout_sec         = 5
  healthy_threshold   = 1
  unhealthy_threshold = 6

  tcp_health_check {
    port = database.port
  }

  log_config {
    enable = true
  }
}

# Of a fixed size: an autoscaler would add connections to the database.
resource "google_compute_region_instance_group_manager" "this_pooler" {
  name                             = "${let.name}-pooler"
  region                           = target.region
  base_instance_name               = "${let.name}-pooler"
  distribution_policy_zones        = let.pool_zones
  distribution_policy_target_shape = "EVEN"
  target_size                      = database.connection_pooling.instances

  version {
    name              = "main"
    instance_template = google_compute_region_instance_template.this_pooler.self_link
  }

  auto_healing_policies {
    health_check      = google_compute_health_check.this_pooler.id
    initial_delay_sec = 180
  }

  # New ones first, one in each zone: the pools are cut so that both together fit.
  update_policy {
    type                           = "PROACTIVE"
    minimal_action                 = "REPLACE"
    most_disruptive_allowed_action = "REPLACE"
    replacement_method             = "SUBSTITUTE"
    instance_redistribution_type   = "PROACTIVE"
    max_surge_fixed                = length(let.pool_zones)
    max_unavailable_fixed          = 0
  }

  depends_on = [google_project_iam_member.this_pooler, google_sql_database.this]
}

resource "google_compute_region_backend_service" "this_pooler" {
  name                            = "${let.name}-pooler"
  load_balancing_scheme           = "INTERNAL"
  protocol                        = "TCP"
  session_affinity                = "NONE"
  connection_draining_timeout_sec = let.pool_drain
  health_checks                   = [google_compute_region_health_check.this_pooler.id]

  backend {
    group          = google_compute_region_instance_group_manager.this_pooler.instance_group
    balancing_mode = "CONNECTION"
  }

  # A connection to a pooler that is gone is reset, and opened again elsewhere.
  connection_tracking_policy {
    tracking_mode                                = "PER_CONNECTION"
    connection_persistence_on_unhealthy_backends = "NEVER_PERSIST"
  }
}

resource "google_compute_forwarding_rule" "this_pooler" {
  name                  = "${let.name}-pooler"
  load_balancing_scheme = "INTERNAL"
  network               = local.network_id
  subnetwork            = local.subnetwork_id
  backend_service       = google_compute_region_backend_service.this_pooler.id
  ip_protocol           = "TCP"
  ports                 = [tostring(database.port)]
}

resource "google_compute_firewall" "this_pooler_from_google" {
  name                    = "${let.name}-pooler-from-google"
  network                 = local.network_id
  direction               = "INGRESS"
  source_ranges           = ["35.191.0.0/16", "130.211.0.0/22"]
  target_service_accounts = [google_service_account.this_pooler.email]

  allow {
    protocol = "tcp"
    ports    = [tostring(database.port), "8008"]
  }
}

# Who gets this far is let in without a password, so only clients get this far.
resource "google_compute_firewall" "this_pooler_from_clients" {
  when = length(let.on_instances) > 0

  name                    = "${let.name}-pooler-from-clients"
  network                 = local.network_id
  direction               = "INGRESS"
  source_service_accounts = [for client in slice(let.on_instances, 0, min(10, length(let.on_instances))) : google_service_account[client].email]
  target_service_accounts = [google_service_account.this_pooler.email]

  allow {
    protocol = "tcp"
    ports    = [tostring(database.port)]
  }
}

# A rule names ten accounts at the most.
resource "google_compute_firewall" "this_pooler_from_more_clients" {
  when     = length(let.on_instances) > 10
  for_each = { for i, clients in chunklist(let.on_instances, 10) : tostring(i + 1) => [for client in clients : google_service_account[client].email] if i > 0 }

  name                    = "${let.name}-pooler-from-clients-${each.key}"
  network                 = local.network_id
  direction               = "INGRESS"
  source_service_accounts = each.value
  target_service_accounts = [google_service_account.this_pooler.email]

  allow {
    protocol = "tcp"
    ports    = [tostring(database.port)]
  }
}

# Pods have addresses of their own, so they are known by these and not by an account.
resource "google_compute_firewall" "this_pooler_from_pods" {
  when = length(let.in_clusters) > 0

  name                    = "${let.name}-pooler-from-pods"
  network                 = local.network_id
  direction               = "INGRESS"
  source_ranges           = [for c in let.in_clusters : google_container_cluster[c].cluster_ipv4_cidr]
  target_service_accounts = [google_service_account.this_pooler.email]

  allow {
    protocol = "tcp"
    ports    = [tostring(database.port)]
  }
}

# Measured from what the poolers write down.
resource "google_logging_metric" "this_pool" {
  for_each = {
    clients = { field = "active", means = "Clients with a connection" }
    waiting = { field = "waiting", means = "Clients that wait for a connection" }
    lent    = { field = "lent", means = "Connections to the database that are lent" }
    wait    = { field = "wait", means = "Seconds that the client in front has waited" }
  }

  name            = "${let.name}-pool-${each.key}"
  description     = "${each.value.means}, for each pooler of ${let.name}"
  filter          = local.this_pool_log
  value_extractor = "REGEXP_EXTRACT(jsonPayload.message, \" ${each.value.field}=([0-9]+)\")"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = "1"
  }
}

locals {
  this_pool_log = "resource.type=\"gce_instance\" AND jsonPayload.container.metadata.database=\"${let.name}\" AND jsonPayload.message=~\"^pool \""
}

file "pooler_this/pgbouncer.ini" {
  path    = "pooler/${database.name}.ini"
  format  = "ini"
  content = <<-EOT
    [databases]
    ${database.database_name} = host=127.0.0.1 port=6543 dbname=${database.database_name} user=$${user}
    ; For the load balancer's question, which must not wait for the others.
    ready = host=127.0.0.1 port=6543 dbname=${database.database_name} user=$${user} pool_size=1 reserve_pool=0

    [pgbouncer]
    listen_addr = 0.0.0.0
    listen_port = ${database.port}
    unix_socket_dir =
    auth_type = hba
    auth_hba_file = /etc/pooler/hba.conf
    auth_file = /etc/pooler/users.txt
    stats_users = stats
    ignore_startup_parameters = extra_float_digits,options

    ; For each of ${database.connection_pooling.instances} poolers; with those that an update adds they open ${(let.pool_each + let.pool_reserve + 1) * let.pool_most} of ${database.usable_connections} connections.
    pool_mode = ${database.connection_pooling.mode}
    max_client_conn = ${database.connection_pooling.clients_each}
    default_pool_size = ${let.pool_each}
    min_pool_size = ${min(let.pool_each, floor(database.connection_pooling.min_size / database.connection_pooling.instances))}
    reserve_pool_size = ${let.pool_reserve}
    reserve_pool_timeout = ${database.connection_pooling.wait_timeout / 2}
    max_db_connections = ${let.pool_each + let.pool_reserve}
    max_prepared_statements = ${database.connection_pooling.mode == "session" ? 0 : database.connection_pooling.prepared_statements}

    ; Clients hear that there is no connection before they give up by themselves.
    query_wait_timeout = ${database.connection_pooling.wait_timeout}
    client_idle_timeout = ${ceil(database.connection_pooling.client_idle)}
    server_idle_timeout = ${ceil(database.connection_pooling.server_idle)}
    server_lifetime = ${ceil(database.connection_pooling.server_lifetime)}
    idle_transaction_timeout = ${ceil(let.idle_transaction)}
    query_timeout = ${ceil(2 * database.statement_timeout)}
    server_connect_timeout = 5
    server_login_retry = 3

    ; A connection that has lain idle is tried before it is lent.
    server_check_delay = ${ceil(database.connection_pooling.check_after)}
    server_check_query = ${database.connection_pooling.check_query}
    server_fast_close = 1
    tcp_keepalive = 1
    tcp_keepidle = ${ceil(let.keepalive)}

    ; Between here and the Auth Proxy nothing leaves the machine; from there on there is TLS.
    server_tls_sslmode = disable
    log_connections = 0
    log_disconnections = 0
  EOT
}

file "pooler_this/hba.conf" {
  path    = "pooler/${database.name}.hba"
  format  = "text"
  content = <<-EOT
    # The network's firewall lets clients in and nobody else.
    host  ${database.database_name}  app    0.0.0.0/0     trust
    host  ready      app    127.0.0.1/32  trust
    host  pgbouncer  stats  127.0.0.1/32  trust
  EOT
}

file "pooler/proxy.service" {
  format  = "ini"
  content = <<-EOT
    [Unit]
    Description=The way to Cloud SQL: TLS and tokens of IAM
    Wants=network-online.target
    After=network-online.target docker.service
    Requires=docker.service

    [Service]
    EnvironmentFile=/etc/pooler/pooler.env
    ExecStartPre=-/usr/bin/docker rm --force proxy
    ExecStart=/usr/bin/docker run --rm --name proxy --network host gcr.io/cloud-sql-connectors/cloud-sql-proxy:2.18.2 --private-ip --auto-iam-authn --address 127.0.0.1 --port 6543 --max-sigterm-delay 80s $${INSTANCE}
    ExecStop=/usr/bin/docker stop -t 85 proxy
    Restart=always
    RestartSec=2

    [Install]
    WantedBy=multi-user.target
  EOT
}

file "pooler/pgbouncer.service" {
  format  = "ini"
  content = <<-EOT
    [Unit]
    Description=PgBouncer
    After=proxy.service
    Requires=docker.service

    [Service]
    EnvironmentFile=/etc/pooler/pooler.env
    Environment=DOCKER_CONFIG=/var/lib/pooler
    ExecStartPre=-/usr/bin/docker rm --force pgbouncer
    # Container-Optimized OS lets nothing in but SSH; who gets this far is the network firewall's matter.
    ExecStartPre=-/sbin/iptables -w -A INPUT -p tcp -m multiport --dports 5432,8008 -j ACCEPT
    ExecStart=/usr/bin/docker run --rm --name pgbouncer --network host --volume /etc/pooler:/etc/pooler:ro --ulimit nofile=65536:65536 --entrypoint /usr/bin/pgbouncer docker.io/edoburu/pgbouncer:v1.24.1-p1 /etc/pooler/pgbouncer.ini
    # No new transactions, and those that run may end.
    ExecStop=/usr/bin/docker kill --signal INT pgbouncer
    ExecStop=-/usr/bin/docker wait pgbouncer
    TimeoutStopSec=80
    Restart=always
    RestartSec=2

    [Install]
    WantedBy=multi-user.target
  EOT
}

file "pooler/answer.service" {
  format  = "ini"
  content = <<-EOT
    [Unit]
    Description=Tells the load balancer whether a query comes back through the pool
    After=pgbouncer.service
    Requires=docker.service

    [Service]
    ExecStartPre=-/usr/bin/docker rm --force answer
    ExecStart=/usr/bin/docker run --rm --name answer --network host --volume /etc/pooler:/etc/pooler:ro --entrypoint /usr/bin/nc docker.io/edoburu/pgbouncer:v1.24.1-p1 -lk -p 8008 -e /etc/pooler/answer.sh
    ExecStop=/usr/bin/docker stop -t 1 answer
    Restart=always
    RestartSec=2

    [Install]
    WantedBy=multi-user.target
  EOT
}

file "pooler/measure.service" {
  format  = "ini"
  content = <<-EOT
    [Unit]
    Description=Writes down how much of the pool is lent and how long clients wait
    After=pgbouncer.service
    Requires=docker.service

    [Service]
    EnvironmentFile=/etc/pooler/pooler.env
    ExecStartPre=-/usr/bin/docker rm --force measure
    ExecStart=/usr/bin/docker run --rm --name measure --network host --log-driver gcplogs --label database=$${DATABASE} --log-opt labels=database --volume /etc/pooler:/etc/pooler:ro --entrypoint /etc/pooler/measure.sh docker.io/edoburu/pgbouncer:v1.24.1-p1
    ExecStop=/usr/bin/docker stop -t 1 measure
    Restart=always
    RestartSec=5

    [Install]
    WantedBy=multi-user.target
  EOT
}

file "pooler/answer.sh" {
  format  = "sh"
  content = <<-EOT
    #!/bin/sh
    # Answers one HTTP request: 200 if a query comes back through the pool.
    while read -r line; do
      [ "$(printf '%s' "$line" | tr -d '\r')" = "" ] && break
    done
    if PGCONNECT_TIMEOUT=2 timeout 3 psql -h 127.0.0.1 -U app -d ready -Atqc 'select 1' >/dev/null 2>&1; then
      printf 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
    else
      printf 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
    fi
  EOT
}

file "pooler/measure.sh" {
  format  = "sh"
  content = <<-EOT
    #!/bin/sh
    # Writes a line for each pool every half minute; from these lines measurements are made.
    while sleep 30; do
      psql -h 127.0.0.1 -U stats -d pgbouncer -Atq -F ' ' -c 'show pools' |
        awk '$1 != "pgbouncer" && $1 != "ready" { print "pool active=" $3 " waiting=" $4 " lent=" $7 " wait=" $14 }'
    done
  EOT
}
