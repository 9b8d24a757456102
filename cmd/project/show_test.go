package project_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scaffold/blueprints"
	"scaffold/cmd/project"
)

// TestShowOfEveryType shows a blueprint with all that the language can say, and
// holds that what is shown has the same values to the last digit.
func TestShowOfEveryType(t *testing.T) {
	t.Parallel()
	file := filepath.Join(root, "testdata", "gauge", "scaffold.hcl")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, sel := range []project.Selection{{Environment: "prod"}, {Environment: "staging"}, {Environment: "prod", Target: "aws"}} {
		before, shown := shownValues(t, string(text), file, sel)
		after, _ := shownValues(t, string(shown), file, sel)
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("%v: other values (-before +after):\n%s\n%s", sel, diff, shown)
		}
		for _, want := range []string{`  # wait = 0.333333 (default)`, `  # old = 1 (default)`, `size     = "195312500KiB"`, `near = `, `whatever = { big = 123456789012345678901234567890, far = [gauge.first],`} {
			if !strings.Contains(string(shown), want) {
				t.Errorf("%v: no %s in\n%s", sel, want, shown)
			}
		}
	}
}

// shownValues are the values of a blueprint, exactly, and what is shown of it.
func shownValues(t *testing.T, text, file string, sel project.Selection) (map[string]string, []byte) {
	t.Helper()
	src, diags := blueprints.Parse([]byte(text), file)
	if diags.HasErrors() {
		t.Fatalf("%s\n%s", diags, text)
	}
	p, diags := project.New(src)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	roots, diags := p.Resolve(sel)
	if len(diags) > 0 {
		t.Fatalf("%s\n%s", diags, text)
	}
	out := map[string]string{}
	var collect func(folder string, inst *blueprints.Instance)
	collect = func(folder string, inst *blueprints.Instance) {
		for _, a := range inst.Attrs() {
			if !a.IsInput() && a.Origin.Source != "derived" {
				continue
			}
			value := a.Value().GoString()
			if strings.Contains(value, "blueprints.Instance") {
				value = a.Write().Text
			}
			out[folder+" "+a.Path()] += value + "\n" // blocks of a list have the same path
		}
		for _, nested := range inst.Nested() {
			collect(folder, nested)
		}
	}
	for _, root := range roots {
		for _, c := range root.Model.Components {
			collect(root.Folder, c)
		}
	}
	shown, diags := p.Show(sel)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return out, shown
}
