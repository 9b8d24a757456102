package fold

import (
	"math/big"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// later is what Terraform knows when it evaluates what folding left.
var later = map[string]cty.Value{
	"local": cty.ObjectVal(map[string]cty.Value{
		"x": num("3"), "y": cty.StringVal("why"), "ok": cty.True, "no": cty.False,
		"a": cty.TupleVal([]cty.Value{cty.ObjectVal(map[string]cty.Value{"b": list("p", "q"), "id": cty.StringVal("i")})}),
		"b": num("-2"), "k": cty.StringVal("name"), "l": list("l1", "l2"),
		"m": cty.ObjectVal(map[string]cty.Value{"team": cty.StringVal("m1"), "a": num("1")}),
		"r": cty.StringVal(" r "), "i": num("0"), "empty": cty.StringVal(""),
	}),
	"each": cty.ObjectVal(map[string]cty.Value{"key": cty.StringVal("0"), "value": num("1")}),
}

// known is the blueprint of the fuzzer: what can be written, and nothing that
// is meant to be refused.
func known() map[string]cty.Value {
	m := orders.AsValueMap()
	for _, name := range []string{"broken", "secret", "later", "inf", "comp", "comps", "third"} {
		delete(m, name)
	}
	return map[string]cty.Value{"database": cty.ObjectVal(m), "blueprint": cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal("shop")})}
}

func evaluate(e hclsyntax.Expression, values ...map[string]cty.Value) (cty.Value, hcl.Diagnostics) {
	all := map[string]cty.Value{}
	for _, m := range values {
		for k, v := range m {
			all[k] = v
		}
	}
	return e.Value(&hcl.EvalContext{Variables: all, Functions: pure})
}

var (
	hugeNumber = regexp.MustCompile(`[0-9][eE][+-]?[0-9]{2,}|[0-9]{30,}`)
	guards     = regexp.MustCompile(`\?|&&|\|\||\bfor\b|\btry\b|\bcan\b|%\{`)
)

// FuzzResidual holds folding against evaluation: what is left, evaluated later,
// is what the whole would have been.
func FuzzResidual(f *testing.F) {
	for _, r := range expressionRows {
		f.Add(r.in)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if !utf8.ValidString(src) || strings.ContainsAny(src, "\r\x00") || hugeNumber.MatchString(src) || len(src) > 500 {
			t.Skip()
		}
		watchdog := time.AfterFunc(time.Minute, func() { panic("does not end: " + src) })
		defer watchdog.Stop()
		checkResidual(t, src)
	})
}

func checkResidual(t *testing.T, src string) {
	e, diags := hclsyntax.ParseExpression([]byte(src), "pack.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Skip()
	}
	scope := Scope{Evaluator: blueprint{known(), pure}}
	out, foldDiags := Expression([]byte(src), e, scope)
	residual := out.String()
	w := (&folder{src: []byte(src), file: &File{}}).walker(scope)
	if !w.survey(e).known {
		r := e.Range()
		if want := src[r.Start.Byte:r.End.Byte]; residual != want {
			t.Fatalf("nothing is known in\n%s\nbut it became\n%s", want, residual)
		}
		return
	}
	want, diags := evaluate(e, known(), later)
	if diags.HasErrors() || !want.IsWhollyKnown() {
		t.Skip()
	}
	if foldDiags.HasErrors() {
		if guards.MatchString(src) || tolerated(foldDiags) {
			t.Skip()
		}
		t.Fatalf("%s evaluates to %#v but does not fold: %s", src, want, foldDiags)
	}
	left := reparse(t, src, residual)
	for _, v := range left.Variables() {
		if scope.knows(v.RootName()) {
			t.Fatalf("%s left %s in\n%s", src, v.RootName(), residual)
		}
	}
	got, diags := evaluate(left, later)
	if diags.HasErrors() && hidesMistake(e) {
		t.Skip()
	}
	if diags.HasErrors() {
		t.Fatalf("%s\nbecame\n%s\nwhich fails: %s", src, residual, diags)
	}
	if !alike(got, want) {
		t.Fatalf("%s\nis\n%#v\nbut became\n%s\nwhich is\n%#v", src, want, residual, got)
	}
	again, diags := Expression([]byte(residual+"\n"), left, scope)
	if diags.HasErrors() || again.String() != residual {
		t.Fatalf("%s\nbecame\n%s\nthen\n%s\n%v", src, residual, again, diags)
	}
}

// hidesMistake reports whether && or || has an operand that is such an operation
// too, and fails: with "(1 && true) && false" HCL forgets that 1 is no condition,
// with the "1 && false" that it folds to it does not.
func hidesMistake(e hclsyntax.Expression) bool {
	hides := false
	_ = hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		if outer, ok := n.(*hclsyntax.BinaryOpExpr); ok && logical(outer) {
			for _, operand := range []hclsyntax.Expression{outer.LHS, outer.RHS} {
				for parens, ok := operand.(*hclsyntax.ParenthesesExpr); ok; parens, ok = operand.(*hclsyntax.ParenthesesExpr) {
					operand = parens.Expression
				}
				if inner, ok := operand.(*hclsyntax.BinaryOpExpr); ok && logical(inner) {
					_, diags := evaluate(inner, known(), later)
					hides = hides || diags.HasErrors()
				}
			}
		}
		return nil
	})
	return hides
}

func logical(e *hclsyntax.BinaryOpExpr) bool {
	return e.Op == hclsyntax.OpLogicalAnd || e.Op == hclsyntax.OpLogicalOr
}

