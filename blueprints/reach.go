package blueprints

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// Instances refer to each other in circles, and their values are computed on
// demand, so an instance cannot be given to the HCL evaluator as an object with
// everything in it. The walker runs over an expression before it is evaluated
// and finds out which attributes of which instances it reaches. It follows what
// is evaluated: only the chosen branch of a conditional, and in a for
// expression each element by itself.

// demand is the attributes that an expression asks of the instances at one
// place, and what it asks of the instances in those, and so on. It is a tree,
// so what is built from it is finite even where instances go in circles.
type demand map[string]demand

// site is a value at one place of an expression, with the demand on the
// instances in it.
type site struct {
	val    cty.Value
	demand demand
	plain  bool // known to hold no instances, so nobody need search it for them
}

// sites are the values that an expression may have at one place: exactly one
// for references, those of all arguments for a function. None means that the
// value holds no instances, or is not known before evaluation.
type sites []*site

// environment is the loop variables in sight.
type environment struct {
	names map[string]*site // nil value: not known before evaluation
	outer *environment
}

func (e *environment) lookup(name string) (*site, bool) {
	for ; e != nil; e = e.outer {
		if at, ok := e.names[name]; ok {
			return at, true
		}
	}
	return nil, false
}

type walker struct {
	scope    *Scope
	resolver *resolver
	roots    map[string]*site
	inputs   []*Attr
	failed   bool // a value that was reached could not be computed
	choices  map[*hclsyntax.ConditionalExpr]choice
	hints    map[[2]int]*hcl.Diagnostic

	// instances says that the result may hold instances: a root was used as a
	// whole, or a value was reached that holds some.
	instances bool
}

func (w *walker) bind(locals map[string]cty.Value) *environment {
	env := &environment{names: map[string]*site{}}
	for name, v := range locals {
		env.names[name] = &site{val: v, demand: demand{}}
	}
	return env
}

func (w *walker) walk(expr hclsyntax.Expression, env *environment) sites {
	switch e := expr.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		return w.traversal(e, env)
	case *hclsyntax.RelativeTraversalExpr:
		return w.steps(w.walk(e.Source, env), e.Traversal, false)
	case *hclsyntax.ConditionalExpr:
		return w.conditional(e, env)
	case *hclsyntax.ForExpr:
		return w.forLoop(e, env)
	case *hclsyntax.IndexExpr:
		return w.index(e, env)
	case *hclsyntax.SplatExpr:
		return w.splat(e, env)
	case *hclsyntax.BinaryOpExpr:
		return w.binary(e, env)
	case *hclsyntax.ParenthesesExpr:
		return w.walk(e.Expression, env)
	case *hclsyntax.TemplateWrapExpr:
		return w.walk(e.Wrapped, env)
	case *hclsyntax.AnonSymbolExpr:
		if at, ok := env.lookup(splatName); ok && at != nil {
			return sites{at}
		}
		return nil
	}
	return w.children(expr, env)
}

// children walks the parts of an expression that only hands values on:
// constructors, functions, operators, templates.
func (w *walker) children(expr hclsyntax.Expression, env *environment) sites {
	var all sites
	switch e := expr.(type) {
	case *hclsyntax.FunctionCallExpr:
		for _, arg := range e.Args {
			all = append(all, w.walk(arg, env)...)
		}
	case *hclsyntax.TupleConsExpr:
		for _, item := range e.Exprs {
			all = append(all, w.walk(item, env)...)
		}
	case *hclsyntax.ObjectConsExpr:
		for _, item := range e.Items {
			w.walk(item.KeyExpr, env)
			all = append(all, w.walk(item.ValueExpr, env)...)
		}
	case *hclsyntax.ObjectConsKeyExpr:
		if e.ForceNonLiteral || hcl.ExprAsKeyword(e.Wrapped) == "" {
			w.walk(e.Wrapped, env)
		}
	case *hclsyntax.TemplateExpr:
		for _, part := range e.Parts {
			w.walk(part, env)
		}
	case *hclsyntax.TemplateJoinExpr:
		w.walk(e.Tuple, env)
	case *hclsyntax.UnaryOpExpr:
		w.walk(e.Val, env)
	}
	return all
}

func (w *walker) traversal(e *hclsyntax.ScopeTraversalExpr, env *environment) sites {
	name := e.Traversal.RootName()
	if at, ok := env.lookup(name); ok {
		if at == nil {
			return nil
		}
		return w.steps(sites{at}, e.Traversal[1:], true)
	}
	at := w.roots[name]
	if at == nil {
		v, ok := w.scope.root(name)
		if !ok {
			advice := suggest(name, w.scope.rootNames())
			if len(e.Traversal) == 1 { // what names a thing has more steps
				advice = fmt.Sprintf(" If it is a text, put it in quotes: %q.", name)
			}
			w.hint(e.Traversal[0].SourceRange(), "Unknown name", fmt.Sprintf("There is nothing called %q here.%s", name, advice))
			return nil
		}
		at = &site{val: v, demand: demand{}}
		w.roots[name] = at
	}
	w.instances = w.instances || len(e.Traversal) == 1
	return w.steps(sites{at}, e.Traversal[1:], true)
}

