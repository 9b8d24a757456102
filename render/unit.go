package render

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"scaffold/render/fold"
	"scaffold/render/manifest"
	"scaffold/render/yaml"
)

// Form is what a block of a template, and the file it stands in, is.
type Form int

// The forms of rendered files.
const (
	Config  Form = iota // Terraform
	Object              // YAML documents for an API server
	Content             // anything else
)

// unit is one rendered block.
type unit struct {
	form      Form
	job       *job
	block     *hclsyntax.Block
	address   string // empty for blocks without one, such as locals
	shared    bool   // not of a component: rendered once per root
	extension bool
	// extended are the jobs whose extensions were put into the block, by the
	// file of their template: what they wrote is explained in their scope.
	extended map[string]*job

	// comment stands above an extension in the pack; text holds those above
	// other blocks.
	comment fold.Output
	text    fold.Output     // config
	syntax  *hclsyntax.Body // config: the inside of the block in its file
	tree    *yaml.Node      // object, and content that is written as YAML
	file    string          // content
	data    []byte          // content
}

// block renders one block of the template: none if it drops itself, several if
// a manifest repeats.
func (j *job) block(block *hclsyntax.Block) ([]*unit, hcl.Diagnostics) {
	labels := block.Labels
	switch {
	case block.Type == "manifest", block.Type == "extend" && len(labels) == 3:
		return j.objects(block)
	case block.Type == "file":
		return j.content(block)
	case block.Type == "extend" && len(labels) == 2:
		return j.config(block)
	case block.Type == "extend":
		return nil, invalid(block.DefRange(), `extend takes the labels of what it adds to: two of a resource, three of a manifest.`)
	}
	return j.config(block)
}

func (j *job) config(block *hclsyntax.Block) ([]*unit, hcl.Diagnostics) {
	s := j.foldScope()
	if j.exposing != nil {
		s.Keep = j.scope.Keep
	}
	u := &unit{form: Config, job: j, block: block, extension: block.Type == "extend"}
	u.address, u.shared = blockAddress(block, s)
	if u.extension {
		on, diags := j.enabled(block)
		if !on {
			return nil, diags
		}
		out, moreDiags := fold.Body(j.template.src, block.Body, s)
		u.text, u.comment = out, fold.Above(j.template.src, block, s)
		return []*unit{u}, append(diags, moreDiags...)
	}
	out, keep, diags := fold.Block(j.template.src, block, s)
	if !keep {
		return nil, diags
	}
	u.text = out
	return []*unit{u}, diags
}

func (j *job) enabled(block *hclsyntax.Block) (bool, hcl.Diagnostics) {
	attr := block.Body.Attributes["when"]
	if attr == nil {
		return true, nil
	}
	v, diags := j.scope.Value(attr.Expr, nil)
	if diags.HasErrors() {
		return false, diags
	}
	if v.IsNull() || !v.IsKnown() || v.Type() != cty.Bool {
		return false, append(diags, invalid(attr.Expr.Range(), "when must be true or false.")...)
	}
	return v.True(), diags
}

// blockAddress is how a block is told from others in its root. A block is
// shared if its name does not hold the component's.
func blockAddress(block *hclsyntax.Block, s fold.Scope) (string, bool) {
	labels := append([]string{}, block.Labels...)
	shared := true
	if n := len(labels); n > 0 {
		named := s.Named(labels[n-1])
		shared = named == labels[n-1]
		labels[n-1] = named
	}
	switch block.Type {
	case "locals", "terraform", "moved", "import", "removed":
		return "", true
	case "provider":
		if attr := block.Body.Attributes["alias"]; attr != nil {
			return "", true
		}
	case "extend":
		return strings.Join(labels, "."), shared
	case "resource":
		return strings.Join(labels, "."), shared
	case "variable":
		return "var." + strings.Join(labels, "."), shared
	}
	return block.Type + "." + strings.Join(labels, "."), shared
}

// objects renders a manifest, or an extension of one.
func (j *job) objects(block *hclsyntax.Block) ([]*unit, hcl.Diagnostics) {
	if len(block.Labels) != 3 {
		return nil, invalid(block.DefRange(), `A manifest takes three labels: API version, kind and name.`)
	}
	on, diags := j.enabled(block)
	if !on {
		return nil, diags
	}
	scopes, moreDiags := j.repeat(block)
	diags = append(diags, moreDiags...)
	var units []*unit
	for key, s := range scopes {
		u := &unit{form: Object, job: j, block: block, extension: block.Type == "extend"}
		name := s.Named(block.Labels[2])
		u.shared = name == block.Labels[2]
		u.address = strings.Join([]string{block.Labels[0], block.Labels[1], name}, "/")
		if len(scopes) > 1 || block.Body.Attributes["for_each"] != nil {
			u.address += fmt.Sprintf("[%d]", key)
		}
		tree, moreDiags := manifest.Document(j.template.text, block, block.Labels[0], block.Labels[1], s)
		diags = append(diags, moreDiags...)
		u.tree = tree
		units = append(units, u)
	}
	return units, diags
}

// repeat gives a scope for each element of for_each, or the job's own.
func (j *job) repeat(block *hclsyntax.Block) ([]fold.Scope, hcl.Diagnostics) {
	base := j.foldScope()
	attr := block.Body.Attributes["for_each"]
	if attr == nil {
		return []fold.Scope{base}, nil
	}
	v, diags := j.scope.Value(attr.Expr, nil)
	if diags.HasErrors() {
		return nil, diags
	}
	if v.IsNull() || !v.CanIterateElements() {
		return nil, append(diags, invalid(attr.Expr.Range(), "for_each takes a list or a map.")...)
	}
	var scopes []fold.Scope
	for it := v.ElementIterator(); it.Next(); {
		key, value := it.Element()
		s := base
		s.Locals = map[string]cty.Value{"each": cty.ObjectVal(map[string]cty.Value{"key": key, "value": value})}
		scopes = append(scopes, s)
	}
	return scopes, diags
}

// jobOf is the job that a piece of the block's text came from.
func (u *unit) jobOf(source hcl.Range) *job {
	if j := u.extended[source.Filename]; j != nil && source.Filename != u.block.DefRange().Filename {
		return j
	}
	return u.job
}

func (u *unit) at() hcl.Range { return u.block.DefRange() }
