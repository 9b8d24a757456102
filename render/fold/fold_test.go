package fold

import (
	"reflect"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// blueprint is an Evaluator over plain values.
type blueprint struct {
	values    map[string]cty.Value
	functions map[string]function.Function
}

func (b blueprint) Knows(root string) bool { _, ok := b.values[root]; return ok }
func (b blueprint) Pure(name string) bool  { _, ok := b.functions[name]; return ok }

func (b blueprint) Value(e hclsyntax.Expression, locals map[string]cty.Value) (cty.Value, hcl.Diagnostics) {
	ctx := &hcl.EvalContext{Variables: b.values, Functions: b.functions}
	ctx = ctx.NewChild()
	ctx.Variables = locals
	return e.Value(ctx)
}

var pure = map[string]function.Function{
	"upper": stdlib.UpperFunc, "lower": stdlib.LowerFunc, "length": stdlib.LengthFunc,
	"join": stdlib.JoinFunc, "jsonencode": stdlib.JSONEncodeFunc, "concat": stdlib.ConcatFunc,
	"try": tryfunc.TryFunc, "can": tryfunc.CanFunc, "merge": stdlib.MergeFunc,
	"toset": stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)), "max": stdlib.MaxFunc,
	"contains": stdlib.ContainsFunc, "format": stdlib.FormatFunc, "keys": stdlib.KeysFunc,
}

func num(s string) cty.Value { return cty.MustParseNumberVal(s) }

func list(names ...string) cty.Value {
	vals := []cty.Value{}
	for _, n := range names {
		vals = append(vals, cty.StringVal(n))
	}
	return cty.TupleVal(vals)
}

var orders = cty.ObjectVal(map[string]cty.Value{
	"name":     cty.StringVal("orders-db"),
	"size":     num("200"),
	"negative": num("-3"),
	"big":      num("7"),
	"multi":    cty.True,
	"single":   cty.False,
	"none":     cty.NullVal(cty.String),
	"empty":    cty.StringVal(""),
	"nl":       cty.StringVal("a\nEOT\nb"),
	"marker":   cty.StringVal("EOT"),
	"dollar":   cty.StringVal("cost$"),
	"brace":    cty.StringVal("{x}"),
	"interp":   cty.StringVal("${x} %{y}"),
	"blank":    cty.StringVal("  in  "),
	"zones":    list("a", "b"),
	"many":     list("alpha-alpha-alpha-alpha", "bravo-bravo-bravo-bravo", "charlie-charlie-charlie", "delta-delta-delta", "echo-echo-echo"),
	"nothing":  cty.EmptyTupleVal,
	"tags":     cty.ObjectVal(map[string]cty.Value{"team": cty.StringVal("shop"), "a-b": cty.StringVal("x")}),
	"set":      cty.SetVal([]cty.Value{cty.StringVal("b"), cty.StringVal("a")}),
	"clients": cty.TupleVal([]cty.Value{
		cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal("web"), "port": num("80")}),
		cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal("batch-job"), "port": num("81")}),
	}),
	"for":    cty.ObjectVal(map[string]cty.Value{"for": num("1")}),
	"broken": cty.StringVal("a\xffb"),
	"secret": cty.StringVal("x").Mark("secret"),
	"later":  cty.UnknownVal(cty.String),
	"inf":    cty.PositiveInfinity,
	"third":  num("1").Divide(num("3")),
	"comp":   component,
	"comps":  cty.TupleVal([]cty.Value{component}),
})

type thing struct{ name string }

var component = cty.CapsuleVal(cty.Capsule("component", reflect.TypeOf(thing{})), &thing{"web"})

func testScope() Scope {
	return Scope{
		Evaluator: blueprint{map[string]cty.Value{
			"database":  orders,
			"blueprint": cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal("shop")}),
		}, pure},
		This: "orders-db",
	}
}

func parseExpr(t testing.TB, src string) hclsyntax.Expression {
	t.Helper()
	e, diags := hclsyntax.ParseExpression([]byte(src), "pack.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatalf("%s: %s", src, diags)
	}
	return e
}

func parseBody(t testing.TB, src string) *hclsyntax.Body {
	t.Helper()
	f, diags := hclsyntax.ParseConfig([]byte(src), "pack.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatalf("%s: %s", src, diags)
	}
	return f.Body.(*hclsyntax.Body)
}

// finalText is folded text in its final form.
func finalText(o Output) string {
	text := ""
	for _, l := range Lines(o) {
		text += l.Text + "\n"
	}
	return text
}
