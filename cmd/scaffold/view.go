package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/term"

	"scaffold/blueprints"
	"scaffold/cmd/project"
)

// report prints diagnostics in the chosen format and gives the error to end a
// command with: none if there are only warnings.
func (a *app) report(p *project.Project, diags hcl.Diagnostics) error {
	sources := map[string]*hcl.File{}
	if p != nil {
		sources = p.Sources()
	}
	return a.reportIn(sources, diags)
}

func (a *app) reportIn(sources map[string]*hcl.File, diags hcl.Diagnostics) error {
	sortDiagnostics(diags)
	switch a.format {
	case "json":
		a.printJSON(diagnosticsDocument{Valid: !diags.HasErrors(), Diagnostics: toJSON(sources, diags)})
	case "sarif":
		a.printJSON(sarif(diags))
	default:
		a.text(sources, diags)
	}
	if diags.HasErrors() {
		return exitCode(exitError)
	}
	return nil
}

// warn prints warnings on the way of a command that goes on.
func (a *app) warn(p *project.Project, diags hcl.Diagnostics) {
	if len(diags) > 0 && a.format == "text" {
		sortDiagnostics(diags)
		a.text(p.Sources(), diags)
	}
}

func (a *app) failure(err error) {
	if a.format == "text" {
		text := err.Error()
		if !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "\n") {
			text += "."
		}
		fmt.Fprintf(a.err, "Error: %s\n", text)
		return
	}
	_ = a.report(nil, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Failed", Detail: err.Error()}})
}

func sortDiagnostics(diags hcl.Diagnostics) {
	sort.SliceStable(diags, func(i, j int) bool {
		a, b := diags[i].Subject, diags[j].Subject
		switch {
		case a == nil || b == nil:
			return a == nil && b != nil
		case a.Filename != b.Filename:
			return a.Filename < b.Filename
		}
		return a.Start.Byte < b.Start.Byte
	})
}

const width = 100

func (a *app) color() bool {
	if a.noColor || os.Getenv("NO_COLOR") != "" {
		return false
	}
	f, ok := a.err.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (a *app) text(sources map[string]*hcl.File, diags hcl.Diagnostics) {
	w := &diagnosticWriter{out: a.err, sources: sources, color: a.color()}
	for _, d := range diags {
		w.write(d)
	}
}

func place(r hcl.Range) string {
	if r.Filename == "" {
		return "(scaffold)"
	}
	return fmt.Sprintf("%s:%d,%d", r.Filename, r.Start.Line, r.Start.Column)
}

func (a *app) printJSON(v any) {
	enc := json.NewEncoder(a.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
}

// diagnosticsDocument has the shape of `terraform validate -json`, with the
// code and further places added.
type diagnosticsDocument struct {
	Valid       bool             `json:"valid"`
	Diagnostics []jsonDiagnostic `json:"diagnostics"`
}

type jsonDiagnostic struct {
	Severity string        `json:"severity"`
	Code     string        `json:"code,omitempty"`
	Summary  string        `json:"summary"`
	Detail   string        `json:"detail"`
	Range    *jsonRange    `json:"range,omitempty"`
	Snippet  string        `json:"snippet,omitempty"`
	Related  []jsonRelated `json:"related,omitempty"`
}

type jsonRelated struct {
	Text  string     `json:"text"`
	Range *jsonRange `json:"range,omitempty"`
}

type jsonRange struct {
	Filename string  `json:"filename"`
	Start    jsonPos `json:"start"`
	End      jsonPos `json:"end"`
}

type jsonPos struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Byte   int `json:"byte"`
}

func toJSON(sources map[string]*hcl.File, diags hcl.Diagnostics) []jsonDiagnostic {
	out := []jsonDiagnostic{}
	for _, d := range diags {
		j := jsonDiagnostic{Severity: severity(d), Summary: d.Summary, Detail: d.Detail, Range: rangeJSON(d.Subject)}
		if extra, ok := d.Extra.(*blueprints.Extra); ok {
			j.Code = extra.Code
			for _, r := range extra.Related {
				j.Related = append(j.Related, jsonRelated{r.Text, rangeJSON(&r.Range)})
			}
		}
		if d.Subject != nil && sources[d.Subject.Filename] != nil {
			j.Snippet, _ = lineAt(sources[d.Subject.Filename].Bytes, d.Subject.Start.Byte)
		}
		out = append(out, j)
	}
	return out
}

// lineAt is the line that a byte of a file is in, and the byte that it starts at.
func lineAt(src []byte, at int) (string, int) {
	if at < 0 || at > len(src) {
		return "", 0
	}
	start := bytes.LastIndexByte(src[:at], '\n') + 1
	line, _, _ := bytes.Cut(src[start:], []byte("\n"))
	return string(line), start
}

func severity(d *hcl.Diagnostic) string {
	if d.Severity == hcl.DiagWarning {
		return "warning"
	}
	return "error"
}

func rangeJSON(r *hcl.Range) *jsonRange {
	if r == nil || r.Filename == "" {
		return nil
	}
	return &jsonRange{r.Filename, jsonPos{r.Start.Line, r.Start.Column, r.Start.Byte}, jsonPos{r.End.Line, r.End.Column, r.End.Byte}}
}
