package examples_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"scaffold/render"
)

// TestTflint holds every Terraform root against tflint's recommended rules: no
// variable, local or data source that nothing uses is among them.
func TestTflint(t *testing.T) {
	lint := tflint(t)
	for _, name := range withRest(t) {
		t.Run(name, func(t *testing.T) {
			for _, root := range rendered(t, name) {
				if hasConfig(root.Result) {
					t.Run(root.Folder, func(t *testing.T) { lint(t, root.Result) })
				}
			}
		})
	}
}

// TestTflintOnRandomBlueprints does the same with roots of random blueprints.
func TestTflintOnRandomBlueprints(t *testing.T) {
	lint := tflint(t)
	for _, target := range []string{"aws", "gcp"} {
		t.Run(target, func(t *testing.T) {
			randomRoots(t, target, map[string]int{"quick": 2, "ci": 20, "all": 100}[depth()], lint)
		})
	}
}

// TestTflintOnTraps does the same with what is rendered of the traps of Google
// Cloud: many of them are small, and leave out what others use.
func TestTflintOnTraps(t *testing.T) {
	lint := tflint(t)
	files, err := filepath.Glob(filepath.Join("..", "testdata", "traps", "gcp", "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no traps: %v", err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			name, ok := strings.CutSuffix(f.Name, ".hcl")
			if !ok {
				continue
			}
			if roots, diags := renderText(t, headed(string(f.Data), "gcp"), "", "gcp"); !diags.HasErrors() {
				t.Run(name, func(t *testing.T) { lint(t, roots[0].Result) })
			}
		}
	}
}

// tflint gives a function that lints one root.
func tflint(t *testing.T) func(*testing.T, *render.Result) {
	t.Helper()
	program, err := exec.LookPath("tflint")
	require(t, err == nil, "tflint")
	config := filepath.Join(t.TempDir(), "tflint.hcl")
	const rules = "plugin \"terraform\" {\n  enabled = true\n  preset  = \"recommended\"\n}\n"
	if err := os.WriteFile(config, []byte(rules), 0o644); err != nil {
		t.Fatal(err)
	}
	return func(t *testing.T, result *render.Result) {
		t.Helper()
		dir := t.TempDir()
		writeRoot(t, dir, result)
		cmd := exec.Command(program, "--config", config, "--format", "compact")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}
