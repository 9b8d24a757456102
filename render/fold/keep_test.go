package fold

import (
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// noting is an evaluator that notes whether it was asked for something that is
// computed from database.size.
type noting struct {
	blueprint
	fixed *bool
}

func (n noting) Value(e hclsyntax.Expression, locals map[string]cty.Value) (cty.Value, hcl.Diagnostics) {
	if touchesSize(e) {
		*n.fixed = true
	}
	return n.blueprint.Value(e, locals)
}

func touchesSize(e hclsyntax.Expression) bool {
	for _, v := range e.Variables() {
		if isSize(v) {
			return true
		}
	}
	return false
}

func isSize(t hcl.Traversal) bool {
	if len(t) != 2 || t.RootName() != "database" {
		return false
	}
	step, ok := t[1].(hcl.TraverseAttr)
	return ok && step.Name == "size"
}

func keepSize(e hclsyntax.Expression, _ map[string]cty.Value) (string, bool) {
	if ref, ok := e.(*hclsyntax.ScopeTraversalExpr); ok && isSize(ref.Traversal) {
		return "var.size", true
	}
	return "", touchesSize(e)
}

// TestKeep folds around a value that shall be a variable. Where the text is not
// the variable's business alone, the evaluator must have been asked: that is how
// a caller learns that the text does not follow the variable.
func TestKeep(t *testing.T) {
	for _, row := range []struct {
		in, want string
		fixed    bool
	}{
		{`database.size`, `var.size`, false},
		{`(database.size)`, `(var.size)`, false},
		{`database.size * 2 + 1`, `var.size * 2 + 1`, false},
		{`-database.size`, `- var.size`, false},
		{`local.x + database.size`, `local.x + var.size`, false},
		{`database.size + database.big`, `var.size + 7`, false},
		{`"${database.name}-${database.size}"`, `"orders-db-${var.size}"`, false},
		{`"${database.size}"`, `"${var.size}"`, false},
		{"<<EOT\n${database.size} of ${database.name}\nEOT\n", "<<EOT\n${var.size} of orders-db\nEOT", false},
		{`max(database.size, database.big)`, `max(var.size, 7)`, false},
		{`[database.size, database.name]`, `[var.size, "orders-db"]`, false},
		{`jsonencode({ a = database.size })`, `jsonencode({ a = var.size })`, false},
		{`database.multi ? database.size : local.x`, `var.size`, false},
		{`database.single ? database.size : local.x`, `local.x`, false},
		{`database.size > 3 && database.multi`, `var.size > 3`, false},
		{`[for z in database.zones : database.size]`, `[var.size, var.size]`, false},
		{`[for z in database.zones : "${z}${database.size}"]`, `["a${var.size}", "b${var.size}"]`, false},
		{`database.name`, `"orders-db"`, false},

		{`database.size > 3 ? local.a : local.b`, `local.a`, true},
		{`[for z in [database.size] : z]`, `[200]`, true},
		{`[for z in database.zones : z if database.size > 3]`, `["a", "b"]`, true},
		{`{ (database.size) = local.x }`, `{ "200" = local.x }`, true},
		{`aws_instance[database.size].id`, ``, true},
		{`[database.zones][database.size - 200]`, ``, true},
		{`try(database.size, 1)`, `var.size`, true},
		{`can(database.size)`, `true`, true},
	} {
		t.Run(row.in, func(t *testing.T) {
			s := testScope()
			fixed := false
			s.Evaluator = noting{s.Evaluator.(blueprint), &fixed}
			s.Keep = keepSize
			out, diags := Expression([]byte(row.in), parseExpr(t, row.in), s)
			if row.want != "" && (diags.HasErrors() || out.String() != row.want) {
				t.Errorf("got %s, want %s; %v", out, row.want, diags)
			}
			if fixed != row.fixed {
				t.Errorf("the evaluator was asked: %v, want %v", fixed, row.fixed)
			}
			if row.fixed || diags.HasErrors() {
				return
			}
			// What is left means the same where the variable holds the value.
			ctx := &hcl.EvalContext{Functions: pure, Variables: map[string]cty.Value{
				"var":   cty.ObjectVal(map[string]cty.Value{"size": num("200")}),
				"local": cty.ObjectVal(map[string]cty.Value{"x": num("1")}),
			}}
			got, diags := parseExpr(t, out.String()+"\n").Value(ctx)
			ctx.Variables["database"] = orders
			want, _ := parseExpr(t, row.in).Value(ctx)
			if diags.HasErrors() || !got.RawEquals(want) {
				t.Errorf("%s gives %#v, want %#v", out, got, want)
			}
		})
	}
}

// TestKeepLiterals holds that an argument which Terraform reads before it has any
// variable does not get one.
func TestKeepLiterals(t *testing.T) {
	for _, in := range []string{
		"terraform {\n  x = database.size\n}\n",
		"terraform {\n  backend \"s3\" {\n    x = database.size\n  }\n}\n",
		"variable \"x\" {\n  default = database.size\n}\n",
		"resource \"a\" \"b\" {\n  lifecycle {\n    x = database.size\n  }\n}\n",
		"output \"x\" {\n  description = database.size\n}\n",
	} {
		s := testScope()
		fixed := false
		s.Evaluator = noting{s.Evaluator.(blueprint), &fixed}
		s.Keep = keepSize
		if _, _, diags := Block([]byte(in), parseBody(t, in).Blocks[0], s); diags.HasErrors() || !fixed {
			t.Errorf("%s: a variable was written (%v)", in, diags)
		}
	}
}
