package fold

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// template folds a quoted template or a heredoc from within. A value becomes
// text where text means the same; elsewhere it stays an interpolation of a
// literal.
func (w *walker) template(e hclsyntax.Expression) {
	t := &template{walker: w, whole: e.Range(), heredoc: w.heredoc(e)}
	t.seqs = w.sequences(e.Range())
	oneLine := w.oneLine
	w.oneLine = true
	defer func() { w.oneLine = oneLine }()
	switch e := e.(type) {
	case *hclsyntax.TemplateWrapExpr:
		// On its own an interpolation keeps its value's type; it never
		// becomes text.
		w.expr(e.Wrapped, inserted)
		return
	case *hclsyntax.TemplateExpr:
		t.all = e.Parts
		t.parts(e.Parts, w.scope)
	}
	before := len(w.edits)
	t.melt(true)
	if t.heredoc && t.closesEarly(w.edits[before:]) {
		w.edits = w.edits[:before]
		t.melt(false)
	}
	w.edits = append(w.edits, t.inner...)
}

// template is a template that is being folded.
type template struct {
	*walker
	whole   hcl.Range
	heredoc bool
	seqs    []sequence
	next    int // the first of seqs that is not taken yet
	holes   []hole
	inner   []edit // edits inside of holes that stay
	all     []hclsyntax.Expression
}

// hole is a stretch of the template that is not text: an interpolation, or one
// part of a directive.
type hole struct {
	at          hcl.Range
	trimL, trim bool // has a ~ on the left, on the right
	known       bool
	gone        bool   // taken out, with nothing in its place
	text        string // the value, if known
	expr        hclsyntax.Expression
	scope       Scope
}

// parts goes through the parts of a template in step with its sequences. The
// tree has no ranges for the sequences themselves, nor usable ones for the
// parts of a directive.
func (t *template) parts(parts []hclsyntax.Expression, scope Scope) {
	for _, part := range parts {
		switch part := part.(type) {
		case *hclsyntax.LiteralValueExpr:
			if t.next < len(t.seqs) && t.seqs[t.next].holds(part.Range()) {
				t.interpolation(part, scope)
			}
		case *hclsyntax.TemplateJoinExpr:
			t.forDirective(part, scope)
		case *hclsyntax.ConditionalExpr:
			if t.next < len(t.seqs) && t.seqs[t.next].directive {
				t.ifDirective(part, scope)
				continue
			}
			t.interpolation(part, scope)
		default:
			t.interpolation(part, scope)
		}
	}
}

// take is the next sequence.
func (t *template) take() sequence {
	if t.next >= len(t.seqs) {
		return sequence{at: after(t.whole)}
	}
	t.next++
	return t.seqs[t.next-1]
}

func (t *template) interpolation(e hclsyntax.Expression, scope Scope) {
	seq := t.take()
	c := t.child(scope)
	left := e
	if further, decided := c.decide(e); decided {
		if further == nil {
			t.inner = append(t.inner, c.edits...)
			t.holes = append(t.holes, seq.hole())
			return
		}
		left = further
	}
	if c.foldable(left) || left != e && c.static(left) {
		t.value(seq, left, scope)
		return
	}
	c.edits = nil
	c.expr(e, inserted)
	t.inner = append(t.inner, c.edits...)
	t.holes = append(t.holes, seq.hole())
}

// value makes a hole of a part whose value is known.
func (t *template) value(seq sequence, e hclsyntax.Expression, scope Scope) {
	h := seq.hole()
	v, ok := t.child(scope).value(e)
	if ok {
		text, err := plain(v)
		if err != nil {
			t.failed++
			t.add(badInterpolation(e.Range(), t.whole, err.Error()))
		} else {
			h.known, h.text, h.expr, h.scope = true, text, e, scope
		}
	}
	t.holes = append(t.holes, h)
}

// static directive parts become their text as a whole, but not in a heredoc,
// where the text would be one long quoted line.
func (t *template) directiveValue(e hclsyntax.Expression, scope Scope) bool {
	if t.heredoc || !t.child(scope).foldable(e) {
		return false
	}
	first := t.take()
	for depth := 1; depth > 0 && t.next < len(t.seqs); {
		switch t.seqs[t.next].word {
		case "if", "for":
			depth++
		case "endif", "endfor":
			depth--
		}
		last := t.take()
		first.at.End, first.trim = last.at.End, last.trim
	}
	t.value(first, e, scope)
	return true
}

func (t *template) ifDirective(e *hclsyntax.ConditionalExpr, scope Scope) {
	if t.directiveValue(e, scope) || t.prune(e, scope) {
		return
	}
	t.directive(e.Condition, scope)
	t.branch(e.TrueResult, scope)
	if t.next < len(t.seqs) && t.seqs[t.next].word == "else" {
		t.directive(nil, scope)
		t.branch(e.FalseResult, scope)
	}
	t.directive(nil, scope)
}

