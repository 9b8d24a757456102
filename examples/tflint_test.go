package examples_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestTflint holds every Terraform root against tflint's recommended rules.
func TestTflint(t *testing.T) {
	program, err := exec.LookPath("tflint")
	require(t, err == nil, "tflint")
	config := filepath.Join(t.TempDir(), "tflint.hcl")
	const rules = "plugin \"terraform\" {\n  enabled = true\n  preset  = \"recommended\"\n}\n"
	if err := os.WriteFile(config, []byte(rules), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range sampled(t) {
		t.Run(name, func(t *testing.T) {
			for _, root := range rendered(t, name) {
				if !hasConfig(root.Result) {
					continue
				}
				dir := t.TempDir()
				writeRoot(t, dir, root.Result)
				cmd := exec.Command(program, "--config", config, "--format", "compact")
				cmd.Dir = dir
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%s: %v\n%s", root.Folder, err, out)
				}
			}
		})
	}
}
