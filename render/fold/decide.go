package fold

import (
	"bytes"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// decide looks for a choice that is already made: a condition that is known, a
// try whose first arguments are. It returns the expression that is left, or nil
// with true where it has said why there is none.
func (w *walker) decide(e hclsyntax.Expression) (hclsyntax.Expression, bool) {
	left, decided := w.choice(e)
	if !decided || left == nil {
		return left, decided
	}
	if further, again := w.decide(left); again {
		return further, true
	}
	return left, true
}

func (w *walker) choice(e hclsyntax.Expression) (hclsyntax.Expression, bool) {
	switch e := e.(type) {
	case *hclsyntax.ParenthesesExpr:
		return w.decide(e.Expression)
	case *hclsyntax.ConditionalExpr:
		return w.branch(e)
	case *hclsyntax.BinaryOpExpr:
		return w.shortCircuit(e)
	case *hclsyntax.FunctionCallExpr:
		switch {
		case e.Name == "try" && !e.ExpandFinal:
			return w.try(e)
		case e.Name == "can" && len(e.Args) == 1:
			return nil, w.can(e)
		}
	}
	return nil, false
}

// can writes whether its argument has a value, where that is known.
func (w *walker) can(e *hclsyntax.FunctionCallExpr) bool {
	if !w.survey(e).known {
		return false
	}
	fails := w.fails(e.Args[0])
	if !fails && !w.static(e.Args[0]) {
		return false
	}
	w.print(e.Range(), e, cty.BoolVal(!fails), inside)
	return true
}

// branch is the branch of a conditional whose condition is known. The other
// branch is never evaluated.
func (w *walker) branch(e *hclsyntax.ConditionalExpr) (hclsyntax.Expression, bool) {
	if !w.static(e.Condition) || !w.survey(e).known {
		return nil, false
	}
	yes, ok := w.truth(e.Condition)
	if !ok {
		return nil, true
	}
	if yes {
		return e.TrueResult, true
	}
	return e.FalseResult, true
}

// shortCircuit drops a known operand of && or ||.
func (w *walker) shortCircuit(e *hclsyntax.BinaryOpExpr) (hclsyntax.Expression, bool) {
	if e.Op != hclsyntax.OpLogicalAnd && e.Op != hclsyntax.OpLogicalOr || w.foldable(e) {
		return nil, false
	}
	known, other := e.LHS, e.RHS
	if !w.foldable(known) {
		known, other = e.RHS, e.LHS
	}
	if !w.foldable(known) {
		return nil, false
	}
	v, ok := w.truth(known)
	if !ok {
		return nil, true
	}
	if v == (e.Op == hclsyntax.OpLogicalAnd) {
		return other, true
	}
	return known, true
}

// truth evaluates a condition.
func (w *walker) truth(e hclsyntax.Expression) (yes, ok bool) {
	v, ok := w.value(e)
	if !ok {
		return false, false
	}
	b, err := convert.Convert(v, cty.Bool)
	if err != nil || b.IsNull() {
		w.failed++
		w.add(problem(e.Range(), "Invalid condition",
			"A condition must be true or false, but this is %s. Compare it with something, for instance \"!= null\".", describe(v)))
		return false, false
	}
	return b.True(), true
}

// try drops the arguments of a try that are known to fail, and all after one
// that is known to succeed. It decides if one argument is left.
func (w *walker) try(e *hclsyntax.FunctionCallExpr) (hclsyntax.Expression, bool) {
	if !w.survey(e).known {
		return nil, false
	}
	left := w.viable(e.Args)
	switch {
	case len(left) == 0:
		w.failed++
		w.add(failedTry(e.Range()))
		return nil, true
	case len(left) == 1:
		return left[0], true
	case len(left) == len(e.Args):
		return nil, false
	}
	w.keepArgs(e, left)
	return nil, true
}

// viable are the arguments of a try that can be the one that is taken.
func (w *walker) viable(args []hclsyntax.Expression) []hclsyntax.Expression {
	var left []hclsyntax.Expression
	for _, arg := range args {
		if w.fails(arg) {
			continue
		}
		left = append(left, arg)
		if w.static(arg) {
			break
		}
	}
	return left
}

// fails reports whether evaluating an expression is known to fail. What it
// finds to say about it is not kept: that is what a try is for.
func (w *walker) fails(e hclsyntax.Expression) bool {
	trial := &folder{src: w.src, file: w.file}
	t := &walker{folder: trial, scope: w.scope, oneLine: w.oneLine}
	if w.static(e) {
		_, ok := t.value(e)
		return !ok
	}
	t.expr(e, inside)
	return trial.failed > 0
}

// keepArgs writes a call with some of its arguments.
func (w *walker) keepArgs(e *hclsyntax.FunctionCallExpr, args []hclsyntax.Expression) {
	inner := e.OpenParenRange
	inner.Start, inner.End = e.OpenParenRange.End, e.CloseParenRange.Start
	var out []Segment
	for i, arg := range args {
		if i > 0 {
			out = append(out, Segment{Text: ", ", Source: arg.Range()})
		}
		c := w.child(w.scope)
		c.expr(arg, inside)
		out = append(out, c.fenced(arg, inside)...)
	}
	w.replace(inner, out...)
}

// become replaces an expression by a part of it.
func (w *walker) become(e, left hclsyntax.Expression, p place) {
	if w.foldable(left) && !w.constructor(left) && !w.heredoc(left) && !w.encoder(left) {
		w.becomeValue(e, left, p)
		return
	}
	if w.converted(e, left) {
		w.becomeValue(e, left, p)
		return
	}
	if p.delimited() {
		left = w.bare(left)
	}
	if outer, ok := e.(*hclsyntax.ParenthesesExpr); ok && !w.standsAlone(left, p) {
		c := w.child(w.scope)
		c.expr(left, inside)
		out := append([]Segment{{Text: "(", Source: outer.Range()}}, c.fenced(left, inside)...)
		w.replaceCode(e.Range(), append(out, Segment{Text: ")", Source: outer.Range()})...)
		return
	}
	c := w.child(w.scope)
	c.expr(left, p)
	out := c.fenced(left, p)
	w.edits = append(w.edits, edit{at: e.Range(), out: out, code: true, null: isNull(left)})
}

// bare takes off parentheses that hold nothing but the expression.
func (w *walker) bare(e hclsyntax.Expression) hclsyntax.Expression {
	outer, ok := e.(*hclsyntax.ParenthesesExpr)
	if !ok {
		return e
	}
	in, out := outer.Expression.Range(), outer.Range()
	before := w.src[out.Start.Byte+1 : in.Start.Byte]
	behind := w.src[in.End.Byte : out.End.Byte-1]
	if len(bytes.TrimSpace(before))+len(bytes.TrimSpace(behind)) > 0 {
		return e
	}
	return w.bare(outer.Expression)
}

// becomeValue replaces a decided expression by its value. A conditional brings
// its branches to one type, so the whole is evaluated where it can be and the
// value is simple; "true ? 1 : "a"" is a string.
func (w *walker) becomeValue(e, left hclsyntax.Expression, p place) {
	v, ok := w.value(left)
	if !ok {
		return
	}
	if w.static(e) && v.Type().IsPrimitiveType() {
		if whole, diags := w.scope.Evaluator.Value(e, w.scope.Locals); !diags.HasErrors() && whole.IsWhollyKnown() {
			v = whole
		}
	}
	w.print(e.Range(), left, v, p)
}

// converted reports whether a conditional changes the type of the constant that
// it chooses. If it does not, the constant keeps its spelling.
func (w *walker) converted(e, left hclsyntax.Expression) bool {
	if !w.static(e) || !w.static(left) || w.opens(left) {
		return false
	}
	v, diags := w.scope.Evaluator.Value(left, w.scope.Locals)
	whole, more := w.scope.Evaluator.Value(e, w.scope.Locals)
	return !diags.HasErrors() && !more.HasErrors() &&
		v.Type().IsPrimitiveType() && !v.IsNull() && !v.Type().Equals(whole.Type())
}

// standsAlone reports whether an expression needs no parentheses at a place.
func (w *walker) standsAlone(e hclsyntax.Expression, p place) bool {
	if p.delimited() {
		return true
	}
	switch e.(type) {
	case *hclsyntax.ScopeTraversalExpr, *hclsyntax.FunctionCallExpr:
		return !bytes.ContainsRune(w.src[e.Range().Start.Byte:e.Range().End.Byte], '\n')
	}
	return false
}

// fenced is the folded text of an expression that was moved to a place, in
// parentheses if its line breaks would end it there.
func (w *walker) fenced(e hclsyntax.Expression, p place) []Segment {
	out := w.splice(e.Range())
	end := w.endsInHeredoc(e)
	if !end && (p != onLine || !w.breaksLine(e)) {
		return out
	}
	closing := ")"
	if end {
		closing = "\n)"
	}
	out = append([]Segment{{Text: "(", Source: e.Range()}}, out...)
	return append(out, Segment{Text: closing, Source: e.Range()})
}

// breaksLine reports whether an expression has line breaks that are not
// certainly between brackets of its own.
func (w *walker) breaksLine(e hclsyntax.Expression) bool {
	switch e.(type) {
	case *hclsyntax.TupleConsExpr, *hclsyntax.ObjectConsExpr, *hclsyntax.ForExpr,
		*hclsyntax.FunctionCallExpr, *hclsyntax.ParenthesesExpr:
		return false
	}
	return bytes.ContainsRune(w.src[e.Range().Start.Byte:e.Range().End.Byte], '\n')
}

// endsInHeredoc reports whether nothing may follow an expression on its line.
func (w *walker) endsInHeredoc(e hclsyntax.Expression) bool {
	switch e := e.(type) {
	case *hclsyntax.BinaryOpExpr:
		return w.endsInHeredoc(e.RHS)
	case *hclsyntax.UnaryOpExpr:
		return w.endsInHeredoc(e.Val)
	case *hclsyntax.ConditionalExpr:
		return w.endsInHeredoc(e.FalseResult)
	}
	return w.heredoc(e)
}

// heredoc reports whether an expression is written as a heredoc.
func (w *walker) heredoc(e hclsyntax.Expression) bool {
	switch e.(type) {
	case *hclsyntax.TemplateExpr, *hclsyntax.TemplateWrapExpr:
		return bytes.HasPrefix(w.src[e.Range().Start.Byte:], []byte("<<"))
	}
	return false
}

// isNull reports whether an expression is the word null.
func isNull(e hclsyntax.Expression) bool {
	lit, ok := e.(*hclsyntax.LiteralValueExpr)
	return ok && lit.Val.IsNull()
}
