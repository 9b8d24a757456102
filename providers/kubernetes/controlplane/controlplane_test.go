package controlplane

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestDryRun(t *testing.T) {
	c := Start(t)
	for _, dir := range trees(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) { c.DryRun(t, dir) })
	}
}

// TestApply keeps the small tree, lets the controllers make its pods under
// admission, and removes it again.
func TestApply(t *testing.T) {
	c := Start(t)
	c.Apply(t, "testdata/web")
	c.Controllers(t)
	made := 0
	for range 600 {
		answer, err := c.send(http.MethodGet, "/api/v1/namespaces/web/pods", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		var pods struct{ Items []any }
		if err := json.Unmarshal(answer.body, &pods); err != nil {
			t.Fatal(err)
		}
		if made = len(pods.Items); made == 3 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if made != 3 {
		t.Errorf("%d pods after a minute\n%s", made, c.lastWords())
	}
	c.Delete(t, "testdata/web")
}

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
