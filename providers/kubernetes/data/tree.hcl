# What the documents of a tree say about each other. Expressions are written in
# the Common Expression Language. They see self, the node the rule is about;
# object, its document; namespace, the namespace of that; and pod in a rule on
# pods. all(kind) is a list of objects, exists(kind, namespace, name) asks for one
# or what a controller makes. selected(namespace, selector) is a list of what
# describes pods, each with name, namespace, namespaceLabels, labels and, unless an
# operator makes them, spec; peers(peer, namespace) is the same for a peer of a
# network policy, and policies(pod) are the network policies for one.

# An object may name here, as Kind/name separated by commas, what it refers to
# and somebody else provides.
outside = "scaffold/provided-elsewhere"

# What policies(pod) finds: the objects whose spec.podSelector selects a pod.
policies = "networking.k8s.io/v1/NetworkPolicy"

# -- Where pods are described -------------------------------------------------

pods "v1/Pod" {
  template = ""
}
pods "apps/v1/Deployment" {
  template = "spec.template"
}
pods "apps/v1/StatefulSet" {
  template = "spec.template"
}
pods "apps/v1/DaemonSet" {
  template = "spec.template"
}
pods "batch/v1/Job" {
  template = "spec.template"
}
pods "batch/v1/CronJob" {
  template = "spec.jobTemplate.spec.template"
}
pods "argoproj.io/v1alpha1/Rollout" {
  template = "spec.template"
}
pods "argoproj.io/v1alpha1/AnalysisTemplate" {
  template = "spec.metrics.*.provider.job.spec.template"
}
pods "postgresql.cnpg.io/v1/Cluster" {
  labels = "merge({'cnpg.io/cluster': self.metadata.name, 'cnpg.io/podRole': 'instance'}, has(self.spec.inheritedMetadata) && has(self.spec.inheritedMetadata.labels) ? self.spec.inheritedMetadata.labels : {})"
}
pods "postgresql.cnpg.io/v1/Pooler" {
  labels = "merge({'cnpg.io/poolerName': self.metadata.name}, has(self.spec.template) && has(self.spec.template.metadata) && has(self.spec.template.metadata.labels) ? self.spec.template.metadata.labels : {})"
}

# -- What controllers make ----------------------------------------------------

makes "external-secrets.io/v1/ExternalSecret" "v1/Secret" {
  names = "[has(self.spec.target) && has(self.spec.target.name) ? self.spec.target.name : self.metadata.name]"
}
makes "cert-manager.io/v1/Certificate" "v1/Secret" {
  names = "[self.spec.secretName]"
}
makes "postgresql.cnpg.io/v1/Cluster" "v1/Secret" {
  names = "['app', 'superuser', 'ca', 'server', 'replication'].map(s, self.metadata.name + '-' + s)"
}
makes "postgresql.cnpg.io/v1/Cluster" "v1/Service" {
  names = "['rw', 'ro', 'r'].map(s, self.metadata.name + '-' + s)"
}
makes "postgresql.cnpg.io/v1/Pooler" "v1/Service" {
  names = "[self.metadata.name]"
}

# -- Names that must exist ----------------------------------------------------

reference "v1/ServiceAccount" {
  in      = ["pods"]
  at      = ["spec.serviceAccountName"]
  besides = ["default"]
}

reference "v1/ConfigMap" {
  in = ["pods"]
  at = [
    "spec.volumes.*.configMap.name",
    "spec.volumes.*.projected.sources.*.configMap.name",
    "spec.containers.*.envFrom.*.configMapRef.name",
    "spec.containers.*.env.*.valueFrom.configMapKeyRef.name",
    "spec.initContainers.*.envFrom.*.configMapRef.name",
    "spec.initContainers.*.env.*.valueFrom.configMapKeyRef.name",
  ]
  besides = ["kube-root-ca.crt"]
}

