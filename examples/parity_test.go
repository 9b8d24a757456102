package examples_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"scaffold/render"
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
// the other has too, unless a reason is given in testdata/parity.tsv. Where it
// has less, it says so.
func TestOneBlueprintForBothClouds(t *testing.T) {
	allowed := refusedElsewhere(t)
	both, one := 0, 0
	by := map[string][]uint64{}
	for seed := range seeds() {
		made := blueprint(seed)
		first, diags := renderText(t, made.text, made.environment, "aws")
		if diags.HasErrors() {
			continue
		}
		second, diags := renderText(t, made.text, made.environment, "gcp")
		if !diags.HasErrors() {
			both++
			checkLessIsSaid(t, first[0].Result.Coverage, second[0].Result.Coverage, diags)
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

// checkLessIsSaid requires a reason and a warning of its pattern for each point
// that the second target misses and the first does not.
func checkLessIsSaid(t *testing.T, first, second []render.Coverage, diags hcl.Diagnostics) {
	t.Helper()
	name := func(c render.Coverage) string { return c.Component.Path + "." + c.Pattern + "." + c.Point.ID }
	missing := map[string]bool{}
	for _, c := range first {
		missing[name(c)] = c.Status == render.Missing
	}
	for _, c := range second {
		if c.Status != render.Covered && c.Why == "" {
			t.Errorf("%s is %s for no reason", name(c), c.Status)
		}
		warned := slices.ContainsFunc(diags, func(d *hcl.Diagnostic) bool { return strings.HasPrefix(codeOf(d), c.Pattern+".") })
		if c.Status == render.Missing && !missing[name(c)] && !warned {
			t.Errorf("%s is missing, and no warning says so: %s", name(c), c.Why)
		}
	}
}
