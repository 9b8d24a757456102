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

  # Its fields in the outputs of Terraform, and what programs call them. On Google Cloud a token is enough to log in.
  outputs = target.provider == "kubernetes" ? [] : concat(
    [{ name = "${let.word}_HOST", key = "${let.key}_host", field = "host" }],
    target.provider == "aws" && cache.engine != "memcached" ? [{ name = "${let.word}_USER", key = "${let.key}_user", field = "user" }] : [],
  )
  # Memorystore's clusters answer on these once the first port has said which node has what.
  node_ports = target.provider == "gcp" && cache.redis_cluster != null ? [{ from = 11000, to = 13047, protocol = "TCP" }] : []

  # Jobs that fill it, for it alone or for a service that caches in layers; and whoever throws copies out.
  warmers = cache.in_memory_caching == null ? [] : cache.in_memory_caching.warm && length(cache.clients) > 0 ? ["${cache.name}-warmer"] : []
  layer_jobs = flatten([for s in cache.clients : s.multi_layer_caching == null ? [] : s.multi_layer_caching.cache.name != cache.name ? [] : concat(
    ["${s.name}-invalidator"],
    s.multi_layer_caching_detailed == null ? [] : ["${s.name}-layers-warmer"],
  )])
  takers = concat(cache.clients[*].name, let.warmers, let.layer_jobs)

  # What its nodes and guards ask for: the data, and room for copies.
  asks_pods   = (cache.engine == "memcached" ? cache.zones : cache.nodes) + (let.guarded ? 3 : 0)
  asks_cpu    = (cache.engine == "memcached" ? cache.zones : cache.nodes) * (cache.redis_cluster == null ? 1.1 : 2.1) + (let.guarded ? 1.8 : 0)
  asks_memory = cache.engine == "memcached" ? 1.25 * cache.memory + cache.zones * 134217728 : cache.nodes * (1.6 * cache.node_memory + 201326592) + (let.guarded ? 1811939328 : 0)
}
