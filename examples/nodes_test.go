package examples_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"go.yaml.in/yaml/v3"

	"scaffold/render"
)

// overbooked compares what pods ask for once every autoscaler is at its most
// with what the nodes of a root for Google Cloud have at their most. It counts
// whole machines: what a node keeps for itself is the rules' matter.
func overbooked(t *testing.T, result *render.Result) (out []string, scaled int) {
	t.Helper()
	var asked, had struct{ cpu, memory float64 }
	for address, found := range blocksOf(t, result) {
		if !strings.HasPrefix(address, "google_container_node_pool.") {
			continue
		}
		pool := part{found[0].Body, found[0]}
		nodes := pool.number("autoscaling.total_max_node_count")
		machine, known := machines(t)[pool.text("node_config.machine_type")]
		if !nodes.known || !known {
			return nil, 0
		}
		had.cpu += nodes.is * machine.cpu
		had.memory += nodes.is * machine.memory
	}
	objects := objectsOf(t, result)
	for _, object := range objects {
		most, ok := valueAt(object, []string{"spec", "maxReplicas"}).(int)
		if !ok {
			most, ok = valueAt(object, []string{"spec", "maxReplicaCount"}).(int)
		}
		target := fmt.Sprint(valueAt(object, []string{"spec", "scaleTargetRef", "name"}))
		if !ok || target == "<nil>" {
			continue
		}
		cpu, memory, found := requests(objects, target)
		if !found {
			out = append(out, target+" asks for nothing")
		}
		asked.cpu += float64(most) * cpu
		asked.memory += float64(most) * memory
		scaled++
	}
	if asked.cpu > had.cpu {
		out = append(out, fmt.Sprintf("%v vCPUs are asked for, and nodes have %v", asked.cpu, had.cpu))
	}
	if asked.memory > had.memory {
		out = append(out, fmt.Sprintf("%v bytes are asked for, and nodes have %v", asked.memory, had.memory))
	}
	return out, scaled
}

// requests are what a pod of a workload asks for.
func requests(objects []map[string]any, name string) (cpu, memory float64, found bool) {
	for _, object := range objects {
		list, ok := valueAt(object, []string{"spec", "template", "spec", "containers"}).([]any)
		if !ok || valueAt(object, []string{"metadata", "name"}) != name {
			continue
		}
		for _, container := range list {
			one := valueAt(container, []string{"resources", "requests"})
			cpu += quantity(valueAt(one, []string{"cpu"}))
			memory += quantity(valueAt(one, []string{"memory"}))
		}
		return cpu, memory, cpu > 0 && memory > 0
	}
	return 0, 0, false
}

// quantity reads a number as Kubernetes writes it.
func quantity(v any) float64 {
	text := fmt.Sprint(v)
	for suffix, factor := range map[string]float64{"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "m": 0.001} {
		if number, ok := strings.CutSuffix(text, suffix); ok {
			text = number
			n, _ := strconv.ParseFloat(text, 64)
			return n * factor
		}
	}
	n, _ := strconv.ParseFloat(text, 64)
	return n
}

func objectsOf(t *testing.T, result *render.Result) (out []map[string]any) {
	t.Helper()
	for name, f := range result.Files {
		if f.Form != render.Object {
			continue
		}
		for d := yaml.NewDecoder(bytes.NewReader(f.Data)); ; {
			var object map[string]any
			if err := d.Decode(&object); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			out = append(out, object)
		}
	}
	return out
}

type machine struct{ cpu, memory float64 }

// machines are those of templates/gcp/machine_types.tsv.
func machines(t *testing.T) map[string]machine {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "templates", "gcp", "machine_types.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	out, at := map[string]machine{}, map[string]int{}
	for line := range strings.Lines(string(data)) {
		columns := strings.Split(strings.TrimSpace(line), "\t")
		if strings.HasPrefix(line, "#") || len(columns) < 3 {
			continue
		}
		if len(at) == 0 {
			for i, name := range columns {
				at[name] = i
			}
			continue
		}
		cpu, _ := strconv.ParseFloat(columns[at["vcpu"]], 64)
		memory, _ := strconv.ParseFloat(columns[at["memory_gib"]], 64)
		out[columns[at["name"]]] = machine{cpu, memory * (1 << 30)}
	}
	return out
}

// TestNodesHoldThePods requires that no autoscaler of pods may ask for more than
// the nodes on Google Cloud may have, in the examples and random blueprints.
func TestNodesHoldThePods(t *testing.T) {
	met := 0
	look := func(t *testing.T, result *render.Result) {
		problems, scaled := overbooked(t, result)
		met += scaled
		for _, problem := range problems {
			t.Error(problem)
		}
	}
	for _, name := range examples(t) {
		t.Run(name, func(t *testing.T) {
			for _, root := range renderedFor(t, name, "gcp") {
				look(t, root.Result)
			}
		})
	}
	randomRoots(t, "gcp", 10, look)
	if met < 6 {
		t.Errorf("only %d autoscalers were looked at", met)
	}
}

// TestOverbookedIsFound requires that what is too much is found: each root of
// testdata/overbooked_gcp.txtar has one pod too many, or asks for nothing.
func TestOverbookedIsFound(t *testing.T) {
	archive, err := txtar.ParseFile(filepath.Join("..", "testdata", "overbooked_gcp.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	text := map[string][]byte{}
	for _, f := range archive.Files {
		text[f.Name] = f.Data
	}
	for name, row := range map[string]struct{ old, new, said string }{
		"as it is":         {"", "", ""},
		"a pod more":       {"maxReplicas: 8", "maxReplicas: 9", "4.5 vCPUs are asked for, and nodes have 4"},
		"a node less":      {"", "", "4 vCPUs are asked for, and nodes have 2"},
		"more of memory":   {"memory: 2Gi", "memory: 2049Mi", "bytes are asked for"},
		"without requests": {"cpu: 500m", "cpu: 0", "web asks for nothing"},
	} {
		nodes := string(text["main.tf"])
		if name == "a node less" {
			nodes = strings.Replace(nodes, "total_max_node_count = 2", "total_max_node_count = 1", 1)
		}
		root := result("main.tf", nodes)
		root.Files["web.yaml"] = &render.File{Path: "web.yaml", Form: render.Object, Data: bytes.Replace(text["web.yaml"], []byte(row.old), []byte(row.new), 1)}
		got, scaled := overbooked(t, root)
		if said := strings.Join(got, "; "); scaled != 1 || (row.said == "") != (said == "") || !strings.Contains(said, row.said) {
			t.Errorf("%s: %q is said of %d", name, said, scaled)
		}
	}
}
