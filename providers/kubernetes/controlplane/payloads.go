package controlplane

import (
	"os/exec"
	"strings"
	"testing"
)

// Payloads has the texts of a folder that are in languages of their own read by
// the parsers of the programs that they are for: PromQL, cron, quantities and
// the configuration of Envoy.
func Payloads(t testing.TB, dir string) {
	t.Helper()
	out, err := exec.Command(program(t, "payloads"), dir).CombinedOutput()
	if err == nil {
		t.Logf("%s", out)
		return
	}
	for line := range strings.Lines(string(out)) {
		t.Errorf("payloads: %s", strings.ReplaceAll(strings.TrimSpace(line), dir, ""))
	}
}
