# What a canary cannot do where nothing reads requests: no mesh, no gateway.
template "canary_of_pods" {
  for     = service
  pattern = "canary_deployment"
  when    = target.provider == "kubernetes" || service.runs_on != null

  misses = {
    segments = "Without a mesh or a gateway shares are numbers of pods, and nothing reads who asks."
  }
}
