package fold

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"scaffold/blueprints/parse"
)

// settled folds a call that could not be computed before its arguments were
// folded: the branch that only Terraform could have computed is gone by then, or
// a list has no element that asks for it. It becomes its value where that is a
// text of one line, a number or a truth; a list, and lines that the author laid
// out as one, stay. It reports false where it is for others to fold.
func (w *walker) settled(e *hclsyntax.FunctionCallExpr, p place) bool {
	if p == inserted || !w.scope.Evaluator.Pure(e.Name) || w.encoder(e) || !w.survey(e).known {
		return false
	}
	c := w.child(w.scope)
	for _, arg := range e.Args {
		c.expr(arg, inside)
	}
	if text, ok := w.settledText(c, e, p); ok {
		w.replaceCode(e.Range(), Segment{Text: text, Source: e.Range()})
	} else {
		w.edits = append(w.edits, c.edits...)
	}
	return true
}

func (w *walker) settledText(c *walker, e *hclsyntax.FunctionCallExpr, p place) (string, bool) {
	size := e.Range().End.Byte - e.Range().Start.Byte
	for _, edit := range c.edits {
		size -= edit.at.End.Byte - edit.at.Start.Byte
		for _, s := range edit.out {
			size += len(s.Text)
		}
	}
	if size > 2*lineWidth {
		return "", false // no line would hold it
	}
	text := Output{c.splice(e.Range())}.bytes()
	left, diags := parse.Expression(text, "", hcl.InitialPos)
	if diags.HasErrors() || !bare(left, w.scope.Evaluator.Pure) || hasComment(text) {
		return "", false
	}
	v, diags := w.scope.Evaluator.Value(left, nil)
	switch {
	case diags.HasErrors(), v.IsNull(), !v.IsWhollyKnown(), v.ContainsMarked(), !v.Type().IsPrimitiveType():
		return "", false
	case v.Type() == cty.String && strings.Contains(v.AsString(), "\n"):
		return "", false
	}
	literal, err := w.layout(e.Range()).at(v, p)
	return literal, err == nil
}

// hasComment reports whether a comment stands in code, which a value would not keep.
func hasComment(code []byte) bool {
	tokens, _ := hclsyntax.LexExpression(code, "", hcl.InitialPos)
	return slices.ContainsFunc(tokens, func(t hclsyntax.Token) bool { return t.Type == hclsyntax.TokenComment })
}

// bare reports whether an expression has a value in any scope: it has no names,
// and calls nothing but functions that are folded.
func bare(e hclsyntax.Expression, pure func(string) bool) bool {
	s := &surveyor{pure: pure}
	_ = hclsyntax.Walk(e, s) // the surveyor makes no diagnostics
	return !s.names.dynamic && len(s.names.free) == 0
}
