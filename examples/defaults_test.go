package examples_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"scaffold/blueprints"
	"scaffold/cmd/project"
)

// elsewhere are warnings about what no default can mend: what a program does that
// only its author knows, and a pattern where it is of no use.
var elsewhere = map[string][]string{
	"a program has to keep connections for longer than Google's proxies do": {"elastic_load_balancing.keep_alive", "load_balancer_types.keep_alive"},
	"nobody calls it and it calls nobody":                                   {"circuit_breaker.something_to_break", "circuit_breaker_advanced.something_to_break"},
	"nothing leads to it from outside":                                      {"multi_layer_caching.way_to_the_edge", "multi_layer_caching_detailed.way_to_the_edge"},
	"a cluster has no buckets":                                              {"site.files"},
	"the mesh of Google is a cluster's":                                     {"service_mesh.instances"},
}

// TestDefaultsNeverWarn names each pattern with nothing but what it requires, on
// every target and wherever it may stand there: whoever has said nothing has
// nothing to take back. What a target refuses is another matter.
func TestDefaultsNeverWarn(t *testing.T) {
	p, diags := project.Empty()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	met := map[string]bool{}
	for _, id := range p.Catalog.Names("patterns") {
		pattern, diags := p.Catalog.Pattern(id)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		for _, target := range []string{"aws", "gcp", "kubernetes"} {
			t.Run(id+"/"+target, func(t *testing.T) {
				rendered := 0
				for _, kind := range pattern.Attaches {
					component, diags := p.Catalog.Component(kind)
					if diags.HasErrors() {
						t.Fatal(diags)
					}
					for _, place := range placesOf(kind, target, pattern) {
						text := fmt.Sprintf("%s%s \"it\" {\n%s%s%s {\n%s}\n}\n", place.head, kind, place.inside, required(t, component), id, required(t, pattern))
						_, diags = renderText(t, headed(text, target), "", target)
						if diags.HasErrors() {
							t.Logf("refused: %s\n%s", firstErrors(diags), text)
							continue
						}
						rendered++
						for _, d := range diags {
							known := slices.ContainsFunc(slices.Collect(maps.Values(elsewhere)), func(codes []string) bool { return slices.Contains(codes, codeOf(d)) })
							if met[codeOf(d)] = true; d.Severity == hcl.DiagWarning && !known {
								t.Errorf("%s: %s\n%s", d.Summary, d.Detail, text)
							}
						}
					}
				}
				if rendered == 0 {
					t.Errorf("it is rendered nowhere")
				}
			})
		}
	}
	for why, codes := range elsewhere {
		for _, code := range codes {
			if !met[code] {
				t.Errorf("nothing warns of %s (%s)", code, why)
			}
		}
	}
}

// place is where a component may stand: what there is beside it and what it says of that.
type place struct{ head, inside string }

func placesOf(kind, target string, pattern *blueprints.Definition) []place {
	if kind != "service" {
		return []place{{}}
	}
	among := place{
		"database \"data\" {}\ncache \"store\" {}\nservice \"other\" {\n  image = \"ghcr.io/acme/other:1\"\n}\n",
		"  needs = [database.data, cache.store, service.other]\n",
	}
	places := []place{{}, among}
	if family := cmp.Or(pattern.Extends, pattern.ID); family != "elastic_load_balancing" {
		// An edge has the public name, and the balancer behind it none.
		balancer := fmt.Sprintf("  elastic_load_balancing {\n    domain = \"it.example.com\"\n    public = %t\n  }\n", family != "multi_layer_caching")
		places = append(places, place{among.head, among.inside + balancer})
	}
	for _, p := range slices.Clone(places) {
		places = append(places, place{"cluster \"main\" {}\n" + p.head, "  runs_on = cluster.main\n" + p.inside})
	}
	return places
}

// required gives the inputs that have no default a value.
func required(t *testing.T, def *blueprints.Definition) string {
	t.Helper()
	values := map[string]string{"image": `"ghcr.io/acme/web:1"`, "key": `"customer_id"`}
	var b strings.Builder
	for _, in := range def.Inputs {
		if in.Default != nil {
			continue
		}
		if values[in.Name] == "" {
			t.Fatalf("%s requires %s, for which there is no value here", def.ID, in.Name)
		}
		fmt.Fprintf(&b, "  %s = %s\n", in.Name, values[in.Name])
	}
	return b.String()
}
