package project_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	"go.yaml.in/yaml/v3"

	"scaffold/blueprints"
	"scaffold/cmd/project"
)

// marker starts every hostile text, so that it is found wherever it ends up.
const marker = "zqx"

// hostile are texts that mean something to one of the languages that are
// rendered, or to a reader of them.
var hostile = []string{
	`zqx"quoted" and 'single' and \backslash\n`,
	`zqx${file("/etc/passwd")}`,
	`zqx%{ if true }yes%{ endif }`,
	`zqx$${already} %%{escaped}`,
	"zqx\nEOT\nresource \"x\" \"y\" {}\n",
	"zqx $(touch /tmp/owned) `id` ; rm -rf / #",
	"zqx: yes\n- no: ~\n---\n...",
	"zqx\ttab\u0085next\u2028line", "zqx héllo 💥 \u202e",
	"zqx" + strings.Repeat("long ", 2000),
	"zqx\x00nul", "zqx\xff\xfe",
}

// TestHostileStrings puts hostile texts into every input of every definition
// that takes text, and into labels, variables and names. Each is either refused
// with a place in the blueprint, or the rendered files hold the very same text:
// it never becomes code.
func TestHostileStrings(t *testing.T) {
	t.Parallel()
	p, diags := project.Empty()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for i, target := range p.Catalog.Names("targets") {
		for _, c := range hostileCases(t, p.Catalog, target) {
			if i > 0 && c.rule != nil {
				continue // refused before a target has a say
			}
			t.Run(target+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				accepted := 0
				p, _ := project.Empty() // its definitions and packs are read once
				for _, text := range c.texts() {
					if tryHostile(t, p, c, text) {
						accepted++
					}
				}
				if c.free && accepted == 0 {
					t.Error("no hostile text was rendered, so nothing was tried; does the blueprint of the test still fit?")
				}
			})
		}
	}
}

// hostileCase is a blueprint with a gap for a text.
type hostileCase struct {
	name  string
	write func(quoted string) string
	// rule is the input's pattern; nil where texts of all kinds are allowed.
	rule matcher
	free bool
}

// texts are the hostile texts to try: where a pattern decides, one that it
// refuses and all that it lets through.
func (c hostileCase) texts() []string {
	if testing.Short() {
		return hostile[:2]
	}
	if c.free {
		return hostile
	}
	out := hostile[:1]
	for _, text := range hostile[1:] {
		if c.rule == nil || c.rule.MatchString(text) {
			out = append(out[:len(out):len(out)], text)
		}
	}
	return out
}

// matcher is a rule for a text.
type matcher interface{ MatchString(string) bool }

// never lets no text through: the input is one of a few words.
var never = regexp.MustCompile(`\A\z.`)

// required are values for inputs without a default.
var required = map[string]string{
	"region": `"eu-west-1"`, "image": `"ghcr.io/acme/x:1"`, "key": `"customer_id"`, "cron": `"0 7 * * 1-5"`, "min": "4", "target": "10",
	"path": `"/reports"`, "host": `"api.example.com"`, "from": "0", "to": "1023", "from_shard": `"s00"`, "to_shard": `"s01"`,
	"vpc_id": `"vpc-0123456789abcdef0"`, "private_subnets": `["subnet-0123456789abcdef0"]`, "bucket": `"acme-state"`,
	"name": `"shared"`, "subnetwork": `"shared"`,
}

