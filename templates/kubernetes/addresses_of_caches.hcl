# How a cache is reached from pods.
template "addresses_of_caches" {
  for = cache
}

let {
  key  = replace(cache.name, "-", "_")
  word = upper(replace(cache.name, "-", "_"))
  host = "${cache.name}.${target.namespace}.svc"
  pods = [{ "app.kubernetes.io/name" = cache.name }]
}
