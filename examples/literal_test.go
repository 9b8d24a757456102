package examples_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"scaffold/blueprints/value"
	"scaffold/render"
)

// unfolded are functions that a reader wants to see although all that they are
// given is known: an object reads better than its text, and Terraform wants a set
// for which there is no other way of writing.
var unfolded = []string{"jsonencode", "yamlencode", "toset"}

// TestNothingIsLeftToCompute requires that what is known when a root is rendered
// is a literal in it: no call, choice or sum is left whose parts are all there.
func TestNothingIsLeftToCompute(t *testing.T) {
	looked := 0
	for _, name := range append(examples(t), rest) {
		t.Run(name, func(t *testing.T) {
			for _, root := range rendered(t, name) {
				for file, f := range root.Result.Files {
					if f.Form != render.Config {
						continue
					}
					parsed, diags := hclsyntax.ParseConfig(f.Data, file, hcl.InitialPos)
					if diags.HasErrors() {
						t.Fatal(diags)
					}
					_ = hclsyntax.VisitAll(parsed.Body.(*hclsyntax.Body), func(n hclsyntax.Node) hcl.Diagnostics {
						e, ok := n.(hclsyntax.Expression)
						if looked++; ok && computable(e) {
							t.Errorf("%s/%s:%d: %s", root.Folder, file, e.Range().Start.Line, e.Range().SliceBytes(f.Data))
						}
						return nil
					})
				}
			}
		})
	}
	if looked < 10000 {
		t.Errorf("only %d nodes were looked at", looked)
	}
}

// computable reports whether an expression could as well be its value.
func computable(e hclsyntax.Expression) bool {
	switch e := e.(type) {
	case *hclsyntax.FunctionCallExpr:
		if slices.Contains(unfolded, e.Name) || !value.Pure(e.Name) {
			return false
		}
	case *hclsyntax.ConditionalExpr, *hclsyntax.ForExpr, *hclsyntax.IndexExpr, *hclsyntax.BinaryOpExpr, *hclsyntax.TemplateWrapExpr:
	default:
		return false
	}
	v, diags := e.Value(&hcl.EvalContext{Functions: value.Functions()})
	if diags.HasErrors() || len(hclsyntax.Variables(e)) > 0 {
		return false
	}
	// Lines that stand one below the other read better than one text with \n in it.
	return v.Type() != cty.String || !strings.Contains(v.AsString(), "\n")
}
