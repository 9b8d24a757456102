# What a service gets from the databases and caches that it needs, besides hosts
# and ports: what they promise, and the passwords of caches.
template "clients" {
  for  = service
  when = target.provider == "kubernetes"
  file = "${service.name}/clients.yaml"
}

let {
  read_from = [for d in service.databases : d if d.read_replicas != null]
  # Programs that find their shard by themselves read where it is.
  finds_in = [for d in service.databases : d if d.database_sharding == null ? false : d.database_sharding.router == "application"]
  # What clients of a cache agree on.
  policies = concat(
    [for d in let.read_from : d.let.readers_map],
    [for c in service.caches : c.let.policy_name if c.in_memory_caching != null],
  )
  # Memcached knows no passwords.
  logs_into = [for c in service.caches : c if c.engine != "memcached"]
}

extend "apps/v1" "Deployment" "this" {
  when = length(let.policies) + length(let.finds_in) + length(let.logs_into) > 0
  spec = {
    template = {
      spec = {
        containers = [
          {
            name    = service.name
            envFrom = length(let.policies) == 0 ? null : [for name in let.policies : { configMapRef = { name = name } }]
            env = length(let.logs_into) == 0 ? null : [for c in let.logs_into : {
              name      = "${c.let.word}_PASSWORD"
              valueFrom = { secretKeyRef = { name = "${c.name}-password", key = "password" } }
            }]
            volumeMounts = length(let.finds_in) == 0 ? null : [for d in let.finds_in : {
              name      = "${d.name}-shards"
              mountPath = "/etc/${d.name}"
              readOnly  = true
            }]
          },
        ]
        volumes = length(let.finds_in) == 0 ? null : [for d in let.finds_in : {
          name      = "${d.name}-shards"
          configMap = { name = d.let.shard_map_name }
        }]
      }
    }
  }
}
