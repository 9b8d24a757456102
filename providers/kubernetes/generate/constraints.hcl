# What the API server checks in code, so that no schema of a built-in type says
# it. A type block belongs to a definition of the OpenAPI document wherever it
# is used, a root block to the object of a kind, and a like block carries the
# constraints of a built-in type to the custom resources that contain it.
#
# Conditions are written in the Common Expression Language, as in a custom
# resource definition. A condition may rely on what the schema promises: it is
# asked only when the value under it has no other problem.

root "*" {
  rule {
    condition = "has(self.metadata.name) || has(self.metadata.generateName)"
    message   = "metadata has neither name nor generateName"
  }
}

# -- Names, labels, quantities ------------------------------------------------

type "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" {
  property "name" { format = "dns-subdomain" }
  property "namespace" { format = "dns-label" }
  property "labels" {
    key_format = "label-key"
    values { format = "label-value" }
  }
  property "annotations" { key_format = "label-key" }
}

type "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector" {
  property "matchLabels" {
    key_format = "label-key"
    values { format = "label-value" }
  }
}

type "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement" {
  property "key" { format = "label-key" }
  property "operator" { enum = ["In", "NotIn", "Exists", "DoesNotExist"] }
  property "values" {
    items { format = "label-value" }
  }
  rule {
    condition = "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)"
    message   = "In and NotIn need values, Exists and DoesNotExist take none"
  }
}

type "io.k8s.apimachinery.pkg.api.resource.Quantity" {
  self {
    format = "quantity"
    number = true
  }
}

root "v1/Namespace" {
  rule {
    condition = "!has(self.metadata.name) || self.metadata.name.matches('^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$')"
    message   = "the name of a namespace is a DNS label: at most 63 lower-case letters, digits and dashes"
  }
}

root "v1/Namespace" {
  rule {
    condition = "!has(self.metadata.labels) || ['enforce', 'audit', 'warn'].all(m, !('pod-security.kubernetes.io/' + m in self.metadata.labels) || self.metadata.labels['pod-security.kubernetes.io/' + m] in ['privileged', 'baseline', 'restricted'])"
    message   = "a Pod Security level is privileged, baseline or restricted"
  }
  rule {
    condition = "!has(self.metadata.labels) || ['enforce', 'audit', 'warn'].all(m, !('pod-security.kubernetes.io/' + m + '-version' in self.metadata.labels) || self.metadata.labels['pod-security.kubernetes.io/' + m + '-version'].matches('^(latest|v1[.][0-9]+)$'))"
    message   = "a Pod Security version is latest or v1 and a minor version, such as v1.37"
  }
}

root "v1/Service" {
  required = ["spec"]
  rule {
    condition = "!has(self.metadata.name) || self.metadata.name.matches('^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$')"
    message   = "the name of a service is a DNS label that starts with a letter: at most 63 lower-case letters, digits and dashes"
  }
}

# -- Pods ---------------------------------------------------------------------

