package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcled"
	"github.com/mitchellh/go-wordwrap"

	"scaffold/blueprints"
)

// diagnosticWriter prints diagnostics for a person: what, where with a mark
// under it, why and what to do, and further places.
type diagnosticWriter struct {
	out     io.Writer
	sources map[string]*hcl.File
	color   bool
}

const (
	bold      = "1"
	boldRed   = "1;31"
	boldAmber = "1;33"
)

func (w *diagnosticWriter) write(d *hcl.Diagnostic) {
	color, label := boldRed, "Error: "
	if d.Severity == hcl.DiagWarning {
		color, label = boldAmber, "Warning: "
	}
	fmt.Fprintf(w.out, "%s%s\n\n", w.paint(color, label), w.paint(bold, d.Summary))
	if d.Subject != nil {
		w.place(*d.Subject, color)
	}
	if d.Detail != "" {
		fmt.Fprintf(w.out, "%s\n\n", wordwrap.WrapString(d.Detail, width))
	}
	if extra, ok := d.Extra.(*blueprints.Extra); ok && len(extra.Related) > 0 {
		for _, r := range extra.Related {
			fmt.Fprintf(w.out, "  %s: %s\n", place(r.Range), r.Text)
		}
		fmt.Fprintln(w.out)
	}
}

func (w *diagnosticWriter) paint(code, text string) string {
	if !w.color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// place shows the line that the problem is in, with a mark under the part that
// is meant.
func (w *diagnosticWriter) place(r hcl.Range, color string) {
	file := w.sources[r.Filename]
	if file == nil || r.Start.Byte > len(file.Bytes) {
		fmt.Fprintf(w.out, "  on %s\n\n", place(r))
		return
	}
	where := place(r)
	if context := hcled.ContextString(file, r.Start.Byte); context != "" {
		where += ", in " + context
	}
	line, start := lineAt(file.Bytes, r.Start.Byte)
	before := file.Bytes[start:r.Start.Byte]
	marked := line[len(before):]
	if r.End.Line == r.Start.Line && r.End.Byte > r.Start.Byte {
		marked = marked[:min(len(marked), r.End.Byte-r.Start.Byte)]
	}
	mark := strings.Repeat("^", max(1, utf8.RuneCountInString(marked)))
	fmt.Fprintf(w.out, "  on %s:\n%4d: %s\n      %s\n\n", where, r.Start.Line, printable(line), blanks(string(before))+w.paint(color, mark))
}

// blanks is as wide as s.
func blanks(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return '\t'
		}
		return ' '
	}, s)
}

// printable keeps a file from sending commands to the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
