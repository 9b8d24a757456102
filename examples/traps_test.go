package examples_test

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/rogpeppe/go-internal/txtar"

	"scaffold/blueprints"
	"scaffold/render"
)

// TestTraps renders the blueprints of testdata/traps, each of which would fall
// into a trap of its target, and holds the output against what is expected of
// it. An archive's comment says what can go wrong; NAME.hcl is a blueprint, to
// whose head the test adds what it lacks, and NAME.expect has a line for each
// expectation:
//
//	ADDRESS[.PATH] present       some block of the address has it
//	ADDRESS[.PATH] absent        none has it
//	ADDRESS.PATH = EXPRESSION    they have it, and all as it is written here
//	ADDRESS.PATH ~ REGEXP        they have it, and all match
//	ADDRESS.PATH !~ REGEXP       none matches
//	refused CODE                 the blueprint is refused by this rule
//	refused: TEXT                it is refused, and this is said of a value
//	warned CODE                  it is rendered, and this rule warns of it
//	silent CODE                  it is rendered, and this rule says nothing
//	point PATTERN.POINT STATUS   it is rendered, and the point has this status
//
// An address may hold wildcards, as file names do. Archives in a folder are for
// the target of that name, the others for AWS.
func TestTraps(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "testdata", "traps", "*.txtar"))
	more, _ := filepath.Glob(filepath.Join("..", "testdata", "traps", "*", "*.txtar"))
	files = append(files, more...)
	if err != nil || len(files) == 0 {
		t.Fatalf("no traps: %v", err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		target := filepath.Base(filepath.Dir(file))
		if target == "traps" {
			target = "aws"
		}
		for _, f := range archive.Files {
			if name, ok := strings.CutSuffix(f.Name, ".hcl"); ok {
				t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar")+"/"+name, func(t *testing.T) {
					t.Parallel()
					checkTrap(t, string(f.Data), target, expectations(t, archive, name))
				})
			}
		}
	}
}

