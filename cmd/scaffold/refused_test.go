package main

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"scaffold/blueprints"
	"scaffold/cmd/project"
)

// toldOf is what `scaffold validate` says of a blueprint, up to what is rendered.
func toldOf(t *testing.T, data []byte) (string, hcl.Diagnostics) {
	t.Helper()
	var out bytes.Buffer
	a := &app{format: "text", noColor: true, out: &out, err: &out}
	src, diags := blueprints.Parse(data, "scaffold.hcl")
	p := &project.Project{Source: src}
	if !diags.HasErrors() {
		p, diags = project.New(src)
	}
	if !diags.HasErrors() {
		_, diags = p.Render(project.Selection{})
	}
	_ = a.report(p, diags)
	return out.String(), diags
}

// TestPackRules breaks the rules of packs: testdata/refused has an archive for
// each pack, with a blueprint for each rule, CODE.hcl, and what a user is told,
// CODE.diagnostics.
func TestPackRules(t *testing.T) {
	t.Parallel()
	for _, file := range goldens(t, "refused") {
		t.Run(name(file), func(t *testing.T) {
			t.Parallel()
			archive := read(t, file)
			for _, f := range slices.Clone(archive.Files) {
				code, ok := strings.CutSuffix(f.Name, ".hcl")
				if !ok {
					continue
				}
				if *update {
					f.Data = hclwrite.Format(f.Data)
					put(archive, f.Name, f.Data, "")
				}
				got, diags := toldOf(t, f.Data)
				checkPlaces(t, f.Data, diags)
				if !slices.ContainsFunc(diags, func(d *hcl.Diagnostic) bool { return codeOf(d) == code }) {
					t.Errorf("%s is met:\n%s", code, got)
				}
				compare(t, file, archive, code+".diagnostics", got)
			}
		})
	}
}

// saidFirst are rules of packs that no blueprint breaks: a definition's rule, or
// the range of an input, says it first. They hold for definitions that do not.
var saidFirst = map[string]string{
	"aws.rollouts":                  "service.one_rollout",
	"aws.rolling_and_canary":        "service.one_rollout",
	"aws.rolling_and_colours":       "service.one_rollout",
	"aws.vertical_and_horizontal":   "service.one_autoscaler",
	"gcp.rollouts":                  "service.one_rollout",
	"gcp.rolling_and_canary":        "service.one_rollout",
	"gcp.rolling_and_colours":       "service.one_rollout",
	"gcp.vertical_and_horizontal":   "service.one_autoscaler",
	"redis_cluster.engine":          "cache.memcached_has_none",
	"vertical_scaling.class_exists": "vertical_scaling.max_cpu",
}

// TestEveryPackRuleIsBroken requires a blueprint for each rule of the packs that
// have an archive. That an input has no effect asks nothing of a blueprint but
// the input: TestEveryInputCounts holds these against the definitions.
func TestEveryPackRuleIsBroken(t *testing.T) {
	t.Parallel()
	p, diags := project.Empty()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	rules, diags := p.Rules()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, file := range goldens(t, "refused") {
		broken := map[string]bool{}
		for _, f := range read(t, file).Files {
			broken[strings.TrimSuffix(f.Name, ".hcl")] = true
		}
		for _, r := range rules {
			unused := r.Condition == "" && strings.Contains(r.Code, ".unused_")
			if r.Pack == name(file) && !unused && !broken[r.Code] && saidFirst[r.Code] == "" {
				t.Errorf("no blueprint breaks %s of %s; add one to testdata/refused/%s", r.Code, r.Range.Filename, filepath.Base(file))
			}
		}
	}
}

// TestExposed holds what a user is told of values that cannot become variables,
// once they are rendered, against the golden files.
func TestExposed(t *testing.T) {
	t.Parallel()
	for _, file := range goldens(t, "exposed") {
		t.Run(name(file), func(t *testing.T) {
			t.Parallel()
			archive := read(t, file)
			data := section(t, archive, "scaffold.hcl")
			got, diags := toldOf(t, data)
			if len(diags) == 0 {
				t.Error("nothing is said of it")
			}
			checkPlaces(t, data, diags)
			compare(t, file, archive, "diagnostics", got)
		})
	}
}
