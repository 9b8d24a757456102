package examples_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"scaffold/cmd/project"
)

// TestForbiddenPairs names, on one component, the patterns of each combination
// that a pack forbids. The blueprint is refused, with the reason: the pack's, or
// that of a rule of the definitions which holds everywhere and speaks first.
func TestForbiddenPairs(t *testing.T) {
	everywhere := []string{"service.one_rollout", "service.one_autoscaler"}
	p, diags := project.Empty()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, name := range []string{"aws", "gcp", "kubernetes"} {
		pack, diags := p.Pack(name)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		if len(pack.Forbids) == 0 {
			t.Errorf("%s forbids nothing", name)
		}
		for _, f := range pack.Forbids {
			t.Run(name+"/"+f.ID, func(t *testing.T) {
				var kinds []string
				for i, id := range f.Patterns {
					pattern, diags := p.Catalog.Pattern(id)
					if diags.HasErrors() || pattern == nil {
						t.Fatalf("there is no pattern %s: %v", id, diags)
					}
					if i == 0 {
						kinds = slices.Clone(pattern.Attaches)
					}
					kinds = slices.DeleteFunc(kinds, func(kind string) bool { return !slices.Contains(pattern.Attaches, kind) })
				}
				if len(kinds) == 0 {
					t.Fatalf("no component takes all of %v", f.Patterns)
				}
				text := together(kinds[0], f.Patterns)
				_, diags := renderText(t, text, "", name)
				said := slices.ContainsFunc(diags, func(d *hcl.Diagnostic) bool {
					code := codeOf(d)
					return d.Severity == hcl.DiagError && d.Subject != nil && len(d.Detail) > 20 &&
						(code == name+"."+f.ID && d.Detail == f.Why || slices.Contains(everywhere, code))
				})
				if !said {
					t.Errorf("not refused for it: %v\n%s", diags, text)
				}
			})
		}
	}
}

// together is a blueprint with patterns on one component.
func together(kind string, patterns []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "blueprint \"shop\" {}\ntarget \"aws\" {\n  region = \"eu-west-1\"\n}\ntarget \"gcp\" {\n  region = \"europe-west1\"\n}\ntarget \"kubernetes\" {}\n%s \"x\" {\n", kind)
	if kind == "service" {
		b.WriteString("  image = \"ghcr.io/acme/x:1\"\n  availability = 95\n")
	}
	for _, id := range patterns {
		body := ""
		if id == "database_sharding" {
			body = "\n    key = \"customer_id\"\n    tables = [\"orders\"]\n  "
		}
		fmt.Fprintf(&b, "  %s {%s}\n", id, body)
	}
	b.WriteString("}\n")
	return b.String()
}
