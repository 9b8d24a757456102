# How a cache is reached from pods.
template "addresses_of_caches" {
  for = cache
}

let {
  key  = replace(cache.name, "-", "_")
  word = upper(replace(cache.name, "-", "_"))
  host = "${cache.name}.${target.namespace}.svc"
  # In a cluster of your own, guards stand before a cache with copies and pass connections on to its primary.
  guarded = target.provider == "kubernetes" && cache.engine != "memcached" && cache.redis_cluster == null && cache.replicas > 0
  pods    = [{ "app.kubernetes.io/name" = let.guarded ? "${cache.name}-guard" : cache.name }]
}
