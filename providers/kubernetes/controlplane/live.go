package controlplane

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// Live applies a folder with the controllers running, waits for the pods that
// it describes, applies it again, which must change nothing, and deletes it,
// after which nothing may be left. Kinds that only operators know are stored;
// those that stand for a workload are made as that.
func (c *Cluster) Live(t testing.TB, dir string) {
	t.Helper()
	c.Controllers(t)
	all := objects(t, dir)
	for i := range all {
		text := known(t, all[i].text)
		o, err := parse(all[i].file, text)
		if err != nil {
			t.Fatal(err)
		}
		all[i] = o
	}
	slices.SortStableFunc(all, func(a, b object) int { return rank(a) - rank(b) })
	begun := time.Now()
	for _, o := range all {
		c.put(t, o)
		if o.Kind == "ResourceQuota" {
			// Until the controller has counted, the server refuses all pods.
			c.wait(t, o.String()+" is counted", func() bool { return len(c.field(t, o, "status", "hard")) > 0 })
		}
	}
	wanted := 0
	for _, o := range all {
		wanted += pods(t, o)
	}
	c.wait(t, fmt.Sprintf("%d pods are made", wanted), func() bool { return c.count(t, all, "pods", "") >= wanted })
	if failed := c.count(t, all, "events", "?fieldSelector=reason%3DFailedCreate"); failed > 0 {
		t.Errorf("%d times a pod could not be made: %s", failed, c.messages(t, all))
	}

	before := make([]map[string]any, len(all))
	for i, o := range all {
		before[i] = c.get(t, o)
	}
	for i, o := range all {
		c.put(t, o)
		if after := c.get(t, o); !reflect.DeepEqual(lasting(before[i]), lasting(after)) {
			t.Errorf("%s: applied again it changes:\n%v\n%v", o, lasting(before[i]), lasting(after))
		}
	}
	c.remove(t, all)
	t.Logf("%d objects, %d pods: made, applied again and deleted in %s", len(all), wanted, time.Since(begun).Round(time.Second))
}

// rank orders what others need before them, and to the end.
func rank(o object) int {
	switch o.Kind {
	case "Namespace":
		return 0
	case "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding":
		return 1
	case "ResourceQuota":
		return 2
	}
	return 3
}

func (c *Cluster) put(t testing.TB, o object) {
	t.Helper()
	answer, err := c.apply(o, false)
	if err != nil {
		t.Fatalf("%s: %s", o, err)
	}
	if failed := answer.failed(); failed != "" {
		t.Errorf("%s: %s", o, failed)
	}
	for _, warning := range answer.warnings {
		t.Errorf("%s: warning: %s", o, warning)
	}
}

// pods is how many pods a controller makes of an object at once.
func pods(t testing.TB, o object) int {
	t.Helper()
	var body struct {
		Spec struct {
			Replicas, Parallelism *int
			PodManagementPolicy   string `yaml:"podManagementPolicy"`
		}
	}
	decode(t, o, &body)
	number := func(n *int) int {
		if n == nil {
			return 1
		}
		return *n
	}
	switch {
	case o.Kind == "Deployment":
		return number(body.Spec.Replicas)
	case o.Kind == "StatefulSet" && body.Spec.PodManagementPolicy == "Parallel":
		return number(body.Spec.Replicas)
	case o.Kind == "StatefulSet":
		return min(1, number(body.Spec.Replicas)) // the next waits until it is ready, which none is
	case o.Kind == "Job":
		return number(body.Spec.Parallelism)
	}
	return 0
}

// decode reads more of an object than all have.
func decode(t testing.TB, o object, into any) {
	t.Helper()
	if err := yaml.Unmarshal(o.text, into); err != nil {
		t.Fatalf("%s: %s", o, err)
	}
}

func (c *Cluster) wait(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if done() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("not after %s: %s\n%s", patience, what, c.lastWords())
}

