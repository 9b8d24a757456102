package render_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"scaffold/blueprints"
	"scaffold/render"
)

// The language of these tests: things, which may be painted and polished.
var definitions = fstest.MapFS{
	"components/thing.hcl":  {Data: []byte("component \"thing\" {\n  plural = \"things\"\n  input \"text\" {\n    type    = string\n    default = \"plain\"\n  }\n}")},
	"patterns/painted.hcl":  {Data: []byte("pattern \"painted\" {\n  attaches = [thing]\n  input \"colour\" {\n    type    = string\n    default = \"red\"\n  }\n  point \"seen\" { summary = \"It is seen.\" }\n  point \"kept\" { summary = \"It stays.\" }\n}")},
	"patterns/polished.hcl": {Data: []byte("pattern \"polished\" {\n  attaches = [thing]\n}")},
	"patterns/sized.hcl":    {Data: []byte("pattern \"sized\" {\n  attaches = [thing]\n  input \"size\" {\n    type    = number\n    default = 3\n    range   = [1, 9]\n    summary = \"How big it is.\"\n  }\n  input \"limit\" {\n    type    = number\n    default = 7\n  }\n  derived \"double\" { value = self.size * 2 }\n  derived \"class\" { value = self.size > 2 ? \"big\" : \"small\" }\n  derived \"all\" { value = sum([for t in blueprint.things : t.sized == null ? 0 : t.sized.double]) }\n  input \"follows\" {\n    type    = number\n    default = self.size + 1\n    range   = [2, 8]\n  }\n  check \"fits\" {\n    condition = self.size <= self.limit\n    message   = \"It does not fit.\"\n  }\n}")},
	"targets/here.hcl":      {Data: []byte("target \"here\" {}")},
}

// packs finds one pack.
type packs map[string]*render.Pack

func (p packs) Pack(name string) (*render.Pack, hcl.Diagnostics) { return p[name], nil }

