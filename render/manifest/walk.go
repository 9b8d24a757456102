package manifest

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"scaffold/render/fold"
	"scaffold/render/yaml"
)

// walker makes the tree of one manifest. The scope is not part of it: it is
// handed down, since each turn of a loop has its own.
type walker struct {
	comments comments
	notebook map[*yaml.Node]*notes
	used     map[int]bool
	diags    hcl.Diagnostics
}

func newWalker(src *Source) *walker {
	return &walker{
		comments: src.comments(),
		notebook: map[*yaml.Node]*notes{},
		used:     map[int]bool{},
	}
}

func (w *walker) fail(at hcl.Range, summary, detail string) {
	w.diags = append(w.diags, &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: at.Ptr(),
	})
}

// walk follows what the author wrote out and evaluates the rest. It returns a
// null after an error, so that the errors of the other parts are found too.
func (w *walker) walk(expr hclsyntax.Expression, s fold.Scope) *yaml.Node {
	switch e := expr.(type) {
	case *hclsyntax.ParenthesesExpr:
		n := w.walk(e.Expression, s)
		w.attach(n, e.SrcRange.Start, []item{{n, e.Expression.Range()}}, e.SrcRange.End)
		return n
	case *hclsyntax.ObjectConsExpr:
		return w.object(e, s)
	case *hclsyntax.TupleConsExpr:
		return w.tuple(e, s)
	case *hclsyntax.ConditionalExpr:
		return w.conditional(e, s)
	case *hclsyntax.ForExpr:
		return w.loop(e, s)
	case *hclsyntax.FunctionCallExpr:
		if join := joinOf(e.Name); join != nil && s.Evaluator.Pure(e.Name) {
			return join(w, e, s)
		}
	}
	return w.computed(expr, s)
}

// place gives what was written out the range of its key and value. What was
// computed keeps its expression.
func (w *walker) place(n *yaml.Node, rng hcl.Range) {
	n.Source.Range = rng
}

func (w *walker) object(e *hclsyntax.ObjectConsExpr, s fold.Scope) *yaml.Node {
	n := yaml.NewMapping()
	n.Source.Range = e.SrcRange
	items := make([]item, 0, len(e.Items))
	for _, pair := range e.Items {
		rng := hcl.RangeBetween(pair.KeyExpr.Range(), pair.ValueExpr.Range())
		value := w.walk(pair.ValueExpr, s)
		w.place(value, rng)
		items = append(items, item{value, rng})
		if key, ok := w.key(pair.KeyExpr, s); ok {
			w.add(n, key, value, pair.KeyExpr.Range())
		}
	}
	w.attach(n, e.OpenRange.End, items, closing(e.SrcRange))
	return n
}

// add refuses a second value for a key, of which HCL would keep the last
// without a word.
func (w *walker) add(n *yaml.Node, key string, value *yaml.Node, at hcl.Range) {
	if n.Get(key) != nil {
		w.fail(at, "Key set twice", "The key "+key+" is in this object already.")
		return
	}
	n.Entries = append(n.Entries, yaml.Entry{Key: key, Value: value})
}

func (w *walker) key(expr hclsyntax.Expression, s fold.Scope) (string, bool) {
	if k, ok := expr.(*hclsyntax.ObjectConsKeyExpr); ok && !k.ForceNonLiteral {
		if word := hcl.ExprAsKeyword(k.Wrapped); word != "" {
			return word, true
		}
		if path, ok := k.Wrapped.(*hclsyntax.ScopeTraversalExpr); ok {
			w.fail(path.Range(), "Ambiguous key",
				"Write the key in quotes if it is meant as it stands, or in parentheses if its value is.")
			return "", false
		}
		expr = k.Wrapped
	}
	return w.text(expr, s)
}

// text evaluates an expression that has to give a key.
func (w *walker) text(expr hclsyntax.Expression, s fold.Scope) (string, bool) {
	v, ok := w.value(expr, s)
	if !ok {
		return "", false
	}
	v, err := convert.Convert(v, cty.String)
	if err != nil || v.IsNull() {
		w.fail(expr.Range(), "Key is not a text", "The keys of a mapping are texts.")
		return "", false
	}
	return v.AsString(), w.utf8(v.AsString(), expr)
}