func (t *template) forDirective(e *hclsyntax.TemplateJoinExpr, scope Scope) {
	loop, ok := e.Tuple.(*hclsyntax.ForExpr)
	if !ok || t.directiveValue(e, scope) {
		return
	}
	t.warnHidden(loop)
	t.directive(loop.CollExpr, scope)
	t.branch(loop.ValExpr, scope.shadowing(loop.KeyVar, loop.ValVar))
	t.directive(nil, scope)
}

// branch goes through the text between two directives.
func (t *template) branch(e hclsyntax.Expression, scope Scope) {
	if inner, ok := e.(*hclsyntax.TemplateExpr); ok {
		t.parts(inner.Parts, scope)
	}
}

// directive keeps a directive, with the expression in it folded.
func (t *template) directive(e hclsyntax.Expression, scope Scope) {
	seq := t.take()
	if e != nil {
		c := t.child(scope)
		c.expr(e, inserted)
		t.inner = append(t.inner, c.edits...)
	}
	t.holes = append(t.holes, seq.hole())
}

// melt writes the known holes. With raw unset none becomes plain text.
func (t *template) melt(raw bool) {
	lone := t.wouldBeLone()
	for i, h := range t.holes {
		if !h.known {
			continue
		}
		text, safe := t.asText(i)
		if !raw || !safe || lone {
			text, lone = t.asInterpolation(h), false
		}
		t.replace(h.at, Segment{Text: text, Source: h.expr.Range(), Expr: h.expr, Locals: h.scope.Locals})
	}
}

// asInterpolation writes a value as an interpolation of a literal. The value
// is valid text, so quoting it cannot fail.
func (t *template) asInterpolation(h hole) string {
	text, _ := quote(h.text)
	opening, closing := "${", "}"
	if h.trimL {
		opening = "${~ "
	}
	if h.trim {
		closing = " ~}"
	}
	return opening + text + closing
}

// wouldBeLone reports whether melting would leave nothing but one
// interpolation, which would then not be text any more but whatever its value
// is.
func (t *template) wouldBeLone() bool {
	kept, empty, size := 0, 0, 0
	for _, h := range t.holes {
		switch {
		case h.gone:
		case !h.known:
			kept++
		case h.text == "":
			empty++
		default:
			return false
		}
		size += h.at.End.Byte - h.at.Start.Byte
	}
	quotes := 2
	return !t.heredoc && kept == 1 && empty > 0 && t.whole.End.Byte-t.whole.Start.Byte == size+quotes
}

// asText is the value of hole i as plain text, and whether that means the same
// there.
func (t *template) asText(i int) (string, bool) {
	h := t.holes[i]
	if h.trim || h.trimL || t.meetsTrim(i) || t.meetsMarker(i) {
		return "", false
	}
	if t.heredoc {
		return t.heredocText(i)
	}
	text, err := escape(h.text)
	return text, err == nil
}

// textBefore is the text between hole i and the hole before it, textAfter that
// between it and the next.
func (t *template) textBefore(i int) string {
	from := t.whole.Start.Byte + 1
	if i > 0 {
		from = t.holes[i-1].at.End.Byte
	}
	return string(t.src[from:t.holes[i].at.Start.Byte])
}

func (t *template) textAfter(i int) string {
	if i+1 < len(t.holes) {
		return t.textBefore(i + 1)
	}
	end := t.whole.End.Byte - 1
	if t.heredoc {
		end = t.whole.End.Byte
	}
	return string(t.src[t.holes[i].at.End.Byte:end])
}

// meetsTrim reports whether a neighbour's ~ would eat into the text, or through
// it into what lies behind.
func (t *template) meetsTrim(i int) bool {
	text := t.holes[i].text
	first, _ := utf8.DecodeRuneInString(text)
	last, _ := utf8.DecodeLastRuneInString(text)
	left := i > 0 && t.holes[i-1].trim && blank(t.textBefore(i))
	right := i+1 < len(t.holes) && t.holes[i+1].trimL && blank(t.textAfter(i))
	return left && (text == "" || t.textBefore(i) == "" || unicode.IsSpace(first)) ||
		right && (text == "" || t.textAfter(i) == "" || unicode.IsSpace(last))
}

func blank(s string) bool {
	return strings.TrimSpace(s) == ""
}

// meetsMarker reports whether the text would make a marker, or escape one,
// together with what stands beside it.
func (t *template) meetsMarker(i int) bool {
	text, before, behind := t.holes[i].text, t.textBefore(i), t.textAfter(i)
	opens := func(s string, hole bool) bool {
		return s == "" && hole || s != "" && strings.ContainsRune("${%", rune(s[0]))
	}
	closes := func(s string, hole bool) bool {
		return s == "" && hole || strings.HasSuffix(s, "$") || strings.HasSuffix(s, "%")
	}
	more, less := i+1 < len(t.holes), i > 0
	unsure := less && (t.holes[i-1].known || t.holes[i-1].gone) // text that may end in anything
	if text == "" {
		return closes(before, unsure) && opens(behind, more)
	}
	return closes(text, false) && opens(behind, more) ||
		closes(before, unsure) && opens(text, false)
}

func after(r hcl.Range) hcl.Range {
	r.Start = r.End
	return r
}
