package manifest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"scaffold/render/yaml"
)

func TestTree(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"literals", `{ a = 1, b = "x", c = true, d = null, "e-f" = "yes", 80 = [] }`,
			"a: 1\nb: x\nc: true\ne-f: \"yes\"\n\"80\": []\n"},
		{"null", `null`, "null\n"},
		{"known value", `service.port`, "8080\n"},
		{"canonical order", `let.template`, "apiVersion: v1\nname: \"n\"\nlabels: {}\nspec: {}\nalpha: a\nzeta: z\n"},
		{"set in order", `{ hosts = let.hosts }`, "hosts: [a.example.com, b.example.com]\n"},
		{"heredoc", "{ a = <<-EOT\n    x = ${service.port}\n      y\n  EOT\n  b = 1\n}", "a: |\n  x = 8080\n    y\nb: 1\n"},
		{"list over lines", "{ a = [\n  1,\n  2,\n] }", "a:\n  - 1\n  - 2\n"},
		{"null items", `[1, null, service.note]`, "[1]\n"},
		{"parentheses", "(\n  # why\n  (service.port)\n)", "# why\n8080\n"},
		{"branch", `service.public ? { b = 1, a = 2 } : {}`, "b: 1\na: 2\n"},
		{"branch keeps its type", `{ a = service.public ? 3 : "25%" }`, "a: 3\n"},
		{"dead branch", `service.public ? 1 : service.nosuch.x`, "1\n"},
		{"dead branch of Terraform's", `service.public ? 1 : aws_x.y`, "1\n"},
		{"null branch", `{ a = service.public ? null : 1, b = 2 }`, "b: 2\n"},
		{"branch comments", "{\n  a = (\n    # cond\n    service.public\n    # yes\n    ? 1 # one\n    # no\n    : 2\n  )\n}", "# cond\n# yes\na: 1\n"},
		{"loop to list", `[for p in service.ports : { port = p.port, name = p.name } if p.name != "http"]`, "- port: 9090\n  name: metrics\n"},
		{"loop to mapping", `{ for i, p in service.ports : p.name => i }`, "http: 0\nmetrics: 1\n"},
		{"loop keeps order", `{ for n in ["b", "a"] : n => upper(n) }`, "b: B\na: A\n"},
		{"loop over map", `[for k, v in service.labels : "${k}=${v}"]`, "[team=storefront, tier=front]\n"},
		{"loop in groups", `{ for p in service.ports : "all" => p.name... }`, "all:\n  - http\n  - metrics\n"},
		{"loop shadows", `[for service in ["a"] : { s = service }]`, "- s: a\n"},
		{"loop in loop", `[for a in [1, 2] : [for b in [3] : a * b]]`, "- [3]\n- [6]\n"},
		{"comment once", "[for p in service.ports : {\n  # only some have one\n  note = p.note\n  # the name\n  name = p.name\n}]",
			"# the name\n- name: http\n# only some have one\n- note: scraped\n  name: metrics\n"},
		{"merge", `merge({ b = 1, a = 1 }, null, service.labels, { b = 2, tier = null })`, "b: 2\na: 1\nteam: storefront\n"},
		{"merge of null", `{ a = merge(null, null), b = 1 }`, "b: 1\n"},
		{"merge spread", `merge([for p in service.ports : { (p.name) = p.port }]...)`, "http: 8080\nmetrics: 9090\n"},
		{"merge comments", "merge(\n  # first\n  { a = 1 }, # a\n  # second\n  { b = 2 }\n)", "# first\n# a\na: 1\n# second\nb: 2\n"},
		{"concat", `concat([{ b = 1, a = 2 }], [for p in service.ports : p.name])`, "- b: 1\n  a: 2\n- http\n- metrics\n"},
		{"flatten", `flatten([[1, [2]], [for p in service.ports : [p.port]], 3])`, "[1, 2, 8080, 9090, 3]\n"},
		{"computed key", `{ (service.name) = 1, "${service.name}-x" = 2 }`, "web: 1\nweb-x: 2\n"},
		{"comment styles", "{\n  // slashes\n  a = 1 /* beside */\n  #hash\n  #   indented\n  b = 2\n  /* one */ c = 3\n  /*\n   * two\n   *\n   * three\n   */\n  d = 4\n}",
			"# slashes\na: 1 # beside\n# hash\n#   indented\nb: 2\n# one\nc: 3\n# two\n#\n# three\nd: 4\n"},
		{"hash in a string", `{ a = "# no", b = "${ /* no */ service.port}" }`, "a: \"# no\"\nb: 8080\n"},
		{"numbers", `[1.0, 012, 1.50, 1e3, 12345678901234567890123, -0, 1/3, 0.1 + 0.2, 1e-3, -2.5]`,
			"[1, 12, 1.5, 1000, 12345678901234567890123, 0, 0.3333333333333333, 0.3, 0.001, -2.5]\n"},
		{"strings that look like numbers", `["1.10", "012", "1e3", "on"]`, "[\"1.10\", \"012\", \"1e3\", \"on\"]\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, rendered(t, tt.src)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestDiagnostics(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"dynamic", `{ a = { b = [aws_x.y.id] } }`, "pack.hcl:1,14-24: Value not known: Manifests have no expressions"},
		{"dynamic in a text", `{ a = "x-${var.y}" }`, "pack.hcl:1,12-17: Value not known: Manifests have no expressions"},
		{"dynamic condition", `{ a = var.y ? 1 : 2 }`, "pack.hcl:1,7-12: Value not known:"},
		{"dynamic collection", `[for x in var.y : x]`, "pack.hcl:1,11-16: Value not known:"},
		{"dynamic key", `{ (var.y) = 1 }`, "pack.hcl:1,4-9: Value not known:"},
		{"shadowed", `{ a = hidden.x }`, "pack.hcl:1,7-15: Value not known:"},
		{"impure", `{ a = timestamp() }`, "pack.hcl:1,7-16: Value not known:"},
		{"component", `{ a = self }`, "pack.hcl:1,7-11: Component in a manifest:"},
		{"component in a loop", `[for x in [self] : x]`, "pack.hcl:1,20-21: Component in a manifest:"},
		{"no such value", `{ a = service.nosuch }`, "pack.hcl:1,14-21: Unsupported attribute:"},
		{"key twice", `{ a = 1, (upper("a")) = 2, "a" = 3 }`, "pack.hcl:1,28-31: Key set twice: The key a"},
		{"loop key twice", `{ for p in service.ports : "a" => p.port }`, "pack.hcl:1,28-31: Key set twice:"},
		{"ambiguous key", `{ service.name = 1 }`, "pack.hcl:1,3-15: Ambiguous key:"},
		{"null key", `{ (null) = 1 }`, "Key is not a text"},
		{"not a condition", `[] == 1 ? 1 : "x" == "y" ? 2 : service.labels ? 1 : 2`, "Condition is not a boolean"},
		{"not a collection", `[for x in 3 : x]`, "pack.hcl:1,11-12: Nothing to loop over:"},
		{"merge of a list", `merge({}, [1])`, "pack.hcl:1,11-14: Not an object:"},
		{"concat of a mapping", `concat([], {})`, "pack.hcl:1,12-14: Not a list:"},
		{"flatten of a text", `flatten("a")`, "Not a list:"},
		{"spread of a text", `merge("a"...)`, "Not a list:"},
		{"infinity", `1/0`, "Number out of range"},
		{"huge", `1e400`, "Number out of range"},
		{"tiny", `1e-400`, "Number out of range"},
		{"binary", `{ a = broken() }`, "pack.hcl:1,7-15: Text is not UTF-8:"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := scope()
			s.Shadowed = map[string]bool{"hidden": true}
			s.Evaluator.(fake).roots["hidden"] = cty.EmptyObjectVal
			_, diags := Tree(NewSource([]byte(tt.src)), expression(t, tt.src), s)
			if got := reported(diags); !strings.Contains(got, tt.want) {
				t.Errorf("got  %swant %s", got, tt.want)
			}
		})
	}
}

