package blueprints

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// plain is a scope without instances, where the direct way and the ordinary one
// have to agree to the type.
func plain() *Scope {
	inner := cty.ObjectVal(map[string]cty.Value{"x": cty.NumberIntVal(1), "y": cty.StringVal("b")})
	return NewScope(map[string]cty.Value{
		"n": cty.NumberIntVal(3), "f": cty.MustParseNumberVal("0.25"), "s": cty.StringVal("a-b"), "t": cty.True,
		"none": cty.NullVal(cty.DynamicPseudoType), "nothing": cty.NullVal(cty.String),
		"l": cty.ListVal([]cty.Value{cty.StringVal("p"), cty.StringVal("q")}), "empty": cty.ListValEmpty(cty.Number),
		"u": cty.TupleVal([]cty.Value{cty.NumberIntVal(1), cty.StringVal("two"), inner}),
		"o": inner, "m": cty.MapVal(map[string]cty.Value{"k": inner}), "e": cty.SetVal([]cty.Value{cty.NumberIntVal(2), cty.NumberIntVal(1)}),
	})
}

var directly = []string{
	`1 + 2 * n`, `n / 2`, `n % 2 == 1 && t`, `!t || n > 2`, `-n`, `n != "3"`, `"3" + 1`, `f * 4`, `"${f}"`, `n == none`, `none == nothing`,
	`"a${n}b${s}"`, `"${n}"`, `"%{ if t }yes%{ else }no%{ endif }"`, `"%{ for v in l }${v},%{ endfor }"`, `"${n}x${nothing}"`,
	`t ? 1 : "a"`, `t ? [] : [1]`, `t ? none : n`, `!t ? none : "x"`, `t ? l : []`, `t ? o : {}`, `t ? { a = 1 } : { a = "b" }`, `t ? e : l`, `t ? n : nosuch`, `t ? [] : [0[0]]`,
	`false && nosuch`, `true || nosuch`, `o.x`, `o["y"]`, `m.k.x`, `m["k"]["y"]`, `u[1]`, `u[2].x`, `l[0]`, `l["1"]`, `u.0`, `o.z`, `l[9]`,
	`[for v in l : upper(v)]`, `[for i, v in u : i if i > 0]`, `{ for k, v in o : k => v }`, `{ for v in l : v => v... }`, `{ for v in ["a", "a"] : v => v }`,
	`[for k, v in m : v.x]`, `[for v in e : v]`, `{ (s) = 1, b = 2, "c-d" = n }`, `{ s = n }`, `[[1], { a = [n] }]`,
	`l[*]`, `u[*]`, `m.*.x`, `[o, o][*].x`, `none[*]`, `n[*]`, `l.*`, `[for v in u[*] : v]`, `empty[*]`,
	`max(1, n, 2)`, `max([1, n]...)`, `length(l)`, `concat(l, ["r"])`, `merge(o, { x = 2 })`, `join(",", l)`, `format("%d-%s", n, s)`, `tostring(n)`, `tolist([1, "a"])`,
	`try(o.x, 5)`, `try(o.z, 5)`, `can(o.x)`, `can(o.z)`, `try(nosuch, n)`, `coalesce(nothing, "c")`, `lookup(o, "z", 4)`, `jsonencode(u)`, `nosuch(1)`, `max()`,
	`max(n)`, `max(n, "7")`, `max(none, 1)`, `min(f, n, -1)`, `ceil(n)`, `ceil(f)`, `floor(f)`, `floor(-2)`, `lookup(o, "x", 4)`, `lookup(m, "k", none)`, `lookup(n, "x", 1)`,
	`replace("a-b-c", "-", "_")`, `replace("abc", "/b/", "x")`, `replace("/a", "/", "")`, `replace("abc", "", "-")`, `upper("aé")`, `upper(n)`, `upper(none)`,
	`alltrue([t, n > 1])`, `alltrue([])`, `alltrue([t, "true", none])`, `anytrue([!t, t])`, `anytrue([])`, `anytrue(["false"])`, `concat([1], [n, s], [])`, `concat(l, l)`, `concat([])`,
	`length([])`, `length(u)`, `length(s)`, `length(o)`, `length(none)`, `tostring(f)`, `tostring(12)`, `tostring(s)`, `tostring(none)`,
	`fit([{ a = 1, b = "x" }, { a = 5, b = "y" }], { a = 2 }).b`, `fit([{ a = 1 }], { a = 2 })`, `fit([o, { x = 4, y = "b" }], { x = 2, y = "b" })`, `fit([o], { z = 1 })`, `fit([o], none)`, `fit(n, o)`,
	`n >= 3`, `f <= 0.25`, `n == 3.0`, `f != 0.1 + 0.15`, `1 / 3 == 2 / 6`, `1 / 3 >= 3333333 / 10000000`, `0.1 + 0.2 == 0.3`,
	`(n)`, `o == { x = 1, y = "b" }`, `l == ["p", "q"]`, `1 / 0`, `[for n in l : n]`, `{ for n, s in o : n => s }`, `"${t}"`, `"${l}"`, `u[n]`, `[for x in [1, 2] : [for y in [x] : x + y]]`,
}

