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