type "io.k8s.api.core.v1.PodSpec" {
  property "containers" { min_items = 1 }
  property "restartPolicy" { enum = ["Always", "OnFailure", "Never"] }
  property "dnsPolicy" { enum = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"] }
  property "preemptionPolicy" { enum = ["Never", "PreemptLowerPriority"] }
  property "terminationGracePeriodSeconds" { minimum = 0 }
  property "activeDeadlineSeconds" {
    minimum = 1
    maximum = 2147483647
  }
  property "serviceAccountName" { format = "dns-subdomain" }
  property "priorityClassName" { format = "dns-subdomain" }
  property "runtimeClassName" { format = "dns-subdomain" }
  property "hostname" { format = "dns-label" }
  property "subdomain" { format = "dns-label" }
  property "nodeSelector" {
    key_format = "label-key"
    values { format = "label-value" }
  }
  property "topologySpreadConstraints" { keys = ["topologyKey", "whenUnsatisfiable"] }
  rule {
    condition = "!has(self.initContainers) || self.initContainers.all(i, !self.containers.exists(c, c.name == i.name))"
    message   = "an init container has the name of a container"
  }
  rule {
    condition = "self.containers.all(c, !has(c.lifecycle) || !has(c.lifecycle.preStop) || !has(c.lifecycle.preStop.sleep) || c.lifecycle.preStop.sleep.seconds <= (has(self.terminationGracePeriodSeconds) ? self.terminationGracePeriodSeconds : 30))"
    message   = "a preStop sleep is longer than terminationGracePeriodSeconds (30 when not given), so the container would be killed in its sleep"
    fix       = "raise terminationGracePeriodSeconds above the sleep and the time the application needs to stop"
  }
  rule {
    condition = "self.containers.all(c, !has(c.lifecycle) || !has(c.lifecycle.preStop) || !has(c.lifecycle.preStop.sleep) || c.lifecycle.preStop.sleep.seconds == 0 || c.lifecycle.preStop.sleep.seconds != (has(self.terminationGracePeriodSeconds) ? self.terminationGracePeriodSeconds : 30))"
    message   = "a preStop sleep takes all of terminationGracePeriodSeconds (30 when not given) and leaves the application no time to stop"
    fix       = "raise terminationGracePeriodSeconds above the sleep and the time the application needs to stop"
  }
  rule {
    condition = "has(self.restartPolicy) && self.restartPolicy != 'Always' ? true : self.containers.all(c, !has(c.livenessProbe) || !has(c.livenessProbe.successThreshold) || c.livenessProbe.successThreshold == 1)"
    message   = "successThreshold of a liveness probe must be 1"
  }
}

type "io.k8s.api.core.v1.Container" {
  property "name" { format = "dns-label" }
  property "image" {
    min_length = 1
    pattern    = "^\\S(.*\\S)?$"
  }
  property "imagePullPolicy" { enum = ["Always", "IfNotPresent", "Never"] }
  property "restartPolicy" { enum = ["Always", "OnFailure", "Never"] }
  property "terminationMessagePolicy" { enum = ["File", "FallbackToLogsOnError"] }
  property "volumeMounts" { keys = ["mountPath"] }
  property "resizePolicy" { keys = ["resourceName"] }
  rule {
    condition = "!has(self.livenessProbe) || !has(self.livenessProbe.successThreshold) || self.livenessProbe.successThreshold == 1"
    message   = "successThreshold of a liveness probe must be 1"
  }
  rule {
    condition = "!has(self.startupProbe) || !has(self.startupProbe.successThreshold) || self.startupProbe.successThreshold == 1"
    message   = "successThreshold of a startup probe must be 1"
  }
  rule {
    condition = "!has(self.readinessProbe) || !has(self.readinessProbe.terminationGracePeriodSeconds)"
    message   = "a readiness probe has no terminationGracePeriodSeconds, since it never stops the container"
  }
  rule {
    condition = "!has(self.ports) || self.ports.all(p, !has(p.name) || self.ports.exists_one(q, has(q.name) && q.name == p.name))"
    message   = "two ports have the same name"
  }
  rule {
    condition = "[has(self.livenessProbe) ? [self.livenessProbe] : [], has(self.readinessProbe) ? [self.readinessProbe] : [], has(self.startupProbe) ? [self.startupProbe] : []].all(l, l.all(p, !has(p.httpGet) || !p.httpGet.port.isText() || has(self.ports) && self.ports.exists(q, has(q.name) && q.name == p.httpGet.port)))"
    message   = "a probe names a port that the container does not have"
  }
}

type "io.k8s.api.core.v1.ContainerPort" {
  property "containerPort" {
    minimum = 1
    maximum = 65535
  }
  property "hostPort" {
    minimum = 1
    maximum = 65535
  }
  property "name" { format = "port-name" }
  property "protocol" {
    enum    = ["TCP", "UDP", "SCTP"]
    default = "TCP"
  }
}

type "io.k8s.api.core.v1.ContainerResizePolicy" {
  property "resourceName" { enum = ["cpu", "memory"] }
  property "restartPolicy" { enum = ["NotRequired", "RestartContainer"] }
}

type "io.k8s.api.core.v1.EnvVar" {
  property "name" { format = "env-name" }
  rule {
    condition = "!has(self.valueFrom) || !has(self.value) || self.value == ''"
    message   = "value and valueFrom exclude each other"
  }
}

type "io.k8s.api.core.v1.EnvVarSource" {
  exactly_one = ["configMapKeyRef", "fieldRef", "fileKeyRef", "resourceFieldRef", "secretKeyRef"]
}

type "io.k8s.api.core.v1.ConfigMapKeySelector" {
  also     = ["io.k8s.api.core.v1.SecretKeySelector"]
  required = ["name"]
  property "name" { format = "dns-subdomain" }
  property "key" { format = "config-key" }
}

type "io.k8s.api.core.v1.ObjectFieldSelector" {
  property "fieldPath" {
    pattern = "^(metadata\\.(name|namespace|uid|labels|annotations)|metadata\\.(labels|annotations)\\['.+'\\]|spec\\.(nodeName|serviceAccountName)|status\\.(hostIPs?|podIPs?))$"
  }
  property "apiVersion" { enum = ["v1"] }
}

type "io.k8s.api.core.v1.ResourceFieldSelector" {
  property "resource" { pattern = "^(requests|limits)\\.(cpu|memory|ephemeral-storage|hugepages-.+)$" }
}

type "io.k8s.api.core.v1.EnvFromSource" {
  exactly_one = ["configMapRef", "secretRef"]
}

type "io.k8s.api.core.v1.ConfigMapEnvSource" {
  also     = ["io.k8s.api.core.v1.SecretEnvSource"]
  required = ["name"]
  property "name" { format = "dns-subdomain" }
}

type "io.k8s.api.core.v1.LocalObjectReference" {
  property "name" { format = "dns-subdomain" }
}

type "io.k8s.api.core.v1.Probe" {
  exactly_one = ["exec", "grpc", "httpGet", "tcpSocket"]
  property "failureThreshold" { minimum = 1 }
  property "initialDelaySeconds" { minimum = 0 }
  property "periodSeconds" { minimum = 1 }
  property "successThreshold" { minimum = 1 }
  property "timeoutSeconds" { minimum = 1 }
  property "terminationGracePeriodSeconds" { minimum = 1 }
}

type "io.k8s.api.core.v1.LifecycleHandler" {
  exactly_one = ["exec", "httpGet", "sleep", "tcpSocket"]
}

type "io.k8s.api.core.v1.SleepAction" {
  property "seconds" { minimum = 0 }
}

type "io.k8s.api.core.v1.ExecAction" {
  required = ["command"]
  property "command" { min_items = 1 }
}

type "io.k8s.api.core.v1.HTTPGetAction" {
  property "scheme" { enum = ["HTTP", "HTTPS"] }
  property "port" {
    minimum = 1
    maximum = 65535
    format  = "port-or-name"
  }
}

type "io.k8s.api.core.v1.TCPSocketAction" {
  property "port" {
    minimum = 1
    maximum = 65535
    format  = "port-or-name"
  }
}

type "io.k8s.api.core.v1.GRPCAction" {
  property "port" {
    minimum = 1
    maximum = 65535
  }
}

type "io.k8s.api.core.v1.HTTPHeader" {
  property "name" { format = "header-name" }
}

type "io.k8s.api.core.v1.ResourceRequirements" {
  property "requests" { key_format = "label-key" }
  property "limits" { key_format = "label-key" }
  rule {
    condition = "!has(self.requests) || !has(self.limits) || self.requests.all(k, !(k in self.limits) || quantity(self.requests[k]).compareTo(quantity(self.limits[k])) <= 0)"
    message   = "a request is above the limit of the same resource"
    fix       = "raise the limit or lower the request"
  }
  rule {
    condition = "(!has(self.requests) || self.requests.all(k, quantity(self.requests[k]).sign() >= 0)) && (!has(self.limits) || self.limits.all(k, quantity(self.limits[k]).sign() >= 0))"
    message   = "an amount is negative"
  }
  rule {
    condition = "[has(self.requests) ? self.requests : {}, has(self.limits) ? self.limits : {}].all(m, m.all(k, k in ['cpu', 'memory', 'ephemeral-storage'] || k.startsWith('hugepages-') || k.contains('/')))"
    message   = "a container can have cpu, memory, ephemeral-storage, hugepages-… and resources with a domain, and nothing else"
  }
}

# -- Volumes ------------------------------------------------------------------

type "io.k8s.api.core.v1.Volume" {
  exactly_one = [
    "awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "configMap", "csi", "downwardAPI",
    "emptyDir", "ephemeral", "fc", "flexVolume", "flocker", "gcePersistentDisk", "gitRepo", "glusterfs", "hostPath",
    "image", "iscsi", "nfs", "persistentVolumeClaim", "photonPersistentDisk", "portworxVolume", "projected",
    "quobyte", "rbd", "scaleIO", "secret", "storageos", "vsphereVolume",
  ]
  property "name" { format = "dns-label" }
}

type "io.k8s.api.core.v1.VolumeMount" {
  property "name" { min_length = 1 }
  property "mountPath" {
    min_length = 1
    pattern    = "^[^:]*$"
  }
  property "subPath" { format = "relative-path" }
  property "subPathExpr" { format = "relative-path" }
  property "mountPropagation" { enum = ["None", "HostToContainer", "Bidirectional"] }
  property "recursiveReadOnly" { enum = ["Disabled", "IfPossible", "Enabled"] }
  at_most_one = ["subPath", "subPathExpr"]
}

type "io.k8s.api.core.v1.EmptyDirVolumeSource" {
  property "medium" { pattern = "^(|Memory|HugePages|HugePages-.+)$" }
  rule {
    condition = "!has(self.sizeLimit) || quantity(self.sizeLimit).sign() >= 0"
    message   = "sizeLimit is negative"
  }
}

type "io.k8s.api.core.v1.SecretVolumeSource" {
  required = ["secretName"]
  property "secretName" { min_length = 1 }
  property "defaultMode" {
    minimum = 0
    maximum = 511
  }
}

type "io.k8s.api.core.v1.ConfigMapVolumeSource" {
  required = ["name"]
  property "name" { min_length = 1 }
  property "defaultMode" {
    minimum = 0
    maximum = 511
  }
}

type "io.k8s.api.core.v1.KeyToPath" {
  property "key" { min_length = 1 }
  property "path" {
    min_length = 1
    format     = "relative-path"
  }
  property "mode" {
    minimum = 0
    maximum = 511
  }
}

type "io.k8s.api.core.v1.ProjectedVolumeSource" {
  property "defaultMode" {
    minimum = 0
    maximum = 511
  }
}

type "io.k8s.api.core.v1.VolumeProjection" {
  exactly_one = ["clusterTrustBundle", "configMap", "downwardAPI", "podCertificate", "secret", "serviceAccountToken"]
}

type "io.k8s.api.core.v1.ServiceAccountTokenProjection" {
  property "expirationSeconds" {
    minimum = 600
    maximum = 4294967296
  }
  property "path" {
    min_length = 1
    format     = "relative-path"
  }
}

type "io.k8s.api.core.v1.PersistentVolumeClaimVolumeSource" {
  property "claimName" { min_length = 1 }
}

type "io.k8s.api.core.v1.PersistentVolumeClaimSpec" {
  required = ["accessModes", "resources"]
  property "accessModes" {
    min_items = 1
    items { enum = ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"] }
  }
  property "volumeMode" { enum = ["Block", "Filesystem"] }
  property "storageClassName" { format = "dns-subdomain-or-empty" }
  rule {
    condition = "has(self.resources.requests) && 'storage' in self.resources.requests && quantity(self.resources.requests['storage']).sign() > 0"
    message   = "resources.requests.storage must say how much is wanted"
  }
}

# -- Scheduling ---------------------------------------------------------------

type "io.k8s.api.core.v1.TopologySpreadConstraint" {
  property "maxSkew" { minimum = 1 }
  property "minDomains" { minimum = 1 }
  property "topologyKey" {
    min_length = 1
    format     = "label-key"
  }
  property "whenUnsatisfiable" { enum = ["DoNotSchedule", "ScheduleAnyway"] }
  property "nodeAffinityPolicy" { enum = ["Honor", "Ignore"] }
  property "nodeTaintsPolicy" { enum = ["Honor", "Ignore"] }
  property "matchLabelKeys" {
    set = true
    items { format = "label-key" }
  }
  rule {
    condition = "!has(self.minDomains) || self.whenUnsatisfiable == 'DoNotSchedule'"
    message   = "minDomains needs whenUnsatisfiable DoNotSchedule"
  }
  rule {
    condition = "!has(self.matchLabelKeys) || size(self.matchLabelKeys) == 0 || has(self.labelSelector)"
    message   = "matchLabelKeys needs a labelSelector"
  }
  rule {
    condition = "!has(self.matchLabelKeys) || !has(self.labelSelector) || !has(self.labelSelector.matchLabels) || self.matchLabelKeys.all(k, !(k in self.labelSelector.matchLabels))"
    message   = "a key is in matchLabelKeys and in labelSelector"
  }
}

type "io.k8s.api.core.v1.PodAffinityTerm" {
  property "topologyKey" {
    min_length = 1
    format     = "label-key"
  }
  property "namespaces" {
    items { format = "dns-label" }
  }
}

type "io.k8s.api.core.v1.WeightedPodAffinityTerm" {
  also = ["io.k8s.api.core.v1.PreferredSchedulingTerm"]
  property "weight" {
    minimum = 1
    maximum = 100
  }
}

type "io.k8s.api.core.v1.NodeSelector" {
  property "nodeSelectorTerms" { min_items = 1 }
}

type "io.k8s.api.core.v1.NodeSelectorRequirement" {
  property "key" { format = "label-key" }
  property "operator" { enum = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"] }
  rule {
    condition = "self.operator in ['In', 'NotIn'] ? has(self.values) && size(self.values) > 0 : self.operator in ['Gt', 'Lt'] ? has(self.values) && size(self.values) == 1 : !has(self.values) || size(self.values) == 0"
    message   = "In and NotIn need values, Gt and Lt need one, Exists and DoesNotExist take none"
  }
}

type "io.k8s.api.core.v1.Toleration" {
  property "effect" { enum = ["", "NoSchedule", "PreferNoSchedule", "NoExecute"] }
  property "operator" { enum = ["", "Exists", "Equal", "Lt", "Gt"] }
  property "key" { format = "label-key-or-empty" }
  rule {
    condition = "has(self.key) && self.key != '' || has(self.operator) && self.operator == 'Exists'"
    message   = "without a key the operator must be Exists"
  }
  rule {
    condition = "!has(self.operator) || self.operator != 'Exists' || !has(self.value) || self.value == ''"
    message   = "Exists takes no value"
  }
  rule {
    condition = "!has(self.tolerationSeconds) || has(self.effect) && self.effect == 'NoExecute'"
    message   = "tolerationSeconds needs the effect NoExecute"
  }
}

# -- Security -----------------------------------------------------------------

type "io.k8s.api.core.v1.PodSecurityContext" {
  property "fsGroup" {
    minimum = 0
    maximum = 2147483647
  }
  property "runAsUser" {
    minimum = 0
    maximum = 2147483647
  }
  property "runAsGroup" {
    minimum = 0
    maximum = 2147483647
  }
  property "fsGroupChangePolicy" { enum = ["OnRootMismatch", "Always"] }
  property "supplementalGroupsPolicy" { enum = ["Merge", "Strict"] }
}

type "io.k8s.api.core.v1.SecurityContext" {
  property "runAsUser" {
    minimum = 0
    maximum = 2147483647
  }
  property "runAsGroup" {
    minimum = 0
    maximum = 2147483647
  }
  property "procMount" { enum = ["Default", "Unmasked"] }
  rule {
    condition = "!has(self.allowPrivilegeEscalation) || self.allowPrivilegeEscalation || !has(self.privileged) || !self.privileged"
    message   = "a privileged container cannot forbid privilege escalation"
  }
  rule {
    condition = "!has(self.allowPrivilegeEscalation) || self.allowPrivilegeEscalation || !has(self.capabilities) || !has(self.capabilities.add) || !('SYS_ADMIN' in self.capabilities.add || 'CAP_SYS_ADMIN' in self.capabilities.add)"
    message   = "a container with CAP_SYS_ADMIN cannot forbid privilege escalation"
  }
}

type "io.k8s.api.core.v1.SeccompProfile" {
  property "type" { enum = ["RuntimeDefault", "Localhost", "Unconfined"] }
  rule {
    condition = "(self.type == 'Localhost') == (has(self.localhostProfile) && self.localhostProfile != '')"
    message   = "localhostProfile belongs to the type Localhost and to no other"
  }
}

# -- Workloads ----------------------------------------------------------------

type "io.k8s.api.apps.v1.DeploymentSpec" {
  also = ["io.k8s.api.apps.v1.StatefulSetSpec"]
  property "replicas" { minimum = 0 }
  property "minReadySeconds" { minimum = 0 }
  property "revisionHistoryLimit" { minimum = 0 }
}

type "io.k8s.api.apps.v1.DeploymentSpec" {
  property "progressDeadlineSeconds" { minimum = 0 }
  rule {
    condition = "(has(self.progressDeadlineSeconds) ? self.progressDeadlineSeconds : 600) > (has(self.minReadySeconds) ? self.minReadySeconds : 0)"
    message   = "progressDeadlineSeconds must be above minReadySeconds"
  }
}

# The selector, the containers and the volumes of everything that makes pods
# which run until they are replaced.
type "io.k8s.api.apps.v1.DeploymentSpec" {
  also = ["io.k8s.api.apps.v1.StatefulSetSpec", "io.k8s.api.apps.v1.DaemonSetSpec"]
  rule {
    condition = "!has(self.selector) || has(self.selector.matchLabels) && size(self.selector.matchLabels) > 0 || has(self.selector.matchExpressions) && size(self.selector.matchExpressions) > 0"
    message   = "the selector is empty and would select every pod"
  }
  rule {
    condition = "!has(self.selector) || !has(self.template) || !has(self.selector.matchLabels) || has(self.template.metadata) && has(self.template.metadata.labels) && self.selector.matchLabels.all(k, k in self.template.metadata.labels && self.template.metadata.labels[k] == self.selector.matchLabels[k])"
    message   = "the selector does not match the labels of the template, so the pods would belong to nobody"
    fix       = "give template.metadata.labels every label of selector.matchLabels"
  }
  rule {
    condition = "!has(self.selector) || !has(self.template) || !has(self.selector.matchExpressions) || self.selector.matchExpressions.all(e, e.operator == 'Exists' ? has(self.template.metadata.labels) && e.key in self.template.metadata.labels : e.operator == 'DoesNotExist' ? !has(self.template.metadata.labels) || !(e.key in self.template.metadata.labels) : e.operator == 'In' ? has(self.template.metadata.labels) && e.key in self.template.metadata.labels && self.template.metadata.labels[e.key] in e.values : !has(self.template.metadata.labels) || !(e.key in self.template.metadata.labels) || !(self.template.metadata.labels[e.key] in e.values))"
    message   = "the selector does not match the labels of the template, so the pods would belong to nobody"
  }
  rule {
    condition = "!has(self.template) || !has(self.template.spec.restartPolicy) || self.template.spec.restartPolicy == 'Always'"
    message   = "restartPolicy of these pods must be Always"
  }
  rule {
    condition = "!has(self.template) || !has(self.template.spec.activeDeadlineSeconds)"
    message   = "these pods have no activeDeadlineSeconds, which is for jobs"
  }
}

type "io.k8s.api.apps.v1.DeploymentSpec" {
  also = ["io.k8s.api.apps.v1.StatefulSetSpec", "io.k8s.api.apps.v1.DaemonSetSpec", "io.k8s.api.batch.v1.JobSpec"]
  rule {
    condition = "!has(self.template) || self.template.spec.containers.all(c, has(c.image))"
    message   = "a container has no image"
  }
  rule {
    condition = "!has(self.template) || !has(self.template.spec.initContainers) || self.template.spec.initContainers.all(c, has(c.image))"
    message   = "an init container has no image"
  }
  rule {
    condition = "!has(self.template) || self.template.spec.containers.all(c, !has(c.volumeMounts) || c.volumeMounts.all(m, has(self.template.spec.volumes) && self.template.spec.volumes.exists(v, v.name == m.name) || has(self.volumeClaimTemplates) && self.volumeClaimTemplates.exists(v, v.metadata.name == m.name)))"
    message   = "a container mounts a volume that the pod does not have"
  }
  rule {
    condition = "!has(self.template) || !has(self.template.spec.initContainers) || self.template.spec.initContainers.all(c, !has(c.volumeMounts) || c.volumeMounts.all(m, has(self.template.spec.volumes) && self.template.spec.volumes.exists(v, v.name == m.name) || has(self.volumeClaimTemplates) && self.volumeClaimTemplates.exists(v, v.metadata.name == m.name)))"
    message   = "an init container mounts a volume that the pod does not have"
  }
}

type "io.k8s.api.apps.v1.DeploymentStrategy" {
  property "type" { enum = ["Recreate", "RollingUpdate"] }
  rule {
    condition = "!has(self.rollingUpdate) || !has(self.type) || self.type == 'RollingUpdate'"
    message   = "rollingUpdate belongs to the type RollingUpdate"
  }
}

type "io.k8s.api.apps.v1.RollingUpdateDeployment" {
  property "maxSurge" {
    minimum = 0
    format  = "int-or-percent"
  }
  property "maxUnavailable" {
    minimum = 0
    format  = "int-or-percent-of-all"
  }
  rule {
    condition = "!(has(self.maxSurge) && self.maxSurge in [0, '0%'] && has(self.maxUnavailable) && self.maxUnavailable in [0, '0%'])"
    message   = "maxSurge and maxUnavailable are both zero, so no pod could ever be replaced"
    fix       = "allow one of them at least one pod"
  }
}

type "io.k8s.api.apps.v1.StatefulSetSpec" {
  property "serviceName" { format = "dns-label" }
  property "podManagementPolicy" { enum = ["OrderedReady", "Parallel"] }
}

type "io.k8s.api.apps.v1.StatefulSetUpdateStrategy" {
  property "type" { enum = ["RollingUpdate", "OnDelete"] }
  rule {
    condition = "!has(self.rollingUpdate) || !has(self.type) || self.type == 'RollingUpdate'"
    message   = "rollingUpdate belongs to the type RollingUpdate"
  }
}

type "io.k8s.api.apps.v1.RollingUpdateStatefulSetStrategy" {
  property "partition" { minimum = 0 }
  property "maxUnavailable" {
    minimum = 1
    format  = "int-or-percent-of-all"
  }
}

type "io.k8s.api.apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy" {
  property "whenDeleted" { enum = ["Retain", "Delete"] }
  property "whenScaled" { enum = ["Retain", "Delete"] }
}

type "io.k8s.api.batch.v1.JobSpec" {
  property "parallelism" { minimum = 0 }
  property "completions" { minimum = 0 }
  property "backoffLimit" { minimum = 0 }
  property "backoffLimitPerIndex" { minimum = 0 }
  property "activeDeadlineSeconds" { minimum = 1 }
  property "ttlSecondsAfterFinished" { minimum = 0 }
  property "completionMode" { enum = ["NonIndexed", "Indexed"] }
  property "podReplacementPolicy" { enum = ["Failed", "TerminatingOrFailed"] }
  rule {
    condition = "has(self.template.spec.restartPolicy) && self.template.spec.restartPolicy in ['OnFailure', 'Never']"
    message   = "the pods of a job need restartPolicy OnFailure or Never"
  }
}

type "io.k8s.api.batch.v1.CronJobSpec" {
  property "schedule" { format = "cron" }
  property "concurrencyPolicy" { enum = ["Allow", "Forbid", "Replace"] }
  property "startingDeadlineSeconds" { minimum = 0 }
  property "successfulJobsHistoryLimit" { minimum = 0 }
  property "failedJobsHistoryLimit" { minimum = 0 }
  property "timeZone" { format = "time-zone" }
}

root "apps/v1/Deployment" {
  required = ["spec"]
}

root "apps/v1/StatefulSet" {
  required = ["spec"]
}

root "apps/v1/DaemonSet" {
  required = ["spec"]
}

root "batch/v1/Job" {
  required = ["spec"]
}

root "batch/v1/CronJob" {
  required = ["spec"]
  rule {
    condition = "!has(self.metadata.name) || size(self.metadata.name) <= 52"
    message   = "the name of a cron job has at most 52 characters, since its jobs add 11"
  }
}

type "io.k8s.api.core.v1.PodTemplateSpec" {
  also     = ["io.k8s.api.batch.v1.JobTemplateSpec"]
  required = ["spec"]
}

# -- Scaling and disruption ---------------------------------------------------

root "autoscaling/v2/HorizontalPodAutoscaler" {
  required = ["spec"]
}

type "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec" {
  property "minReplicas" { minimum = 1 }
  property "maxReplicas" { minimum = 1 }
  rule {
    condition = "!has(self.minReplicas) || self.minReplicas <= self.maxReplicas"
    message   = "minReplicas is above maxReplicas"
  }
}

type "io.k8s.api.autoscaling.v2.CrossVersionObjectReference" {
  property "apiVersion" { pattern = "^(v1|[^/]+/[^/]+)$" }
  property "kind" { min_length = 1 }
  property "name" { pattern = "^[^/%]+$" }
}

type "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec" {
  rule {
    condition = "has(self.scaleTargetRef.apiVersion) || self.scaleTargetRef.kind == 'ReplicationController'"
    message   = "scaleTargetRef needs the apiVersion of its kind"
  }
}

type "io.k8s.api.autoscaling.v2.MetricSpec" {
  property "type" { enum = ["ContainerResource", "External", "Object", "Pods", "Resource"] }
  exactly_one = ["containerResource", "external", "object", "pods", "resource"]
  rule {
    condition = "{'ContainerResource': has(self.containerResource), 'External': has(self.external), 'Object': has(self.object), 'Pods': has(self.pods), 'Resource': has(self.resource)}[self.type]"
    message   = "the metric is given under another name than its type"
  }
}

type "io.k8s.api.autoscaling.v2.MetricTarget" {
  property "type" { enum = ["Utilization", "Value", "AverageValue"] }
  property "averageUtilization" { minimum = 1 }
  rule {
    condition = "{'Utilization': has(self.averageUtilization), 'Value': has(self.value), 'AverageValue': has(self.averageValue)}[self.type]"
    message   = "the target is given under another name than its type"
  }
  rule {
    condition = "(!has(self.value) || quantity(self.value).sign() > 0) && (!has(self.averageValue) || quantity(self.averageValue).sign() > 0)"
    message   = "the target must be above zero"
  }
}

type "io.k8s.api.autoscaling.v2.ResourceMetricSource" {
  also = ["io.k8s.api.autoscaling.v2.ContainerResourceMetricSource"]
  property "name" { pattern = "^(cpu|memory|ephemeral-storage|hugepages-.+|[^/]+/[^/]+)$" }
  rule {
    condition = "has(self.target.averageUtilization) != has(self.target.averageValue)"
    message   = "the target needs either averageUtilization or averageValue"
  }
}

type "io.k8s.api.autoscaling.v2.ContainerResourceMetricSource" {
  property "container" { format = "dns-label" }
}

type "io.k8s.api.autoscaling.v2.PodsMetricSource" {
  rule {
    condition = "has(self.target.averageValue)"
    message   = "the target needs averageValue"
  }
}

type "io.k8s.api.autoscaling.v2.ObjectMetricSource" {
  also = ["io.k8s.api.autoscaling.v2.ExternalMetricSource"]
  rule {
    condition = "has(self.target.value) != has(self.target.averageValue)"
    message   = "the target needs either value or averageValue"
  }
}

type "io.k8s.api.autoscaling.v2.MetricIdentifier" {
  property "name" { min_length = 1 }
}

type "io.k8s.api.autoscaling.v2.HPAScalingRules" {
  property "selectPolicy" { enum = ["Max", "Min", "Disabled"] }
  property "stabilizationWindowSeconds" {
    minimum = 0
    maximum = 3600
  }
  property "policies" { min_items = 1 }
}

type "io.k8s.api.autoscaling.v2.HPAScalingPolicy" {
  property "type" { enum = ["Pods", "Percent"] }
  property "value" { minimum = 1 }
  property "periodSeconds" {
    minimum = 1
    maximum = 1800
  }
}

type "io.k8s.api.policy.v1.PodDisruptionBudgetSpec" {
  property "maxUnavailable" {
    minimum = 0
    format  = "int-or-percent-of-all"
  }
  property "minAvailable" {
    minimum = 0
    format  = "int-or-percent-of-all"
  }
  property "unhealthyPodEvictionPolicy" { enum = ["IfHealthyBudget", "AlwaysAllow"] }
  at_most_one = ["minAvailable", "maxUnavailable"]
}

# -- Network ------------------------------------------------------------------

type "io.k8s.api.core.v1.ServiceSpec" {
  property "type" { enum = ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"] }
  property "selector" {
    key_format = "label-key"
    values { format = "label-value" }
  }
  property "sessionAffinity" { enum = ["ClientIP", "None"] }
  property "externalTrafficPolicy" { enum = ["Cluster", "Local"] }
  property "internalTrafficPolicy" { enum = ["Cluster", "Local"] }
  property "ipFamilyPolicy" { enum = ["SingleStack", "PreferDualStack", "RequireDualStack"] }
  property "ipFamilies" {
    items { enum = ["IPv4", "IPv6"] }
  }
  property "trafficDistribution" { enum = ["PreferClose", "PreferSameZone", "PreferSameNode"] }
  property "clusterIP" { pattern = "^(None|[0-9a-fA-F.:]*)$" }
  property "externalName" { format = "dns-subdomain-or-empty" }
  property "loadBalancerClass" { format = "label-key" }
  property "loadBalancerSourceRanges" {
    items { format = "cidr" }
  }
  property "ports" { keys = ["port", "protocol"] }
  rule {
    condition = "has(self.type) && self.type == 'ExternalName' || has(self.clusterIP) && self.clusterIP == 'None' || has(self.ports) && size(self.ports) > 0"
    message   = "a service without ports must be headless or an ExternalName"
  }
  rule {
    condition = "!has(self.ports) || size(self.ports) < 2 || self.ports.all(p, has(p.name) && p.name != '' && self.ports.exists_one(q, has(q.name) && q.name == p.name))"
    message   = "the ports of a service with several ports need different names"
  }
  rule {
    condition = "!has(self.type) || self.type != 'ExternalName' || has(self.externalName) && self.externalName != ''"
    message   = "an ExternalName service needs externalName"
  }
  rule {
    condition = "!has(self.clusterIP) || self.clusterIP != 'None' || !has(self.type) || self.type == 'ClusterIP'"
    message   = "a headless service has the type ClusterIP"
  }
  rule {
    condition = "!has(self.externalTrafficPolicy) || has(self.type) && self.type in ['NodePort', 'LoadBalancer'] || has(self.externalIPs) && size(self.externalIPs) > 0"
    message   = "externalTrafficPolicy needs the type NodePort or LoadBalancer"
  }
  rule {
    condition = "!has(self.allocateLoadBalancerNodePorts) && !has(self.loadBalancerClass) && !has(self.loadBalancerSourceRanges) || has(self.type) && self.type == 'LoadBalancer'"
    message   = "allocateLoadBalancerNodePorts, loadBalancerClass and loadBalancerSourceRanges need the type LoadBalancer"
  }
  rule {
    condition = "!has(self.ports) || has(self.type) && self.type in ['NodePort', 'LoadBalancer'] || self.ports.all(p, !has(p.nodePort) || p.nodePort == 0)"
    message   = "nodePort needs the type NodePort or LoadBalancer"
  }
  rule {
    condition = "!has(self.sessionAffinityConfig) || has(self.sessionAffinity) && self.sessionAffinity == 'ClientIP'"
    message   = "sessionAffinityConfig needs sessionAffinity ClientIP"
  }
}

type "io.k8s.api.core.v1.ServicePort" {
  property "name" { format = "dns-label" }
  property "port" {
    minimum = 1
    maximum = 65535
  }
  property "targetPort" {
    minimum = 1
    maximum = 65535
    format  = "port-or-name"
  }
  property "nodePort" {
    minimum = 0
    maximum = 65535
  }
  property "protocol" {
    enum    = ["TCP", "UDP", "SCTP"]
    default = "TCP"
  }
  property "appProtocol" { format = "label-key" }
}

type "io.k8s.api.core.v1.ClientIPConfig" {
  property "timeoutSeconds" {
    minimum = 1
    maximum = 86400
  }
}

type "io.k8s.api.networking.v1.NetworkPolicySpec" {
  required = ["podSelector"]
  property "policyTypes" {
    items { enum = ["Ingress", "Egress"] }
    max_items = 2
  }
  rule {
    condition = "!has(self.policyTypes) || !has(self.egress) || size(self.egress) == 0 || 'Egress' in self.policyTypes"
    message   = "there are egress rules, but policyTypes leaves Egress out, so they do nothing"
  }
  rule {
    condition = "!has(self.policyTypes) || !has(self.ingress) || size(self.ingress) == 0 || 'Ingress' in self.policyTypes"
    message   = "there are ingress rules, but policyTypes leaves Ingress out, so they do nothing"
  }
}

type "io.k8s.api.networking.v1.NetworkPolicyPeer" {
  rule {
    condition = "has(self.ipBlock) ? !has(self.podSelector) && !has(self.namespaceSelector) : has(self.podSelector) || has(self.namespaceSelector)"
    message   = "a peer is either an ipBlock or a podSelector, a namespaceSelector or both"
  }
}

type "io.k8s.api.networking.v1.NetworkPolicyPort" {
  property "protocol" {
    enum    = ["TCP", "UDP", "SCTP"]
    default = "TCP"
  }
  property "port" {
    minimum = 1
    maximum = 65535
    format  = "port-or-name"
  }
  property "endPort" {
    minimum = 1
    maximum = 65535
  }
  rule {
    condition = "!has(self.endPort) || has(self.port) && self.endPort >= self.port"
    message   = "endPort needs a port that is a number and not above it"
  }
}

type "io.k8s.api.networking.v1.IPBlock" {
  property "cidr" { format = "cidr" }
  property "except" {
    items { format = "cidr" }
  }
  rule {
    condition = "!has(self.except) || self.except.all(e, cidr(self.cidr).containsCIDR(e) && e != self.cidr)"
    message   = "except must lie inside cidr and be smaller"
  }
}

# -- Everything else ----------------------------------------------------------

root "v1/ConfigMap" {
  rule {
    condition = "!has(self.data) || !has(self.binaryData) || self.data.all(k, !(k in self.binaryData))"
    message   = "a key is in data and in binaryData"
  }
}

type "io.k8s.api.core.v1.ConfigMap" {
  also = ["io.k8s.api.core.v1.Secret"]
  property "data" { key_format = "config-key" }
}

type "io.k8s.api.core.v1.LimitRangeItem" {
  property "type" { enum = ["Container", "Pod", "PersistentVolumeClaim"] }
  rule {
    condition = "!has(self.min) || !has(self.max) || self.min.all(k, !(k in self.max) || quantity(self.min[k]).compareTo(quantity(self.max[k])) <= 0)"
    message   = "a minimum is above the maximum of the same resource"
  }
  rule {
    condition = "!has(self.defaultRequest) || !has(self.default) || self.defaultRequest.all(k, !(k in self.default) || quantity(self.defaultRequest[k]).compareTo(quantity(self.default[k])) <= 0)"
    message   = "a default request is above the default limit of the same resource"
  }
  rule {
    condition = "!has(self.default) || !has(self.max) || self.default.all(k, !(k in self.max) || quantity(self.default[k]).compareTo(quantity(self.max[k])) <= 0)"
    message   = "a default limit is above the maximum of the same resource"
  }
  rule {
    condition = "!has(self.defaultRequest) || !has(self.max) || self.defaultRequest.all(k, !(k in self.max) || quantity(self.defaultRequest[k]).compareTo(quantity(self.max[k])) <= 0)"
    message   = "a default request is above the maximum of the same resource"
  }
  rule {
    condition = "!has(self.min) || !has(self.defaultRequest) || self.min.all(k, !(k in self.defaultRequest) || quantity(self.min[k]).compareTo(quantity(self.defaultRequest[k])) <= 0)"
    message   = "a minimum is above the default request of the same resource"
  }
  rule {
    condition = "!has(self.min) || !has(self.default) || self.min.all(k, !(k in self.default) || quantity(self.min[k]).compareTo(quantity(self.default[k])) <= 0)"
    message   = "a minimum is above the default limit of the same resource"
  }
  rule {
    condition = "[has(self.min) ? self.min : {}, has(self.max) ? self.max : {}, has(self.default) ? self.default : {}, has(self.defaultRequest) ? self.defaultRequest : {}, has(self.maxLimitRequestRatio) ? self.maxLimitRequestRatio : {}].all(m, m.all(k, k.contains('/') || k.startsWith('hugepages-') || (self.type == 'PersistentVolumeClaim' ? k == 'storage' : k in ['cpu', 'memory', 'ephemeral-storage'])))"
    message   = "limits can be set on cpu, memory, ephemeral-storage, hugepages-… and resources with a domain, and for claims on storage"
  }
  rule {
    condition = "self.type != 'PersistentVolumeClaim' || has(self.min) && 'storage' in self.min || has(self.max) && 'storage' in self.max"
    message   = "limits of claims need a minimum or a maximum of storage"
  }
  rule {
    condition = "self.type != 'Pod' || !has(self.default) && !has(self.defaultRequest)"
    message   = "limits of the type Pod have no defaults"
  }
}

type "io.k8s.api.core.v1.LimitRangeSpec" {
  property "limits" { keys = ["type"] }
}

type "io.k8s.api.core.v1.ResourceQuotaSpec" {
  property "hard" { key_format = "quota-key" }
  rule {
    condition = "!has(self.hard) || self.hard.all(k, k.contains('cpu') || k.contains('memory') || k.contains('storage') || k.contains('hugepages-') || quantity(self.hard[k]).isInteger())"
    message   = "objects are counted in whole numbers"
  }
  rule {
    condition = "!has(self.hard) || self.hard.all(k, quantity(self.hard[k]).sign() >= 0)"
    message   = "an amount is negative"
  }
}

type "io.k8s.api.storage.v1.StorageClass" {
  property "reclaimPolicy" { enum = ["Delete", "Retain"] }
  property "volumeBindingMode" { enum = ["Immediate", "WaitForFirstConsumer"] }
  property "provisioner" { format = "label-key" }
}

type "io.k8s.api.scheduling.v1.PriorityClass" {
  property "value" { maximum = 1000000000 }
  property "preemptionPolicy" { enum = ["Never", "PreemptLowerPriority"] }
}

# -- Rights and admission -----------------------------------------------------

type "io.k8s.api.rbac.v1.PolicyRule" {
  property "verbs" { min_items = 1 }
  rule {
    condition = "has(self.nonResourceURLs) && size(self.nonResourceURLs) > 0 ? !has(self.apiGroups) && !has(self.resources) && !has(self.resourceNames) : has(self.apiGroups) && size(self.apiGroups) > 0 && has(self.resources) && size(self.resources) > 0"
    message   = "a rule has apiGroups and resources, or nonResourceURLs alone"
  }
}

root "rbac.authorization.k8s.io/v1/Role" {
  rule {
    condition = "!has(self.rules) || self.rules.all(r, !has(r.nonResourceURLs) || size(r.nonResourceURLs) == 0)"
    message   = "nonResourceURLs belong to the whole cluster, so only a ClusterRole can have them"
  }
}

type "io.k8s.api.rbac.v1.RoleRef" {
  property "apiGroup" { enum = ["rbac.authorization.k8s.io"] }
  property "kind" { enum = ["Role", "ClusterRole"] }
  property "name" {
    min_length = 1
    pattern    = "^[^/%]+$"
  }
}

type "io.k8s.api.rbac.v1.Subject" {
  property "kind" { enum = ["ServiceAccount", "User", "Group"] }
  property "name" { min_length = 1 }
  rule {
    condition = "(has(self.apiGroup) ? self.apiGroup : self.kind == 'ServiceAccount' ? '' : 'rbac.authorization.k8s.io') == (self.kind == 'ServiceAccount' ? '' : 'rbac.authorization.k8s.io')"
    message   = "the apiGroup of a ServiceAccount is empty, that of a User or a Group rbac.authorization.k8s.io"
  }
  rule {
    condition = "self.kind != 'ServiceAccount' || self.name.size() <= 253 && self.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')"
    message   = "the name of a ServiceAccount is a DNS name"
  }
}

root "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy" {
  required = ["spec"]
}

root "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding" {
  required = ["spec"]
}

type "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicySpec" {
  required = ["matchConstraints"]
  property "failurePolicy" { enum = ["Fail", "Ignore"] }
  rule {
    condition = "has(self.matchConstraints.resourceRules) && size(self.matchConstraints.resourceRules) > 0"
    message   = "matchConstraints needs at least one of resourceRules"
  }
  rule {
    condition = "has(self.validations) && size(self.validations) > 0 || has(self.auditAnnotations) && size(self.auditAnnotations) > 0"
    message   = "a policy has validations or auditAnnotations"
  }
}

type "io.k8s.api.admissionregistration.v1.MatchResources" {
  property "matchPolicy" { enum = ["Exact", "Equivalent"] }
}

type "io.k8s.api.admissionregistration.v1.NamedRuleWithOperations" {
  required = ["apiGroups", "apiVersions", "operations", "resources"]
  property "apiGroups" { min_items = 1 }
  property "apiVersions" {
    min_items = 1
    items { pattern = "." }
  }
  property "operations" {
    min_items = 1
    items { enum = ["*", "CREATE", "UPDATE", "DELETE", "CONNECT"] }
  }
  property "resources" {
    min_items = 1
    items { pattern = "." }
  }
  property "scope" { enum = ["Cluster", "Namespaced", "*"] }
  property "resourceNames" {
    set = true
    items { pattern = "^[^/%]+$" }
  }
  rule {
    condition = "[self.apiGroups, self.apiVersions, self.operations].all(l, size(l) == 1 || !('*' in l))"
    message   = "where an asterisk stands nothing else can"
  }
  rule {
    condition = "size(self.resources) == 1 || !('*/*' in self.resources) && !('*' in self.resources && self.resources.exists(r, r != '*' && !r.contains('/')))"
    message   = "an asterisk covers the resources beside it"
  }
}

type "io.k8s.api.admissionregistration.v1.Validation" {
  property "expression" { pattern = "\\S" }
  property "message" { pattern = "^(\\s*\\S[^\\r\\n]*)?$" }
  property "messageExpression" { pattern = "^$|\\S" }
  property "reason" { enum = ["Unauthorized", "Forbidden", "Invalid", "RequestEntityTooLarge"] }
}

type "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec" {
  required = ["policyName", "validationActions"]
  property "policyName" { format = "dns-subdomain" }
  property "validationActions" {
    min_items = 1
    set       = true
    items { enum = ["Deny", "Warn", "Audit"] }
  }
  rule {
    condition = "!('Deny' in self.validationActions && 'Warn' in self.validationActions)"
    message   = "what is denied need not be warned of: Deny and Warn exclude each other"
  }
}

# -- Built-in types inside custom resources -----------------------------------

like "io.k8s.api.apps.v1.DeploymentSpec" {
  places = ["argoproj.io/v1alpha1/Rollout:spec"]
}

like "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerBehavior" {
  places = ["keda.sh/v1alpha1/ScaledObject:spec.advanced.horizontalPodAutoscalerConfig.behavior"]
}
