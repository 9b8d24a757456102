package examples_test

import (
	"slices"
	"testing"

	"scaffold/cmd/project"
	"scaffold/render"
)

// TestEveryPatternIsShown requires that some example renders each pattern for
// each target, and that all of its points are answered there: shown by what is
// rendered, or with the reason why they are not.
func TestEveryPatternIsShown(t *testing.T) {
	p, diags := project.Empty()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	shown := map[string]map[string][]string{} // by target and pattern, the points
	for _, name := range examples(t) {
		for _, root := range rendered(t, name) {
			if shown[root.Target] == nil {
				shown[root.Target] = map[string][]string{}
			}
			for _, c := range root.Result.Coverage {
				answered := (c.Status == render.Covered && len(c.By) > 0) || c.Why != ""
				if points := shown[root.Target][c.Pattern]; answered && !slices.Contains(points, c.Point.ID) {
					shown[root.Target][c.Pattern] = append(points, c.Point.ID)
				}
			}
		}
	}
	for _, target := range []string{"aws", "gcp", "kubernetes"} {
		for _, pattern := range p.Catalog.Names("patterns") {
			if points := shown[target][pattern]; len(points) != 5 {
				t.Errorf("%s: %s: the examples answer the points %v", target, pattern, points)
			}
		}
	}
}
