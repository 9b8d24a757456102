package project

import (
	"bytes"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"scaffold/blueprints"
	"scaffold/blueprints/recommend"
)

// Extended is a project without a blueprint that knows definitions and packs
// from folders besides scaffold's own.
func Extended(dirs ...string) (*Project, hcl.Diagnostics) {
	p := &Project{packs: map[string]*loadedPack{}, folders: folders(dirs)}
	catalog, diags := blueprints.NewCatalog(p.folders...)
	p.Catalog = catalog
	return p, diags
}

// Recommend weighs the patterns of the catalogue for what was asked for, with
// what packs cannot put on one component.
func (p *Project) Recommend(needs recommend.Needs, profile string) (*recommend.Report, hcl.Diagnostics) {
	var conflicts []recommend.Conflict
	var diags hcl.Diagnostics
	for _, name := range p.Packs() {
		pack, moreDiags := p.Pack(name)
		diags = append(diags, moreDiags...)
		if pack == nil {
			continue
		}
		for _, f := range pack.Forbids {
			conflicts = append(conflicts, recommend.Conflict{Patterns: slices.Clone(f.Patterns), Why: f.Why, Target: name})
		}
	}
	if diags.HasErrors() {
		return nil, diags
	}
	report, moreDiags := recommend.Make(p.Catalog, needs, profile, conflicts)
	return report, append(diags, moreDiags...)
}

// Recommended renders a first blueprint with what a report recommends, and
// lists what it has no place for. Extensions are as the blueprint should name them.
func (p *Project) Recommended(r *recommend.Report, name string, targets, extensions []string) ([]byte, []string, hcl.Diagnostics) {
	const file = "starters/recommended.hcl"
	data, err := p.Catalog.ReadFile(file)
	if err != nil {
		return nil, nil, failure("Missing starter", err.Error())
	}
	data = bytes.ReplaceAll(data, []byte("ASKED"), []byte(strings.Join(r.Needs.Texts(), ", ")))
	text, diags := fillStarter(file, data, name, map[string]cty.Value{
		"targets":      texts(targets),
		"extensions":   texts(extensions),
		"patterns":     texts(r.Chosen()),
		"profile":      profileOf(r),
		"latency":      figure(r.Needs.Latency),
		"rps":          figure(r.Needs.Throughput),
		"availability": figure(r.Needs.Availability),
		"reads":        figure(r.Needs.Reads),
		"worldwide":    cty.BoolVal(r.Needs.Worldwide),
	})
	if diags.HasErrors() {
		return nil, nil, diags
	}
	parsed, diags := blueprints.ParseHCL(text, file)
	if diags.HasErrors() {
		return nil, nil, diags
	}
	return text, missing(r.Chosen(), parsed.Body.(*hclsyntax.Body)), nil
}

// missing are the words that no block of a body is of, nor of one within.
func missing(words []string, body *hclsyntax.Body) []string {
	left := slices.Clone(words)
	for _, block := range body.Blocks {
		left = slices.DeleteFunc(left, func(word string) bool { return word == block.Type })
		left = missing(left, block.Body)
	}
	return left
}

// Extensions are the folders with definitions and packs besides scaffold's own.
func (p *Project) Extensions() []string {
	var out []string
	for _, folder := range p.folders[1:] {
		out = append(out, folder.Name)
	}
	return out
}

func profileOf(r *recommend.Report) cty.Value {
	if p := r.Nearest(); p != nil {
		return cty.StringVal(p.ID)
	}
	return cty.NullVal(cty.String)
}

func figure(n *recommend.Need) cty.Value {
	if n == nil {
		return cty.NullVal(cty.Number)
	}
	return cty.NumberFloatVal(n.Value)
}
