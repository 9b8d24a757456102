package fold

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"scaffold/blueprints/parse"
)

// concat folds a call that joins lists. Where all of them are written out once
// they are folded, it becomes the one list that they make, whose elements keep
// their text and comments. It reports false where it is for others to fold.
func (w *walker) concat(e *hclsyntax.FunctionCallExpr) bool {
	if e.Name != "concat" || e.ExpandFinal || !w.survey(e).known {
		return false
	}
	var lists [][]Segment
	var edits []edit
	whole, length, lines := w.bareCall(e), 0, false
	for _, arg := range e.Args {
		c := w.child(w.scope)
		c.expr(arg, inside)
		edits = append(edits, c.edits...)
		list, ok := elementsOf(c.splice(arg.Range()))
		whole = whole && ok
		if len(list) > 0 {
			text := Output{list}.String()
			length, lines = length+len(text), lines || strings.Contains(text, "\n")
			lists = append(lists, list)
		}
	}
	if !whole || lines && w.oneLine {
		w.edits = append(w.edits, edits...)
		return true
	}
	w.replaceCode(e.Range(), oneList(lists, e.Range(), lines || !w.oneLine && length > w.layout(e.Range()).width)...)
	return true
}

// bareCall reports whether nothing but commas and blanks stands around the
// arguments: a comment there would have no place in a list.
func (w *walker) bareCall(e *hclsyntax.FunctionCallExpr) bool {
	from := e.OpenParenRange.End.Byte
	for _, arg := range e.Args {
		if strings.Trim(string(w.src[from:arg.Range().Start.Byte]), ", \t\n") != "" {
			return false
		}
		from = arg.Range().End.Byte
	}
	return strings.Trim(string(w.src[from:e.CloseParenRange.Start.Byte]), ", \t\n") == ""
}

func oneList(lists [][]Segment, at hcl.Range, lines bool) []Segment {
	before, between, end := "", ", ", ""
	if lines && len(lists) > 0 {
		before, between, end = "\n", ",\n", ",\n"
	}
	out := []Segment{{Text: "[" + before, Source: at}}
	for i, list := range lists {
		if i > 0 {
			out = append(out, Segment{Text: between, Source: at})
		}
		out = append(out, list...)
	}
	return append(out, Segment{Text: end + "]", Source: at})
}

// elementsOf is the inside of a list that is written out, from its first element
// or comment to its last element. It reports false for any other text, and where
// a comment or a heredoc ends the list, behind which no comma can stand.
func elementsOf(segments []Segment) ([]Segment, bool) {
	text := Output{segments}.String()
	parsed, diags := parse.Expression([]byte(text), "", hcl.InitialPos)
	list, ok := parsed.(*hclsyntax.TupleConsExpr)
	if diags.HasErrors() || !ok || list.SrcRange.Start.Byte != 0 || list.SrcRange.End.Byte != len(text) {
		return nil, false
	}
	last := hcl.Range{Start: hcl.Pos{Byte: 1}, End: hcl.Pos{Byte: 1}}
	if n := len(list.Exprs); n > 0 {
		last = list.Exprs[n-1].Range()
	}
	switch {
	case strings.Trim(text[last.End.Byte:len(text)-1], ", \t\n") != "", strings.Contains(text[last.Start.Byte:last.End.Byte], "<<"):
		return nil, false
	case len(list.Exprs) == 0:
		return nil, true
	}
	start := len(text) - len(strings.TrimLeft(text[1:], " \t\n"))
	return stretch(segments, start, last.End.Byte), true
}

// stretch is the part of segments from one byte offset to another. Copied text
// keeps its place in the source.
func stretch(segments []Segment, from, to int) []Segment {
	var out []Segment
	at := 0
	for _, s := range segments {
		start, end := max(from-at, 0), min(to-at, len(s.Text))
		at += len(s.Text)
		if start >= end {
			continue
		}
		if s.Expr == nil && len(s.Text) == s.Source.End.Byte-s.Source.Start.Byte {
			s.Source.End = past(s.Source.Start, s.Text[:end])
			s.Source.Start = past(s.Source.Start, s.Text[:start])
		}
		s.Text = s.Text[start:end]
		out = append(out, s)
	}
	return out
}

// past is the position behind a text.
func past(at hcl.Pos, text string) hcl.Pos {
	if n := strings.Count(text, "\n"); n > 0 {
		last := strings.LastIndexByte(text, '\n') + 1
		return forward(hcl.Pos{Byte: at.Byte + last, Line: at.Line + n, Column: 1}, text[last:])
	}
	return forward(at, text)
}
