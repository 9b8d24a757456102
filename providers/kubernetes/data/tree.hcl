# What the documents of a tree say about each other. Expressions are written in
# the Common Expression Language. They see self, the node the rule is about;
# object, its document; namespace, the namespace of that; and pod in a rule on
# pods. all(kind) is a list of objects, exists(kind, namespace, name) asks for one
# or what a controller makes. selected(namespace, selector) is a list of what
# describes pods, each with name, namespace, namespaceLabels, labels and, unless an
# operator makes them, spec; peers(peer, namespace) is the same for a peer of a
# network policy, and policies(pod) are the network policies for one.
# get(kind, namespace, name) is a list of the one object of a name, having(kind,
# place, namespace, text) of those with a text at a place, and selecting(kind,
# place, pod) of those with a selector there that selects a pod. All but all look
# things up, so that what they cost does not grow with the tree.

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

makes "gateway.networking.k8s.io/v1/Gateway" "v1/ServiceAccount" {
  names = "self.spec.gatewayClassName == 'istio-waypoint' ? [self.metadata.name] : []"
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

reference "gateway.networking.k8s.io/v1/HTTPRoute" {
  in = ["argoproj.io/v1alpha1/Rollout"]
  at = ["spec.strategy.canary.trafficRouting.plugins.argoproj-labs/gatewayAPI.httpRoutes.*.name"]
}

reference "gateway.networking.k8s.io/v1/GRPCRoute" {
  in = ["argoproj.io/v1alpha1/Rollout"]
  at = ["spec.strategy.canary.trafficRouting.plugins.argoproj-labs/gatewayAPI.grpcRoutes.*.name"]
}

reference "rbac.authorization.k8s.io/v1/Role" {
  in = ["rbac.authorization.k8s.io/v1/RoleBinding"]
  at = ["roleRef.name"]
}

reference "v1/ServiceAccount" {
  in = ["rbac.authorization.k8s.io/v1/RoleBinding"]
  at = ["subjects.*.name"]
}

reference "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy" {
  in = ["admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding"]
  at = ["spec.policyName"]
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

# -- One owner for what changes -----------------------------------------------

function "scalers" {
  params = ["name", "home"]
  body   = "having('autoscaling/v2/HorizontalPodAutoscaler', 'spec.scaleTargetRef.name', home, name) + having('keda.sh/v1alpha1/ScaledObject', 'spec.scaleTargetRef.name', home, name)"
}

rule "one autoscaler" {
  in        = ["autoscaling/v2/HorizontalPodAutoscaler", "keda.sh/v1alpha1/ScaledObject"]
  at        = "spec.scaleTargetRef"
  condition = "size(scalers(self.name, namespace)) == 1"
  summary   = "Two owners"
  message   = "another autoscaler sets the number of the same pods"
}

rule "scaled number" {
  in        = ["apps/v1/Deployment", "apps/v1/StatefulSet", "argoproj.io/v1alpha1/Rollout"]
  at        = "spec"
  when      = "has(self.replicas)"
  condition = "size(scalers(object.metadata.name, namespace)) == 0"
  summary   = "Two owners"
  message   = "an autoscaler sets the number of pods, and each apply would set it back"
  fix       = "leave replicas out"
}

rule "sized and scaled" {
  in        = ["autoscaling.k8s.io/v1/VerticalPodAutoscaler"]
  at        = "spec.targetRef"
  condition = "size(scalers(self.name, namespace)) == 0"
  summary   = "Two owners"
  message   = "an autoscaler counts by what these pods use, while this one changes what they ask for"
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

rule "budget for none" {
  in        = ["policy/v1/PodDisruptionBudget"]
  at        = "spec"
  condition = "!(has(self.maxUnavailable) && self.maxUnavailable in [0, '0', '0%']) && !(has(self.minAvailable) && self.minAvailable == '100%')"
  summary   = "No room"
  message   = "no pod may ever be moved, so no node can be emptied"
}

# A version is spread by itself, by the label that its controller sets.
rule "spread" {
  in        = ["pods"]
  at        = "spec.topologySpreadConstraints.*.matchLabelKeys.*"
  when      = "self in ['pod-template-hash', 'rollouts-pod-template-hash', 'controller-revision-hash']"
  condition = "self == (object.kind == 'Deployment' ? 'pod-template-hash' : object.kind == 'Rollout' ? 'rollouts-pod-template-hash' : object.kind == 'StatefulSet' ? 'controller-revision-hash' : '')"
  message   = "the controller of these pods sets another label for a version"
  fix       = "Deployment: pod-template-hash, Rollout: rollouts-pod-template-hash, StatefulSet: controller-revision-hash"
}

# -- Settings -----------------------------------------------------------------

function "containers" {
  params = ["spec"]
  body   = "spec.containers + (has(spec.initContainers) ? spec.initContainers : [])"
}

rule "immutable" {
  in        = ["v1/ConfigMap"]
  at        = "metadata.name"
  when      = "has(object.immutable) && object.immutable"
  # Eight hexadecimal digits, or the ten letters of kustomize.
  condition = "self.matches('-([0-9a-f]{8}|[bcdfghkmt2456789]{10})$')"
  summary   = "Name without a hash"
  message   = "what is immutable needs a name for each content, with a hash at its end"
}

rule "mutable settings" {
  in        = ["pods"]
  at        = "spec"
  offenders = "flatten([(has(self.volumes) ? self.volumes : []).map(v, has(v.configMap) ? [v.configMap.name] : has(v.projected) ? v.projected.sources.filter(x, has(x.configMap)).map(x, x.configMap.name) : []), containers(self).map(c, [has(c.envFrom) ? c.envFrom.filter(e, has(e.configMapRef)).map(e, e.configMapRef.name) : [], has(c.env) ? c.env.filter(e, has(e.valueFrom) && has(e.valueFrom.configMapKeyRef)).map(e, e.valueFrom.configMapKeyRef.name) : []])]).filter(n, get('v1/ConfigMap', namespace, n).exists(m, !(has(m.immutable) && m.immutable)))"
  summary   = "Settings that change"
  message   = "a change of this would reach pods one by one, without a rollout and with no way back"
  fix       = "make it immutable, with a hash of its content in the name"
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

# A Service that the tree does not have is not known to lack a port.
function "ported" {
  params = ["home", "name", "number"]
  body   = "get('v1/Service', home, name).all(s, s.spec.ports.exists(p, p.port == number))"
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

rule "destination port" {
  in        = ["networking.istio.io/v1/VirtualService"]
  at        = "spec.http.*.route.*.destination"
  when      = "has(self.port) && size(service(self.host, namespace)) == 2"
  condition = "ported(service(self.host, namespace)[0], service(self.host, namespace)[1], self.port.number)"
  message   = "the Service has no such port"
}

rule "backend port" {
  in = [
    "gateway.networking.k8s.io/v1/HTTPRoute",
    "gateway.networking.k8s.io/v1/GRPCRoute",
    "gateway.networking.k8s.io/v1/TLSRoute",
    "gateway.networking.k8s.io/v1/TCPRoute",
    "gateway.networking.k8s.io/v1/UDPRoute",
  ]
  at        = "spec.rules.*.backendRefs.*"
  when      = "has(self.port) && (!has(self.kind) || self.kind == 'Service')"
  condition = "ported(has(self.namespace) ? self.namespace : namespace, self.name, self.port)"
  message   = "the Service has no such port"
}

rule "scope" {
  in        = ["networking.istio.io/v1/Sidecar"]
  at        = "spec.egress.*.hosts.*"
  when      = "self.startsWith('./')"
  condition = "answered(self.substring(2), namespace)"
  message   = "neither a Service nor a ServiceEntry has this host"
}

rule "principal" {
  in        = ["security.istio.io/v1/AuthorizationPolicy"]
  at        = "spec.rules.*.from.*.source.principals.*"
  when      = "!self.contains('*') && size(self.split('/')) == 5 && self.split('/')[2] == namespace"
  condition = "exists('v1/ServiceAccount', namespace, self.split('/')[4])"
  message   = "no pod can have this identity, for its ServiceAccount does not exist"
}

rule "patch order" {
  in        = ["networking.istio.io/v1alpha3/EnvoyFilter"]
  at        = "spec"
  condition = "has(self.priority)"
  summary   = "No order"
  message   = "without a priority the order of patches is that of their making"
  fix       = "set priority"
}

# -- Releases -----------------------------------------------------------------

rule "managed route" {
  in        = ["argoproj.io/v1alpha1/Rollout"]
  at        = "spec.strategy.canary.steps.*.setHeaderRoute"
  condition = "has(object.spec.strategy.canary.trafficRouting) && has(object.spec.strategy.canary.trafficRouting.managedRoutes) && object.spec.strategy.canary.trafficRouting.managedRoutes.exists(r, r.name == self.name)"
  message   = "managedRoutes does not name this route, so it would never be removed"
}

rule "weighted route" {
  in = ["argoproj.io/v1alpha1/Rollout"]
  at = "spec.strategy.canary.trafficRouting.istio"
  # The named routes of the named VirtualServices have the two versions and nothing else.
  condition = "((has(self.virtualServices) ? self.virtualServices : []) + (has(self.virtualService) ? [self.virtualService] : [])).all(n, get('networking.istio.io/v1/VirtualService', namespace, n.name).all(v, (has(n.routes) ? n.routes : ['']).all(r, v.spec.http.exists(h, (r == '' || has(h.name) && h.name == r) && has(h.route) && size(h.route) == 2 && [object.spec.strategy.canary.stableService, object.spec.strategy.canary.canaryService].all(x, h.route.exists(d, size(service(d.destination.host, namespace)) == 2 && service(d.destination.host, namespace)[1] == x))))))"
  message   = "a route whose weights are to be moved is missing, or has other destinations than the stable and the canary Service"
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

# -- The mesh along the edges -------------------------------------------------

function "meshed" {
  params = ["p"]
  body   = "'sidecar.istio.io/inject' in p.labels && p.labels['sidecar.istio.io/inject'] == 'true' || 'istio.io/rev' in p.labels || 'istio.io/dataplane-mode' in p.labels && p.labels['istio.io/dataplane-mode'] == 'ambient'"
}

function "by_name" {
  params = ["peers"]
  body   = "peers.filter(q, has(q.podSelector) && size(q.podSelector) > 0)"
}

# Pods that are let into one by their labels.
function "callers" {
  params = ["p"]
  body   = "flatten(ruling(p, 'Ingress').map(n, (has(n.spec.ingress) ? n.spec.ingress : []).filter(r, has(r.from)).map(r, by_name(r.from).map(q, peers(q, n.metadata.namespace))))).filter(a, a.name != p.name)"
}

rule "strict for strangers" {
  in        = ["security.istio.io/v1/PeerAuthentication"]
  at        = "spec"
  when      = "has(self.selector) && has(self.mtls) && self.mtls.mode == 'STRICT'"
  offenders = "flatten(selected(namespace, self.selector).map(b, ruling(b, 'Ingress').map(n, (has(n.spec.ingress) ? n.spec.ingress : []).filter(r, has(r.from) && has(r.ports) && r.ports.exists(x, !has(x.port) || !(has(self.portLevelMtls) && string(x.port) in self.portLevelMtls && self.portLevelMtls[string(x.port)].mode != 'STRICT'))).map(r, by_name(r.from).map(q, peers(q, n.metadata.namespace).filter(a, a.name != b.name && !meshed(a)).map(a, a.name))))))"
  summary   = "Refused calls"
  message   = "the NetworkPolicy lets these in, but they have no certificate of the mesh"
  fix       = "bring them into the mesh, or make the mode PERMISSIVE for the port"
}

rule "no rule for a caller" {
  in        = ["security.istio.io/v1/AuthorizationPolicy"]
  at        = "spec"
  when      = "has(self.selector) && (!has(self.action) || self.action == 'ALLOW')"
  offenders = "flatten(selected(namespace, self.selector).filter(b, !('istio.io/dataplane-mode' in b.labels)).map(b, callers(b).filter(a, has(a.spec) && meshed(a) && !(has(self.rules) && self.rules.exists(r, !has(r.from) || r.from.exists(f, has(f.source.principals) && f.source.principals.exists(x, x.endsWith('/ns/' + a.namespace + '/sa/' + (has(a.spec.serviceAccountName) ? a.spec.serviceAccountName : 'default'))))))).map(a, a.name)))"
  summary   = "Refused calls"
  message   = "the NetworkPolicy lets these in, but no rule here allows their identity"
}

rule "scope too small" {
  in        = ["networking.istio.io/v1/Sidecar"]
  at        = "spec"
  when      = "has(self.workloadSelector) && has(self.egress)"
  offenders = "flatten(selected(namespace, {'matchLabels': self.workloadSelector.labels}).map(a, ruling(a, 'Egress').map(n, (has(n.spec.egress) ? n.spec.egress : []).filter(r, has(r.to)).map(r, by_name(r.to).map(q, peers(q, n.metadata.namespace).filter(b, a.name != b.name && size(selecting('v1/Service', 'spec.selector', b)) > 0 && !selecting('v1/Service', 'spec.selector', b).exists(s, self.egress.exists(e, e.hosts.exists(h, h in ['*/*', './*', './' + s.metadata.name + '.' + namespace + '.svc.cluster.local'])))).map(b, b.name))))))"
  summary   = "Unknown to the proxy"
  message   = "these are called, but the proxy's egress lists no Service of theirs"
}

# -- Pod Security, level restricted -------------------------------------------

function "restricted" {
  params = ["p"]
  body   = "['enforce', 'warn'].exists(m, 'pod-security.kubernetes.io/' + m in p.namespaceLabels && p.namespaceLabels['pod-security.kubernetes.io/' + m] == 'restricted')"
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
