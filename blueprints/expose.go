package blueprints

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Exposed is a value that the blueprint wants to have as a variable of what is
// rendered.
type Exposed struct {
	Attr  *Attr
	Input *Input
	Expr  hclsyntax.Expression // the reference to it in the blueprint
	// Name is the variable's: the path of the value without the kind, for the
	// name of a component is unique over all kinds.
	Name string
}

// exposeWord is the argument of a blueprint, or of one target, that lists what
// shall be a variable.
const exposeWord = "expose"

func (b *builder) readExpose(list hcl.Expression) {
	if list == nil {
		return
	}
	exprs, diags := hcl.ExprList(list)
	if diags.HasErrors() {
		b.diags = append(b.diags, problem(list.Range(), "Cannot be exposed", "expose takes a list of values that stand in components: [database.orders.backup_days]."))
	}
	b.expose = append(b.expose, exprs...)
}

// buildExposed finds what the references in expose lead to.
func (b *builder) buildExposed() {
	names := map[string]*Exposed{}
	for _, expr := range b.expose {
		x := b.exposed(expr)
		if x == nil {
			continue
		}
		if other := names[x.Name]; other != nil {
			detail := fmt.Sprintf("%s stands here twice.", x.Attr.Path())
			if other.Attr != x.Attr {
				detail = fmt.Sprintf("%s and %s would both be called var.%s. Expose one of them.", other.Attr.Path(), x.Attr.Path(), x.Name)
			}
			b.diags = append(b.diags, problem(expr.Range(), "Exposed twice", detail))
			continue
		}
		names[x.Name] = x
		b.Exposed = append(b.Exposed, x)
	}
}

func (b *builder) exposed(expr hcl.Expression) *Exposed {
	refuse := func(detail string) *Exposed {
		b.diags = append(b.diags, problem(expr.Range(), "Cannot be exposed", detail))
		return nil
	}
	ref, ok := expr.(*hclsyntax.ScopeTraversalExpr)
	if !ok {
		return refuse("A reference to a value of a component is needed here, such as database.orders.backup_days.")
	}
	v, used, diags := b.scope.evaluate(b.resolver, ref, nil)
	b.add(diags)
	if diags.HasErrors() || len(used) == 0 || !v.IsWhollyKnown() {
		return nil // what is wrong with it was said
	}
	a := used[len(used)-1]
	switch {
	case instanceOf(v) != nil:
		return refuse(fmt.Sprintf("%s is more than one value. Name one that stands in it.", a.Path()))
	case instanceOf(a.Owner.Component().Ref()) == nil || a.Owner.Component().Definition == nil || a.Owner.Component() == b.TargetInstance:
		return refuse(fmt.Sprintf("%s is no value of a component. What the blueprint itself and its targets say holds for everything that is rendered.", a.Path()))
	case a.input == nil:
		return refuse(fmt.Sprintf("%s is computed and cannot be set, so a variable cannot set it either.", a.Path()))
	case v.IsNull():
		return refuse(fmt.Sprintf("%s is not set, so there is no value that a variable could start from. Set it.", a.Path()))
	case !v.Type().IsPrimitiveType():
		return refuse(fmt.Sprintf("%s is a %s. A variable is made of one text, number or truth value.", a.Path(), a.input.Type.Name))
	}
	_, name, _ := strings.Cut(a.Path(), ".")
	return &Exposed{Attr: a, Input: a.input, Expr: ref, Name: strings.NewReplacer("-", "_", ".", "_").Replace(name)}
}

// Watch sees which exposed values an expression touches. It may be used by many
// at a time once the values are computed.
type Watch struct {
	Exposed []*Exposed
	// Fixed is told of every expression that was turned into a value and was
	// computed from exposed ones.
	Fixed func(expr hcl.Expression, of []*Exposed, used []*Attr)

	// Inline writes the rule of a value that was computed from exposed ones as an
	// expression over their variables, in which nothing else is left to compute;
	// empty where that cannot be done.
	Inline func(rule hclsyntax.Expression, scope *Scope) string

	memo    sync.Map // *Attr to []*Exposed
	inlined sync.Map // *Attr to string
}