// rendered renders a blueprint of things with a pack of the files given.
func rendered(t *testing.T, blueprint string, files map[string]string) (*render.Result, hcl.Diagnostics) {
	t.Helper()
	catalog, diags := blueprints.NewCatalog(blueprints.Folder{Name: "blueprints", FS: definitions})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if !strings.Contains(blueprint, "target ") {
		blueprint = "blueprint \"box\" {}\ntarget \"here\" {}\n" + blueprint
	}
	src, diags := blueprints.Parse([]byte(blueprint), "scaffold.hcl")
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	m, diags := blueprints.Resolve(src, catalog, blueprints.Options{Target: "here"})
	if diags = append(diags, m.Check()...); diags.HasErrors() {
		t.Fatal(diags)
	}
	fsys := fstest.MapFS{"pack.hcl": {Data: []byte("pack \"here\" {\n  target = \"here\"\n" + files["pack"] + "\n}")}}
	for name, text := range files {
		if name != "pack" {
			fsys[name+".hcl"] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	pack, diags := render.LoadPack(fsys, "here", func(id string) bool { return catalog.Has("patterns", id) })
	if diags.HasErrors() {
		return nil, diags
	}
	pack.Single = func(_ *hclsyntax.Block, path []string) bool {
		return slices.Contains([]string{"cover", "edge"}, path[len(path)-1])
	}
	return render.Render(m, pack, packs{"here": pack})
}

const thing = "template \"thing\" {\n  for  = thing\n  file = \"${thing.name}.tf\"\n}\n\nresource \"x_thing\" \"this\" {\n  text = thing.text\n}\n"

// conditional is a template for things with a condition and a resource of its
// own.
func conditional(name, when, rest string) string {
	return "template \"" + name + "\" {\n  for  = thing\n  when = " + when + "\n  file = \"" + name + "_${thing.name}.tf\"\n}\nresource \"x_" + name + "\" \"this\" {}\n" + rest
}

func TestRender(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, blueprint string
		pack            map[string]string
		file, want      string // want is a part of the file; empty: the file is not there
	}{
		{"a template for each component", "thing \"a\" {}\nthing \"b\" { text = \"B\" }", map[string]string{"thing": thing}, "b.tf", "resource \"x_thing\" \"b\" {\n  text = \"B\"\n}"},
		{"a text stays a text", "thing \"a\" { text = \"$${x} %%{y} \\\"\" }", map[string]string{"thing": thing}, "a.tf", `text = "$${x} %%{y} \""`},
		{"a template of a pattern", "thing \"a\" {\n painted {}\n}\nthing \"b\" {}", map[string]string{"thing": thing, "painted": "template \"painted\" {\n  for  = thing\n  file = \"paint_${thing.name}.tf\"\n}\nresource \"x_paint\" \"this\" {\n  colour = self.colour\n}\n"}, "paint_a.tf", `colour = "red"`},
		{"and not for those that do not name it", "thing \"a\" {\n painted {}\n}\nthing \"b\" {}", map[string]string{"thing": thing, "painted": "template \"painted\" {\n  for  = thing\n  file = \"paint_${thing.name}.tf\"\n}\nresource \"x_paint\" \"this\" {\n  colour = self.colour\n}\n"}, "paint_b.tf", ""},
		{"an extension", "thing \"a\" {\n painted {}\n}", map[string]string{"thing": thing, "painted": "template \"painted\" {\n  for = thing\n}\nextend \"x_thing\" \"this\" {\n  colour = self.colour\n}\n"}, "a.tf", `colour = "red"`},
		{"a singleton of many templates, once", "thing \"a\" {}\nthing \"b\" {}", map[string]string{"thing": "template \"thing\" {\n  for  = thing\n  file = \"all.tf\"\n}\nresource \"x_key\" \"all\" {\n  n = 1\n}\n"}, "all.tf", "resource \"x_key\" \"all\" {\n  n = 1\n}\n"},
		{"a condition", "thing \"a\" {}", map[string]string{"thing": "template \"thing\" {\n  for  = thing\n  when = thing.text == \"other\"\n  file = \"a.tf\"\n}\nresource \"x_key\" \"this\" {}\n"}, "a.tf", ""},
		{"a condition on what another template shares", "thing \"a\" {}", map[string]string{"thing": thing + "let { long = length(thing.text) > 3 }\n", "a": conditional("a", "let.long", "")}, "a_a.tf", `resource "x_a" "a" {}`},
		{"a condition on what a template with a condition shares", "thing \"a\" {}", map[string]string{"thing": thing, "a": conditional("a", "let.long", ""), "b": conditional("b", "thing.text != \"\"", "let { long = true }\n")}, "a_a.tf", `resource "x_a" "a" {}`},
		{"a condition that is decided for each component", "thing \"a\" { text = \"no\" }\nthing \"b\" {}", map[string]string{"thing": thing + "let { long = length(thing.text) > 3 }\n", "a": conditional("a", "let.long", "")}, "a_a.tf", ""},
		{"a script quotes what it is given", "thing \"a\" { text = \"it's $(x)\" }", map[string]string{"thing": "template \"thing\" { for = thing }\nfile \"run.sh\" {\n  format  = \"sh\"\n  content = \"echo ${thing.text}\"\n}\n"}, "run.sh", `echo 'it'\''s $(x)'`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			result, diags := rendered(t, test.blueprint, test.pack)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			file := result.Files[test.file]
			switch {
			case test.want == "" && file != nil:
				t.Errorf("%s is rendered:\n%s", test.file, file.Data)
			case test.want != "" && file == nil:
				t.Errorf("%s is not rendered", test.file)
			case file != nil && strings.Count(string(file.Data), test.want) != 1:
				t.Errorf("want once:\n%s\n\ngot:\n%s", test.want, file.Data)
			}
		})
	}
}

