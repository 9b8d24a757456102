package templates_test

import (
	"path/filepath"
	"testing"
)

// TestScripts has every script of every manifest read by the shell and by
// shellcheck.
func TestScripts(t *testing.T) {
	for name, blueprint := range everything {
		t.Run(name, func(t *testing.T) {
			shellcheck := program(t, "shellcheck")
			dir := folder(t)
			for _, doc := range render(t, blueprint).docs {
				if doc["kind"] != "ConfigMap" {
					continue
				}
				data, _ := doc["data"].(map[string]any)
				for key, text := range data {
					shell := map[string]string{".sh": "sh", ".bash": "bash"}[filepath.Ext(key)]
					if shell == "" {
						continue
					}
					file := write(t, filepath.Join(dir, at(doc, "metadata", "name").(string)+"_"+key), text.(string))
					succeed(t, nil, shell, "-n", file)
					succeed(t, nil, shellcheck, "--shell="+shell, file)
				}
			}
		})
	}
}