reference "v1/Secret" {
  in = ["pods"]
  at = [
    "spec.volumes.*.secret.secretName",
    "spec.volumes.*.projected.sources.*.secret.name",
    "spec.containers.*.envFrom.*.secretRef.name",
    "spec.containers.*.env.*.valueFrom.secretKeyRef.name",
    "spec.initContainers.*.envFrom.*.secretRef.name",
    "spec.initContainers.*.env.*.valueFrom.secretKeyRef.name",
  ]
}

reference "v1/PersistentVolumeClaim" {
  in = ["pods"]
  at = ["spec.volumes.*.persistentVolumeClaim.claimName"]
}

reference "scheduling.k8s.io/v1/PriorityClass" {
  in      = ["pods"]
  at      = ["spec.priorityClassName"]
  besides = ["system-cluster-critical", "system-node-critical"]
}

reference "v1/Service" {
  in = ["apps/v1/StatefulSet"]
  at = ["spec.serviceName"]
}

reference "v1/Service" {
  in = ["argoproj.io/v1alpha1/Rollout"]
  at = [
    "spec.strategy.canary.stableService",
    "spec.strategy.canary.canaryService",
    "spec.strategy.blueGreen.activeService",
    "spec.strategy.blueGreen.previewService",
  ]
}

reference "networking.istio.io/v1/VirtualService" {
  in = ["argoproj.io/v1alpha1/Rollout"]
  at = [
    "spec.strategy.canary.trafficRouting.istio.virtualService.name",
    "spec.strategy.canary.trafficRouting.istio.virtualServices.*.name",
  ]
}

reference "argoproj.io/v1alpha1/AnalysisTemplate" {
  in = ["argoproj.io/v1alpha1/Rollout"]
  at = [
    "spec.strategy.canary.analysis.templates.*.templateName",
    "spec.strategy.canary.steps.*.analysis.templates.*.templateName",
    "spec.strategy.blueGreen.prePromotionAnalysis.templates.*.templateName",
    "spec.strategy.blueGreen.postPromotionAnalysis.templates.*.templateName",
  ]
}

reference "gateway.networking.k8s.io/v1/Gateway" {
  in = [
    "gateway.networking.k8s.io/v1/HTTPRoute",
    "gateway.networking.k8s.io/v1/GRPCRoute",
    "gateway.networking.k8s.io/v1/TLSRoute",
    "gateway.networking.k8s.io/v1/TCPRoute",
    "gateway.networking.k8s.io/v1/UDPRoute",
  ]
  at = ["spec.parentRefs.*.name"]
}

reference "v1/Service" {
  in = [
    "gateway.networking.k8s.io/v1/HTTPRoute",
    "gateway.networking.k8s.io/v1/GRPCRoute",
    "gateway.networking.k8s.io/v1/TLSRoute",
    "gateway.networking.k8s.io/v1/TCPRoute",
    "gateway.networking.k8s.io/v1/UDPRoute",
  ]
  at = ["spec.rules.*.backendRefs.*.name"]
}

reference "keda.sh/v1alpha1/TriggerAuthentication" {
  in = ["keda.sh/v1alpha1/ScaledObject"]
  at = ["spec.triggers.*.authenticationRef.name"]
}

reference "karpenter.k8s.aws/v1/EC2NodeClass" {
  in = ["karpenter.sh/v1/NodePool"]
  at = ["spec.template.spec.nodeClassRef.name"]
}

reference "postgresql.cnpg.io/v1/Cluster" {
  in = [
    "postgresql.cnpg.io/v1/Pooler",
    "postgresql.cnpg.io/v1/ScheduledBackup",
    "postgresql.cnpg.io/v1/Publication",
    "postgresql.cnpg.io/v1/Subscription",
    "postgresql.cnpg.io/v1/Database",
  ]
  at = ["spec.cluster.name"]
}