// Inlined are the values that were written as an expression, with that.
func (w *Watch) Inlined(do func(a *Attr, in *Input, text string)) {
	w.inlined.Range(func(key, text any) bool {
		if text != "" {
			do(key.(*Attr), key.(*Attr).input, text.(string))
		}
		return true
	})
}

func (w *Watch) inline(a *Attr) string {
	if done, ok := w.inlined.Load(a); ok {
		return done.(string)
	}
	text := ""
	if rule, ok := a.expr.(hclsyntax.Expression); ok && a.scope != nil && a.val.Type().IsPrimitiveType() {
		// An input may take a value in another form than it was given.
		if raw, _, diags := a.scope.Trace(rule, nil); !diags.HasErrors() && raw.RawEquals(a.val) {
			text = w.Inline(rule, a.scope.Watched(w))
		}
	}
	w.inlined.Store(a, text)
	return text
}

// Watched gives the scope under the eye of w.
func (s *Scope) Watched(w *Watch) *Scope {
	return &Scope{outer: s, resolver: s.resolver, watch: w}
}

// Touched are the exposed values that the values were computed from.
func (w *Watch) Touched(used []*Attr) []*Exposed {
	var out []*Exposed
	for _, a := range used {
		for _, x := range w.of(a) {
			if !slices.Contains(out, x) {
				out = append(out, x)
			}
		}
	}
	return out
}

func (w *Watch) of(a *Attr) []*Exposed {
	if done, ok := w.memo.Load(a); ok {
		return done.([]*Exposed)
	}
	var out []*Exposed
	for _, x := range w.Exposed {
		if x.Attr == a {
			out = []*Exposed{x}
		}
	}
	if out == nil {
		out = w.Touched(a.Origin.Inputs)
	}
	w.memo.Store(a, out)
	return out
}

// Keep reports whether expr is computed from an exposed value, and what to write
// for it where it names such a value: the variable, or the rule that the value is
// computed by.
func (s *Scope) Keep(expr hclsyntax.Expression, locals map[string]cty.Value) (text string, touched bool) {
	if s.watch == nil {
		return "", false
	}
	v, used, diags := s.Trace(expr, locals)
	if diags.HasErrors() || len(s.watch.Touched(used)) == 0 {
		return "", false
	}
	if _, ok := expr.(*hclsyntax.ScopeTraversalExpr); !ok || len(s.watch.Touched(used[:len(used)-1])) > 0 {
		return "", true
	}
	a := used[len(used)-1]
	if !v.RawEquals(a.Value()) {
		return "", true
	}
	for _, x := range s.watch.Exposed {
		if x.Attr == a {
			return "var." + x.Name, true
		}
	}
	return s.watch.inline(a), true
}

// Rules gives every rule of the definitions in use, with the instance that it
// speaks of.
func (m *Model) Rules(do func(check *Check, inst *Instance)) {
	var visit func(inst *Instance)
	visit = func(inst *Instance) {
		if inst.Definition == nil {
			return
		}
		for _, check := range inst.Definition.Checks {
			do(check, inst)
		}
		for _, nested := range inst.nested() {
			visit(nested)
		}
	}
	visit(m.TargetInstance)
	for _, c := range m.Components {
		visit(c)
	}
}

// Describe says what the value is, for whoever sets the variable.
func (x *Exposed) Describe() string {
	units := map[string]string{"duration": " In seconds.", "bytes": " In bytes.", "percent": " In percent."}
	summary := strings.TrimSpace(x.Input.Summary)
	if summary == "" {
		summary = x.Input.Name + "."
	}
	return x.Attr.Owner.Path + ": " + summary + units[x.Input.Type.Name]
}