func hostileCases(t *testing.T, c *blueprints.Catalog, target string) []hostileCase {
	t.Helper()
	var cases []hostileCase
	head := func(labels, inTarget string) string {
		region := map[bool]string{true: "  region = \"europe-west1\"\n", false: "  region = \"eu-west-1\"\n"}[target == "gcp"]
		if def, _ := c.Target(target); !slices.ContainsFunc(def.Inputs, func(in *blueprints.Input) bool { return in.Name == "region" }) || strings.Contains(inTarget, "  region =") {
			region = ""
		}
		return fmt.Sprintf("blueprint \"shop\" {\n%s}\n\ntarget %q {\n%s%s}\n\n", labels, target, region, inTarget)
	}
	service := "service \"web\" {\n  image = \"ghcr.io/acme/x:1\"\n%s}\n"
	add := func(name string, rule matcher, write func(string) string) {
		cases = append(cases, hostileCase{name: name, write: write, rule: rule, free: rule == nil && (name == "variable" || name == "service.environment")})
	}
	add("label", never, func(q string) string { return head("  labels = { team = "+q+" }\n", "") + fmt.Sprintf(service, "") })
	add("label-key", nil, func(q string) string {
		return head("  labels = { "+q+" = \"x\" }\n", "") + fmt.Sprintf(service, "")
	})
	add("variable", nil, func(q string) string {
		return head("", "") + "variable \"v\" { default = " + q + " }\n\n" + fmt.Sprintf(service, "  environment = { TEXT = var.v }\n")
	})
	add("name", never, func(q string) string {
		return head("", "") + "service " + q + " {\n  image = \"ghcr.io/acme/x:1\"\n}\n"
	})
	add("blueprint-name", never, func(q string) string {
		return strings.Replace(head("", ""), `"shop"`, q, 1) + fmt.Sprintf(service, "")
	})
	def, _ := c.Target(target)
	each(def, func(name string, rule matcher, write func(string) string) {
		add("target."+name, rule, func(q string) string { return head("", write(q)) + fmt.Sprintf(service, "") })
	})
	for _, id := range c.Names("components") {
		def, _ := c.Component(id)
		each(def, func(name string, rule matcher, write func(string) string) {
			add(id+"."+name, rule, func(q string) string { return head("", "") + component(id, write(q)) })
		})
	}
	for _, id := range c.Names("patterns") {
		def, _ := c.Pattern(id)
		each(def, func(name string, rule matcher, write func(string) string) {
			add(id+"."+name, rule, func(q string) string {
				beside := ""
				if def.Attaches[0] == "service" && id != "elastic_load_balancing" && def.Extends != "elastic_load_balancing" {
					beside = "  elastic_load_balancing {}\n" // releases by share need one
				}
				return head("", "") + component(def.Attaches[0], beside+"  "+id+" {\n"+write(q)+needed(def, write(q))+"  }\n")
			})
		})
	}
	return cases
}

func component(kind, body string) string {
	if kind == "service" && !strings.Contains(body, "  image =") {
		body = "  image = \"ghcr.io/acme/x:1\"\n" + body
	}
	return fmt.Sprintf("%s \"web\" {\n%s}\n", kind, body)
}

// each visits the inputs of a definition, and of its blocks, that take text.
func each(def *blueprints.Definition, visit func(name string, rule matcher, write func(quoted string) string)) {
	for _, in := range def.Inputs {
		var rule matcher
		if in.Matches != nil {
			rule = in.Matches
		}
		if len(in.OneOf) > 0 {
			rule = never
		}
		shape := map[string]string{"string": "%s", "list(string)": "[%s]", "set(string)": "[%s]", "map(string)": "{ TEXT = %s }"}[in.Type.Name]
		if shape == "" {
			continue
		}
		visit(in.Name, rule, func(q string) string { return "  " + in.Name + " = " + fmt.Sprintf(shape, q) + "\n" })
		if in.Type.Name == "map(string)" {
			visit(in.Name+"-key", nil, func(q string) string { return "  " + in.Name + " = { " + q + " = \"x\" }\n" })
		}
	}
	for _, b := range def.Blocks {
		each(b.Definition, func(name string, rule matcher, write func(string) string) {
			visit(b.ID+"."+name, rule, func(q string) string {
				label := ""
				if b.Label != "" {
					label = ` "one"`
				}
				return "  " + b.ID + label + " {\n" + write(q) + needed(b.Definition, write(q)) + "  }\n"
			})
		})
		if b.Label != "" {
			visit(b.ID+"-label", never, func(q string) string {
				return "  " + b.ID + " " + q + " {\n" + needed(b.Definition, "") + "  }\n"
			})
		}
	}
}

// needed gives the inputs that a block cannot do without.
func needed(def *blueprints.Definition, given string) string {
	out := ""
	for _, in := range def.Inputs {
		if in.Default == nil && !strings.Contains(given, "  "+in.Name+" =") {
			out += "  " + in.Name + " = " + required[in.Name] + "\n"
		}
	}
	return out
}