func (w *walker) steps(at sites, steps hcl.Traversal, exact bool) sites {
	for _, step := range steps {
		switch step := step.(type) {
		case hcl.TraverseAttr:
			at = w.attr(at, step.Name, step.SrcRange, exact)
		case hcl.TraverseIndex:
			at = w.key(at, step.Key)
		case hcl.TraverseSplat:
			at = elements(at)
		}
	}
	return at
}

// attr reaches into every value at hand: into instances, by computing the
// attribute; into objects; and through lists, whose elements a function may
// have brought to the top.
func (w *walker) attr(at sites, name string, rng hcl.Range, exact bool) sites {
	var out sites
	for _, s := range at {
		inst := instanceOf(s.val)
		switch {
		case inst != nil:
			if next := w.reach(s, inst, name); next != nil {
				out = append(out, next)
			} else if exact {
				w.hint(rng, "Unknown name", w.scope.lacks(inst, name))
			}
		case s.val.IsNull() || !s.val.IsKnown():
		case s.val.Type().IsObjectType() && s.val.Type().HasAttribute(name):
			out = append(out, &site{val: s.val.GetAttr(name), demand: s.demand, plain: s.plain})
		case s.val.CanIterateElements():
			out = append(out, w.attr(elements(sites{s}), name, rng, false)...)
		}
	}
	return out
}

func (w *walker) reach(s *site, inst *Instance, name string) *site {
	a := inst.attrs[name]
	if a == nil {
		return nil
	}
	out := w.resolver.force(a)
	w.failed = w.failed || out.failed
	w.instances = w.instances || out.refs
	w.use(a)
	if s.demand[name] == nil {
		s.demand[name] = demand{}
	}
	return &site{val: out.val, demand: s.demand[name], plain: !out.refs}
}

func (w *walker) use(a *Attr) {
	for _, known := range w.inputs {
		if known == a {
			return
		}
	}
	w.inputs = append(w.inputs, a)
}

func (w *walker) key(at sites, key cty.Value) sites {
	var out sites
	for _, s := range at {
		if inst := instanceOf(s.val); inst != nil && key.Type() == cty.String {
			if next := w.reach(s, inst, key.AsString()); next != nil {
				out = append(out, next)
			}
			continue
		}
		if v, diags := hcl.Index(s.val, key, nil); !diags.HasErrors() && s.val.IsKnown() {
			out = append(out, &site{val: v, demand: s.demand, plain: s.plain})
		}
	}
	return out
}

func (w *walker) index(e *hclsyntax.IndexExpr, env *environment) sites {
	at := w.walk(e.Collection, env)
	w.walk(e.Key, env)
	if key, ok := w.now(e.Key, env); ok && len(at) == 1 {
		return w.key(at, key)
	}
	return elements(at)
}

func (w *walker) splat(e *hclsyntax.SplatExpr, env *environment) sites {
	at := w.walk(e.Source, env)
	var out sites
	for _, item := range elementsOrSelf(at) {
		inner := &environment{names: map[string]*site{splatName: item}, outer: env}
		out = append(out, w.walk(e.Each, inner)...)
	}
	return out
}

// splatName cannot be written by a user.
const splatName = "*"

func (w *walker) conditional(e *hclsyntax.ConditionalExpr, env *environment) sites {
	w.walk(e.Condition, env)
	if cond, ok := w.now(e.Condition, env); ok {
		if b, err := convert.Convert(cond, cty.Bool); err == nil && !b.IsNull() && b.IsKnown() {
			w.chose(e, b.True())
			chosen, other := e.TrueResult, e.FalseResult
			if !b.True() {
				chosen, other = other, chosen
			}
			w.mention(other, env)
			return w.walk(chosen, env)
		}
	}
	w.chose(e, true)
	w.chose(e, false)
	return append(w.walk(e.TrueResult, env), w.walk(e.FalseResult, env)...)
}

// mention makes the roots of a branch that was not chosen known without
// computing anything: HCL looks at its type, where it can.
func (w *walker) mention(expr hclsyntax.Expression, env *environment) {
	for _, traversal := range hclsyntax.Variables(expr) {
		name := traversal.RootName()
		if _, local := env.lookup(name); local || w.roots[name] != nil {
			continue
		}
		if v, ok := w.scope.root(name); ok {
			w.roots[name] = &site{val: v, demand: demand{}}
		}
	}
}

