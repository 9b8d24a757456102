package main

import (
	"encoding/json"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"scaffold/blueprints"
)

// TestSARIF holds findings to what GitHub's code scanning asks of them: each has
// a rule that is described, a message, and a place with a relative URI and
// positions from 1.
func TestSARIF(t *testing.T) {
	t.Parallel()
	at := hcl.Range{Filename: "my shop/scaffold.hcl", Start: hcl.Pos{Line: 3, Column: 5}, End: hcl.Pos{Line: 3, Column: 9}}
	log := sarif(hcl.Diagnostics{
		{Severity: hcl.DiagError, Summary: "Failed", Detail: "Nowhere in particular."},
		{Severity: hcl.DiagWarning, Summary: "Rule not met: a.b", Detail: "Why.", Subject: &at, Extra: &blueprints.Extra{
			Code: "a.b", Related: []blueprints.Related{{Range: at, Text: "here, too"}, {Text: "nowhere"}},
		}},
		{Severity: hcl.DiagError, Summary: "Failed", Detail: "Once more.", Subject: &hcl.Range{Filename: "x.hcl"}},
	})
	text, err := json.Marshal(log)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Schema  string `json:"$schema"`
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name  string
					Rules []struct {
						ID                                      string
						ShortDescription, FullDescription, Help struct{ Text string }
					}
				}
			}
			Results []struct {
				RuleID, Level               string
				Message                     struct{ Text string }
				Locations, RelatedLocations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine, StartColumn, EndLine, EndColumn int }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Version != "2.1.0" || doc.Schema == "" || len(doc.Runs) != 1 || doc.Runs[0].Tool.Driver.Name != "scaffold" {
		t.Fatalf("the head is wrong: %s", text)
	}
	described := map[string]bool{}
	for _, r := range doc.Runs[0].Tool.Driver.Rules {
		if described[r.ID] || r.ShortDescription.Text == "" || r.FullDescription.Text == "" || r.Help.Text == "" {
			t.Errorf("the rule %q is described twice or not in full", r.ID)
		}
		described[r.ID] = true
	}
	if len(doc.Runs[0].Results) != 3 {
		t.Fatalf("%d results", len(doc.Runs[0].Results))
	}
	for _, r := range doc.Runs[0].Results {
		if !described[r.RuleID] || r.Message.Text == "" || r.Level != "error" && r.Level != "warning" || len(r.Locations) != 1 {
			t.Errorf("a result is not whole: %+v", r)
		}
		for _, l := range append(r.Locations, r.RelatedLocations...) {
			place, region := l.PhysicalLocation.ArtifactLocation.URI, l.PhysicalLocation.Region
			if place == "" || place == "my shop/scaffold.hcl" || region.StartLine < 1 || region.StartColumn < 1 || region.EndLine < region.StartLine {
				t.Errorf("a place is wrong: %q %+v", place, region)
			}
		}
	}
	if got := doc.Runs[0].Results[1]; got.Locations[0].PhysicalLocation.ArtifactLocation.URI != "my%20shop/scaffold.hcl" || len(got.RelatedLocations) != 1 {
		t.Errorf("the second result is %+v", got)
	}
}
