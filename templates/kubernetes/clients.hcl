# What a service gets from the databases and caches that it needs, besides hosts
# and ports: what they promise, and the passwords of caches.
template "clients" {
  for  = service
  when = target.provider == "kubernetes"
  file = "${service.name}/clients.yaml"
}

let {
  read_from = [for d in service.databases : d if d.read_replicas != null]
  # Memcached knows no passwords.
  logs_into = [for c in service.caches : c if c.engine != "memcached"]
}

extend "apps/v1" "Deployment" "this" {
  when = length(let.read_from) + length(let.logs_into) > 0
  spec = {
    template = {
      spec = {
        containers = [
          {
            name    = service.name
            envFrom = length(let.read_from) == 0 ? null : [for d in let.read_from : { configMapRef = { name = d.let.readers_map } }]
            env = length(let.logs_into) == 0 ? null : [for c in let.logs_into : {
              name      = "${c.let.word}_PASSWORD"
              valueFrom = { secretKeyRef = { name = "${c.name}-password", key = "password" } }
            }]
          },
        ]
      }
    }
  }
}
