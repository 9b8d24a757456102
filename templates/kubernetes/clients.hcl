# What a service gets from the databases and caches that it needs, besides hosts
# and ports: what they promise, and the passwords of caches.
template "clients" {
  for  = service
  when = target.provider == "kubernetes"
  file = "${service.name}/clients.yaml"
}

let {
  read_from = [for d in service.databases : d if d.read_replicas != null]
}

extend "apps/v1" "Deployment" "this" {
  when = length(let.read_from) > 0
  spec = {
    template = {
      spec = {
        containers = [
          {
            name    = service.name
            envFrom = [for d in let.read_from : { configMapRef = { name = d.let.readers_map } }]
          },
        ]
      }
    }
  }
}
