package examples_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"scaffold/cmd/project"
	"scaffold/providers/kubernetes/controlplane"
	"scaffold/render"
)

// TestKubernetes asks a real API server, istioctl and kube-score about the
// manifests of every example.
func TestKubernetes(t *testing.T) {
	for _, name := range sampled(t) {
		t.Run(name, func(t *testing.T) {
			for _, root := range rendered(t, name) {
				for _, folder := range manifestFolders(root) {
					t.Run(filepath.Join(root.Folder, folder), func(t *testing.T) {
						dir := writeManifests(t, root, folder)
						cluster := controlplane.Start(t)
						cluster.DryRun(t, dir)
						if lived(name) {
							cluster.Live(t, dir)
						}
						controlplane.Istioctl(t, dir)
						controlplane.KubeScore(t, dir)
					})
				}
			}
		})
	}
}

// TestRandomKubernetes asks the same programs about random blueprints, and about
// the manifests beside random roots of a cloud.
func TestRandomKubernetes(t *testing.T) {
	wanted := map[string]map[string]int{
		"kubernetes": {"quick": 1, "ci": 8, "all": 40},
		"aws":        {"quick": 0, "ci": 4, "all": 10},
		"gcp":        {"quick": 0, "ci": 4, "all": 10},
	}
	for _, target := range []string{"kubernetes", "aws", "gcp"} {
		t.Run(target, func(t *testing.T) {
			randomRoots(t, target, wanted[target][depth()], func(t *testing.T, result *render.Result) {
				root := &project.Root{Result: result}
				for _, folder := range manifestFolders(root) {
					dir := writeManifests(t, root, folder)
					cluster := controlplane.Start(t)
					cluster.Live(t, dir)
					controlplane.Istioctl(t, dir)
					controlplane.KubeScore(t, dir)
				}
				dir := t.TempDir()
				write(t, dir, root, "")
				controlplane.Payloads(t, dir)
			})
		})
	}
}

// TestUpgrade applies a release over the one before it: every image has another
// version. What the API server lets nobody change has to have a new name then.
func TestUpgrade(t *testing.T) {
	names := map[string][]string{"quick": {"multi-layer-caching-detailed"}, "ci": append([]string{"multi-layer-caching-detailed"}, quick...), "all": examples(t)}[depth()]
	tag := regexp.MustCompile(`([:"])(\d+\.\d+)\.\d+"`)
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(name, "scaffold.hcl"))
		if err != nil {
			t.Fatal(err)
		}
		next := tag.ReplaceAllString(string(text), `${1}${2}.99"`)
		if next == string(text) {
			t.Errorf("%s names no version of an image", name)
		}
		for _, root := range rendered(t, name) {
			after, diags := renderText(t, next, "", root.Target)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			for _, folder := range manifestFolders(root) {
				t.Run(filepath.Join(name, root.Folder, folder), func(t *testing.T) {
					controlplane.Start(t).Upgrade(t, writeManifests(t, root, folder), writeManifests(t, after[0], folder))
				})
			}
		}
	}
}

// TestPayloads asks the parsers of Prometheus, cron, Kubernetes and Envoy about
// what is written for them in any root of any example.
func TestPayloads(t *testing.T) {
	for _, name := range examples(t) {
		for _, root := range rendered(t, name) {
			t.Run(filepath.Join(name, root.Folder), func(t *testing.T) {
				dir := t.TempDir()
				write(t, dir, root, "")
				controlplane.Payloads(t, dir)
			})
		}
	}
}

// write puts the files below a folder of a root into another.
func write(t *testing.T, dir string, root *project.Root, folder string) {
	t.Helper()
	for name, f := range root.Result.Files {
		rest, below := strings.CutPrefix(name, folder)
		if !below {
			continue
		}
		file := filepath.Join(dir, filepath.FromSlash(rest))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// lived reports whether an example is not only shown to the API server but made
// by the controllers and deleted again, which takes some seconds.
func lived(name string) bool {
	return map[string]bool{"quick": name == quick[0], "ci": slices.Contains(quick, name), "all": true}[depth()]
}

// manifestFolders are the folders of a root that hold manifests: those with a
// kustomization.
func manifestFolders(root *project.Root) []string {
	var out []string
	for name := range root.Result.Files {
		if filepath.Base(name) == "kustomization.yaml" {
			out = append(out, strings.TrimSuffix(name, "kustomization.yaml"))
		}
	}
	return out
}

func writeManifests(t *testing.T, root *project.Root, folder string) string {
	t.Helper()
	dir := t.TempDir()
	for name, f := range root.Result.Files {
		if f.Form != render.Object || !strings.HasPrefix(name, folder) {
			continue
		}
		file := filepath.Join(dir, strings.ReplaceAll(strings.TrimPrefix(name, folder), "/", "_"))
		if err := os.WriteFile(file, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
