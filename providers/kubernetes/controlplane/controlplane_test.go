package controlplane

import (
	"os"
	"path/filepath"
	"testing"
)

func TestDryRun(t *testing.T) {
	c := Start(t)
	for _, dir := range trees(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) { c.DryRun(t, dir) })
	}
}

// TestLive keeps the small tree, lets the controllers make its pods under
// admission, applies it again, and removes it.
func TestLive(t *testing.T) { Start(t).Live(t, "testdata/web") }

func TestIstioctl(t *testing.T) {
	for _, dir := range trees(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) { Istioctl(t, dir) })
	}
}

func TestKubeScore(t *testing.T) {
	for _, dir := range trees(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) { KubeScore(t, dir) })
	}
}

// trees are folders of manifests from outside when SCAFFOLD_REFERENCE names
// one, and the small one of testdata otherwise.
func trees(t *testing.T) []string {
	root := os.Getenv("SCAFFOLD_REFERENCE")
	if root == "" {
		return []string{"testdata/web"}
	}
	dirs, err := filepath.Glob(filepath.Join(root, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}

func TestPayloads(t *testing.T) {
	for _, dir := range trees(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) { Payloads(t, dir) })
	}
}
