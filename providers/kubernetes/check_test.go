package kubernetes

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: web:1
          env:
            - {name: MODE, value: fast}
          ports:
            - {name: http, containerPort: 8080}
          resources:
            requests: {cpu: 1, memory: 64Mi}
            limits: {cpu: 1, memory: 64Mi}
`

const route = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: web
spec:
  parentRefs:
    - name: public
  rules:
    - timeouts:
        request: 10s
        backendRequest: 5s
`

const scaler = `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: web
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 2
  maxReplicas: 4
`

const budget = `apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: web
spec:
  maxUnavailable: 1
`

// TestCheck spoils a good manifest with one replacement and compares all that
// is then said about it.
func TestCheck(t *testing.T) {
	t.Parallel()
	s, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, manifest, old, new, want string
	}{
		{"good deployment", deployment, "", "", ""},
		{"good route", route, "", "", ""},
		{"good scaler", scaler, "", "", ""},
		{"good budget", budget, "", "", ""},
		{"not YAML", deployment, "replicas: 2", "replicas: [2",
			`a.yaml:5:1: Not valid YAML: did not find expected ',' or ']'`},
		{"not an object", deployment, deployment, "- 1\n",
			"a.yaml:1:1: Wrong type: a manifest is an object, and this is a list"},
		{"no kind", deployment, "kind: Deployment\n", "",
			"a.yaml:1:1: Missing field: the document has no kind"},
		{"kind in another version", deployment, "apps/v1", "extensions/v1beta1",
			"a.yaml:1:13: Unknown kind: apiVersion: no schema for kind Deployment in extensions/v1beta1; Deployment is in apps/v1"},
		{"kind misspelt", deployment, "kind: Deployment", "kind: Deploymint",
			"a.yaml:2:7: Unknown kind: kind: no schema for kind Deploymint in apps/v1; did you mean Deployment?"},
		{"unknown field, capitals", deployment, "replicas:", "Replicas:",
			"a.yaml:6:3: Unknown field: spec.Replicas: a Deployment has no field Replicas here; did you mean replicas?"},
		{"unknown field, letters", deployment, "containerPort:", "contanerPort:",
			"a.yaml:19:15: Missing field: spec.template.spec.containers[0].ports[0]: containerPort is required\n" +
				"a.yaml:19:28: Unknown field: spec.template.spec.containers[0].ports[0].contanerPort: a Deployment has no field contanerPort here; did you mean containerPort?"},
		{"status", budget, "spec:", "status: {}\nspec:",
			"a.yaml:5:1: Unknown field: status: a PodDisruptionBudget has no field status here; controllers write the status; remove it"},
		{"field of a cluster", budget, budget, "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  namespace: b\n",
			"a.yaml:5:14: Unknown field: metadata.namespace: a Namespace belongs to no namespace; remove the line"},
		{"missing field", scaler, "  maxReplicas: 4\n", "",
			"a.yaml:6:3: Missing field: spec: maxReplicas is required"},
		{"string for a number", deployment, "replicas: 2", `replicas: "2"`,
			`a.yaml:6:13: Wrong type: spec.replicas: this is the string "2", and a whole number is wanted; remove the quotes`},
		{"number for a string", deployment, "value: fast", "value: 15",
			`a.yaml:17:35: Wrong type: spec.template.spec.containers[0].env[0].value: this is the whole number 15, and a string is wanted; quote it: "15"`},
		{"boolean for a string", deployment, "value: fast", "value: true",
			`a.yaml:17:35: Wrong type: spec.template.spec.containers[0].env[0].value: this is the boolean true, and a string is wanted; quote it: "true"`},
		{"exponent in a string", deployment, "value: fast", "value: 1e3",
			`a.yaml:17:35: Wrong type: spec.template.spec.containers[0].env[0].value: this is the number 1e3, and a string is wanted; quote it: "1e3"`},
		{"list for an object", deployment, "matchLabels: {app: web}", "matchLabels: []",
			"a.yaml:8:18: Wrong type: spec.selector.matchLabels: this is a list, and an object is wanted"},
		{"empty value", deployment, "replicas: 2", "replicas:",
			"a.yaml:6:12: Wrong type: spec.replicas: the value is empty; give a whole number or remove the line"},
		{"list or string", budget, "maxUnavailable: 1", "maxUnavailable: []",
			"a.yaml:6:19: Wrong type: spec.maxUnavailable: this is a list, and a whole number or a string is wanted"},
		{"old boolean", deployment, "value: fast", "value: y",
			`a.yaml:17:35: Ambiguous YAML: spec.template.spec.containers[0].env[0].value: unquoted y is the boolean true to the API server, which reads YAML 1.1; write "y", or true if the boolean is meant`},
		{"old boolean as a key", deployment, "labels: {app: web}", "labels: {app: web, on: a}",
			`a.yaml:11:26: Ambiguous YAML: spec.template.metadata.labels.on: unquoted on is the boolean true to the API server, which reads YAML 1.1; write "on", or true if the boolean is meant`},
		{"octal", deployment, "replicas: 2", "replicas: 012",
			"a.yaml:6:13: Ambiguous YAML: spec.replicas: unquoted 012 is the octal number 10; write 10, or quote it if a text is meant"},
		{"duplicate key", deployment, "replicas: 2", "replicas: 2\n  replicas: 3",
			"a.yaml:7:3: Duplicate name: spec.replicas: the key is already on line 6, and only one of the two would count; remove one of them"},
		{"duplicate item", deployment, "            - {name: http, containerPort: 8080}\n", "            - {name: http, containerPort: 8080}\n            - {name: more, containerPort: 8080, protocol: TCP}\n",
			"a.yaml:20:15: Duplicate name: spec.template.spec.containers[0].ports[1]: containerPort 8080, protocol TCP as on line 19, and an item is known by that"},
		{"enum", deployment, "image: web:1", "image: web:1\n          imagePullPolicy: always",
			`a.yaml:16:28: Value not allowed: spec.template.spec.containers[0].imagePullPolicy: "always" is not one of Always, IfNotPresent, Never; did you mean Always?`},
		{"minimum", deployment, "replicas: 2", "replicas: -1",
			"a.yaml:6:13: Value not allowed: spec.replicas: -1 is below the minimum 0"},
		{"maximum", deployment, "containerPort: 8080", "containerPort: 80800",
			"a.yaml:19:43: Value not allowed: spec.template.spec.containers[0].ports[0].containerPort: 80800 is above the maximum 65535"},
		{"32 bits", deployment, "replicas: 2", "replicas: 3000000000",
			"a.yaml:6:13: Value not allowed: spec.replicas: the number does not fit into 32 bits"},
		{"pattern", route, "request: 10s", "request: 10",
			`a.yaml:10:18: Wrong type: spec.rules[0].timeouts.request: this is the whole number 10, and a string is wanted; quote it: "10"`},
		{"pattern of a duration", route, "request: 10s", "request: ten",
			`a.yaml:10:18: Value not allowed: spec.rules[0].timeouts.request: "ten" does not match ^([0-9]{1,5}(h|m|s|ms)){1,4}$`},
		{"length", deployment, "image: web:1", `image: ""`,
			"a.yaml:15:18: Value not allowed: spec.template.spec.containers[0].image: the text is empty\n" +
				`a.yaml:15:18: Value not allowed: spec.template.spec.containers[0].image: "" does not match ^\S(.*\S)?$`},
		{"empty list", deployment, "      containers:\n        - name: web\n          image: web:1\n          env:\n            - {name: MODE, value: fast}\n          ports:\n            - {name: http, containerPort: 8080}\n          resources:\n            requests: {cpu: 1, memory: 64Mi}\n            limits: {cpu: 1, memory: 64Mi}\n", "      containers: []\n",
			"a.yaml:13:19: Value not allowed: spec.template.spec.containers: no items, and at least 1 must be there"},
		{"quantity", deployment, "memory: 64Mi}\n            limits", "memory: 64MiB}\n            limits",
			`a.yaml:21:40: Value not allowed: spec.template.spec.containers[0].resources.requests.memory: "64MiB" is not a quantity such as 500m, 2 or 1Gi`},
		{"name", deployment, "name: web\nspec", "name: Web_1\nspec",
			`a.yaml:4:9: Value not allowed: metadata.name: "Web_1" is not a DNS name: lower-case letters, digits, dashes and dots, beginning and ending with a letter or a digit`},
		{"label", deployment, "labels: {app: web}", `labels: {app: web, "a b": c}`,
			`a.yaml:11:26: Value not allowed: spec.template.metadata.labels["a b"]: "a b" is not a name of at most 63 letters, digits, dashes, dots and underscores, with an optional DNS prefix and a slash`},
		{"request above limit", deployment, "limits: {cpu: 1,", "limits: {cpu: 500m,",
			"a.yaml:21:13: Broken rule: spec.template.spec.containers[0].resources: a request is above the limit of the same resource; raise the limit or lower the request"},
		{"selector without labels", deployment, "matchLabels: {app: web}", "matchLabels: {app: shop}",
			"a.yaml:6:3: Broken rule: spec: the selector does not match the labels of the template, so the pods would belong to nobody; give template.metadata.labels every label of selector.matchLabels"},
		{"nothing may move", deployment, "replicas: 2", "replicas: 2\n  strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0%}}",
			"a.yaml:7:29: Broken rule: spec.strategy.rollingUpdate: maxSurge and maxUnavailable are both zero, so no pod could ever be replaced; allow one of them at least one pod"},
		{"long sleep", deployment, "image: web:1", "image: web:1\n          lifecycle: {preStop: {sleep: {seconds: 30}}}",
			"a.yaml:13:7: Broken rule: spec.template.spec: a preStop sleep takes all of terminationGracePeriodSeconds (30 when not given) and leaves the application no time to stop; raise terminationGracePeriodSeconds above the sleep and the time the application needs to stop"},
		{"two budgets", budget, "maxUnavailable: 1", "maxUnavailable: 1\n  minAvailable: 1",
			"a.yaml:6:3: Broken rule: spec: at most one of minAvailable, maxUnavailable must be set"},
		{"minimum above maximum", scaler, "minReplicas: 2", "minReplicas: 5",
			"a.yaml:6:3: Broken rule: spec: minReplicas is above maxReplicas"},
		{"rule of a custom resource", route, "backendRequest: 5s", "backendRequest: 15s",
			"a.yaml:10:9: Broken rule: spec.rules[0].timeouts: backendRequest timeout cannot be longer than request timeout"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(test.manifest, test.old) {
				t.Fatalf("the manifest has no %q", test.old)
			}
			text := strings.Replace(test.manifest, test.old, test.new, 1)
			docs, problems := Parse("a.yaml", []byte(text))
			for _, doc := range docs {
				problems = append(problems, s.Check(doc)...)
			}
			var got []string
			for _, p := range problems {
				got = append(got, p.String())
			}
			if diff := cmp.Diff(test.want, strings.Join(got, "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}
