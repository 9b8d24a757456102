package examples_test

import (
	"testing"

	"scaffold/cmd/project"
)

// TestProfiles renders the first blueprint of every profile for every target, as
// `scaffold init` followed by `scaffold render` would, without a word about it.
func TestProfiles(t *testing.T) {
	p, diags := project.Empty()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, profile := range p.Catalog.Names("profiles") {
		for _, target := range p.Catalog.Names("targets") {
			t.Run(profile+"/"+target, func(t *testing.T) {
				t.Parallel()
				text, diags := p.Starter(profile, "shop", []string{target})
				if diags.HasErrors() {
					t.Fatal(diags)
				}
				if _, diags := renderText(t, string(text), "", target); len(diags) > 0 {
					t.Errorf("%s\n%s", diags, text)
				}
			})
		}
	}
}
