# How a database is reached from pods: names of Services here, outputs of Terraform elsewhere.
template "addresses" {
  for = database
}

let {
  key  = replace(database.name, "-", "_")
  word = upper(replace(database.name, "-", "_"))

  # The operator makes the Secret NAME-app; for a database of a cloud an ExternalSecret fills it.
  secret = "${database.name}-app"
  # CloudNativePG's Services; a pooler or the router of shards stands in front of them where there is one. A program
  # that finds its shard by itself reads the others from the map.
  behind      = database.database_sharding == null ? database.name : "${database.name}-${database.database_sharding.ring[0].name}"
  routed      = database.database_sharding == null ? false : database.database_sharding.router == "proxy"
  pooled_ro   = database.pooler == null ? false : database.database_connection_pooling == null ? true : database.database_connection_pooling.pool_readers
  host        = let.routed ? "${database.name}-router.${target.namespace}.svc" : database.pooler == null ? "${let.behind}-rw.${target.namespace}.svc" : "${let.behind}-pooler.${target.namespace}.svc"
  reader_host = let.routed ? "${database.name}-router.${target.namespace}.svc" : let.pooled_ro ? "${let.behind}-pooler-ro.${target.namespace}.svc" : "${let.behind}-ro.${target.namespace}.svc"
  # How its clients log in: with a secret of the cluster's or of the cloud's, as the account of the service with a token
  # for a password, as the only user of a pooler, or as the map of its shards and the cloud's own libraries say.
  managed = database.database_sharding == null ? false : target.provider == "gcp" && database.database_sharding.by == "managed"
  login = (
    target.provider == "kubernetes" ? "secret" :
    target.provider == "aws" ? (database.database_sharding == null ? "secret" : "library") :
    let.managed ? "library" :
    database.pooler == null || database.database_sharding != null ? "account" :
    database.engine == "mysql" ? "account" :
    database.pooler.pooler == "pgbouncer" || database.database_connection_pooling != null ? "pgbouncer" : "pool"
  )
  user = let.login == "pgbouncer" ? "app" : "pool"
  port = let.managed ? 443 : let.login == "pool" ? 6432 : database.port # Cloud SQL's pooler has one of its own
  # Its fields in the outputs of Terraform, and what programs call them.
  outputs = target.provider == "kubernetes" ? [] : concat(
    [{ name = "${let.word}_HOST", key = "${let.key}_host", field = "host" }],
    database.readers > 0 && database.database_sharding == null ? [{ name = "${let.word}_READER_HOST", key = "${let.key}_reader_host", field = "reader_host" }] : [],
    database.database_sharding != null && !let.managed ? [{ name = "${let.word}_SHARD_MAP", key = "${let.key}_shard_map", field = "map" }] : [],
  )
  # Where kustomization.yaml puts the name of its secret.
  filled_in = target.provider == "kubernetes" || !contains(["secret", "pool"], let.login) || !anytrue([for s in database.clients : s.runs_on != null]) ? [] : [
    { key = "${let.key}_secret", kind = "ExternalSecret", name = "${database.name}-app", path = "spec.data.*.remoteRef.key" },
  ]

  # Pods that take connections of services.
  pods = concat(
    let.routed ? [{ "app.kubernetes.io/name" = "${database.name}-router" }] : [],
    !let.routed && database.pooler != null ? [{ "scaffold/pooler" = database.name }] : [],
    !let.routed && (database.pooler == null || (database.readers > 0 && !let.pooled_ro)) ? [{ "scaffold/database" = database.name }] : [],
  )

  # What its servers, poolers and routers ask for, with the one more of each that an update brings.
  pooler_pods = database.pooler == null ? 0 : database.shards * (database.pooler.instances + 1) * (database.read_replicas != null && let.pooled_ro ? 2 : 1)
  router_pods = let.routed ? 4 : 0
  server_pods = database.shards * (database.zones + (database.read_replicas == null ? 0 : database.read_replicas.count))
  asks_pods   = let.server_pods + let.pooler_pods + let.router_pods
  asks_cpu    = let.server_pods * (database.cpu + 0.2) + let.pooler_pods * 0.55 + let.router_pods * 2
  asks_memory = let.server_pods * (database.memory + 268435456) + let.pooler_pods * 335544320 + let.router_pods * 1073741824
}