func TestPackProblems(t *testing.T) {
	t.Parallel()
	painted := func(body string) string { return "template \"painted\" {\n  for = thing\n}\n" + body }
	tests := []struct {
		name, blueprint string
		pack            map[string]string
		summary, file   string
	}{
		{"patterns that do not go together", "thing \"a\" {\n painted {}\n polished {}\n}", map[string]string{"pack": "forbids \"both\" {\n  patterns = [\"painted\", \"polished\"]\n  why = \"Paint hides the polish.\"\n}", "thing": thing}, "Patterns that do not go together", "scaffold.hcl"},
		{"a pattern that nobody defined, forbidden", "thing \"a\" {}", map[string]string{"pack": "forbids \"both\" {\n  patterns = [\"painted\", \"varnished\"]\n  why = \"Paint hides it.\"\n}", "thing": thing}, "Invalid pack", "here/pack.hcl"},
		{"a template for a pattern that nobody defined", "thing \"a\" {}", map[string]string{"thing": thing, "gloss": "template \"gloss\" {\n  for = thing\n  pattern = varnished\n}\n"}, "Invalid pack", "here/gloss.hcl"},
		{"nothing to extend", "thing \"a\" {\n painted {}\n}", map[string]string{"thing": thing, "painted": painted("extend \"x_other\" \"this\" {\n  n = 1\n}\n")}, "Nothing to extend", "here/painted.hcl"},
		{"an argument with two owners", "thing \"a\" {\n painted {}\n}", map[string]string{"thing": thing, "painted": painted("extend \"x_thing\" \"this\" {\n  text = \"mine\"\n}\n")}, "Argument set twice", "here/painted.hcl"},
		{"an argument of a merged block with two owners", "thing \"a\" {\n painted {}\n}", map[string]string{"thing": strings.Replace(thing, "  text", "  cover {\n    n = 1\n  }\n  text", 1), "painted": painted("extend \"x_thing\" \"this\" {\n  cover {\n    n = 2\n  }\n}\n")}, "Argument set twice", "here/painted.hcl"},
		{"a block that Terraform decides on, and a merge", "thing \"a\" {\n painted {}\n}", map[string]string{"thing": strings.Replace(thing, "  text", "  dynamic \"cover\" {\n    for_each = local.x\n    content {}\n  }\n  text", 1), "painted": painted("extend \"x_thing\" \"this\" {\n  cover {\n    n = 2\n  }\n}\n")}, "Argument set twice", "here/painted.hcl"},
		{"two blocks of one address", "thing \"a\" {}\nthing \"b\" { text = \"B\" }", map[string]string{"thing": strings.ReplaceAll(thing, `"this"`, `"one"`)}, "Two blocks with one address", "here/thing.hcl"},
		{"a rule of the pack", "thing \"a\" {}", map[string]string{"thing": strings.Replace(thing, "  file", "  check \"short\" {\n    condition = length(thing.text) < 3\n    message   = \"${thing.text} is long.\"\n    at        = thing.text\n  }\n  file", 1)}, "Rule not met: thing.short", "scaffold.hcl"},
		{"a character that the format gives a meaning", "thing \"a\" { text = \"x;y\" }", map[string]string{"thing": "template \"thing\" { for = thing }\nfile \"a.ini\" {\n  format  = \"ini\"\n  content = \"k = ${thing.text}\"\n}\n"}, "Invalid pack", "here/thing.hcl"},
		{"a format that there is not", "thing \"a\" {}", map[string]string{"thing": "template \"thing\" { for = thing }\nfile \"a.bat\" {\n  format  = \"bat\"\n  content = \"${thing.text}\"\n}\n"}, "Invalid pack", "here/thing.hcl"},
		{"a condition on what its own template shares", "thing \"a\" {}", map[string]string{"a": conditional("a", "let.long", "let { long = true }\n")}, "Invalid pack", "here/a.hcl"},
		{"conditions that wait for each other", "thing \"a\" {}", map[string]string{"a": conditional("a", "let.b", "let { a = true }\n"), "b": conditional("b", "let.a", "let { b = true }\n")}, "Invalid pack", "here/a.hcl"},
		{"a condition on what nobody shares", "thing \"a\" {}", map[string]string{"a": conditional("a", "let.long", "")}, "Unknown name", "here/a.hcl"},
		{"a condition on what is not shared here", "thing \"a\" {}", map[string]string{"a": conditional("a", "let.long", ""), "b": conditional("b", "thing.text == \"\"", "let { long = true }\n")}, "Unknown name", "here/a.hcl"},
		{"two answers for one point", "thing \"a\" {\n painted {}\n}", map[string]string{"thing": thing, "painted": "template \"painted\" {\n  for = thing\n  covers = { seen = [x_thing.this] }\n  misses = { seen = \"it fades\" }\n}\n"}, "Invalid pack", "here/painted.hcl"},
		{"an input that there is not", "thing \"a\" {\n painted {}\n}", map[string]string{"thing": thing, "painted": "template \"painted\" {\n  for = thing\n  ignores = { gloss = \"it fades\" }\n}\n"}, "Invalid pack", "here/painted.hcl"},
		{"inputs without reasons", "thing \"a\" {\n painted {}\n}", map[string]string{"thing": thing, "painted": "template \"painted\" {\n  for = thing\n  ignores = [\"colour\"]\n}\n"}, "Invalid pack", "here/painted.hcl"},
		{"one answer for a point, twice", "thing \"a\" {\n painted {}\n}", map[string]string{"thing": thing, "painted": "template \"painted\" {\n  for = thing\n  covers = { seen = [x_thing.this], seen = [x_thing.this.text] }\n}\n"}, "Invalid pack", "here/painted.hcl"},
		{"a value that is not there", "thing \"a\" {}", map[string]string{"thing": strings.Replace(thing, "thing.text", "thing.txet", 1)}, "Unknown name", "here/thing.hcl"},
		{"an argument that templates do not have", "thing \"a\" {}", map[string]string{"thing": strings.Replace(thing, "  file", "  fiel", 1)}, "Invalid pack", "here/thing.hcl"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, diags := rendered(t, test.blueprint, test.pack)
			if !slices.ContainsFunc(diags, func(d *hcl.Diagnostic) bool {
				return d.Summary == test.summary && d.Subject != nil && d.Subject.Filename == test.file && d.Detail != ""
			}) {
				t.Errorf("want %q in %s, got: %v", test.summary, test.file, diags)
			}
		})
	}
}

