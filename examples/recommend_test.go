package examples_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"scaffold/blueprints/recommend"
	"scaffold/cmd/project"
)

// grid are needs of every size, each alone and with each other.
func grid() []recommend.Asked {
	var out []recommend.Asked
	for _, latency := range []string{"", "50ms", "2s"} {
		for _, rps := range []string{"", "0.5", "100", "8000", "200k"} {
			for _, availability := range []string{"", "80", "99", "99.95", "99.9999"} {
				for _, reads := range []string{"", "0.1", "0.9"} {
					for _, worldwide := range []bool{false, true} {
						asked := recommend.Asked{Latency: latency, Throughput: rps, Availability: availability, Reads: reads, Worldwide: worldwide}
						if asked != (recommend.Asked{}) {
							out = append(out, asked)
						}
					}
				}
			}
		}
	}
	return out
}

// TestRecommended writes the first blueprint for a grid of needs. Every one has
// to be formatted, and has to render for every target. In a quick test it is
// every ninth that differs from those before.
func TestRecommended(t *testing.T) {
	p, diags := project.Empty()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	tried, rendered := map[string]bool{}, 0
	for _, asked := range grid() {
		needs, err := asked.Parse()
		if err != nil {
			t.Fatal(err)
		}
		report, diags := p.Recommend(needs, "")
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		for _, target := range p.Catalog.Names("targets") {
			text, _, diags := p.Recommended(report, "shop", []string{target}, nil)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			_, body, _ := strings.Cut(string(text), "\nblueprint ") // the head says what was asked for
			if tried[body] {
				continue
			}
			tried[body] = true
			if depth() == "quick" && len(tried)%9 != 0 {
				continue
			}
			rendered++
			t.Run(fmt.Sprintf("%+v,%s", asked, target), func(t *testing.T) {
				t.Parallel()
				checkRecommended(t, text, target)
			})
		}
	}
	t.Logf("%d of %d blueprints", rendered, len(tried))
}

// TestRecommendedForAll writes blueprints for several targets at once.
func TestRecommendedForAll(t *testing.T) {
	p, diags := project.Empty()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, asked := range []recommend.Asked{
		{Latency: "50ms", Throughput: "8000", Availability: "99.95", Reads: ".9"},
		{Throughput: "100", Availability: "99"},
		{Throughput: "200k", Reads: ".95", Worldwide: true},
		{Throughput: "0.5", Reads: ".9", Worldwide: true}, // one machine behind an edge
	} {
		needs, err := asked.Parse()
		if err != nil {
			t.Fatal(err)
		}
		report, diags := p.Recommend(needs, "")
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		targets := p.Catalog.Names("targets")
		text, _, diags := p.Recommended(report, "shop", targets, nil)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		for _, target := range targets {
			t.Run(fmt.Sprintf("%+v,%s", asked, target), func(t *testing.T) {
				t.Parallel()
				checkRecommended(t, text, target)
			})
		}
	}
}

func checkRecommended(t *testing.T, text []byte, target string) {
	t.Helper()
	if !bytes.Equal(hclwrite.Format(text), text) {
		t.Error("it is not in the canonical layout")
	}
	_, diags := renderText(t, string(text), "", target)
	for _, d := range diags {
		// One warning is for whoever chose both of them to weigh, on the one target that it holds for.
		if d.Severity == hcl.DiagError || !strings.Contains(d.Summary, "multi_layer_caching.versions") {
			t.Errorf("%s\n%s", d, text)
		}
	}
}

// TestExcludesAreRules holds what patterns say that they exclude against the
// language: a component with both is refused for every target.
func TestExcludesAreRules(t *testing.T) {
	p, diags := project.Empty()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	pairs := 0
	for _, id := range p.Catalog.Names("patterns") {
		def, diags := p.Catalog.Pattern(id)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		for other, why := range def.Excludes {
			pairs++
			if !p.Catalog.Has("patterns", other) || why == "" {
				t.Errorf("%s excludes %q, because %q", id, other, why)
				continue
			}
			text := fmt.Sprintf("blueprint \"shop\" {}\n\ntarget \"aws\" {\n  region = \"eu-west-1\"\n}\n\nservice \"web\" {\n  image = \"ghcr.io/acme/web:1\"\n  %s {}\n  %s {}\n}\n", id, other)
			_, diags := renderText(t, text, "", "aws")
			if !slices.ContainsFunc(diags, func(d *hcl.Diagnostic) bool { return strings.Contains(d.Summary, ".one_") }) {
				t.Errorf("%s and %s on one service: %v", id, other, diags)
			}
		}
	}
	if pairs < 6 {
		t.Errorf("only %d pairs are excluded", pairs)
	}
}