func (w *walker) chose(e *hclsyntax.ConditionalExpr, yes bool) {
	if w.choices == nil {
		w.choices = map[*hclsyntax.ConditionalExpr]choice{}
	}
	c := w.choices[e]
	c.yes, c.no = c.yes || yes, c.no || !yes
	w.choices[e] = c
}

// binary leaves the right side of && and || alone where the left side decides.
func (w *walker) binary(e *hclsyntax.BinaryOpExpr, env *environment) sites {
	w.walk(e.LHS, env)
	if e.Op == hclsyntax.OpLogicalAnd || e.Op == hclsyntax.OpLogicalOr {
		if left, ok := w.now(e.LHS, env); ok && left.Type() == cty.Bool && !left.IsNull() && left.True() == (e.Op == hclsyntax.OpLogicalOr) {
			return nil
		}
	}
	w.walk(e.RHS, env)
	return nil
}

func (w *walker) forLoop(e *hclsyntax.ForExpr, env *environment) sites {
	collection := w.walk(e.CollExpr, env)
	items := sites{nil}
	if collection.haveRefs() || knownEmpty(collection) {
		items = elements(collection)
	}
	// Else the elements hold no instances, so the body reaches the same for all
	// of them and is walked once; a table of machines has a hundred rows.
	if e.CondExpr != nil {
		// HCL tries the condition once before the first element.
		w.walk(e.CondExpr, loopNames(e, nil, env))
	}
	var out sites
	for _, item := range items {
		out = append(out, w.forElement(e, loopNames(e, item, env))...)
	}
	return out
}

func loopNames(e *hclsyntax.ForExpr, item *site, outer *environment) *environment {
	env := &environment{names: map[string]*site{e.ValVar: item}, outer: outer}
	if e.KeyVar != "" {
		env.names[e.KeyVar] = nil
	}
	return env
}

func (w *walker) forElement(e *hclsyntax.ForExpr, env *environment) sites {
	if e.CondExpr != nil {
		w.walk(e.CondExpr, env)
		if cond, ok := w.now(e.CondExpr, env); ok && cond.Type() == cty.Bool && !cond.IsNull() && cond.False() {
			return nil
		}
	}
	if e.KeyExpr != nil {
		w.walk(e.KeyExpr, env)
	}
	return w.walk(e.ValExpr, env)
}

// now evaluates a part of the expression on the way, if all its names have
// values by now.
func (w *walker) now(expr hclsyntax.Expression, env *environment) (cty.Value, bool) {
	locals := map[string]cty.Value{}
	for _, traversal := range hclsyntax.Variables(expr) {
		name := traversal.RootName()
		at, ok := env.lookup(name)
		if !ok {
			continue
		}
		if at == nil {
			return cty.NilVal, false
		}
		locals[name] = at.val
	}
	if _, inSplat := env.lookup(splatName); inSplat && holdsAnonymous(expr) {
		return cty.NilVal, false
	}
	v, _, diags := w.scope.evaluate(w.resolver, expr, locals)
	return v, !diags.HasErrors() && v.IsKnown()
}

func holdsAnonymous(expr hclsyntax.Expression) bool {
	found := false
	_ = hclsyntax.VisitAll(expr, func(n hclsyntax.Node) hcl.Diagnostics {
		_, ok := n.(*hclsyntax.AnonSymbolExpr)
		found = found || ok
		return nil
	})
	return found
}

func (at sites) haveRefs() bool {
	for _, s := range at {
		if !s.plain && hasRefs(s.val) {
			return true
		}
	}
	return false
}

func knownEmpty(at sites) bool {
	for _, s := range at {
		if s.val.IsNull() || !s.val.IsKnown() || !s.val.CanIterateElements() || s.val.LengthInt() > 0 {
			return false
		}
	}
	return len(at) > 0
}

func elements(at sites) sites {
	var out sites
	for _, s := range at {
		if s.val.IsNull() || !s.val.IsKnown() || !s.val.CanIterateElements() {
			continue
		}
		for it := s.val.ElementIterator(); it.Next(); {
			_, v := it.Element()
			out = append(out, &site{val: v, demand: s.demand, plain: s.plain})
		}
	}
	return out
}

func elementsOrSelf(at sites) sites {
	var out sites
	for _, s := range at {
		t := s.val.Type()
		if t.IsListType() || t.IsTupleType() || t.IsSetType() {
			out = append(out, elements(sites{s})...)
		} else {
			out = append(out, s)
		}
	}
	return out
}

func (w *walker) hint(rng hcl.Range, summary, detail string) {
	if w.hints == nil {
		w.hints = map[[2]int]*hcl.Diagnostic{}
	}
	w.hints[rangeKey(&rng)] = problem(rng, summary, detail)
}