// tryHostile reports whether the text was accepted, after holding that it was
// either refused properly or rendered as it is.
func tryHostile(t *testing.T, p *project.Project, c hostileCase, text string) bool {
	t.Helper()
	source := c.write(string(hclwrite.TokensForValue(cty.StringVal(text)).Bytes()))
	if strings.Contains(text, "\xff") {
		source = c.write(`"` + text + `"`) // no writer of HCL writes these bytes
	}
	src, diags := blueprints.Parse([]byte(source), "scaffold.hcl")
	var roots []*project.Root
	if !diags.HasErrors() {
		p.Source = src
		roots, diags = p.Render(project.Selection{})
	}
	if diags.HasErrors() {
		for _, d := range diags {
			if d.Severity == hcl.DiagError && !placed(d) {
				t.Errorf("%.60q is refused without a place in the blueprint: %s\n%s", text, d.Error(), d.Detail)
			}
		}
		return false
	}
	for _, root := range roots {
		for name, f := range root.Result.Files {
			if err := readBack(t, path.Join(root.Folder, name), f.Data, text); err != nil {
				t.Errorf("%.60q in %s: %v", text, name, err)
			}
		}
	}
	return true
}

func placed(d *hcl.Diagnostic) bool {
	if d.Subject != nil && d.Subject.Filename == "scaffold.hcl" {
		return true
	}
	extra, ok := d.Extra.(*blueprints.Extra)
	return ok && slices.ContainsFunc(extra.Related, func(r blueprints.Related) bool { return r.Range.Filename == "scaffold.hcl" })
}

// readBack parses a rendered file and holds that every value in which the
// marker stands holds the whole text, and that no code does.
func readBack(t *testing.T, name string, data []byte, text string) error {
	t.Helper()
	if strings.Contains(name, marker) {
		return errors.New("the text is part of a file's name")
	}
	switch {
	case strings.HasSuffix(name, ".tf"):
		return readHCL(name, data, text)
	case strings.HasSuffix(name, ".yaml"), strings.HasSuffix(name, ".yml"):
		return readYAML(data, text)
	case strings.HasSuffix(name, ".json"):
		var v any
		if err := json.Unmarshal(data, &v); err != nil {
			return err
		}
		return holds(v, text)
	case strings.HasSuffix(name, ".sh"):
		shell := "sh"
		if line, _, _ := bytes.Cut(data, []byte("\n")); bytes.Contains(line, []byte("bash")) {
			shell = "bash"
		}
		if _, err := exec.LookPath(shell); err != nil {
			return nil
		}
		cmd := exec.Command(shell, "-n")
		cmd.Stdin = bytes.NewReader(data)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s -n: %w\n%s", shell, err, out)
		}
	}
	return nil
}

func readHCL(name string, data []byte, text string) error {
	file, diags := hclsyntax.ParseConfig(data, name, hcl.InitialPos)
	if diags.HasErrors() {
		return diags
	}
	var problems []error
	check := func(v cty.Value, at hcl.Range) {
		_ = cty.Walk(v, func(_ cty.Path, e cty.Value) (bool, error) {
			if e.Type() == cty.String && e.IsKnown() && !e.IsNull() {
				if err := holds(e.AsString(), text); err != nil {
					problems = append(problems, fmt.Errorf("line %d: %w", at.Start.Line, err))
				}
			}
			return true, nil
		})
	}
	_ = hclsyntax.VisitAll(file.Body.(*hclsyntax.Body), func(n hclsyntax.Node) hcl.Diagnostics {
		switch n := n.(type) {
		case *hclsyntax.TemplateExpr:
			if v, diags := n.Value(nil); !diags.HasErrors() {
				check(v, n.Range())
				return nil
			}
			for _, part := range n.Parts { // a text around references of Terraform's
				raw := part.Range().SliceBytes(data)
				if _, literal := part.(*hclsyntax.LiteralValueExpr); !literal && bytes.Contains(raw, []byte(marker)) && len(part.Variables()) > 0 {
					problems = append(problems, fmt.Errorf("line %d: the text stands in an interpolation: %s", part.Range().Start.Line, raw))
				}
			}
		case *hclsyntax.Block:
			if strings.Contains(n.Type, marker) || slices.ContainsFunc(n.Labels, func(l string) bool { return strings.Contains(l, marker) }) {
				problems = append(problems, fmt.Errorf("line %d: the text stands in the header of a block", n.TypeRange.Start.Line))
			}
		}
		return nil
	})
	return errors.Join(problems...)
}

func readYAML(data []byte, text string) error {
	for dec := yaml.NewDecoder(bytes.NewReader(data)); ; {
		var v any
		if err := dec.Decode(&v); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := holds(v, text); err != nil {
			return err
		}
	}
}

// madeName is a name that was made of a text for a cloud that takes no others.
var madeName = regexp.MustCompile(`\A[a-z0-9_-]+\z`)

