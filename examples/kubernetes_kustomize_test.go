package examples_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"scaffold/cmd/project"
)

// TestKustomize holds what kustomize builds of each folder against the files in
// it: the same objects, and nothing else different than the labels of the
// blueprint and what comes from Terraform.
func TestKustomize(t *testing.T) {
	for _, name := range examples(t) {
		for _, root := range rendered(t, name) {
			for _, folder := range manifestFolders(root) {
				t.Run(filepath.Join(name, root.Folder, folder), func(t *testing.T) {
					dir := t.TempDir()
					write(t, dir, root, folder)
					fill(t, root, folder, dir)
					if diff := cmp.Diff(written(t, root, folder, dir), byName(t, build(t, dir))); diff != "" {
						t.Error(diff)
					}
				})
			}
		}
	}
}

// fill gives every value from Terraform that a folder needs its own name, so
// that putting it in changes nothing.
func fill(t *testing.T, root *project.Root, folder, dir string) {
	t.Helper()
	program, ok := root.Result.Files[folder+"infrastructure.jq"]
	if !ok {
		return
	}
	var env strings.Builder
	for line := range strings.Lines(string(program.Data)) {
		if key, rest, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && strings.Contains(rest, ".value.") {
			fmt.Fprintf(&env, "%s=%s\n", key, key)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "infrastructure.env"), []byte(env.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// written are the objects of the files of a folder, with the labels that its
// kustomization names.
func written(t *testing.T, root *project.Root, folder, dir string) map[string]any {
	t.Helper()
	var k struct {
		Resources []string
		Labels    []struct {
			Pairs  map[string]any
			Fields []struct{ Path, Kind string }
		}
	}
	if err := yaml.Unmarshal(root.Result.Files[folder+"kustomization.yaml"].Data, &k); err != nil {
		t.Fatal(err)
	}
	all := map[string]any{}
	for _, name := range k.Resources {
		for key, o := range byName(t, root.Result.Files[folder+name].Data) {
			for _, l := range k.Labels {
				label(o, l.Pairs, "metadata", "labels")
				for _, field := range l.Fields {
					if o.(map[string]any)["kind"] == field.Kind {
						label(o, l.Pairs, strings.Split(field.Path, "/")...)
					}
				}
			}
			all[key] = o
		}
	}
	return all
}

// label adds labels at a path; only metadata.labels is made where it is missing.
func label(o any, pairs map[string]any, path ...string) {
	for i, name := range path {
		parent, _ := o.(map[string]any)
		if parent[name] == nil {
			if i > 1 || len(path) > 2 {
				return
			}
			parent[name] = map[string]any{}
		}
		o = parent[name]
	}
	for key, value := range pairs {
		o.(map[string]any)[key] = value
	}
}

// byName reads a stream of objects. The ConfigMap of what comes from Terraform is
// left out, and the hash in its name as well.
func byName(t *testing.T, text []byte) map[string]any {
	t.Helper()
	all := map[string]any{}
	for d := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var o map[string]any
		err := d.Decode(&o)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		meta, _ := o["metadata"].(map[string]any)
		if name := fmt.Sprint(meta["name"]); o["kind"] != "ConfigMap" || !strings.HasPrefix(name, "infrastructure-") {
			all[fmt.Sprint(o["apiVersion"], " ", o["kind"], " ", name)] = renamed(o)
		}
	}
}

func renamed(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, v := range value {
			value[key] = renamed(v)
		}
	case []any:
		for i, v := range value {
			value[i] = renamed(v)
		}
	case string:
		if strings.HasPrefix(value, "infrastructure-") {
			return "infrastructure"
		}
	}
	return value
}

// build is what kustomize makes of a folder.
func build(t *testing.T, dir string) []byte {
	t.Helper()
	_, err := exec.LookPath("kubectl")
	require(t, err == nil, "kubectl")
	cmd := exec.Command("kubectl", "kustomize", dir)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil || said.Len() > 0 {
		t.Fatalf("kubectl kustomize: %v\n%s", err, said.Bytes())
	}
	return out
}