func TestAllProblemsAreReported(t *testing.T) {
	src := `{ a = var.x, b = [var.y, self], c = { (var.z) = 1 } }`
	if _, diags := Tree(NewSource([]byte(src)), expression(t, src), scope()); len(diags) != 4 {
		t.Error(reported(diags))
	}
}

func TestProblemInLoopIsReportedOnce(t *testing.T) {
	src := `[for p in service.ports : { a = var.x }]`
	if _, diags := Tree(NewSource([]byte(src)), expression(t, src), scope()); len(diags) != 1 {
		t.Error(reported(diags))
	}
}

func TestBlockDiagnostics(t *testing.T) {
	src := "manifest \"v1\" \"Thing\" \"this\" {\n  kind = \"Other\"\n  spec {}\n  a = 1\n}\n"
	b := block(t, "pack.hcl", src)
	doc, diags := Document(NewSource([]byte(src)), b, "v1", "Thing", scope())
	got := reported(diags)
	for _, want := range []string{"pack.hcl:2,3-7: Label set as an argument", "pack.hcl:3,3-7: Block in a manifest"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s\nlacks %s", got, want)
		}
	}
	if diff := cmp.Diff("apiVersion: v1\nkind: Thing\na: 1\n", written(doc)); diff != "" {
		t.Error(diff)
	}
}