rule "target" {
  in        = ["autoscaling/v2/HorizontalPodAutoscaler", "keda.sh/v1alpha1/ScaledObject"]
  at        = "spec.scaleTargetRef"
  condition = "exists((has(self.apiVersion) ? self.apiVersion : 'apps/v1') + '/' + (has(self.kind) ? self.kind : 'Deployment'), namespace, self.name)"
  message   = "what is to be scaled does not exist in this namespace"
}

rule "target" {
  in        = ["autoscaling.k8s.io/v1/VerticalPodAutoscaler"]
  at        = "spec.targetRef"
  condition = "exists(self.apiVersion + '/' + self.kind, namespace, self.name)"
  message   = "what is to be sized does not exist in this namespace"
}

rule "borrowed template" {
  in        = ["argoproj.io/v1alpha1/Rollout"]
  at        = "spec.workloadRef"
  condition = "exists(self.apiVersion + '/' + self.kind, namespace, self.name)"
  message   = "the workload whose pods are to be rolled out does not exist in this namespace"
}

rule "policy target" {
  in = [
    "gateway.envoyproxy.io/v1alpha1/BackendTrafficPolicy",
    "gateway.envoyproxy.io/v1alpha1/ClientTrafficPolicy",
    "gateway.envoyproxy.io/v1alpha1/SecurityPolicy",
  ]
  at        = "spec.targetRefs.*"
  condition = "exists(self.group + '/v1/' + self.kind, namespace, self.name)"
  message   = "what the policy is for does not exist in this namespace"
}

# -- Selectors ----------------------------------------------------------------

rule "service" {
  in        = ["v1/Service"]
  at        = "spec.selector"
  when      = "size(self) > 0"
  condition = "size(selected(namespace, {'matchLabels': self})) > 0"
  message   = "the selector finds no pods, so nothing would answer"
  fix       = "use labels of the pod template"
}

rule "service port" {
  in        = ["v1/Service"]
  at        = "spec.ports.*"
  when      = "has(self.targetPort) && self.targetPort.isText() && has(object.spec.selector)"
  offenders = "selected(namespace, {'matchLabels': object.spec.selector}).filter(p, has(p.spec) && !p.spec.containers.exists(c, has(c.ports) && c.ports.exists(q, has(q.name) && q.name == self.targetPort))).map(p, p.name)"
  message   = "targetPort is the name of no port of the pods"
}

rule "budget" {
  in        = ["policy/v1/PodDisruptionBudget"]
  at        = "spec.selector"
  condition = "size(selected(namespace, self)) > 0"
  message   = "the selector finds no pods, so it would protect nothing"
}

rule "network policy" {
  in        = ["networking.k8s.io/v1/NetworkPolicy"]
  at        = "spec.podSelector"
  when      = "size(self) > 0" # an empty one is for the pods that are to come as well
  condition = "size(selected(namespace, self)) > 0"
  message   = "the selector finds no pods, so the policy would hold for nothing"
}

rule "scrape" {
  in        = ["monitoring.coreos.com/v1/PodMonitor"]
  at        = "spec.selector"
  when      = "!has(object.spec.namespaceSelector)"
  condition = "size(selected(namespace, self)) > 0"
  message   = "the selector finds no pods, so nothing would be scraped"
}

rule "mesh policy" {
  in        = ["security.istio.io/v1/AuthorizationPolicy", "security.istio.io/v1/PeerAuthentication"]
  at        = "spec.selector"
  condition = "size(selected(namespace, self)) > 0"
  message   = "the selector finds no pods, so the policy would hold for nothing"
}

# -- Hosts of the mesh --------------------------------------------------------

function "answered" {
  params = ["host", "home"]
  body   = "host.contains('*') || all('networking.istio.io/v1/ServiceEntry').exists(e, host in e.spec.hosts) || (size(service(host, home)) == 2 && (exists('v1/Service', service(host, home)[0], service(host, home)[1]) || service(host, home)[0] != home))"
}