func FuzzDirect(f *testing.F) {
	for _, text := range directly {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsAny(text, "eE") && strings.ContainsAny(text, "0123456789") && strings.Count(text, "9") > 3 {
			t.Skip() // exponents that take minutes to print
		}
		expr, diags := hclsyntax.ParseExpression([]byte(text), "test.hcl", hcl.InitialPos)
		if diags.HasErrors() {
			t.Skip()
		}
		s := plain()
		for _, name := range hclsyntax.Variables(expr) {
			if !s.Knows(name.RootName()) {
				t.Skip() // a mistake; what it does in a branch that is not taken is nobody's concern
			}
		}
		got, ok := (&direct{scope: s, resolver: s.resolver}).value(expr, nil)
		if !ok {
			return // left to the ordinary way
		}
		want, _, diags := s.evaluateInSteps(&resolver{}, expr, nil)
		if diags.HasErrors() && (strings.Contains(text, "||") || strings.Contains(text, "&&")) {
			return // HCL looks at the type of a side that does not matter
		}
		if diags.HasErrors() {
			t.Fatalf("%s\ngives %#v, but should fail: %s", text, got, diags)
		}
		if got.IsNull() && want.IsNull() {
			return // of what type does not matter
		}
		if !got.RawEquals(want) && !mistaken(s, expr) {
			t.Fatalf("%s\ngives %#v, not %#v", text, got, want)
		}
	})
}

// mistaken reports whether a branch of a conditional fails by itself. HCL says
// nothing of one that is not taken, but takes it for a value of any type.
func mistaken(s *Scope, expr hclsyntax.Expression) bool {
	found := false
	_ = hclsyntax.VisitAll(expr, func(node hclsyntax.Node) hcl.Diagnostics {
		if c, ok := node.(*hclsyntax.ConditionalExpr); ok {
			for _, branch := range []hclsyntax.Expression{c.TrueResult, c.FalseResult} {
				_, _, diags := s.evaluateInSteps(&resolver{}, branch, nil)
				found = found || diags.HasErrors()
			}
		}
		return nil
	})
	return found
}

// TestDirect requires that the direct way is taken at all.
func TestDirect(t *testing.T) {
	taken := 0
	for _, text := range directly {
		expr, diags := hclsyntax.ParseExpression([]byte(text), "test.hcl", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatalf("%s: %s", text, diags)
		}
		s := plain()
		if _, ok := (&direct{scope: s, resolver: s.resolver}).value(expr, nil); ok {
			taken++
		}
	}
	if least := len(directly) * 3 / 4; taken < least {
		t.Errorf("%d of %d expressions are evaluated directly, want at least %d", taken, len(directly), least)
	}
}
