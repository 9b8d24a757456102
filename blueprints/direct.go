package blueprints

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// direct evaluates an expression in one pass, with instances as they are. It
// does what almost every expression of a blueprint or a pack needs, and gives up
// on everything else: on errors, which the ordinary evaluator describes, and on
// whatever it does not know. Giving up is always safe, for whoever asked then
// walks and evaluates the expression as reach.go describes.
//
// Where both give a value it is the same one; a test holds them together.
type direct struct {
	scope    *Scope
	resolver *resolver
	inputs   []*Attr
	used     map[*Attr]bool // set when inputs gets too long to search

	// closed is set inside the branch of a conditional that was not chosen. Only
	// its type is wanted, so it may look at what was used before and compute
	// nothing.
	closed bool
}

// frame is a loop variable in sight.
type frame struct {
	name  string
	val   cty.Value
	outer *frame
}

func (f *frame) lookup(name string) (cty.Value, bool) {
	for ; f != nil; f = f.outer {
		if f.name == name {
			return f.val, true
		}
	}
	return cty.NilVal, false
}

func frames(locals map[string]cty.Value) *frame {
	var f *frame
	for name, v := range locals {
		f = &frame{name, v, f}
	}
	return f
}

func (d *direct) value(expr hclsyntax.Expression, f *frame) (cty.Value, bool) {
	switch e := expr.(type) {
	case *hclsyntax.LiteralValueExpr:
		return e.Val, true
	case *hclsyntax.ScopeTraversalExpr:
		return d.traversal(e.Traversal, f)
	case *hclsyntax.TemplateExpr:
		return d.template(e.Parts, f)
	case *hclsyntax.TemplateWrapExpr:
		return d.value(e.Wrapped, f)
	case *hclsyntax.ParenthesesExpr:
		return d.value(e.Expression, f)
	case *hclsyntax.FunctionCallExpr:
		return d.call(e, f)
	case *hclsyntax.ConditionalExpr:
		return d.conditional(e, f)
	case *hclsyntax.BinaryOpExpr:
		return d.binary(e, f)
	case *hclsyntax.UnaryOpExpr:
		v, ok := d.value(e.Val, f)
		if !ok {
			return v, false
		}
		return apply(operators()[e.Op], v)
	case *hclsyntax.TupleConsExpr:
		return d.tuple(e, f)
	case *hclsyntax.ObjectConsExpr:
		return d.object(e, f)
	case *hclsyntax.ForExpr:
		return d.loop(e, f)
	case *hclsyntax.IndexExpr:
		return d.index(e, f)
	case *hclsyntax.RelativeTraversalExpr:
		v, ok := d.value(e.Source, f)
		if !ok {
			return v, false
		}
		return d.steps(v, e.Traversal)
	case *hclsyntax.SplatExpr:
		return d.splat(e, f)
	case *hclsyntax.AnonSymbolExpr:
		return f.lookup(splatName)
	case *hclsyntax.TemplateJoinExpr:
		v, ok := d.value(e.Tuple, f)
		if !ok || !v.Type().IsTupleType() {
			return v, false
		}
		return joined(v)
	}
	return cty.NilVal, false
}

func (d *direct) traversal(t hcl.Traversal, f *frame) (cty.Value, bool) {
	name := t.RootName()
	v, ok := f.lookup(name)
	if !ok {
		if v, ok = d.scope.root(name); !ok {
			return v, false
		}
	}
	return d.steps(v, t[1:])
}

func (d *direct) steps(v cty.Value, steps hcl.Traversal) (cty.Value, bool) {
	ok := true
	for _, step := range steps {
		switch step := step.(type) {
		case hcl.TraverseRoot:
			continue
		case hcl.TraverseAttr:
			v, ok = d.attr(v, step.Name)
		case hcl.TraverseIndex:
			v, ok = d.key(v, step.Key)
		default:
			return cty.NilVal, false
		}
		if !ok {
			return v, false
		}
	}
	return v, v.IsKnown()
}

func (d *direct) attr(v cty.Value, name string) (cty.Value, bool) {
	if inst := instanceOf(v); inst != nil {
		return d.reach(inst, name)
	}
	if v.IsNull() || !v.IsKnown() {
		return v, false
	}
	if v.Type().IsObjectType() {
		if !v.Type().HasAttribute(name) {
			return v, false
		}
		return v.GetAttr(name), true
	}
	if v.Type().IsMapType() {
		out, diags := hcl.GetAttr(v, name, nil)
		return out, !diags.HasErrors()
	}
	return v, false
}

func (d *direct) key(v, key cty.Value) (cty.Value, bool) {
	if inst := instanceOf(v); inst != nil {
		if key.IsNull() || !key.IsKnown() || key.Type() != cty.String {
			return v, false
		}
		return d.reach(inst, key.AsString())
	}
	if v.IsNull() || !v.IsKnown() || key.IsNull() || !key.IsKnown() {
		return v, false
	}
	out, diags := hcl.Index(v, key, nil)
	return out, !diags.HasErrors()
}

// reach asks an instance for a value. One that is under way would be a circle,
// which the ordinary way reports.
func (d *direct) reach(inst *Instance, name string) (cty.Value, bool) {
	a := inst.attrs[name]
	switch {
	case a == nil || d.resolver.underWay(a):
		return cty.NilVal, false
	case d.closed && !d.uses(a):
		return cty.NilVal, false
	}
	out := d.resolver.force(a)
	if out.failed {
		return out.val, false
	}
	if !d.closed {
		d.use(a)
	}
	return out.val, out.val.IsKnown()
}

// manyInputs is where searching a list gets slower than asking a map.
const manyInputs = 16

func (d *direct) uses(a *Attr) bool {
	if d.used != nil {
		return d.used[a]
	}
	return slices.Contains(d.inputs, a)
}

func (d *direct) use(a *Attr) {
	if d.uses(a) {
		return
	}
	d.inputs = append(d.inputs, a)
	switch {
	case d.used != nil:
		d.used[a] = true
	case len(d.inputs) > manyInputs:
		d.used = make(map[*Attr]bool, 4*manyInputs)
		for _, in := range d.inputs {
			d.used[in] = true
		}
	}
}
