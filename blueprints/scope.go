package blueprints

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"scaffold/blueprints/value"
)

// Scope is what an expression can name: roots, by name. Instances among them
// are reached into lazily: only what an expression asks for is computed.
type Scope struct {
	roots map[string]cty.Value
	outer *Scope
	// resolve collects problems of values that are computed on the way.
	resolver *resolver
	// watch is told what is turned into a value, nil where nobody asks.
	watch *Watch
}

// With gives a scope that knows more roots; they win over those of s.
func (s *Scope) With(roots map[string]cty.Value) *Scope {
	return &Scope{roots: roots, outer: s, resolver: s.resolver, watch: s.watch}
}

func (s *Scope) root(name string) (cty.Value, bool) {
	for ; s != nil; s = s.outer {
		if v, ok := s.roots[name]; ok {
			return v, true
		}
	}
	return cty.NilVal, false
}

func (s *Scope) rootNames() []string {
	var names []string
	for ; s != nil; s = s.outer {
		names = append(names, mapKeys(s.roots)...)
	}
	return names
}

// Knows reports whether root is a name of the scope.
func (s *Scope) Knows(root string) bool { _, ok := s.root(root); return ok }

// Pure reports whether a function may be evaluated at render time.
func (s *Scope) Pure(function string) bool { return value.Pure(function) }

// Value evaluates expr. A component in the result is a capsule value, see
// InstanceOf. Problems of values that expr needed are part of the diagnostics.
func (s *Scope) Value(expr hclsyntax.Expression, locals map[string]cty.Value) (cty.Value, hcl.Diagnostics) {
	v, used, diags := s.Trace(expr, locals)
	if s.watch != nil {
		if of := s.watch.Touched(used); len(of) > 0 {
			s.watch.Fixed(expr, of, used)
		}
	}
	return v, diags
}

// Trace evaluates expr as Value does, and lists the values that it used.
func (s *Scope) Trace(expr hcl.Expression, locals map[string]cty.Value) (cty.Value, []*Attr, hcl.Diagnostics) {
	r := &resolver{}
	v, inputs, diags := s.evaluate(r, expr, locals)
	return v, inputs, append(r.diags, diags...)
}

// evaluate computes expr: directly where that can be done, which is the rule
// (direct.go), and else step by step.
func (s *Scope) evaluate(r *resolver, expr hcl.Expression, locals map[string]cty.Value) (cty.Value, []*Attr, hcl.Diagnostics) {
	syntax, ok := expr.(hclsyntax.Expression)
	if !ok { // a value that did not come from a file
		v, diags := expr.Value(nil)
		return v, nil, diags
	}
	d := &direct{scope: s, resolver: r}
	if v, ok := d.value(syntax, frames(locals)); ok {
		return v, d.inputs, nil
	}
	return s.evaluateInSteps(r, syntax, locals)
}

// evaluateInSteps walks expr and computes the values of instances that it
// reaches (reach.go), gives the ordinary HCL evaluator objects that hold just
// those values, and turns the objects in the result back into the instances
// that they stand for.
func (s *Scope) evaluateInSteps(r *resolver, syntax hclsyntax.Expression, locals map[string]cty.Value) (cty.Value, []*Attr, hcl.Diagnostics) {
	w := &walker{scope: s, resolver: r, roots: map[string]*site{}}
	env := w.bind(locals)
	w.walk(syntax, env)
	ctx := &hcl.EvalContext{Functions: value.Functions(), Variables: map[string]cty.Value{}}
	for name, at := range w.roots {
		ctx.Variables[name] = at.materialise()
	}
	for _, v := range locals {
		w.instances = w.instances || hasRefs(v)
	}
	for name, at := range env.names {
		ctx.Variables[name] = at.materialise()
	}
	v, diags := syntax.Value(ctx)
	if diags.HasErrors() && w.instances && len(w.choices) > 0 {
		if again := w.decided(syntax); again != nil {
			v, diags = again.Value(ctx)
		}
	}
	if diags.HasErrors() {
		if w.failed { // the cause was reported where it happened
			return cty.DynamicVal, w.inputs, nil
		}
		return cty.DynamicVal, w.inputs, w.improve(diags)
	}
	if v.ContainsMarked() {
		v, _ = v.UnmarkDeep()
	}
	if !w.instances {
		return v, w.inputs, diags
	}
	return restore(v), w.inputs, diags
}

func rangeKey(r *hcl.Range) [2]int {
	if r == nil {
		return [2]int{-1, -1}
	}
	return [2]int{r.Start.Byte, r.End.Byte}
}

// NewScope gives a scope that knows plain values only.
func NewScope(roots map[string]cty.Value) *Scope {
	return &Scope{roots: roots, resolver: &resolver{}}
}
