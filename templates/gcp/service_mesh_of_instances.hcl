# Instances on Google Cloud have no mesh: certificates and control plane come with GKE. What the mesh would do is said to
# be missing, so that the same blueprint still renders.
template "service_mesh_of_instances" {
  for     = service
  pattern = "service_mesh"
  when    = service.runs_on == null

  misses = {
    sidecars         = "Instances have no proxies here; the mesh of Google Cloud comes with GKE."
    traffic_policies = "Timeouts and limits of calls are those of circuit_breaker, whose load balancers stand before what is called."
    latency          = "Without proxies nothing is added to a call, and nothing measures it on the way; load balancers measure their own."
    mtls             = "Callers show no certificate. Firewalls let in only the accounts of those that name the service in needs, and Google encrypts what passes between machines."
    overhead         = "There are no proxies to count."
  }

  check "instances" {
    condition = service.runs_on != null
    message   = "On Google Cloud the mesh is a cluster's, and ${service.name} runs on instances: its calls are kept apart by firewalls, but carry no certificates, and mtls says nothing."
    fix       = "Let it run on a cluster that has service_mesh, or take service_mesh off for this target."
    at        = service.service_mesh.mtls
    related   = [service.runs_on]
    severity  = "warning"
  }
}
