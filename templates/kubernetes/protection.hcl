# Two deliberate steps to lose data: first the label goes, then the object can.
template "protection" {
  for  = blueprint
  when = target.provider == "kubernetes" && (anytrue([for d in blueprint.databases : d.deletion_protection]) || anytrue([for c in blueprint.caches : c.deletion_protection]))
  file = "protection.yaml"
}

manifest "admissionregistration.k8s.io/v1" "ValidatingAdmissionPolicy" "protection" {
  metadata = {
    name   = "${target.namespace}-protection"
    labels = { "app.kubernetes.io/part-of" = blueprint.name }
  }
  spec = {
    failurePolicy = "Fail"
    matchConstraints = {
      namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = target.namespace } }
      objectSelector    = { matchLabels = { "scaffold/protected" = "true" } }
      resourceRules = [
        {
          apiGroups   = ["postgresql.cnpg.io"]
          apiVersions = ["*"]
          operations  = ["DELETE"]
          resources   = ["clusters"]
        },
        {
          apiGroups   = ["apps"]
          apiVersions = ["*"]
          operations  = ["DELETE"]
          resources   = ["statefulsets"]
        },
      ]
    }
    validations = [
      {
        expression = "false"
        message    = "It keeps data and is protected: take its label scaffold/protected away first."
        reason     = "Forbidden"
      },
    ]
  }
}

manifest "admissionregistration.k8s.io/v1" "ValidatingAdmissionPolicyBinding" "protection" {
  metadata = {
    name   = "${target.namespace}-protection"
    labels = { "app.kubernetes.io/part-of" = blueprint.name }
  }
  spec = {
    policyName        = "${target.namespace}-protection"
    validationActions = ["Deny"]
  }
}