// holds reports a value in which the marker stands without the whole text. A
// value may be a document of another format itself.
func holds(v any, text string) error {
	switch v := v.(type) {
	case string:
		if !strings.Contains(v, marker) || strings.Contains(v, text) || madeName.MatchString(v) {
			return nil
		}
		var inner any
		if json.Unmarshal([]byte(v), &inner) == nil {
			return holds(inner, text)
		}
		if quoted, err := json.Marshal(text); err == nil && strings.Contains(v, strings.Trim(string(quoted), `"`)) {
			return nil
		}
		if strings.Contains(v, strings.ReplaceAll(text, "'", `'\''`)) { // a word of a shell
			return nil
		}
		return fmt.Errorf("not the text that was given: %.200q", v)
	case map[string]any:
		for key, e := range v {
			if err := errors.Join(holds(key, text), holds(e, text)); err != nil {
				return err
			}
		}
	case map[any]any:
		for _, e := range v {
			if err := holds(e, text); err != nil {
				return err
			}
		}
	case []any:
		for _, e := range v {
			if err := holds(e, text); err != nil {
				return err
			}
		}
	}
	return nil
}

// TestTextsThatLookLikeOthers renders texts that YAML takes for numbers, truth
// values and nothing, unless they are quoted.
func TestTextsThatLookLikeOthers(t *testing.T) {
	t.Parallel()
	texts := []string{"yes", "No", "on", "true", "~", "null", "012", "0x1f", "1e3", "1_000", "1.0", ".inf", "12:30:45", "2024-01-01", "", " ", "-", "?", "*a", "&a", "!x", "@x", "`x`", "{}", "[]", "|", ">", "%x", "=", "<<"}
	source := "blueprint \"shop\" {}\n\ntarget \"kubernetes\" {}\n\nservice \"web\" {\n  image = \"ghcr.io/acme/x:1\"\n  environment = {\n"
	for i, text := range texts {
		source += fmt.Sprintf("    LIKE_%d = %s\n", i, hclwrite.TokensForValue(cty.StringVal(text)).Bytes())
	}
	src, diags := blueprints.Parse([]byte(source+"  }\n}\n"), "scaffold.hcl")
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	p, _ := project.New(src)
	roots, diags := p.Render(project.Selection{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	found := map[string]any{}
	for name, data := range project.Tree(roots) {
		if !strings.HasSuffix(name, ".yaml") {
			continue
		}
		for dec := yaml.NewDecoder(bytes.NewReader(data)); ; {
			var v any
			if dec.Decode(&v) != nil {
				break
			}
			variables(v, found)
		}
	}
	for i, text := range texts {
		if got := found[fmt.Sprintf("LIKE_%d", i)]; got != text {
			t.Errorf("%q reads back as %#v", text, got)
		}
	}
}

// variables collects the environment variables in a manifest: entries with a
// name and a value, and the data of maps.
func variables(v any, into map[string]any) {
	switch v := v.(type) {
	case map[string]any:
		if name, ok := v["name"].(string); ok && strings.HasPrefix(name, "LIKE_") {
			into[name] = v["value"]
		}
		for key, e := range v {
			if strings.HasPrefix(key, "LIKE_") {
				into[key] = e
			}
			variables(e, into)
		}
	case []any:
		for _, e := range v {
			variables(e, into)
		}
	}
}

// TestHostilePlatform does the same for a pack with a script of its own, and
// lets a shell say which words it reads.
func TestHostilePlatform(t *testing.T) {
	t.Parallel()
	for n, text := range hostile {
		if !utf8.ValidString(text) || strings.ContainsAny(text, "\x00\n") {
			continue
		}
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			file, archive := platform(t)
			source := bytes.Replace(archive.Files[0].Data, []byte(`"$(date)"`), hclwrite.TokensForValue(cty.StringVal(text)).Bytes(), 1)
			if err := os.WriteFile(file, source, 0o644); err != nil {
				t.Fatal(err)
			}
			script := string(tree(t, file)["acme/report.sh"])
			script = strings.Replace(script, "exec acme", `acme() { shift; printf %s "$4"; }; acme`, 1)
			cmd := exec.Command("sh")
			cmd.Dir, cmd.Stdin = filepath.Dir(file), strings.NewReader(script)
			out, err := cmd.CombinedOutput()
			if want := "--since yesterday's \"close\" " + text; err != nil || string(out) != want {
				t.Errorf("%v: the shell reads %.200q, not %.200q", err, out, want)
			}
		})
	}
}