// reparse parses the text that is left, as an attribute if it was fit to be one.
func reparse(t *testing.T, src, residual string) hclsyntax.Expression {
	if _, diags := hclsyntax.ParseConfig([]byte("x = "+src+"\n"), "", hcl.InitialPos); !diags.HasErrors() {
		if _, diags := hclsyntax.ParseConfig([]byte("x = "+residual+"\n"), "", hcl.InitialPos); diags.HasErrors() {
			t.Fatalf("%s\nbecame\n%s\nwhich is no attribute's value: %s", src, residual, diags)
		}
	}
	left, diags := hclsyntax.ParseExpression([]byte(residual+"\n"), "left.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatalf("%s\nbecame\n%s\nwhich does not parse: %s", src, residual, diags)
	}
	return left
}

// tolerated reports whether folding may refuse what evaluating does not.
func tolerated(diags hcl.Diagnostics) bool {
	for _, d := range diags {
		switch d.Summary {
		case "Duplicate key", "Invalid address", "Unknown function", "Value cannot be written":
		default:
			return false
		}
	}
	return true
}

// alike compares values apart from what text cannot keep: whether a collection
// is a list, a tuple or a set, the digits after the seventeenth, and the type
// that a conditional gives its branches.
func alike(a, b cty.Value) bool {
	switch {
	case a.IsNull() || b.IsNull():
		return a.IsNull() && b.IsNull()
	case a.Type() == cty.Number && b.Type() == cty.Number:
		return near(a.AsBigFloat(), b.AsBigFloat())
	case a.Type().IsPrimitiveType() && b.Type().IsPrimitiveType():
		x, err1 := convert.Convert(a, cty.String)
		y, err2 := convert.Convert(b, cty.String)
		return err1 == nil && err2 == nil && x.RawEquals(y)
	case a.CanIterateElements() && b.CanIterateElements():
		return keyed(a) == keyed(b) && a.LengthInt() == b.LengthInt() && elementsAlike(a, b)
	}
	return a.RawEquals(b)
}

func elementsAlike(a, b cty.Value) bool {
	i, j := a.ElementIterator(), b.ElementIterator()
	for i.Next() && j.Next() {
		k, x := i.Element()
		l, y := j.Element()
		if keyed(a) && !k.RawEquals(l) || !alike(x, y) {
			return false
		}
	}
	return true
}

func near(a, b *big.Float) bool {
	if a.Cmp(b) == 0 {
		return true
	}
	x, _ := a.Float64()
	y, _ := b.Float64()
	diff := x - y
	return diff*diff <= 1e-24*(x*x+y*y)
}

// FuzzLiteral holds the printer against the parser.
func FuzzLiteral(f *testing.F) {
	for _, s := range hostile {
		f.Add(s, "1.5", true)
	}
	f.Add("for", "-12", false)
	f.Fuzz(func(t *testing.T, s, n string, wide bool) {
		if hugeNumber.MatchString(n) || len(n) > 20 {
			t.Skip()
		}
		v := fuzzedValue(s, n, wide)
		text, err := Literal(v)
		if !utf8.ValidString(v.GetAttr("text").AsString()) {
			if err == nil {
				t.Fatalf("%q was written: %s", s, text)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		got, diags := evaluate(parseExpr(t, text))
		if diags.HasErrors() || !alike(got, v) {
			t.Fatalf("%#v\nbecame\n%s\nwhich is\n%#v %s", v, text, got, diags)
		}
	})
}

func fuzzedValue(s, n string, wide bool) cty.Value {
	number, err := cty.ParseNumberVal(n)
	if err != nil {
		number = cty.Zero
	}
	key := "k"
	if s != "" && utf8.ValidString(s) {
		key = s
	}
	vals := map[string]cty.Value{
		"text":   cty.StringVal(s),
		"number": number,
		"object": cty.ObjectVal(map[string]cty.Value{key: cty.StringVal(s)}),
		"null":   cty.NullVal(cty.String),
	}
	if wide {
		vals["list"] = cty.TupleVal([]cty.Value{cty.StringVal(s), number, cty.EmptyObjectVal, cty.EmptyTupleVal, vals["object"]})
	}
	return cty.ObjectVal(vals)
}

// FuzzBody holds that a body folds to text that parses and that folding again
// leaves alone.
func FuzzBody(f *testing.F) {
	for _, r := range bodyRows {
		f.Add(r.in)
	}
	f.Add(linesSource)
	f.Fuzz(func(t *testing.T, src string) {
		if !utf8.ValidString(src) || strings.ContainsAny(src, "\r\x00") || hugeNumber.MatchString(src) || len(src) > 2000 {
			t.Skip()
		}
		file, diags := hclsyntax.ParseConfig([]byte(src), "pack.hcl", hcl.InitialPos)
		if diags.HasErrors() {
			t.Skip()
		}
		out, diags := Body([]byte(src), file.Body.(*hclsyntax.Body), testScope())
		if diags.HasErrors() {
			t.Skip()
		}
		text := finalText(out)
		again, diags := hclsyntax.ParseConfig([]byte(text), "final.hcl", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatalf("%s\nbecame\n%s\nwhich does not parse: %s", src, text, diags)
		}
		twice, diags := Body([]byte(text), again.Body.(*hclsyntax.Body), testScope())
		if diags.HasErrors() || twice.String() != text {
			t.Fatalf("%s\nbecame\n%s\nthen\n%s%v", src, text, twice, diags)
		}
	})
}