// TestCoverage computes what is said of points from what was rendered.
func TestCoverage(t *testing.T) {
	t.Parallel()
	template := func(covers string) map[string]string {
		return map[string]string{"thing": thing, "painted": "template \"painted\" {\n  for = thing\n  " + covers + "\n}\nextend \"x_thing\" \"this\" {\n  colour = self.colour\n  coat {\n    name  = \"base\"\n    layer = 1\n  }\n}\nfile \"paint_this.yaml\" {\n  format = \"yaml\"\n  content = { pots = [{ name = \"red\", size = 2 }] }\n}\n"}
	}
	for name, test := range map[string]struct {
		covers string
		want   []string // status of the points seen and kept
	}{
		"shown":                   {`covers = { seen = [x_thing.this.colour], kept = [x_thing.this] }`, []string{render.Covered, render.Covered}},
		"by the name of a block":  {`covers = { seen = [x_thing.this.coat["base"].layer], kept = [x_thing.this.coat["top"]] }`, []string{render.Covered, render.Missing}},
		"in a file":               {`covers = { seen = [file["paint_this.yaml"].pots["red"].size], kept = [file["paint_this.yaml"].lids] }`, []string{render.Covered, render.Missing}},
		"a file":                  {`covers = { seen = [file["paint_this.yaml"]], kept = [file["other.yaml"]] }`, []string{render.Covered, render.Missing}},
		"claimed and not shown":   {`covers = { seen = [x_thing.this.gloss], kept = [x_other.this] }`, []string{render.Missing, render.Missing}},
		"not spoken of":           {`covers = { seen = [x_thing.this.colour] }`, []string{render.Covered, render.Unknown}},
		"nearly, with the reason": {`approximates = { seen = { by = [x_thing.this.colour], why = "it fades" }, kept = { by = [x_thing.this.colour], why = self.colour == "" ? "it fades" : null } }`, []string{render.Approximated, render.Covered}},
		"missed, with the reason": {`misses = { kept = "it fades" }`, []string{render.Unknown, render.Missing}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result, diags := rendered(t, "thing \"a\" {\n painted {}\n}", template(test.covers))
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			var got []string
			for _, c := range result.Coverage {
				got = append(got, c.Status)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("%v, not %v", got, test.want)
			}
		})
	}
}
