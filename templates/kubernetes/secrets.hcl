# Secrets of a service, fetched by name from the target's store. Their values are in no file.
template "secrets" {
  for  = service
  when = (target.provider == "kubernetes" || service.runs_on != null) && length(service.secrets) > 0
  file = "${service.name}/secrets.yaml"
}

manifest "external-secrets.io/v1" "ExternalSecret" "this_secrets" {
  metadata = {
    name      = "${service.name}-secrets"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
  }
  spec = {
    refreshInterval = "1h"
    secretStoreRef = {
      kind = "ClusterSecretStore"
      name = target.secret_store
    }
    target = {
      name           = "${service.name}-secrets"
      creationPolicy = "Owner"
    }
    data = [for variable, name in service.secrets : {
      secretKey = variable
      remoteRef = { key = name }
    }]
  }
}