func expectations(t *testing.T, archive *txtar.Archive, name string) []string {
	t.Helper()
	i := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == name+".expect" })
	if i < 0 {
		t.Fatalf("nothing is expected of %s", name)
	}
	var lines []string
	for line := range strings.Lines(string(archive.Files[i].Data)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

// whereabouts say where a blueprint that names no target is rendered for, which no default can.
var whereabouts = map[string]string{
	"aws":        `region = "eu-west-1"`,
	"gcp":        `region = "europe-west1"`,
	"kubernetes": "cloud = \"aws\"\n  backup_url = \"s3://acme-backups/shop\"",
}

// headed gives the blueprint of a trap the head that it lacks.
func headed(text, target string) string {
	if !strings.Contains(text, "target \"") {
		text = fmt.Sprintf("target %q {\n  %s\n}\n", target, whereabouts[target]) + text
	}
	if !strings.Contains(text, "blueprint \"") {
		text = "blueprint \"shop\" {}\n" + text
	}
	return text
}

func checkTrap(t *testing.T, text, target string, expected []string) {
	t.Helper()
	roots, diags := renderText(t, headed(text, target), "", target)
	if code, ok := strings.CutPrefix(expected[0], "refused "); ok {
		if !slices.ContainsFunc(diags, func(d *hcl.Diagnostic) bool { return codeOf(d) == code && d.Severity == hcl.DiagError }) {
			t.Errorf("%s does not refuse it: %v", code, diags)
		}
		return
	}
	if said, ok := strings.CutPrefix(expected[0], "refused: "); ok {
		if !slices.ContainsFunc(diags, func(d *hcl.Diagnostic) bool { return strings.Contains(d.Detail, said) && d.Severity == hcl.DiagError }) {
			t.Errorf("nobody says %q: %v", said, diags)
		}
		return
	}
	if diags.HasErrors() {
		t.Fatal(firstErrors(diags))
	}
	root := blocksOf(t, roots[0].Result)
	if target == "gcp" {
		checkPitfalls(t, root, map[string]int{})
	}
	for _, line := range expected {
		problem := ""
		switch words := strings.Fields(line); words[0] {
		case "warned", "silent":
			said := slices.ContainsFunc(diags, func(d *hcl.Diagnostic) bool { return codeOf(d) == words[1] })
			if said != (words[0] == "warned") {
				problem = fmt.Sprintf("it is not: %v", diags)
			}
		case "point":
			problem = statusIs(roots[0].Result.Coverage, words[1], words[2])
		default:
			problem = root.expect(line)
		}
		if problem != "" {
			t.Errorf("%s: %s", line, problem)
		}
	}
}

// statusIs gives what is wrong with the status of a point, "PATTERN.POINT".
func statusIs(all []render.Coverage, point, status string) string {
	problem := "there is no such point"
	for _, c := range all {
		if c.Pattern+"."+c.Point.ID == point {
			if problem = ""; c.Status != status {
				return "it is " + c.Status + ": " + c.Why
			}
		}
	}
	return problem
}

func codeOf(d *hcl.Diagnostic) string {
	if extra, ok := d.Extra.(*blueprints.Extra); ok {
		return extra.Code
	}
	return ""
}

// blocks are the blocks of a Terraform root by address: "aws_lb.web",
// "data.aws_region.this", "ephemeral.…", "variable.x", "provider.aws".
type blocks map[string][]*parsedBlock

type parsedBlock struct {
	*hclsyntax.Block
	file *render.File
}

func blocksOf(t *testing.T, result *render.Result) blocks {
	t.Helper()
	out := blocks{}
	for _, name := range fileNames(result) {
		f := result.Files[name]
		if f.Form != render.Config {
			continue
		}
		parsed, diags := hclsyntax.ParseConfig(f.Data, f.Path, hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		for _, block := range parsed.Body.(*hclsyntax.Body).Blocks {
			address := strings.Join(block.Labels, ".")
			if block.Type != "resource" {
				address = strings.TrimSuffix(block.Type+"."+address, ".")
			}
			out[address] = append(out[address], &parsedBlock{block, f})
		}
	}
	return out
}

func fileNames(result *render.Result) []string {
	var names []string
	for name := range result.Files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

var expectation = regexp.MustCompile(`^(\S+) (present|absent|=|~|!~)(?: (.*))?$`)

// expect gives what is wrong with an expectation, empty if it holds.
func (b blocks) expect(line string) string {
	m := expectation.FindStringSubmatch(line)
	if m == nil {
		return "not an expectation"
	}
	found := b.find(m[1])
	switch m[2] {
	case "absent":
		if len(found) > 0 {
			return "it is there: " + found[0]
		}
		return ""
	case "!~":
		for _, text := range found {
			if regexp.MustCompile(m[3]).MatchString(text) {
				return "it is there: " + text
			}
		}
		return ""
	}
	if len(found) == 0 {
		return "nothing of that address"
	}
	for _, text := range found {
		if (m[2] == "=" && text != m[3]) || (m[2] == "~" && !regexp.MustCompile(m[3]).MatchString(text)) {
			return fmt.Sprintf("it is %s", text)
		}
	}
	return ""
}

// find gives the texts of everything at an address with a path below it.
func (b blocks) find(pattern string) []string {
	words := strings.Split(pattern, ".")
	size := 2
	if slices.Contains([]string{"data", "ephemeral"}, words[0]) {
		size = 3
	}
	size = min(size, len(words))
	var out []string
	for address, found := range b {
		if ok, _ := path.Match(strings.Join(words[:size], "."), address); !ok {
			continue
		}
		for _, block := range found {
			out = append(out, textsAt(block.Body, words[size:], block)...)
		}
	}
	slices.Sort(out)
	return out
}

// textsAt gives the texts of the attributes or blocks that a path leads to. A
// dynamic block counts as the blocks that it makes.
func textsAt(body *hclsyntax.Body, words []string, in *parsedBlock) []string {
	if len(words) == 0 {
		return []string{squeeze(string(body.Range().SliceBytes(in.file.Data)))}
	}
	var out []string
	if attr := body.Attributes[words[0]]; attr != nil && len(words) == 1 {
		out = append(out, squeeze(string(attr.Expr.Range().SliceBytes(in.file.Data))))
	}
	for _, block := range body.Blocks {
		switch {
		case block.Type == words[0]:
			out = append(out, textsAt(block.Body, words[1:], in)...)
		case block.Type == "dynamic" && block.Labels[0] == words[0]:
			for _, content := range block.Body.Blocks {
				out = append(out, textsAt(content.Body, words[1:], in)...)
			}
		}
	}
	return out
}

// squeeze writes a text in one line.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// TestTrapsAreSaid requires that every archive says what can go wrong.
func TestTrapsAreSaid(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("..", "testdata", "traps", "*.txtar"))
	more, _ := filepath.Glob(filepath.Join("..", "testdata", "traps", "*", "*.txtar"))
	if len(files) == 0 || len(more) == 0 {
		t.Fatalf("%d archives and %d in folders", len(files), len(more))
	}
	for _, file := range append(files, more...) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if before, _, _ := strings.Cut(string(data), "-- "); len(strings.TrimSpace(before)) < 40 {
			t.Errorf("%s does not say what can go wrong", file)
		}
	}
}

// result is a root of one file.
func result(name, text string) *render.Result {
	return &render.Result{Files: map[string]*render.File{name: {Path: name, Form: render.Config, Data: []byte(text)}}}
}
