package examples_test

import (
	"testing"

	"scaffold/cmd/project"
)

// TestProfiles renders the first blueprint of every profile for every target, as
// `scaffold init` followed by `scaffold render` would.
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
				if _, diags := renderText(t, string(text), "", target); diags.HasErrors() {
					t.Errorf("%s\n%s", firstErrors(diags), text)
				}
			})
		}
	}
}
