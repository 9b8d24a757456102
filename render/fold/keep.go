package fold

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// keep writes the variable in place of a reference to the value that it holds, or
// the expression over variables that a value is computed by.
func (w *walker) keep(e hclsyntax.Expression, p place) bool {
	text, _ := w.kept(e)
	if text == "" {
		return false
	}
	if !p.delimited() && !atom(text) {
		text = "(" + text + ")"
	}
	w.replaceCode(e.Range(), Segment{Text: text, Source: e.Range(), Expr: e, Locals: w.scope.Locals, Kept: true})
	return true
}

// atom reports whether an expression can stand beside an operator, or before a
// dot, as it is.
func atom(text string) bool {
	e, diags := hclsyntax.ParseExpression([]byte(text), "", hcl.InitialPos)
	if diags.HasErrors() {
		return false
	}
	switch e.(type) {
	case *hclsyntax.ScopeTraversalExpr, *hclsyntax.FunctionCallExpr, *hclsyntax.ParenthesesExpr:
		return true
	}
	return false
}

// opens reports whether a known expression is left to Terraform because of a
// variable in it. What Terraform cannot compute becomes its value after all; the
// evaluator learns of that.
func (w *walker) opens(e hclsyntax.Expression) bool {
	text, touched := w.kept(e)
	return text != "" || touched && leavable(e)
}

func (w *walker) kept(e hclsyntax.Expression) (text string, touched bool) {
	if w.scope.Keep == nil || !w.decided(e) {
		return "", false
	}
	return w.scope.Keep(e, w.scope.Locals)
}

// leavable reports whether the outermost step of an expression means the same to
// Terraform.
func leavable(e hclsyntax.Expression) bool {
	switch e := e.(type) {
	case *hclsyntax.BinaryOpExpr, *hclsyntax.UnaryOpExpr, *hclsyntax.ParenthesesExpr, *hclsyntax.ConditionalExpr,
		*hclsyntax.TemplateExpr, *hclsyntax.TemplateWrapExpr, *hclsyntax.TupleConsExpr, *hclsyntax.ObjectConsExpr:
		return true
	case *hclsyntax.FunctionCallExpr:
		return isTerraformFunction[e.Name] && !e.ExpandFinal && e.Name != "try" && e.Name != "can"
	case *hclsyntax.ForExpr:
		return !e.Group
	}
	return false
}

// wantsLiteral reports whether Terraform takes no variable for an argument: it
// reads the argument before it has any.
func (of bodyOf) wantsLiteral(argument string) bool {
	switch {
	case of.block == "terraform", of.parent == "terraform", of.block == "variable", of.block == "lifecycle":
		return true
	}
	return of.block == "output" && argument == "description" || of.block == "module" && (argument == "source" || argument == "version")
}
