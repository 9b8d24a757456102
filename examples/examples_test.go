// Package examples_test holds the examples against what they are rendered from
// and against the real programs that have to accept them.
package examples_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"scaffold/cmd/project"
	"scaffold/render"
	"scaffold/render/output"
)

var update = flag.Bool("update", false, "render the examples anew")

// examples are the folders beside this file that hold a blueprint.
func examples(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("*/scaffold.hcl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples found: %v", err)
	}
	var names []string
	for _, f := range files {
		names = append(names, filepath.Dir(f))
	}
	return names
}

// rendered renders one example in its own folder, as a user would.
func rendered(t testing.TB, name string) []*project.Root {
	t.Helper()
	return renderedFor(t, name, "")
}

// renderedFor renders one target only, or all if it is empty.
func renderedFor(t testing.TB, name, target string) []*project.Root {
	t.Helper()
	// Diagnostics and headers name the file as the user gives it.
	p, diags := project.Open(filepath.Join(name, "scaffold.hcl"))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	roots, diags := p.Render(project.Selection{Target: target})
	for _, d := range diags {
		t.Logf("%s", d)
	}
	if diags.HasErrors() {
		t.FailNow()
	}
	return roots
}

// TestGolden is `scaffold diff` for every example.
func TestGolden(t *testing.T) {
	for _, name := range examples(t) {
		t.Run(name, func(t *testing.T) {
			tree := project.Tree(rendered(t, name))
			dir := filepath.Join(name, "out")
			if *update {
				if _, err := output.Write(context.Background(), dir, tree, output.Options{Force: true}); err != nil {
					t.Fatal(err)
				}
				return
			}
			diff, err := output.Diff(dir, tree)
			if err != nil {
				t.Fatal(err)
			}
			if diff != "" {
				t.Errorf("the committed output differs from what is rendered; run go test ./examples -update and read the change\n%s", diff)
			}
		})
	}
}

// TestEveryPointIsAnswered requires that a pack says, for each point of each
// pattern, what in the output shows it, or why nothing does.
func TestEveryPointIsAnswered(t *testing.T) {
	for _, name := range append(examples(t), rest) {
		t.Run(name, func(t *testing.T) {
			for _, root := range rendered(t, name) {
				checkAnswers(t, root)
			}
		})
	}
}

func checkAnswers(t *testing.T, root *project.Root) {
	t.Helper()
	for _, c := range root.Result.Coverage {
		if c.Status == render.Unknown || (c.Status == render.Missing && (c.Why == "" || strings.HasPrefix(c.Why, "not in the output"))) {
			t.Errorf("%s: %s of %s: point %s is %s: %s", root.Folder, c.Pattern, c.Component.Path, c.Point.ID, c.Status, c.Why)
		}
	}
}

// depth is how much is asked of the real programs, which take seconds to minutes
// for one example: SCAFFOLD_DEPTH is "quick" (a sample, the default), "ci" or
// "all".
func depth() string {
	if d := os.Getenv("SCAFFOLD_DEPTH"); d != "" {
		return d
	}
	return "quick"
}

// quick are the examples that stand for the others in a quick test: together
// they have most of what the packs can render.
var quick = []string{"high-availability", "canary-deployment", "redis-cluster", "read-replicas", "service-mesh"}

// sampled are the examples to ask the real programs about.
func sampled(t testing.TB) []string {
	t.Helper()
	if depth() == "quick" {
		return quick
	}
	return examples(t)
}

// rest is a blueprint of what the packs can make and no example has. Its output
// is not committed, for nobody would learn from it.
const rest = "testdata/rest"

// withRest are the examples that are sampled, and the rest.
func withRest(t testing.TB) []string {
	t.Helper()
	return append(slices.Clone(sampled(t)), rest)
}

// require skips a test whose program is missing, and fails it where all
// programs have to be there.
func require(t testing.TB, ok bool, what string) {
	t.Helper()
	switch {
	case ok:
	case os.Getenv("SCAFFOLD_REQUIRE_TOOLS") == "1":
		t.Fatalf("%s is needed here", what)
	default:
		t.Skipf("%s is not there", what)
	}
}
