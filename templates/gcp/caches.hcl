# What all caches of the root share: the way to Memorystore, one for each of its kinds.
template "caches" {
  for  = blueprint
  when = length(blueprint.caches) > 0
  file = "caches.tf"
}

let {
  cache_kinds   = distinct([for c in blueprint.caches : c.let.kind])
  cache_classes = { for kind in let.cache_kinds : kind => { valkey = "gcp-memorystore", redis = "gcp-memorystore-redis" }[kind] if kind != "memcached" }
  cache_nodes   = sum([for c in blueprint.caches : c.nodes])
  # Pods log in as the account of their service too.
  cache_clients = { for kind in let.cache_kinds : kind => distinct(flatten([for c in blueprint.caches : c.clients[*].name if c.let.kind == kind])) if kind != "memcached" }
}

# Memorystore puts its addresses into our subnet. A network has one such policy in a region for each kind of service.
resource "google_network_connectivity_service_connection_policy" "valkey" {
  when = contains(keys(let.cache_classes), "valkey") && (target.network == null ? true : !target.network.memorystore)

  name          = "${shortname(let.prefix, 56)}-valkey"
  location      = target.region
  network       = local.network_id
  service_class = "gcp-memorystore"

  psc_config {
    subnetworks = [local.subnetwork_id]
  }
}

resource "google_network_connectivity_service_connection_policy" "redis" {
  when = contains(keys(let.cache_classes), "redis") && (target.network == null ? true : !target.network.memorystore)

  name          = "${shortname(let.prefix, 57)}-redis"
  location      = target.region
  network       = local.network_id
  service_class = "gcp-memorystore-redis"

  psc_config {
    subnetworks = [local.subnetwork_id]
  }
}

# Memorystore encrypts with the key as an account of its own, which it makes for the project.
resource "google_kms_crypto_key_iam_member" "caches" {
  when     = target.kms_key != null && length(let.cache_classes) > 0
  for_each = { for kind in keys(let.cache_classes) : kind => { valkey = "gcp-sa-memorystore", redis = "cloud-redis" }[kind] }

  crypto_key_id = target.kms_key
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = "serviceAccount:service-${local.project_number}@${each.value}.iam.gserviceaccount.com"
}
