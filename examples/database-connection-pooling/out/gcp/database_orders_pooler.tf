# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

# What the poolers do, they do as this account.
resource "google_service_account" "orders_pooler" {
  account_id   = "database-pooling-orders-pooler"
  display_name = "PgBouncer before database-pooling-orders"
}

resource "google_project_iam_member" "orders_pooler" {
  for_each = toset(["roles/cloudsql.client", "roles/cloudsql.instanceUser", "roles/logging.logWriter", "roles/monitoring.metricWriter"])

  project = local.project
  role    = each.value
  member  = google_service_account.orders_pooler.member
}

# The poolers log in for their clients, with a token of IAM that the Auth Proxy beside them gets: there is no password.
resource "google_sql_user" "orders_pooler" {
  name           = trimsuffix(google_service_account.orders_pooler.email, ".gserviceaccount.com")
  instance       = google_sql_database_instance.orders.name
  type           = "CLOUD_IAM_SERVICE_ACCOUNT"
  database_roles = ["cloudsqlsuperuser"] # clients make their own tables
}

resource "google_compute_region_instance_template" "orders_pooler" {
  name_prefix  = "database-pooling-orders-pooler-"
  region       = "europe-west1"
  machine_type = "e2-highcpu-2"
  labels       = { service = "orders-pooler" }

  metadata = {
    block-project-ssh-keys    = "true"
    enable-oslogin            = "TRUE"
    google-monitoring-enabled = "true"

    user-data = join("\n", ["#cloud-config", yamlencode({
      write_files = [
        {
          path        = "/etc/pooler/pgbouncer.ini"
          permissions = "0644"
          content     = templatefile("${path.module}/pooler/orders.ini", { user = google_sql_user.orders_pooler.name })
        },
        {
          path        = "/etc/pooler/hba.conf"
          permissions = "0644"
          content     = file("${path.module}/pooler/orders.hba")
        },
        {
          path        = "/etc/pooler/users.txt"
          permissions = "0644"
          content     = "\"app\" \"\"\n\"stats\" \"\"\n"
        },
        {
          path        = "/etc/pooler/pooler.env"
          permissions = "0644"
          content     = "INSTANCE=${google_sql_database_instance.orders.connection_name}\nDATABASE=database-pooling-orders\nDRAIN=30\n"
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
    source_image = "projects/cos-cloud/global/images/family/cos-stable"
    boot         = true
    auto_delete  = true
    disk_type    = "pd-balanced"
    disk_size_gb = 20
  }

  network_interface {
    subnetwork = local.subnetwork_id
    nic_type   = "GVNIC"
  }

  service_account {
    email  = google_service_account.orders_pooler.email
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
}

# Whether a query comes back through the pool, not only whether somebody listens.
resource "google_compute_region_health_check" "orders_pooler" {
  name                = "database-pooling-orders-pooler"
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
resource "google_compute_health_check" "orders_pooler" {
  name                = "database-pooling-orders-pooler-alive"
  check_interval_sec  = 10
  timeout_sec         = 5
  healthy_threshold   = 1
  unhealthy_threshold = 6

  tcp_health_check {
    port = 5432
  }

  log_config {
    enable = true
  }
}

# Of a fixed size: an autoscaler would add connections to the database.
resource "google_compute_region_instance_group_manager" "orders_pooler" {
  name                             = "database-pooling-orders-pooler"
  region                           = "europe-west1"
  base_instance_name               = "database-pooling-orders-pooler"
  distribution_policy_zones        = ["europe-west1-b", "europe-west1-c", "europe-west1-d"]
  distribution_policy_target_shape = "EVEN"
  target_size                      = 3

  version {
    name              = "main"
    instance_template = google_compute_region_instance_template.orders_pooler.self_link
  }

  auto_healing_policies {
    health_check      = google_compute_health_check.orders_pooler.id
    initial_delay_sec = 180
  }

  # New ones first, one in each zone: the pools are cut so that both together fit.
  update_policy {
    type                           = "PROACTIVE"
    minimal_action                 = "REPLACE"
    most_disruptive_allowed_action = "REPLACE"
    replacement_method             = "SUBSTITUTE"
    instance_redistribution_type   = "PROACTIVE"
    max_surge_fixed                = 3
    max_unavailable_fixed          = 0
  }

  depends_on = [google_project_iam_member.orders_pooler, google_sql_database.orders]
}

resource "google_compute_region_backend_service" "orders_pooler" {
  name                            = "database-pooling-orders-pooler"
  load_balancing_scheme           = "INTERNAL"
  protocol                        = "TCP"
  session_affinity                = "NONE"
  connection_draining_timeout_sec = 30
  health_checks                   = [google_compute_region_health_check.orders_pooler.id]

  backend {
    group          = google_compute_region_instance_group_manager.orders_pooler.instance_group
    balancing_mode = "CONNECTION"
  }

  # A connection to a pooler that is gone is reset, and opened again elsewhere.
  connection_tracking_policy {
    tracking_mode                                = "PER_CONNECTION"
    connection_persistence_on_unhealthy_backends = "NEVER_PERSIST"
  }
}

resource "google_compute_forwarding_rule" "orders_pooler" {
  name                  = "database-pooling-orders-pooler"
  load_balancing_scheme = "INTERNAL"
  network               = local.network_id
  subnetwork            = local.subnetwork_id
  backend_service       = google_compute_region_backend_service.orders_pooler.id
  ip_protocol           = "TCP"
  ports                 = ["5432"]
}

resource "google_compute_firewall" "orders_pooler_from_google" {
  name                    = "database-pooling-orders-pooler-from-google"
  network                 = local.network_id
  direction               = "INGRESS"
  source_ranges           = ["35.191.0.0/16", "130.211.0.0/22"]
  target_service_accounts = [google_service_account.orders_pooler.email]

  allow {
    protocol = "tcp"
    ports    = ["5432", "8008"]
  }
}

# Who gets this far is let in without a password, so only clients get this far.
resource "google_compute_firewall" "orders_pooler_from_clients" {
  name                    = "database-pooling-orders-pooler-from-clients"
  network                 = local.network_id
  direction               = "INGRESS"
  source_service_accounts = [google_service_account.api.email]
  target_service_accounts = [google_service_account.orders_pooler.email]

  allow {
    protocol = "tcp"
    ports    = ["5432"]
  }
}

# Measured from what the poolers write down.
resource "google_logging_metric" "orders_pool" {
  for_each = {
    clients = { field = "active", means = "Clients with a connection" }
    waiting = { field = "waiting", means = "Clients that wait for a connection" }
    lent    = { field = "lent", means = "Connections to the database that are lent" }
    wait    = { field = "wait", means = "Seconds that the client in front has waited" }
  }

  name            = "database-pooling-orders-pool-${each.key}"
  description     = "${each.value.means}, for each pooler of database-pooling-orders"
  filter          = local.orders_pool_log
  value_extractor = "REGEXP_EXTRACT(jsonPayload.message, \" ${each.value.field}=([0-9]+)\")"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = "1"
  }
}

locals {
  orders_pool_log = "resource.type=\"gce_instance\" AND jsonPayload.container.metadata.database=\"database-pooling-orders\" AND jsonPayload.message=~\"^pool \""
}
