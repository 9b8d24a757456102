package controlplane

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// standing is the note that istioctl makes about every EnvoyFilter, however
// good it is.
const standing = "exposes internal implementation details"

// Istioctl runs istioctl validate and istioctl analyze on the manifests of a
// folder, without a cluster. An error and a warning fail the test.
func Istioctl(t testing.TB, dir string) {
	t.Helper()
	path := program(t, "istioctl")
	files := manifests(t, dir)
	// validate also wants every Service to name its ports as the mesh likes,
	// which means nothing where there is no mesh.
	if mesh(t, dir) {
		validate(t, path, files)
	}
	analyze(t, path, files)
}

func mesh(t testing.TB, dir string) bool {
	t.Helper()
	for _, o := range objects(t, dir) {
		if strings.Contains(o.APIVersion, ".istio.io/") {
			return true
		}
	}
	return false
}

func validate(t testing.TB, path string, files []string) {
	t.Helper()
	args := []string{"validate"}
	for _, name := range files {
		args = append(args, "-f", name)
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		t.Errorf("istioctl validate: %s\n%s", err, out)
		return
	}
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "\t* ") && !strings.Contains(line, standing) {
			t.Errorf("istioctl validate: %s", strings.TrimSpace(line))
		}
	}
}

// analyze looks at all namespaces: without -A istioctl looks at "default" only
// and finds nothing wrong anywhere else.
func analyze(t testing.TB, path string, files []string) {
	t.Helper()
	args := append([]string{"analyze", "-A", "--use-kube=false", "-o", "json"}, files...)
	var out, failure bytes.Buffer
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = &out, &failure
	runErr := cmd.Run()
	var messages []struct{ Code, Level, Message, Origin, Reference string }
	if err := json.Unmarshal(out.Bytes(), &messages); err != nil {
		t.Errorf("istioctl analyze: %v\n%s%s", runErr, out.Bytes(), failure.Bytes())
		return
	}
	for _, m := range messages {
		if m.Level != "Info" && !strings.Contains(m.Message, standing) {
			t.Errorf("istioctl analyze: %s %s: %s: %s (%s)", m.Level, m.Code, m.Origin, m.Message, m.Reference)
		}
	}
}
