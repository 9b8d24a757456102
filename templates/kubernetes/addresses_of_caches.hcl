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

  # Jobs that fill it, for it alone or for a service that caches in layers; and whoever throws copies out.
  warmers = cache.in_memory_caching == null ? [] : cache.in_memory_caching.warm && length(cache.clients) > 0 ? ["${cache.name}-warmer"] : []
  layer_jobs = flatten([for s in cache.clients : s.multi_layer_caching == null ? [] : s.multi_layer_caching.cache.name != cache.name ? [] : concat(
    ["${s.name}-invalidator"],
    s.multi_layer_caching_detailed == null ? [] : ["${s.name}-layers-warmer"],
  )])
  takers = concat(cache.clients[*].name, let.warmers, let.layer_jobs)
}
