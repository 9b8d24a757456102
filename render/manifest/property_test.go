package manifest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
	reader "go.yaml.in/yaml/v3"

	"scaffold/render/yaml"
)

// FuzzTree holds walking against evaluating: what is written is read back as
// the value of the expression, less its nulls.
func FuzzTree(f *testing.F) {
	for _, seed := range []string{
		`{ a = 1, b = [true, null, "x"], "c d" = { e = 1.5 } }`,
		`[for p in service.ports : { port = p.port, note = p.note } if p.port > 1]`,
		`{ for k, v in service.labels : upper(k) => "${v}\n" }`,
		`merge({ a = 1, b = 2 }, null, { a = null }, service.labels)`,
		`concat([1], [for x in range(3) : x * x], flatten([[1, [2]], 3]))`,
		`{ for p in service.ports : "all" => p.name... }`,
		"{\n  # c\n  a = [ # d\n    1, // e\n  ]\n}",
		`merge([{ a = 1 }, { b = 2 }]...)`,
		"{ a = <<EOT\n  x\nEOT\n}",
		`{ a = self }`, `aws_x.y`, `1/0`, `{ a = 1, a = 2 }`, `"\u0000\u2028"`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) {
		expr, diags := hclsyntax.ParseExpression([]byte(src), "pack.hcl", hcl.InitialPos)
		// Huge exponents stall the evaluation itself.
		if diags.HasErrors() || len(src) > 500 || strings.ContainsAny(src, "eE") && strings.Contains(src, "99") {
			t.Skip()
		}
		s := scope()
		n, diags := Tree(NewSource([]byte(src)), expr, s)
		for _, d := range diags {
			if d.Subject == nil || d.Subject.End.Byte > len(src) {
				t.Fatalf("no place in the source: %v", d)
			}
		}
		if diags.HasErrors() {
			return
		}
		out, _ := yaml.Write(n)
		var read any
		if err := reader.Unmarshal(out, &read); err != nil {
			t.Fatalf("%v in\n%s", err, out)
		}
		v, diags := s.Evaluator.Value(expr, nil)
		if diags.HasErrors() || converts(expr) {
			return
		}
		if diff := cmp.Diff(asJSON(t, withoutNulls(t, v)), asJSON(t, drop(read))); diff != "" {
			t.Fatalf("-value +manifest:\n%s\n%s", diff, out)
		}
	})
}

// converts reports whether evaluating makes one type of several, which walking
// does not do: a conditional makes its branches alike.
func converts(expr hclsyntax.Expression) bool {
	found := false
	_ = hclsyntax.VisitAll(expr, func(n hclsyntax.Node) hcl.Diagnostics {
		_, conditional := n.(*hclsyntax.ConditionalExpr)
		found = found || conditional
		return nil
	})
	return found
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	out, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func withoutNulls(t *testing.T, v cty.Value) any {
	t.Helper()
	out, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		t.Fatal(err)
	}
	var read any
	if err := json.Unmarshal(out, &read); err != nil {
		t.Fatal(err)
	}
	return drop(read)
}

// drop takes the nulls out, and gives numbers the precision of JSON.
func drop(v any) any {
	switch v := v.(type) {
	case float64:
		return v + 0 // -0 is 0
	case int:
		return float64(v)
	case uint64:
		return float64(v)
	case map[string]any:
		for k, e := range v {
			if v[k] = drop(e); v[k] == nil {
				delete(v, k)
			}
		}
	case []any:
		kept := []any{}
		for _, e := range v {
			if e != nil {
				kept = append(kept, drop(e))
			}
		}
		return kept
	}
	return v
}

// TestHostileValues puts strings into a manifest by each way there is.
func TestHostileValues(t *testing.T) {
	for _, value := range []string{
		"", "no", "1e3", "a: b", "'\"\\", "${x}", "%{ if }", "$(x)", "a\nEOT\nb\n", "\t\n x", "a\r\nb", "\x00\x1b", "👩‍💻", "\u2028\ufeff",
		strings.Repeat("0123456789", 1000),
	} {
		s := scope()
		s.Evaluator.(fake).roots["hostile"] = cty.StringVal(value)
		src := `{ a = hostile, b = [hostile], c = { (hostile) = hostile }, d = "${hostile}", e = { for k in [hostile] : k => k } }`
		n, diags := Tree(NewSource([]byte(src)), expression(t, src), s)
		if diags.HasErrors() {
			t.Fatal(reported(diags))
		}
		want := map[string]any{"a": value, "b": []any{value}, "c": map[string]any{value: value}, "d": value, "e": map[string]any{value: value}}
		var got any
		out, _ := yaml.Write(n)
		if err := reader.Unmarshal(out, &got); err != nil {
			t.Fatalf("%v in\n%s", err, out)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%.100q: -want +got:\n%.1000s", value, diff)
		}
	}
}

func BenchmarkDocument(b *testing.B) {
	var src strings.Builder
	src.WriteString("manifest \"v1\" \"Thing\" \"this\" {\n  items = [\n")
	for i := range 1000 {
		fmt.Fprintf(&src, "    # number %d\n    { name = \"${service.name}-%d\", port = service.port, labels = service.labels },\n", i, i)
	}
	src.WriteString("  ]\n}\n")
	parsed, s := block(b, "pack.hcl", src.String()), scope()
	b.ReportAllocs()
	for b.Loop() {
		if _, diags := Document(NewSource([]byte(src.String())), parsed, "v1", "Thing", s); diags.HasErrors() {
			b.Fatal(diags)
		}
	}
}
