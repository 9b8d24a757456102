package kubernetes

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Problem is one reason why a document would be refused or would not do what
// it says. Lines and columns count from 1.
type Problem struct {
	File      string
	Line      int
	Column    int
	EndColumn int
	Path      string // spec.template.spec.containers[0].image
	Summary   string // the kind of problem, a fixed text
	Message   string // what is wrong here, and why
	Fix       string // what to write instead, when that is known
}

// Summaries, one for each kind of problem.
const (
	summaryYAML      = "Not valid YAML"
	summaryAmbiguous = "Ambiguous YAML"
	summaryDuplicate = "Duplicate name"
	summaryKind      = "Unknown kind"
	summaryField     = "Unknown field"
	summaryMissing   = "Missing field"
	summaryType      = "Wrong type"
	summaryValue     = "Value not allowed"
	summaryRule      = "Broken rule"
	summaryReference = "Broken reference"
)

func (p Problem) String() string {
	text := fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Summary)
	if p.Path != "" {
		text += ": " + p.Path
	}
	text += ": " + p.Message
	if p.Fix != "" {
		text += "; " + p.Fix
	}
	return text
}

func sortProblems(problems []Problem) {
	sort.SliceStable(problems, func(i, j int) bool {
		a, b := problems[i], problems[j]
		if a.File != b.File {
			return a.File < b.File
		}
		if a.Line != b.Line {
			return a.Line < b.Line
		}
		return a.Column < b.Column
	})
}

// diagnostics turns problems into diagnostics with byte positions in the files
// they were found in.
func diagnostics(problems []Problem, files map[string][]byte) hcl.Diagnostics {
	sortProblems(problems)
	lines := map[string][]int{}
	var diags hcl.Diagnostics
	for _, p := range slices.Compact(problems) {
		if lines[p.File] == nil {
			lines[p.File] = lineStarts(files[p.File])
		}
		diags = append(diags, p.diagnostic(files[p.File], lines[p.File]))
	}
	return diags
}

func (p Problem) diagnostic(text []byte, starts []int) *hcl.Diagnostic {
	detail := p.Message + "."
	if p.Path != "" {
		detail = p.Path + ": " + detail
	}
	if p.Fix != "" {
		detail += " " + strings.ToUpper(p.Fix[:1]) + p.Fix[1:]
		if !strings.HasSuffix(detail, "?") {
			detail += "."
		}
	}
	return &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  p.Summary,
		Detail:   detail,
		Subject: &hcl.Range{
			Filename: p.File,
			Start:    position(text, starts, p.Line, p.Column),
			End:      position(text, starts, p.Line, max(p.EndColumn, p.Column+1)),
		},
	}
}

func lineStarts(text []byte) []int {
	starts := []int{0}
	for i, b := range text {
		if b == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}

// position finds the byte of a column, which counts characters.
func position(text []byte, starts []int, line, column int) hcl.Pos {
	pos := hcl.Pos{Line: line, Column: column}
	if line < 1 || line > len(starts) {
		return pos
	}
	end := len(text)
	if line < len(starts) {
		end = starts[line] - 1
	}
	pos.Byte = starts[line-1]
	characters := 1
	for i := range string(text[starts[line-1]:end]) {
		if characters == column {
			pos.Byte = starts[line-1] + i
			return pos
		}
		characters++
	}
	pos.Byte, pos.Column = end, min(column, characters)
	return pos
}
