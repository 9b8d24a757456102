package examples_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"scaffold/cmd/project"
	"scaffold/render"
)

// The random blueprints of maker_test.go may each be refused by a rule. Whatever is
// not refused has to render for every target and pass the providers' schemas.

// refusals are the summaries of diagnostics by which a blueprint is refused for
// good reason; anything else is a mistake of a pack or of scaffold.
var refusals = []string{"Rule not met", "Patterns that do not go together", "Pattern that the target does not render"}

func refused(diags hcl.Diagnostics) bool {
	for _, d := range diags {
		if d.Severity != hcl.DiagError {
			continue
		}
		known := false
		for _, r := range refusals {
			known = known || strings.HasPrefix(d.Summary, r)
		}
		if !known {
			return false
		}
	}
	return true
}

// seeds is how many blueprints are made.
func seeds() uint64 {
	return map[string]uint64{"quick": 30, "ci": 60, "all": 200}[depth()]
}

// TestRandomBlueprints renders them for every target. What is rendered holds
// nothing that is denied, its names fit, and every point is answered.
func TestRandomBlueprints(t *testing.T) {
	for _, target := range []string{"aws", "gcp", "kubernetes"} {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			refusedCount, many := 0, seeds()
			if target == "aws" {
				many = max(many, 60) // most is asked of its roots
			}
			for seed := range many {
				made := blueprint(seed)
				roots, diags := renderText(t, made.text, made.environment, target)
				switch {
				case !diags.HasErrors():
					t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { judge(t, roots[0], made.text) })
				case refused(diags):
					refusedCount++
					t.Logf("seed %d: %s", seed, firstErrors(diags))
				default:
					t.Errorf("seed %d:\n%s\n%s", seed, firstErrors(diags), made.text)
				}
			}
			t.Logf("%d of %d were refused by a rule", refusedCount, many)
			if refusedCount > int(many)/2 {
				t.Errorf("more than half of the blueprints were refused, so little was tested")
			}
		})
	}
}

// judge holds a root against what all roots are held to.
func judge(t *testing.T, root *project.Root, text string) {
	t.Helper()
	checkAnswers(t, root)
	provider := providersOfClouds[root.Target]
	if provider == "" {
		return
	}
	b := blocksOf(t, root.Result)
	checkDenied(t, b, provider)
	if provider != "aws" {
		checkPitfalls(t, b, map[string]int{})
		return // the limits of Google Cloud's names are among the rules of the checker
	}
	fits(t, b, limits(t), map[string]bool{})
	checkWhole(t, b, root.Result)
	checkNeeds(t, b, text)
}

// TestRandomBlueprintsHaveEverything requires that the draw leaves no pattern out.
func TestRandomBlueprintsHaveEverything(t *testing.T) {
	p, diags := project.Empty()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	count := map[string]int{}
	const draws = 60
	for seed := range uint64(draws) {
		text := blueprint(seed).text
		for _, name := range p.Catalog.Names("patterns") {
			if strings.Contains(text, " "+name+" {") {
				count[name]++
			}
		}
	}
	for _, name := range p.Catalog.Names("patterns") {
		if count[name] < 3 {
			t.Errorf("%s is in %d of %d blueprints", name, count[name], draws)
		}
	}
	t.Logf("of %d blueprints: %v", draws, count)
}

// renderText renders one target of one environment of a blueprint that is no file.
func renderText(t *testing.T, text, environment, target string) ([]*project.Root, hcl.Diagnostics) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "scaffold.hcl")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	p, diags := project.Open(file)
	if diags.HasErrors() {
		return nil, diags
	}
	return p.Render(project.Selection{Environment: environment, Target: target})
}

// randomRoots gives the roots of as many random blueprints that no rule refuses.
func randomRoots(t *testing.T, target string, want int, try func(*testing.T, *render.Result)) {
	t.Helper()
	for seed := uint64(1000); want > 0; seed++ {
		made := blueprint(seed)
		roots, diags := renderText(t, made.text, made.environment, target)
		if diags.HasErrors() {
			continue // TestRandomBlueprints judges these
		}
		want--
		t.Run(fmt.Sprint(seed), func(t *testing.T) { try(t, roots[0].Result) })
	}
}

func firstErrors(diags hcl.Diagnostics) string {
	var b strings.Builder
	n := 0
	for _, d := range diags {
		if d.Severity == hcl.DiagError && n < 5 {
			fmt.Fprintln(&b, d)
			n++
		}
	}
	return b.String()
}
