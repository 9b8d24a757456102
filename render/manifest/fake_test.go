package manifest

import (
	"reflect"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"scaffold/render/fold"
	"scaffold/render/yaml"
)

// fake is an Evaluator over fixed values.
type fake struct {
	roots map[string]cty.Value
}

var functions = map[string]function.Function{
	"merge": stdlib.MergeFunc, "concat": stdlib.ConcatFunc, "flatten": stdlib.FlattenFunc,
	"upper": stdlib.UpperFunc, "max": stdlib.MaxFunc, "range": stdlib.RangeFunc,
	"broken": function.New(&function.Spec{
		Type: function.StaticReturnType(cty.String),
		Impl: func([]cty.Value, cty.Type) (cty.Value, error) { return cty.StringVal("\xff"), nil },
	}),
}

func (f fake) Knows(root string) bool { _, ok := f.roots[root]; return ok }
func (f fake) Pure(name string) bool  { _, ok := functions[name]; return ok }

func (f fake) Value(expr hclsyntax.Expression, locals map[string]cty.Value) (cty.Value, hcl.Diagnostics) {
	ctx := &hcl.EvalContext{Variables: f.roots, Functions: functions}
	child := ctx.NewChild()
	child.Variables = locals
	return expr.Value(child)
}

// component stands for the values that can be reached into, but not printed.
var component = cty.CapsuleVal(cty.Capsule("component", reflect.TypeFor[struct{}]()), &struct{}{})

func text(s string) cty.Value { return cty.StringVal(s) }

func number(s string) cty.Value { return cty.MustParseNumberVal(s) }

func scope() fold.Scope {
	service := cty.ObjectVal(map[string]cty.Value{
		"name": text("web"), "port": number("8080"), "zones": number("3"), "public": cty.True,
		"image": text("ghcr.io/acme/web:1.4.2"), "note": cty.NullVal(cty.String),
		"labels": cty.MapVal(map[string]cty.Value{"tier": text("front"), "team": text("storefront")}),
		"ports": cty.TupleVal([]cty.Value{
			cty.ObjectVal(map[string]cty.Value{"name": text("http"), "port": number("8080"), "note": cty.NullVal(cty.String)}),
			cty.ObjectVal(map[string]cty.Value{"name": text("metrics"), "port": number("9090"), "note": text("scraped")}),
		}),
	})
	return fold.Scope{Evaluator: fake{roots: map[string]cty.Value{
		"service": service, "self": component,
		"let": cty.ObjectVal(map[string]cty.Value{
			"strategy": text("canary"),
			"template": cty.ObjectVal(map[string]cty.Value{
				"zeta": text("z"), "spec": cty.EmptyObjectVal, "name": text("n"), "alpha": text("a"),
				"apiVersion": text("v1"), "labels": cty.EmptyObjectVal,
			}),
			"hosts": cty.SetVal([]cty.Value{text("b.example.com"), text("a.example.com")}),
		}),
	}}}
}

// expression parses src as an expression.
func expression(t testing.TB, src string) hclsyntax.Expression {
	t.Helper()
	expr, diags := hclsyntax.ParseExpression([]byte(src), "pack.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return expr
}

// block parses a file and returns its last block.
func block(t testing.TB, name, src string) *hclsyntax.Block {
	t.Helper()
	file, diags := hclsyntax.ParseConfig([]byte(src), name, hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	blocks := file.Body.(*hclsyntax.Body).Blocks
	return blocks[len(blocks)-1]
}

// written is a tree as text.
func written(n *yaml.Node) string {
	out, _ := yaml.Write(n)
	return string(out)
}

// rendered writes an expression; diagnostics follow, one to a line.
func rendered(t testing.TB, src string) string {
	t.Helper()
	n, diags := Tree(NewSource([]byte(src)), expression(t, src), scope())
	if diags.HasErrors() {
		return reported(diags)
	}
	return written(n)
}

func reported(diags hcl.Diagnostics) string {
	var lines []string
	for _, d := range diags {
		lines = append(lines, d.Subject.String()+": "+d.Summary+": "+d.Detail)
	}
	return strings.Join(lines, "\n") + "\n"
}
