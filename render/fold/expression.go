package fold

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// place is where an expression stands, which decides what it may look like.
type place int

const (
	onLine   place = iota // a newline ends it: the value of an attribute or of an object's key
	inside                // between brackets: newlines are free
	operand               // beside an operator
	base                  // before a dot or an index
	inserted              // in ${ }: on one line
)

// delimited reports whether anything can stand at a place without parentheses.
func (p place) delimited() bool {
	return p == onLine || p == inside || p == inserted
}

// expr folds an expression by edits. The order of the cases is the design:
// constructors keep their layout, decided conditions leave their branch, the
// outermost static expression becomes a literal, the rest is looked into.
func (w *walker) expr(e hclsyntax.Expression, p place) {
	if w.constructor(e) {
		w.children(e, p)
		return
	}
	if w.keep(e, p) {
		return
	}
	if left, ok := w.decide(e); ok {
		if left != nil {
			w.become(e, left, p)
		}
		return
	}
	if w.foldable(e) && !w.heredoc(e) && !w.encoder(e) {
		w.literal(e, p)
		return
	}
	w.children(e, p)
}

// constructor reports whether an expression is a list or object that its author
// has laid out.
func (w *walker) constructor(e hclsyntax.Expression) bool {
	switch e.(type) {
	case *hclsyntax.TupleConsExpr, *hclsyntax.ObjectConsExpr:
		return true
	}
	return false
}

// encoder reports whether an expression encodes a constructor.
func (w *walker) encoder(e hclsyntax.Expression) bool {
	call, ok := e.(*hclsyntax.FunctionCallExpr)
	return ok && encoders[call.Name] && len(call.Args) == 1 && w.constructor(call.Args[0])
}

// children looks into an expression that is not static as a whole.
func (w *walker) children(e hclsyntax.Expression, p place) {
	switch e := e.(type) {
	case *hclsyntax.LiteralValueExpr, *hclsyntax.AnonSymbolExpr:
	case *hclsyntax.ScopeTraversalExpr:
		w.reference(e)
	case *hclsyntax.RelativeTraversalExpr:
		w.expr(e.Source, base)
	case *hclsyntax.IndexExpr:
		if w.otherAddress(e) {
			return
		}
		w.expr(e.Collection, base)
		w.expr(e.Key, inside)
	case *hclsyntax.SplatExpr:
		w.expr(e.Source, base)
		w.expr(e.Each, base)
	case *hclsyntax.FunctionCallExpr:
		w.checkFunction(e)
		if w.concat(e) || w.settled(e, p) {
			return
		}
		for _, arg := range e.Args {
			w.expr(arg, inside)
		}
	case *hclsyntax.ConditionalExpr:
		w.expr(e.Condition, operand)
		w.expr(e.TrueResult, p)
		w.expr(e.FalseResult, p)
	case *hclsyntax.BinaryOpExpr:
		w.expr(e.LHS, operand)
		w.expr(e.RHS, operand)
	case *hclsyntax.UnaryOpExpr:
		w.expr(e.Val, operand)
	case *hclsyntax.ParenthesesExpr:
		w.expr(e.Expression, inside)
	case *hclsyntax.TupleConsExpr:
		w.tuple(e)
	case *hclsyntax.ObjectConsExpr:
		w.object(e)
	case *hclsyntax.ForExpr:
		w.loop(e)
	case *hclsyntax.TemplateExpr, *hclsyntax.TemplateWrapExpr:
		w.template(e)
	default:
		if w.survey(e).known {
			w.add(unfolded(e.Range()))
		}
	}
}

func (w *walker) tuple(e *hclsyntax.TupleConsExpr) {
	for _, item := range e.Exprs {
		if _, ok := item.(*hclsyntax.ScopeTraversalExpr); ok && w.paths {
			continue
		}
		w.expr(item, inside)
	}
}

func (w *walker) object(e *hclsyntax.ObjectConsExpr) {
	seen := map[string]bool{}
	folded := map[string]bool{}
	for _, item := range e.Items {
		key, computed := w.key(item.KeyExpr)
		if key != "" && seen[key] && (computed || folded[key]) {
			w.add(duplicateKey(item.KeyExpr.Range(), key))
		}
		seen[key] = true
		folded[key] = folded[key] || computed
		w.expr(item.ValueExpr, onLine)
	}
}

// key folds the key of an object. It returns the key if it is known now, and
// whether it had to be computed.
func (w *walker) key(e hclsyntax.Expression) (key string, computed bool) {
	wrapper, ok := e.(*hclsyntax.ObjectConsKeyExpr)
	if !ok {
		w.expr(e, inside)
		return "", false
	}
	found := w.survey(wrapper)
	if found.dynamic {
		w.expr(wrapper.Wrapped, inside)
		return "", false
	}
	if !found.known {
		return constantKey(wrapper), false
	}
	key, ok = w.keyText(wrapper)
	if !ok {
		return "", false
	}
	text, err := w.keyLiteral(wrapper, key)
	if err != nil {
		w.add(badKey(e.Range(), err.Error()))
		return "", false
	}
	w.replaceCode(e.Range(), Segment{Text: text, Source: e.Range(), Expr: e, Locals: w.scope.Locals})
	return key, true
}

// keyLiteral writes a key the way its author did: in quotes if it had them.
func (w *walker) keyLiteral(e *hclsyntax.ObjectConsKeyExpr, key string) (string, error) {
	if _, quoted := e.Wrapped.(*hclsyntax.TemplateExpr); quoted {
		return quote(key)
	}
	return keyText(key)
}

// keyText evaluates an expression that is used as a key.
func (w *walker) keyText(e hclsyntax.Expression) (string, bool) {
	v, ok := w.value(e)
	if !ok {
		return "", false
	}
	text, err := plain(v)
	if err != nil {
		w.add(badKey(e.Range(), err.Error()))
		return "", false
	}
	return text, true
}

// constantKey is the key that an author wrote in full; it has no names in it.
func constantKey(e *hclsyntax.ObjectConsKeyExpr) string {
	v, diags := e.Value(nil)
	if diags.HasErrors() || v.IsNull() || !v.IsKnown() || v.Type() != cty.String {
		return ""
	}
	return v.AsString()
}

// literal replaces a static expression by its value.
func (w *walker) literal(e hclsyntax.Expression, p place) {
	if v, ok := w.value(e); ok {
		w.print(e.Range(), e, v, p)
	}
}

// print writes the value of source in place of the text at a range.
func (w *walker) print(at hcl.Range, source hclsyntax.Expression, v cty.Value, p place) {
	text, err := w.layout(at).at(v, p)
	if err != nil {
		w.add(unprintable(source.Range(), err.Error()))
		return
	}
	w.edits = append(w.edits, edit{
		at:   at,
		out:  []Segment{{Text: text, Source: source.Range(), Expr: source, Locals: w.scope.Locals}},
		code: true,
		null: v.IsNull(),
	})
}

// layout is how literals are written at a range: with as much room as is left
// of the line.
func (w *walker) layout(at hcl.Range) layout {
	return layout{width: max(lineWidth-at.Start.Column, lineWidth/2), oneLine: w.oneLine}
}
