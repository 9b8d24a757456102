# User name and password of a database that the cloud runs, where they are in a secret.
template "database_secrets" {
  for  = database
  when = target.provider != "kubernetes" && anytrue([for s in database.clients : s.runs_on != null])
  file = "secrets.yaml"
}

manifest "external-secrets.io/v1" "ExternalSecret" "this_app" {
  when = contains(["secret", "pool"], let.login)
  metadata = {
    name      = "${database.name}-app"
    namespace = let.namespace
  }
  spec = {
    # Pods read the password when they start. The cloud may have changed it since.
    refreshInterval = "5m"
    secretStoreRef = {
      kind = "ClusterSecretStore"
      name = target.secret_store
    }
    target = {
      name           = "${database.name}-app"
      creationPolicy = "Owner"
    }
    # kustomization.yaml puts the secret's name here, from infrastructure.env.
    data = let.login == "secret" ? [
      {
        secretKey = "username"
        remoteRef = { key = "${let.key}_secret", property = "username" }
      },
      {
        secretKey = "password"
        remoteRef = { key = "${let.key}_secret", property = "password" }
      },
      ] : [
      {
        secretKey = "password"
        remoteRef = { key = "${let.key}_secret" }
      },
    ]
  }
}
