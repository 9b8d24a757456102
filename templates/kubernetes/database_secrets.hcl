# User name and password of a database that the cloud runs.
template "database_secrets" {
  for  = database
  when = target.provider != "kubernetes" && anytrue([for s in database.clients : s.runs_on != null])
  file = "secrets.yaml"
}

manifest "external-secrets.io/v1" "ExternalSecret" "this_app" {
  metadata = {
    name      = "${database.name}-app"
    namespace = let.namespace
  }
  spec = {
    # The cloud rotates the password; pods read it when they start.
    refreshInterval = "5m"
    secretStoreRef = {
      kind = "ClusterSecretStore"
      name = target.secret_store
    }
    target = {
      name           = "${database.name}-app"
      creationPolicy = "Owner"
    }
    data = [
      # kustomization.yaml puts the secret's name here, from infrastructure.env.
      {
        secretKey = "username"
        remoteRef = { key = "${let.key}_secret", property = "username" }
      },
      {
        secretKey = "password"
        remoteRef = { key = "${let.key}_secret", property = "password" }
      },
    ]
  }
}
