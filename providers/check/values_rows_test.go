package check

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"scaffold/providers/schema"
)

// TestEachValueRuleBites breaks every row of the file: a resource that goes
// against it is refused, and one that goes by it is not.
func TestEachValueRuleBites(t *testing.T) {
	provider, err := schema.Open("google")
	if err != nil {
		t.Fatal(err)
	}
	rules := valueRulesOf("google")
	byType := maps.Clone(rules.exact)
	for _, g := range rules.globs {
		// A type that the glob stands for and that has what it speaks of.
		typ := map[string]string{"google_compute_*": "google_compute_network", "google_*_iam_member": "google_project_iam_member"}[g.glob]
		if g.rule.path[0] == "labels" {
			typ = "google_storage_bucket"
		}
		if g.rule.path[0] == "user_labels" {
			typ = "google_monitoring_alert_policy"
		}
		if g.rule.path[0] == "name_prefix" {
			typ = "google_compute_instance_template"
		}
		byType[typ] = append(slices.Clone(byType[typ]), g.rule)
	}
	count := 0
	for _, typ := range slices.Sorted(maps.Keys(byType)) {
		block, _ := provider.Resource(typ)
		for _, rule := range byType[typ] {
			count++
			name := fmt.Sprintf("%s %s %s %s", typ, strings.Join(rule.path, "."), rule.rule, rule.argument)
			broken, right := examplesOf(rule, block)
			if got := judged(t, rule, broken); len(got) == 0 {
				t.Errorf("%s lets this through:\n%s", name, broken)
			}
			if got := judged(t, rule, right); len(got) > 0 {
				t.Errorf("%s refuses this:\n%s\n%s", name, right, got)
			}
		}
	}
	if count < 1000 {
		t.Errorf("only %d rows were broken", count)
	}
}

func judged(t *testing.T, rule *valueRule, text string) hcl.Diagnostics {
	t.Helper()
	file, diags := hclsyntax.ParseConfig([]byte(text), "main.tf", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatalf("%s\n%s", diags, text)
	}
	c := &checker{}
	p := place{c: c, body: file.Body.(*hclsyntax.Body)}
	c.applyValueRule(rule, p, p, rule.path)
	return c.diags
}

// draft is the inside of a block that is being written.
type draft struct {
	block  *schema.Block
	values map[string]string   // arguments as expressions
	inside map[string][]*draft // blocks by type
}

func newDraft(block *schema.Block) *draft {
	return &draft{block, map[string]string{}, map[string][]*draft{}}
}

// at goes down a path of blocks, which it makes where they are missing.
func (d *draft) at(path []string) *draft {
	for _, step := range path {
		if len(d.inside[step]) == 0 {
			d.inside[step] = []*draft{newDraft(d.block.Blocks[step].Block)}
		}
		d = d.inside[step][0]
	}
	return d
}

// set sets an argument, or makes a block of that name.
func (d *draft) set(path []string, value string) {
	if i := slices.IndexFunc(path, func(s string) bool { return d.block.Attributes[s] != nil }); i == 0 {
		switch {
		case len(path) == 2 && path[1] != "*":
			value = fmt.Sprintf("{ %q = %s }", path[1], value)
		case len(path) == 2:
			value = "[" + value + "]"
		}
		d.values[path[0]] = value
		return
	}
	if len(path) == 1 {
		d.at(path)
		return
	}
	d.at(path[:1]).set(path[1:], value)
}

func (d *draft) String() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(d.values)) {
		fmt.Fprintf(&b, "%s = %s\n", name, d.values[name])
	}
	for _, name := range slices.Sorted(maps.Keys(d.inside)) {
		for _, inside := range d.inside[name] {
			fmt.Fprintf(&b, "%s {\n%s}\n", name, inside)
		}
	}
	return b.String()
}

// examplesOf are the insides of a resource that breaks a rule and of one that
// doesn't.
func examplesOf(rule *valueRule, block *schema.Block) (broken, right string) {
	wrong, good := newDraft(block), newDraft(block)
	parent := rule.path
	if !slices.Contains(blockRules, rule.rule) {
		parent = rule.path[:len(rule.path)-1]
	}
	if wrong.block.Attributes[firstOf(parent)] != nil {
		parent = nil // an element of an argument
	}
	for _, d := range []*draft{wrong, good} {
		for _, condition := range rule.when {
			at := d
			if condition.beside {
				at = d.at(parent)
			}
			if i := slices.IndexFunc(condition.values, func(v string) bool { return v != "" }); !condition.not && i >= 0 && !slices.Contains(condition.values, "") {
				at.set(condition.path, strconv.Quote(condition.values[i]))
			} else if condition.not && slices.Contains(condition.values, "") {
				at.set(condition.path, `"another"`)
			}
		}
	}
	names := strings.Split(rule.argument, "|")
	switch value := func(d *draft, text string) { d.set(rule.path, strconv.Quote(text)) }; rule.rule {
	case "required":
		wrong.at(parent)
		value(good, "x")
	case "forbidden":
		value(wrong, "x")
		good.at(parent)
	case "excludes", "needs":
		value(wrong, "x")
		value(good, "x")
		d := map[bool]*draft{true: wrong, false: good}[rule.rule == "excludes"]
		for _, name := range names {
			if fromRoot, ok := strings.CutPrefix(name, "/"); ok {
				d.set(strings.Split(fromRoot, "."), "true")
				continue
			}
			d.at(parent).set(strings.Split(name, "."), `"y"`)
		}
	case "any_of", "exactly_one", "at_most_one":
		wrong.at(parent)
		good.at(parent).set(strings.Split(names[0], "."), `"x"`)
		if rule.rule == "at_most_one" {
			for _, name := range names[:2] {
				wrong.at(parent).set(strings.Split(name, "."), `"x"`)
			}
		}
	case "at_most":
		for d, v := range map[*draft][]string{wrong: {"2", "1"}, good: {"1", "1"}} {
			d.set(rule.path, v[0])
			d.at(parent).set([]string{rule.argument}, v[1])
		}
	case "items":
		least, most, _ := strings.Cut(rule.argument, "..")
		many, enough := 0, max(1, number(least))
		if most != "" {
			many, enough = number(most)+1, number(most)
		}
		repeat(wrong.at(parent), lastOf(rule.path), many)
		repeat(good.at(parent), lastOf(rule.path), enough)
	case "unique":
		for d, v := range map[*draft]string{wrong: "1", good: "2"} {
			repeat(d.at(parent[:len(parent)-1]), lastOf(parent), 2)
			for i, inside := range d.at(parent[:len(parent)-1]).inside[lastOf(parent)] {
				inside.values[lastOf(rule.path)] = []string{"1", v}[i]
			}
		}
	default:
		value(wrong, wordFor(rule, false))
		value(good, wordFor(rule, true))
	}
	return wrong.String(), good.String()
}