func (c *Cluster) ask(t testing.TB, method, path string, body []byte) reply {
	t.Helper()
	answer, err := c.send(method, path, "application/merge-patch+json", body)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func (c *Cluster) pathOf(t testing.TB, o object) string {
	t.Helper()
	path, err := c.path(o)
	if err != nil {
		t.Fatalf("%s: %s", o, err)
	}
	return path
}

// get returns an object as the server has it, or nil.
func (c *Cluster) get(t testing.TB, o object) map[string]any {
	t.Helper()
	answer := c.ask(t, http.MethodGet, c.pathOf(t, o), nil)
	if answer.status == http.StatusNotFound {
		return nil
	}
	var body map[string]any
	if err := json.Unmarshal(answer.body, &body); err != nil {
		t.Fatal(err)
	}
	return body
}

func (c *Cluster) field(t testing.TB, o object, names ...string) map[string]any {
	t.Helper()
	at := c.get(t, o)
	for _, name := range names {
		at, _ = at[name].(map[string]any)
	}
	return at
}

// lasting is an object without its history and without what controllers write.
func lasting(o map[string]any) map[string]any {
	kept := without(o, "status")
	meta := without(kept["metadata"], "resourceVersion", "managedFields")
	meta["annotations"] = without(meta["annotations"], "deployment.kubernetes.io/revision")
	kept["metadata"] = meta
	return kept
}

func without(value any, names ...string) map[string]any {
	kept := map[string]any{}
	all, _ := value.(map[string]any)
	for name, value := range all {
		if !slices.Contains(names, name) {
			kept[name] = value
		}
	}
	return kept
}

// items lists a resource in the namespaces of the objects.
func (c *Cluster) items(t testing.TB, all []object, resource, query string) []map[string]any {
	t.Helper()
	var items []map[string]any
	for _, o := range all {
		if !isNamespace(o) {
			continue
		}
		var list struct{ Items []map[string]any }
		answer := c.ask(t, http.MethodGet, "/api/v1/namespaces/"+o.Metadata.Name+"/"+resource+query, nil)
		if err := json.Unmarshal(answer.body, &list); err != nil {
			t.Fatal(err)
		}
		items = append(items, list.Items...)
	}
	return items
}

func (c *Cluster) count(t testing.TB, all []object, resource, query string) int {
	t.Helper()
	return len(c.items(t, all, resource, query))
}

func (c *Cluster) messages(t testing.TB, all []object) string {
	t.Helper()
	var text bytes.Buffer
	for _, event := range c.items(t, all, "events", "?fieldSelector=reason%3DFailedCreate") {
		fmt.Fprintln(&text, event["message"])
	}
	return text.String()
}

// protected is the label that admission policies of a tree may hold on to.
const protected = "scaffold/protected"

// remove deletes the objects, last first. What a policy protects must not go
// before its label has; the policies themselves go when nothing needs them.
func (c *Cluster) remove(t testing.TB, all []object) {
	t.Helper()
	for i := len(all) - 1; i >= 0; i-- {
		o := all[i]
		path := c.pathOf(t, o)
		if labels := c.field(t, o, "metadata", "labels"); labels[protected] == "true" {
			c.wait(t, o.String()+" is protected", func() bool {
				return c.ask(t, http.MethodDelete, path+"?dryRun=All", nil).failed() != ""
			})
			c.ask(t, http.MethodPatch, path, []byte(`{"metadata":{"labels":{"`+protected+`":null}}}`))
		}
		answer := c.ask(t, http.MethodDelete, path+"?propagationPolicy=Background", nil)
		if failed := answer.failed(); failed != "" {
			t.Errorf("%s cannot be deleted: %s", o, failed)
		}
	}
	for _, o := range all {
		c.wait(t, o.String()+" is gone", func() bool { return c.get(t, o) == nil })
	}
	if left := c.count(t, all, "pods", ""); left > 0 {
		t.Errorf("%d pods are left", left)
	}
}

// Upgrade applies a folder, and asks whether another may be applied over it.
func (c *Cluster) Upgrade(t testing.TB, before, after string) {
	t.Helper()
	c.Apply(t, before)
	c.DryRun(t, after)
	c.Remove(t, before)
}

// Remove deletes what Apply sent.
func (c *Cluster) Remove(t testing.TB, dir string) {
	t.Helper()
	c.Controllers(t)
	all := objects(t, dir)
	slices.SortStableFunc(all, func(a, b object) int { return rank(a) - rank(b) })
	c.remove(t, all)
}