func TestSources(t *testing.T) {
	src := `{
  a = {
    b = service.port
  }
  c = [for p in service.ports : {
    n = p.name
  }]
}`
	n, diags := Tree(NewSource([]byte(src)), expression(t, src), scope())
	if diags.HasErrors() {
		t.Fatal(reported(diags))
	}
	out, marks := yaml.Write(n)
	want := []struct {
		line     int
		computed bool
	}{{2, false}, {3, true}, {5, false}, {6, true}, {6, true}}
	for i, m := range marks {
		if m.Source.Range.Start.Line != want[i].line || (m.Source.Expr != nil) != want[i].computed {
			t.Errorf("line %d: %+v, want %+v in\n%s", i+1, m.Source, want[i], out)
		}
	}
	if port := marks[4].Source.Locals["p"].GetAttr("port"); !port.RawEquals(number("9090")) {
		t.Errorf("the second turn had port %#v", port)
	}
}

func TestScopeIsNotChanged(t *testing.T) {
	s := scope()
	s.Locals = map[string]cty.Value{"x": text("outer")}
	s.Shadowed = map[string]bool{"y": true}
	src := `[for x, y in ["a"] : { x = x, y = y }]`
	if _, diags := Tree(NewSource([]byte(src)), expression(t, src), s); diags.HasErrors() {
		t.Fatal(reported(diags))
	}
	if len(s.Locals) != 1 || !s.Locals["x"].RawEquals(text("outer")) || !s.Shadowed["y"] {
		t.Errorf("%v %v", s.Locals, s.Shadowed)
	}
}

func TestSameTwice(t *testing.T) {
	src := `merge({ for k, v in service.labels : k => v }, let.template, { z = let.hosts, m = { for p in service.ports : p.name => p } })`
	want := rendered(t, src)
	for range 50 {
		if got := rendered(t, src); got != want {
			t.Fatalf("%s\n%s", want, got)
		}
	}
}

func TestMerge(t *testing.T) {
	tests := []struct{ name, into, from, want string }{
		{"deep", `{ a = { b = 1 }, z = 1 }`, `{ c = 2, a = { d = 3 } }`, "a:\n  b: 1\n  d: 3\nz: 1\nc: 2\n"},
		{"same value", `{ a = 1, b = "x" }`, `{ a = 1, b = "x" }`, "a: 1\nb: x\n"},
		{"by name", `[{ name = "a", x = 1 }, { name = "b" }]`, `[{ name = "c" }, { name = "a", z = 2 }]`,
			"- name: a\n  x: 1\n  z: 2\n- name: b\n- name: c\n"},
		{"not all named", `[{ name = "a" }, { x = 1 }]`, `[{ name = "a" }]`, "- name: a\n- x: 1\n- name: a\n"},
		{"name twice", `[{ name = "a" }, { name = "a" }]`, `[{ name = "a" }]`, "- name: a\n- name: a\n- name: a\n"},
		{"appended", `{ a = ["x"] }`, `{ a = ["y"] }`, "a: [x, \"y\"]\n"},
		{"to nothing", `{ a = [] }`, `{ a = [1] }`, "a: [1]\n"},
		{"comments", "{\n  # one\n  a = { # first\n    b = 1\n  }\n}", "{\n  # two\n  a = { # second\n    # three\n    c = 2\n  }\n}",
			"# one\n# two\n# second\na: # first\n  b: 1\n  # three\n  c: 2\n"},
		{"same comment", "{\n  # one\n  a = { b = 1 }\n}", "{\n  # one\n  a = { c = 2 }\n}", "# one\na:\n  b: 1\n  c: 2\n"},
		{"conflict", `{ a = { b = 1 } }`, `{ a = { b = 2 } }`, "pack.hcl:1,9-14: Value set twice: a.b is \"1\" there and \"2\" here; the first is at pack.hcl:1,9-14."},
		{"conflict by name", `[{ name = "a", x = 1 }]`, `[{ name = "a", x = 2 }]`, "[a].x is"},
		{"kinds", `{ a = 1 }`, `{ a = { b = 1 } }`, "a is a number there and a mapping here"},
		{"text and number", `{ a = 1 }`, `{ a = "1" }`, "a is a number there and a string here"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			into, from := tree(t, tt.into), tree(t, tt.from)
			diags := Merge(into, from)
			got := written(into) + reported(diags)
			if !strings.Contains(got, tt.want) || len(diags) == 0 && got != tt.want+"\n" {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			for _, d := range diags {
				if c, ok := d.Extra.(Conflict); !ok || c.First == (hcl.Range{}) {
					t.Errorf("no second place in %v", d)
				}
			}
		})
	}
}

func TestMergeSharesNothing(t *testing.T) {
	from := tree(t, `{ a = { b = [{ name = "x" }] } }`)
	one, two := yaml.NewMapping(), yaml.NewMapping()
	Merge(one, from)
	Merge(two, from)
	Merge(one, tree(t, `{ a = { b = [{ name = "x", y = 1 }] } }`))
	if got := written(two); got != "a:\n  b:\n    - name: x\n" {
		t.Error(got)
	}
}

func tree(t *testing.T, src string) *yaml.Node {
	t.Helper()
	n, diags := Tree(NewSource([]byte(src)), expression(t, src), scope())
	if diags.HasErrors() {
		t.Fatal(reported(diags))
	}
	return n
}