func (w *walker) tuple(e *hclsyntax.TupleConsExpr, s fold.Scope) *yaml.Node {
	n := yaml.NewSequence()
	n.Flow = onOneLine(e.SrcRange)
	n.Source.Range = e.SrcRange
	items := make([]item, 0, len(e.Exprs))
	for _, expr := range e.Exprs {
		value := w.walk(expr, s)
		n.Items = append(n.Items, value)
		items = append(items, item{value, expr.Range()})
	}
	w.attach(n, e.OpenRange.End, items, closing(e.SrcRange))
	return n
}

// conditional walks the branch that is chosen and never looks at the other,
// which may not even be valid for this blueprint.
func (w *walker) conditional(e *hclsyntax.ConditionalExpr, s fold.Scope) *yaml.Node {
	yes, ok := w.truth(e.Condition, s)
	if !ok {
		return yaml.NewNull()
	}
	before, branch := e.TrueResult.Range(), e.FalseResult
	if yes {
		before, branch = e.Condition.Range(), e.TrueResult
	}
	n := w.walk(branch, s)
	w.attach(nil, before.End, []item{{n, branch.Range()}}, branch.Range().End)
	return n
}

func (w *walker) truth(expr hclsyntax.Expression, s fold.Scope) (yes, ok bool) {
	v, ok := w.value(expr, s)
	if !ok {
		return false, false
	}
	v, err := convert.Convert(v, cty.Bool)
	if err != nil || v.IsNull() {
		w.fail(expr.Range(), "Condition is not a boolean", "A condition is either true or false.")
		return false, false
	}
	return v.True(), true
}

// loop makes one item or pair for each element. Unlike the value of a for
// expression, which sorts the keys of an object, it keeps the order of the
// collection.
func (w *walker) loop(e *hclsyntax.ForExpr, s fold.Scope) *yaml.Node {
	n := yaml.NewSequence()
	if e.KeyExpr != nil {
		n = yaml.NewMapping()
	}
	n.Flow = onOneLine(e.SrcRange)
	n.Source.Range = e.SrcRange
	coll, ok := w.value(e.CollExpr, s)
	if !ok {
		return n
	}
	if coll.IsNull() || !coll.CanIterateElements() {
		w.fail(e.CollExpr.Range(), "Nothing to loop over", "A for expression needs a list, a set, a map or an object.")
		return n
	}
	for it := coll.ElementIterator(); it.Next(); {
		k, v := it.Element()
		w.turn(n, e, inLoop(s, e, k, v))
	}
	w.attach(n, e.OpenRange.End, []item{{n, e.CollExpr.Range()}}, e.CollExpr.Range().End)
	return n
}

// turn adds what one element of a loop gives.
func (w *walker) turn(n *yaml.Node, e *hclsyntax.ForExpr, s fold.Scope) {
	if e.CondExpr != nil {
		if yes, ok := w.truth(e.CondExpr, s); !ok || !yes {
			return
		}
	}
	before, rng := e.CollExpr.Range(), e.ValExpr.Range()
	if e.KeyExpr != nil {
		before = e.KeyExpr.Range()
	}
	value := w.walk(e.ValExpr, s)
	w.attach(nil, before.End, []item{{value, rng}}, rng.End)
	if e.KeyExpr == nil {
		n.Items = append(n.Items, value)
		return
	}
	key, ok := w.text(e.KeyExpr, s)
	switch {
	case !ok:
	case !e.Group:
		w.place(value, hcl.RangeBetween(e.KeyExpr.Range(), rng))
		w.add(n, key, value, e.KeyExpr.Range())
	case n.Get(key) == nil:
		n.Set(key, yaml.NewSequence(value))
	default:
		group := n.Get(key)
		group.Items = append(group.Items, value)
	}
}

// inLoop is the scope of one turn. Nothing of the outer scope changes.
func inLoop(s fold.Scope, e *hclsyntax.ForExpr, k, v cty.Value) fold.Scope {
	inner := s
	inner.Locals = make(map[string]cty.Value, len(s.Locals)+2)
	for name, value := range s.Locals {
		inner.Locals[name] = value
	}
	if e.KeyVar != "" {
		inner.Locals[e.KeyVar] = k
	}
	inner.Locals[e.ValVar] = v
	inner.Shadowed = make(map[string]bool, len(s.Shadowed))
	for name := range s.Shadowed {
		if name != e.KeyVar && name != e.ValVar {
			inner.Shadowed[name] = true
		}
	}
	return inner
}

func onOneLine(r hcl.Range) bool { return r.Start.Line == r.End.Line }

// closing is the position of the bracket that ends r.
func closing(r hcl.Range) hcl.Pos {
	end := r.End
	end.Byte--
	end.Column--
	return end
}
