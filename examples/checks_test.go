package examples_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"scaffold/cmd/project"
)

// TestChecksAreHeld requires that whoever testdata/checks_gcp.tsv names holds
// what it says: a rule is there and some blueprint breaks it, a pitfall is
// looked for, a trap and a test exist. Each pattern has a check.
func TestChecksAreHeld(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "testdata", "checks_gcp.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	held := holders(t)
	checked, seen := map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(string(data)) {
		columns := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") || columns[0] == "pattern" {
			continue
		}
		if len(columns) != 3 || seen[columns[0]+columns[1]] {
			t.Fatalf("a row has a pattern, a check that no other has, and who holds it: %q", line)
		}
		seen[columns[0]+columns[1]], checked[columns[0]] = true, true
		for _, by := range strings.Split(columns[2], "; ") {
			if problem := held.problem(by); problem != "" {
				t.Errorf("%s, %s: %s %s", columns[0], columns[1], by, problem)
			}
		}
	}
	catalog, diags := project.Catalog()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, pattern := range catalog.Names("patterns") {
		if !checked[pattern] {
			t.Errorf("nothing is said of %s", pattern)
		}
	}
	for pattern := range checked {
		if !slices.Contains(catalog.Names("patterns"), pattern) {
			t.Errorf("%s is no pattern", pattern)
		}
	}
}

// holder is who can hold a check: rules by code, those of them that a blueprint
// breaks, pitfalls, traps and tests.
type holder struct{ rules, broken, pitfalls, traps, tests map[string]bool }

func (h holder) problem(by string) string {
	kind, name, _ := strings.Cut(by, " ")
	switch kind {
	case "rule":
		if !h.rules[name] {
			return "is no rule"
		}
		if !h.broken[name] {
			return "is broken by no blueprint"
		}
	case "pitfall", "trap", "test":
		if !map[string]map[string]bool{"pitfall": h.pitfalls, "trap": h.traps, "test": h.tests}[kind][name] {
			return "is not there"
		}
	case "built", "left":
		if len(name) < 20 {
			return "says no reason"
		}
	default:
		return "is of no kind"
	}
	return ""
}

func holders(t *testing.T) holder {
	t.Helper()
	h := holder{map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}}
	p, diags := project.Empty()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	rules, diags := p.Rules()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, r := range rules {
		if r.Pack == "" || r.Pack == "gcp" {
			h.rules[r.Code] = true
		}
	}
	for _, p := range slices.Concat(pitfalls, pitfallsBetween) {
		h.pitfalls[p.what] = true
	}
	for _, file := range archives(t, "rules", "*.txtar") {
		definition := strings.TrimSuffix(filepath.Base(file), ".txtar")
		for _, f := range txtarFiles(t, file) {
			if rule, ok := strings.CutSuffix(f.Name, ".hcl"); ok {
				h.broken[definition+"."+rule] = true
			}
		}
	}
	for _, f := range txtarFiles(t, filepath.Join("..", "testdata", "refused", "gcp.txtar")) {
		if code, ok := strings.CutSuffix(f.Name, ".hcl"); ok {
			h.broken[code] = true
		}
	}
	for _, file := range archives(t, "traps", "gcp/*.txtar") {
		for _, f := range txtarFiles(t, file) {
			if name, ok := strings.CutSuffix(f.Name, ".hcl"); ok {
				h.traps[strings.TrimSuffix(filepath.Base(file), ".txtar")+"/"+name] = true
			}
			if code, ok := strings.CutPrefix(strings.TrimSpace(lastLine(string(f.Data))), "refused "); ok {
				h.broken[code] = true
			}
		}
	}
	for _, file := range archives(t, "..", "examples/*_test.go") {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(string(data), -1) {
			h.tests[m[1]] = true
		}
	}
	return h
}

func archives(t *testing.T, folder, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "testdata", folder, filepath.FromSlash(pattern)))
	if err != nil || len(files) == 0 {
		t.Fatalf("no %s in %s: %v", pattern, folder, err)
	}
	return files
}

// txtarFiles are those of an archive, none if there is no archive.
func txtarFiles(t *testing.T, file string) []txtar.File {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return archive.Files
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// TestUnheldChecksAreFound requires that each way in which nobody holds a check
// is found.
func TestUnheldChecksAreFound(t *testing.T) {
	h := holder{rules: map[string]bool{"a.b": true, "a.unbroken": true}, broken: map[string]bool{"a.b": true, "a.gone": true}, pitfalls: map[string]bool{"x": true}}
	for by, want := range map[string]string{
		"rule a.b":        "",
		"rule a.gone":     "is no rule",
		"rule a.unbroken": "is broken by no blueprint",
		"pitfall x":       "",
		"pitfall y":       "is not there",
		"trap x":          "is not there",
		"test TestGone":   "is not there",
		"built so":        "says no reason",
		"nobody":          "is of no kind",
	} {
		if got := h.problem(by); got != want {
			t.Errorf("%s: %q is said instead of %q", by, got, want)
		}
	}
}