rule "destination rule" {
  in        = ["networking.istio.io/v1/DestinationRule"]
  at        = "spec.host"
  condition = "answered(self, namespace)"
  message   = "neither a Service nor a ServiceEntry has this host, so the rule would do nothing"
}

rule "destination" {
  in        = ["networking.istio.io/v1/VirtualService"]
  at        = "spec.http.*.route.*.destination.host"
  condition = "answered(self, namespace)"
  message   = "neither a Service nor a ServiceEntry has this host, so requests would fail"
}

# -- Network edges ------------------------------------------------------------

function "ruling" {
  params = ["p", "direction"]
  body   = "policies(p).filter(n, has(n.spec.policyTypes) ? direction in n.spec.policyTypes : direction == 'Ingress' || has(n.spec.egress))"
}

function "meant" {
  params = ["peer", "home", "p"]
  body   = "!has(peer.ipBlock) && (has(peer.namespaceSelector) ? selects(peer.namespaceSelector, p.namespaceLabels) : p.namespace == home) && (!has(peer.podSelector) || selects(peer.podSelector, p.labels))"
}

# Two lists of ports meet when one is empty, or when they share a port. A name
# may stand for any number.
function "meet" {
  params = ["a", "b"]
  body   = "size(a) == 0 || size(b) == 0 || a.exists(x, b.exists(y, x.protocol == y.protocol && (!has(x.port) || !has(y.port) || x.port == y.port || x.port.isText() != y.port.isText())))"
}

function "admitted" {
  params = ["to", "from", "ports"]
  body   = "size(ruling(to, 'Ingress')) == 0 || ruling(to, 'Ingress').exists(n, has(n.spec.ingress) && n.spec.ingress.exists(r, (!has(r.from) || size(r.from) == 0 || r.from.exists(q, meant(q, n.metadata.namespace, from))) && meet(has(r.ports) ? r.ports : [], ports)))"
}

function "released" {
  params = ["from", "to", "ports"]
  body   = "size(ruling(from, 'Egress')) == 0 || ruling(from, 'Egress').exists(n, has(n.spec.egress) && n.spec.egress.exists(r, (!has(r.to) || size(r.to) == 0 || r.to.exists(q, meant(q, n.metadata.namespace, to))) && meet(has(r.ports) ? r.ports : [], ports)))"
}

rule "egress without ingress" {
  in        = ["networking.k8s.io/v1/NetworkPolicy"]
  at        = "spec.egress.*"
  when      = "has(self.to)"
  offenders = "selected(namespace, object.spec.podSelector).map(a, self.to.map(q, peers(q, namespace).filter(b, !admitted(b, a, has(self.ports) ? self.ports : [])).map(b, a.name + ' to ' + b.name).join(', ')).filter(l, l != '').join(', ')).filter(l, l != '')"
  message   = "this traffic may leave, but no ingress rule of the receiver admits it"
  fix       = "add the ingress rule, or drop this one"
}

# A rule for a whole namespace admits whoever may send; only one that picks
# pods says that those do.
rule "ingress without egress" {
  in        = ["networking.k8s.io/v1/NetworkPolicy"]
  at        = "spec.ingress.*"
  when      = "has(self.from)"
  offenders = "selected(namespace, object.spec.podSelector).map(b, self.from.filter(q, has(q.podSelector) && size(q.podSelector) > 0).map(q, peers(q, namespace).filter(a, !released(a, b, has(self.ports) ? self.ports : [])).map(a, a.name + ' to ' + b.name).join(', ')).filter(l, l != '').join(', ')).filter(l, l != '')"
  message   = "this traffic may arrive, but no egress rule of the sender lets it out"
  fix       = "add the egress rule, or drop this one"
}

# -- Pod Security, level restricted -------------------------------------------

function "restricted" {
  params = ["p"]
  body   = "['enforce', 'warn'].exists(m, 'pod-security.kubernetes.io/' + m in p.namespaceLabels && p.namespaceLabels['pod-security.kubernetes.io/' + m] == 'restricted')"
}

