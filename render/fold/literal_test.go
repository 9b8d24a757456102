package fold

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// hostile are strings that mean something to HCL, a shell or a terminal.
var hostile = []string{
	"", " ", `"`, `\`, `\"`, `a"b`, `\n`, "a\nb", "\n", "\r\n", "\t", "\x00", "\x1b[31m",
	"${", "%{", "${x}", "%{ if x }", "$${", "$$${", "%%{", "%${", "$%{", "$$$${x}", "$", "%", "$$", "a$", "{", "${${",
	"EOT", "a\nEOT\nb", "<<EOT\n", "$(rm -rf /)", "`id`", "'; drop table", "# c", "// c", "/* c */",
	"\u00e9", "e\u0301", "\U0001f600", "\ufeff", "\u2028", "for", "null", "}", "]",
	strings.Repeat("x${y}\"\n", 1500),
}

func TestHostileStrings(t *testing.T) {
	t.Parallel()
	for _, s := range hostile {
		v := cty.StringVal(s)
		text, err := Literal(v)
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if strings.Contains(text, "\n") {
			t.Errorf("%q has more than one line", text)
		}
		got, diags := evaluate(parseExpr(t, text))
		if diags.HasErrors() || !got.RawEquals(v) {
			t.Errorf("%q became %s", s, text)
		}
		for _, src := range []string{
			`"<${database.s}>${local.y}"`, `"${database.s}${local.empty}"`, `"$${"x"}${database.s}{${local.y}"`, `"%${database.s}"`,
			"<<EOT\n${database.s} ${local.y}\n${database.s}${local.y}$\nEOT\n", "<<-EOT\n  ${database.s}\n    ${database.s}{\n  EOT\n",
			"<<EOT\n${local.y ~}\n${database.s} ${~ local.y}\nEOT\n", `"${local.y ~}${database.s} ${~ local.y}"`, `{ (database.s) = local.y }`,
		} {
			if strings.Contains(src, `$${"x"}`) {
				src = strings.ReplaceAll(src, `$${"x"}`, "$${x}")
			}
			holds(t, src, v)
		}
	}
}

// holds checks that a string folded into src means what it meant.
func holds(t *testing.T, src string, s cty.Value) {
	t.Helper()
	values := map[string]cty.Value{"database": cty.ObjectVal(map[string]cty.Value{"s": s})}
	e := parseExpr(t, src)
	want, diags := evaluate(e, values, later)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	out, diags := Expression([]byte(src), e, Scope{Evaluator: blueprint{values, pure}})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	got, diags := evaluate(parseExpr(t, out.String()+"\n"), later)
	if diags.HasErrors() || !got.RawEquals(want) {
		t.Errorf("%s with %q became\n%s\nwhich is %#v instead of %#v", src, s.AsString(), out, got, want)
	}
}

func TestLiteral(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		name string
		in   cty.Value
		want string
	}{
		{"null", cty.NullVal(cty.DynamicPseudoType), "null"},
		{"integer", num("123456789012345678901234567890"), "123456789012345678901234567890"},
		{"decimal", num("10.120"), "10.12"},
		{"float", cty.NumberFloatVal(0.1), "0.1"},
		{"negative", num("-0.5"), "-0.5"},
		{"endless", num("1").Divide(num("3")), "0.3333333333333333"},
		{"keys in quotes", cty.ObjectVal(map[string]cty.Value{"app/x": cty.True, "for": cty.True, "true": cty.False}), `{ "app/x" = true, "for" = true, "true" = false }`},
		{"many keys", cty.ObjectVal(map[string]cty.Value{"a": num("1"), "b": num("2"), "c": num("3"), "d": num("4")}), "{\na = 1\nb = 2\nc = 3\nd = 4\n}"},
		{"object in object", cty.ObjectVal(map[string]cty.Value{"a": cty.ObjectVal(map[string]cty.Value{"b": num("1")})}), "{\na = { b = 1 }\n}"},
		{"empty", cty.TupleVal([]cty.Value{cty.EmptyObjectVal, cty.EmptyTupleVal}), "[{}, []]"},
		{"one of several objects is long", cty.ObjectVal(map[string]cty.Value{
			"a": cty.ObjectVal(map[string]cty.Value{"x": num("1")}), "b": cty.ObjectVal(map[string]cty.Value{"x": cty.StringVal(strings.Repeat("y", 60))}), "c": cty.EmptyObjectVal,
		}), "{\na = {\nx = 1\n}\nb = {\nx = \"" + strings.Repeat("y", 60) + "\"\n}\nc = {}\n}"},
		{"one object", cty.TupleVal([]cty.Value{cty.ObjectVal(map[string]cty.Value{"a": num("1")})}), "[{ a = 1 }]"},
		{"set", cty.SetVal([]cty.Value{cty.StringVal("b"), cty.StringVal("a")}), `["a", "b"]`},
		{"map", cty.MapVal(map[string]cty.Value{"b": num("1"), "a": num("2")}), "{ a = 2, b = 1 }"},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			got, err := Literal(r.in)
			if err != nil || got != r.want {
				t.Errorf("got %s, %v; want %s", got, err, r.want)
			}
		})
	}
}

func TestLiteralRefuses(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]cty.Value{
		"unknown": cty.UnknownVal(cty.String), "unknown inside": cty.TupleVal([]cty.Value{cty.UnknownVal(cty.String)}),
		"marked": cty.StringVal("x").Mark(1), "marked inside": cty.ObjectVal(map[string]cty.Value{"a": cty.True.Mark(1)}),
		"infinite": cty.PositiveInfinity, "capsule": component, "capsule inside": cty.TupleVal([]cty.Value{component}),
		"huge": num("1e400"), "tiny": num("1e-400"), "invalid UTF-8": cty.StringVal("a\xff"),
	} {
		if text, err := Literal(v); err == nil {
			t.Errorf("%s: %s", name, text)
		}
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	if got := Address("batch-job-2"); got != "batch_job_2" {
		t.Error(got)
	}
}

var diagnosticRows = []struct{ name, src, summary, detail string }{
	{"null in a template", `"a ${database.none} ${local.x}"`, "Invalid template value", "null"},
	{"list in a template", `"a ${database.zones} ${local.x}"`, "Invalid template value", "a list"},
	{"object in a template", `"a ${database.tags} ${local.x}"`, "Invalid template value", "an object"},
	{"component in a template", `"a ${database.comp} ${local.x}"`, "Invalid template value", "not a value of its own"},
	{"component", `[database.comp, local.x]`, "Value cannot be written", "not a value of its own"},
	{"components", `local.x[database.comps]`, "Value cannot be written", "not a value of its own"},
	{"unknown", `[database.later, local.x]`, "Value cannot be written", "not known"},
	{"secret", `[database.secret, local.x]`, "Value cannot be written", "secret"},
	{"infinite", `database.inf`, "Value cannot be written", "infinite"},
	{"division by zero", `database.size / 0`, "", ""},
	{"invalid UTF-8", `database.broken`, "Value cannot be written", "UTF-8"},
	{"missing", `database.missing + local.x`, "Unsupported attribute", ""},
	{"unknown function", `uper(local.x)`, "Unknown function", `Did you mean "upper"?`},
	{"nothing like it", `frobnicate(local.x)`, "Unknown function", "Check the spelling"},
	{"duplicate keys", `{ (database.clients[0].name) = 1, "web" = local.x }`, "Duplicate key", `"web"`},
	{"duplicate keys after", `{ web = local.x, (database.clients[0].name) = 1 }`, "Duplicate key", `"web"`},
	{"duplicate keys in a loop", `{ for c in database.clients : "x" => local.x }`, "Duplicate key", `"x"`},
	{"null key", `{ (database.none) = local.x }`, "Invalid key", "null"},
	{"dotted key", `{ database.name = local.x }`, "Ambiguous attribute key", ""},
	{"collection", `[for x in database.size : local.y]`, "Cannot iterate", "a number"},
	{"null collection", `[for x in database.none : local.y]`, "Cannot iterate", "null"},
	{"no name", `aws_x["a b${database.empty}"].id`, "Invalid address", `"a b"`},
	{"condition", `database.zones ? local.a : local.b`, "Invalid condition", "a list"},
	{"null condition", `database.none ? local.a : local.b`, "Invalid condition", "null"},
	{"try", `try(database.missing, "${database.missing}${local.x}")`, "No valid argument", ""},
}

func TestDiagnostics(t *testing.T) {
	t.Parallel()
	for _, r := range diagnosticRows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			_, diags := Expression([]byte(r.src), parseExpr(t, r.src), testScope())
			expectError(t, diags, r.summary, r.detail)
		})
	}
}

func expectError(t *testing.T, diags hcl.Diagnostics, summary, detail string) {
	t.Helper()
	if !diags.HasErrors() {
		t.Fatal("no error")
	}
	d := diags[0]
	if summary != "" && d.Summary != summary || !strings.Contains(d.Detail, detail) {
		t.Errorf("got %s: %s", d.Summary, d.Detail)
	}
	if d.Subject == nil || d.Subject.Filename != "pack.hcl" {
		t.Error("the error has no place in the pack")
	}
}

func TestBodyDiagnostics(t *testing.T) {
	t.Parallel()
	for _, r := range []struct{ name, src, summary string }{
		{"dynamic when", "x {\nwhen = local.x\n}\n", "Value not known yet"},
		{"when of text", "x {\nwhen = database.name\n}\n", "Invalid condition"},
		{"labels", "x {\ndynamic \"y\" {\nfor_each = database.zones\nlabels = [local.x]\ncontent {}\n}\n}\n", "Value not known yet"},
		{"null for_each", "x {\ndynamic \"y\" {\nfor_each = database.none\ncontent {}\n}\n}\n", "Cannot iterate"},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			_, diags := Body([]byte(r.src), parseBody(t, r.src), testScope())
			expectError(t, diags, r.summary, "")
		})
	}
}

func TestHiddenNameWarning(t *testing.T) {
	t.Parallel()
	src := `[for database in local.xs : database.n]`
	_, diags := Expression([]byte(src), parseExpr(t, src), testScope())
	if len(diags) != 1 || diags[0].Severity != hcl.DiagWarning || diags[0].Summary != "Hidden name" {
		t.Error(diags)
	}
}
