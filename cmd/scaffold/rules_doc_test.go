package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"scaffold/cmd/project"
)

const (
	rulesBegin = "<!-- rules: begin -->\n"
	rulesEnd   = "<!-- rules: end -->\n"
)

// TestRulesDoc holds the list of rules in docs/rules.md against the definitions
// and packs.
func TestRulesDoc(t *testing.T) {
	t.Parallel()
	p, diags := project.Empty()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	rules, diags := p.Rules()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	file := filepath.Join("..", "..", "docs", "rules.md")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(data), rulesBegin)
	_, after, found2 := strings.Cut(rest, rulesEnd)
	if !found || !found2 {
		t.Fatalf("%s has no place for the list of rules", file)
	}
	want := before + rulesBegin + rulesTable(rules) + rulesEnd + after
	switch {
	case *update:
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	case string(data) != want:
		t.Errorf("%s is not what the definitions and packs say; run go test ./cmd/scaffold -run RulesDoc -update", file)
	}
	known := map[string]bool{}
	for _, r := range rules {
		known[r.Code] = true
	}
	for _, m := range regexp.MustCompile("`([a-z0-9_]+\\.[a-z0-9_]+)`").FindAllStringSubmatch(before, -1) {
		if !known[m[1]] {
			t.Errorf("%s speaks of a rule %s, which there is not", file, m[1])
		}
	}
}

// rulesTable lists each rule once, under the definition that has it first.
func rulesTable(rules []project.Rule) string {
	var b strings.Builder
	b.WriteString("| rule | | says | where |\n|---|---|---|---|\n")
	seen := map[hcl.Range]bool{}
	for _, r := range rules {
		if r.Range.Filename != "" && seen[r.Range] || inherited(r) {
			continue
		}
		seen[r.Range] = true
		severity := "error"
		switch {
		case r.Warning:
			severity = "warning"
		case r.Firm:
			severity = "error, firm"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.Code, severity, said(r.Message), r.Range.Filename)
	}
	return b.String()
}

// inherited reports whether a definition has the rule from the one that it
// extends.
func inherited(r project.Rule) bool {
	owner, _, _ := strings.Cut(r.Code, ".")
	return r.Pack == "" && strings.TrimSuffix(filepath.Base(r.Range.Filename), ".hcl") != owner && !strings.Contains(r.Range.Filename, "components/")
}

var inserted = regexp.MustCompile(`\$\{(?:[^{}]|\{[^{}]*\}|\$\{(?:[^{}]|\{[^{}]*\})*\})*\}`)

// said is a message with a dash for each value in it.
func said(message string) string {
	return strings.ReplaceAll(inserted.ReplaceAllString(unquoted(message), "…"), "|", `\|`)
}

// TestRulesDocMarks holds the marks of questions in docs/rules.md, such as
// POOL-001, against the comments of definitions and packs that refer to them.
func TestRulesDocMarks(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "rules.md"))
	if err != nil {
		t.Fatal(err)
	}
	mark := regexp.MustCompile(`\b[A-Z]{2,}-[0-9]{3}\b`)
	listed := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		if first, _, ok := strings.Cut(strings.TrimPrefix(line, "|"), "|"); ok {
			for _, m := range mark.FindAllString(first, -1) {
				listed[m] = true
			}
		}
	}
	if len(listed) < 30 {
		t.Errorf("docs/rules.md marks only %d questions", len(listed))
	}
	for _, folder := range []string{"blueprints", "templates"} {
		err := filepath.WalkDir(filepath.Join("..", "..", folder), func(file string, entry fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(file) != ".hcl" {
				return err
			}
			text, err := os.ReadFile(file)
			for line := range strings.Lines(string(text)) {
				if comment := strings.TrimSpace(line); strings.HasPrefix(comment, "#") {
					for _, m := range mark.FindAllString(comment, -1) {
						if !listed[m] {
							t.Errorf("%s refers to %s, which docs/rules.md does not mark", file, m)
						}
					}
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