function "containers" {
  params = ["spec"]
  body   = "spec.containers + (has(spec.initContainers) ? spec.initContainers : [])"
}

rule "restricted: host" {
  in        = ["pods"]
  at        = "spec"
  when      = "restricted(pod)"
  condition = "!(has(self.hostNetwork) && self.hostNetwork) && !(has(self.hostPID) && self.hostPID) && !(has(self.hostIPC) && self.hostIPC) && containers(self).all(c, !has(c.ports) || c.ports.all(q, !has(q.hostPort) || q.hostPort == 0))"
  summary   = "Pod Security"
  message   = "the level of the namespace is restricted, which forbids the host's network, processes and ports"
}

rule "restricted: volumes" {
  in        = ["pods"]
  at        = "spec.volumes.*"
  when      = "restricted(pod)"
  condition = "self.all(k, k in ['name', 'configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'image', 'persistentVolumeClaim', 'projected', 'secret'])"
  summary   = "Pod Security"
  message   = "the level of the namespace is restricted, which forbids this kind of volume"
}

rule "restricted: user" {
  in        = ["pods"]
  at        = "spec"
  when      = "restricted(pod)"
  offenders = "containers(self).filter(c, !(has(c.securityContext) && has(c.securityContext.runAsNonRoot) ? c.securityContext.runAsNonRoot : has(self.securityContext) && has(self.securityContext.runAsNonRoot) && self.securityContext.runAsNonRoot)).map(c, c.name)"
  summary   = "Pod Security"
  message   = "the level of the namespace is restricted, which wants runAsNonRoot true for every container"
}

rule "restricted: root" {
  in        = ["pods"]
  at        = "spec"
  when      = "restricted(pod)"
  condition = "!(has(self.securityContext) && has(self.securityContext.runAsUser) && self.securityContext.runAsUser == 0) && containers(self).all(c, !(has(c.securityContext) && has(c.securityContext.runAsUser) && c.securityContext.runAsUser == 0))"
  summary   = "Pod Security"
  message   = "the level of the namespace is restricted, which forbids runAsUser 0"
}

rule "restricted: seccomp" {
  in        = ["pods"]
  at        = "spec"
  when      = "restricted(pod)"
  offenders = "containers(self).filter(c, !(has(c.securityContext) && has(c.securityContext.seccompProfile) ? c.securityContext.seccompProfile.type in ['RuntimeDefault', 'Localhost'] : has(self.securityContext) && has(self.securityContext.seccompProfile) && self.securityContext.seccompProfile.type in ['RuntimeDefault', 'Localhost'])).map(c, c.name)"
  summary   = "Pod Security"
  message   = "the level of the namespace is restricted, which wants seccompProfile RuntimeDefault or Localhost for every container"
}

rule "restricted: escalation" {
  in        = ["pods"]
  at        = "spec"
  when      = "restricted(pod)"
  offenders = "containers(self).filter(c, !(has(c.securityContext) && has(c.securityContext.allowPrivilegeEscalation) && !c.securityContext.allowPrivilegeEscalation) || has(c.securityContext.privileged) && c.securityContext.privileged).map(c, c.name)"
  summary   = "Pod Security"
  message   = "the level of the namespace is restricted, which wants allowPrivilegeEscalation false for every container"
}

rule "restricted: capabilities" {
  in        = ["pods"]
  at        = "spec"
  when      = "restricted(pod)"
  offenders = "containers(self).filter(c, !(has(c.securityContext) && has(c.securityContext.capabilities) && has(c.securityContext.capabilities.drop) && 'ALL' in c.securityContext.capabilities.drop && (!has(c.securityContext.capabilities.add) || c.securityContext.capabilities.add.all(a, a == 'NET_BIND_SERVICE')))).map(c, c.name)"
  summary   = "Pod Security"
  message   = "the level of the namespace is restricted, which wants every container to drop the capability ALL and to add none but NET_BIND_SERVICE"
}