func firstOf(path []string) string {
	if len(path) == 0 {
		return ""
	}
	return path[0]
}

func lastOf(path []string) string { return path[len(path)-1] }

func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

// repeat makes a list or blocks of a length.
func repeat(d *draft, name string, many int) {
	if d.block.Attributes[name] != nil {
		d.values[name] = "[" + strings.TrimSuffix(strings.Repeat(`"x", `, many), ", ") + "]"
		return
	}
	for range many {
		d.inside[name] = append(d.inside[name], newDraft(d.block.Blocks[name].Block))
	}
}

// words are tried against rules for texts, until one is taken and one is not.
var words = []string{
	"name", "NONE_SUCH", "Front End!", "", "-", "a", "0", "1", "60", "64", "375", "64512", "512", "1000", "100", "00:00", "03:00", "2026-01-01T03:00:00Z",
	"30s", "600s", "7d", "tagValues/1", "deleted:user:a", "user:a@example.com", "goog-a", "google", "*.example.com", "example.com.", "example.com",
	"projects/shop/global/networks/main", "logging.googleapis.com/a", "pd-ssd", "docker", "4xx", "/errors/404.html", "80-90", "10.0.0.0/28", "{}", "{",
	"POSTGRES_17", "VALKEY_8_0", "allow", "ascii_name", "8.8.8.8.8", strings.Repeat("a", 1100), strings.Repeat("a", 27) + ".b", "999999999999", "0.5", "-1", "app-name",
}

func wordFor(rule *valueRule, right bool) string {
	tried := words
	if rule.rule == "one_of" {
		tried = slices.Concat(strings.Split(rule.argument, "|"), words)
	}
	if rule.rule == "seconds" {
		least, most, _ := strings.Cut(strings.Split(rule.argument, "/")[0], "..")
		tried = slices.Concat([]string{least + "s", most + "s"}, words)
	}
	if rule.rule == "range" {
		least, most, _ := strings.Cut(rule.argument, "..")
		tried = slices.Concat([]string{least, most}, words)
	}
	for _, word := range tried {
		if (rule.refuses(word) == "") == right && (word != "" || !right) && !(rule.rule == "range" && !regexp.MustCompile(`^-?[0-9.]+$`).MatchString(word)) {
			return word
		}
	}
	return ""
}

var madeType = regexp.MustCompile(`(?m)^\s*resource "(google_\w+)"`)

// TestEveryTypeWasRead requires of each type that the templates make that
// somebody looked for what the schema doesn't say of its values, and wrote down
// where.
func TestEveryTypeWasRead(t *testing.T) {
	files, err := filepath.Glob("../../templates/gcp/*.hcl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no templates: %v", err)
	}
	made := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range madeType.FindAllStringSubmatch(string(text), -1) {
			made[match[1]] = true
		}
	}
	provider, err := schema.Open("google")
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile("testdata/google-read.tsv")
	if err != nil {
		t.Fatal(err)
	}
	rules, read := valueRulesOf("google"), map[string]bool{}
	for line := range strings.Lines(string(table)) {
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") || cells[0] == "type" {
			continue
		}
		typ := cells[0]
		if !made[typ] || read[typ] || len(cells) < 3 || cells[2] == "" {
			t.Errorf("%s: no template makes it, or it is there twice, or nothing was read", typ)
		}
		read[typ] = true
		block, _ := provider.Resource(typ)
		has := "none"
		if slices.ContainsFunc(rules.of(typ), func(rule *valueRule) bool { return described(block, rule.path) }) {
			has = "many"
		}
		if len(rules.exact[typ]) > 0 {
			has = "own"
		}
		if cells[1] != has {
			t.Errorf("%s has %s rows, not %s", typ, has, cells[1])
		}
		if has == "none" && (len(cells) < 4 || cells[3] == "") {
			t.Errorf("%s has no rows, and nothing says why", typ)
		}
	}
	for typ := range made {
		if !read[typ] {
			t.Errorf("%s: look in the provider for rules on its values, write them into data/google.tsv and what was read into testdata/google-read.tsv", typ)
		}
	}
	if len(made) < 80 {
		t.Errorf("only %d types are made", len(made))
	}
}
