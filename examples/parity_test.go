package examples_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
)

// refusedElsewhere are the rules of testdata/parity.tsv.
func refusedElsewhere(t *testing.T) map[string]bool {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "testdata", "parity.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	rules := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		if code, _, ok := strings.Cut(line, "\t"); ok && !strings.HasPrefix(line, "#") {
			rules[code] = true
		}
	}
	return rules
}

// TestOneBlueprintForBothClouds renders random blueprints for both: what AWS has
// the other has too, unless a reason is given in testdata/parity.tsv.
func TestOneBlueprintForBothClouds(t *testing.T) {
	allowed := refusedElsewhere(t)
	both, one := 0, 0
	by := map[string][]uint64{}
	for seed := range seeds() {
		made := blueprint(seed)
		if _, diags := renderText(t, made.text, made.environment, "aws"); diags.HasErrors() {
			continue
		}
		_, diags := renderText(t, made.text, made.environment, "gcp")
		if !diags.HasErrors() {
			both++
			continue
		}
		one++
		for _, d := range diags {
			if d.Severity != hcl.DiagError {
				continue
			}
			by[codeOf(d)] = append(by[codeOf(d)], seed)
			if !allowed[codeOf(d)] {
				t.Errorf("seed %d: %s", seed, d)
			}
		}
	}
	t.Logf("%d render for both clouds, %d for AWS only; seeds by rule: %v", both, one, by)
	if 20*one > both+one {
		t.Errorf("%d of %d blueprints that render for AWS do not for Google Cloud", one, both+one)
	}
}
