# What has to be in the cluster before the manifests, and how they get there.
template "readme" {
  for = blueprint
}

let {
  context = try(target.context, null) == null ? "" : "--context=${shell(target.context)} "
  # The versions whose definitions these manifests are checked against.
  operators = [for o in [
    { name = "Prometheus operator", version = "0.85", why = "monitors and alarms", needed = true },
    { name = "Argo Rollouts", version = "1.10", why = "releases in steps that go back by themselves", needed = anytrue([for s in let.pods : s.let.rollout]) },
    { name = "Argo Rollouts' plugin argoproj-labs/gatewayAPI", version = "0.8", why = "weights of the gateway's routes", needed = anytrue([for s in let.pods : s.let.routed || s.let.waypoint if s.canary_deployment != null]) },
    { name = "metrics-server", version = "0.8", why = "processor and memory of pods, for autoscalers", needed = anytrue([for s in let.pods : s.autoscaler != null]) },
    { name = "prometheus-adapter", version = "0.12", why = "requests at work and lengths of queues, for autoscalers", needed = anytrue([for s in let.pods : s.horizontal_pod_autoscaler.target_in_flight != null || length(s.horizontal_pod_autoscaler.queue) > 0 if s.horizontal_pod_autoscaler != null]) },
    { name = "KEDA", version = "2.21", why = "autoscalers that ask Prometheus and know the hour", needed = anytrue([for s in let.pods : s.auto_scaling_group != null]) },
    { name = "Vertical Pod Autoscaler", version = "1.8", why = "pods that grow", needed = anytrue([for s in let.pods : s.vertical_scaling != null]) },
    { name = "Istio, with its CNI plugin", version = "1.28", why = "the mesh and the breakers; pods may not change their network rules themselves", needed = anytrue([for s in let.pods : s.let.meshed]) },
    { name = "Envoy Gateway, with a GatewayClass ${target.gateway_class}", version = "1.9", why = "the way in", needed = length(let.gateways) > 0 },
    { name = "cert-manager, with a ClusterIssuer ${target.certificate_issuer}", version = "1.21", why = "certificates of the gateways", needed = length(let.certificates) > 0 },
    { name = "External Secrets, with a ClusterSecretStore ${target.secret_store}", version = "1.3", why = "secrets, by name", needed = anytrue([for s in let.pods : length(s.secrets) > 0 || (!let.bare && length(s.let.with_password) > 0)]) || (let.bare && (anytrue([for c in blueprint.caches : c.engine != "memcached"]) || anytrue([for d in blueprint.databases : d.database_sharding != null]))) },
    { name = "CloudNativePG", version = "1.27", why = "databases", needed = let.bare && length(blueprint.databases) > 0 },
    { name = "CloudNativePG's plugin Barman Cloud", version = "0.6", why = "backups of databases outside of the cluster", needed = let.bare && length(blueprint.databases) > 0 && try(target.backup_url, null) != null },
    { name = "cluster-autoscaler", version = join("", slice(concat(blueprint.clusters[*].version, [""]), 0, 1)), why = "nodes that follow the pods; Terraform has made its role", needed = target.provider == "aws" && target.node_provisioner == "none" },
    { name = "AWS Load Balancer Controller", version = "2.13", why = "the balancers before the gateways; Terraform has made its role", needed = target.provider == "aws" && length(let.gateways) > 0 },
  ] : o if o.needed]
}

let {
  from_terraform = distinct(flatten([for s in let.pods : s.let.from_terraform]))
}

# One line of KEY=VALUE for each, or nothing and an error.
file "infrastructure.jq" {
  when    = length(let.from_terraform) > 0
  format  = "text"
  content = <<EOT
# What the manifests have from Terraform, out of `terraform output -json`. Nothing is written when one is missing.
input
| {
    ${join(",\n    ", [for o in let.from_terraform : "${o.key}: ${o.at}"])}
  }
| to_entries
| map(
    if (.value | type) == "string" and (.value | test("^[^\n]+$")) then "\(.key)=\(.value)"
    else error("Terraform puts out no \(.key): apply it, then try again") end
  )
| .[]
EOT
}

file "README.md" {
  format  = "text"
  content = <<EOT
# ${blueprint.name}

Rendered by scaffold. Change the blueprint and render again, or add files of your own beside these.

## What has to be there

| what | from version | what for |
|---|---|---|
%{for o in let.operators~}
| ${o.name} | ${o.version} | ${o.why} |
%{endfor~}

%{if try(target.backup_url, null) != null && length(blueprint.databases) + length(blueprint.caches) > 0~}
And a secret of yours, `${target.backup_secret}` in the namespace ${target.namespace}, of an account that may write to ${target.backup_url}:
${startswith(target.backup_url, "gs:") ? "`credentials.json`" : "`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_REGION`"}.

%{endif~}
## How it gets there

%{if length(let.from_terraform) > 0~}
From the folder of the Terraform files, once Terraform is applied, and again after each change of it:

```sh
terraform output -json | jq -nr -f manifests/infrastructure.jq > manifests/infrastructure.env &&
  kubectl ${let.context}apply -k manifests
```

`infrastructure.env` then holds what only Terraform knows: addresses and the names of secrets, never what is in them.
Keep it beside these files. Where an output is missing, jq names it and nothing is applied.
%{else~}
```sh
kubectl ${let.context}apply -k ${let.bare ? "." : "manifests"}
```
%{endif~}

A ConfigMap whose content has changed gets a new name. The old ones stay for the way back; remove them with
`kubectl ${let.context}delete configmap NAME` once no ReplicaSet names them.
EOT
}
