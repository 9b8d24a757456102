package fold

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// folder is one call of this package: the source and what there is to say
// about it.
type folder struct {
	src   []byte
	file  *File
	diags hcl.Diagnostics

	// failed counts the errors in diags that come from evaluating, as opposed
	// to those about the pack's text.
	failed int
}

// walker collects the edits of a stretch of source in one scope. Text that is
// repeated is walked by one walker for each repetition.
type walker struct {
	*folder
	scope Scope
	edits []edit

	// oneLine is set inside of templates, where a literal over several lines
	// would be legal but unreadable, and upset the formatter in a heredoc.
	oneLine bool

	// paths is set where names are attributes of the surrounding resource
	// rather than references.
	paths bool
}

// edit replaces a range of the source.
type edit struct {
	at   hcl.Range
	out  []Segment
	code bool // stands between tokens, so must not grow together with its neighbours
	null bool // is the literal null
}

func (f *folder) walker(s Scope) *walker {
	return &walker{folder: f, scope: s}
}

// child is a walker for a stretch of source that replaces another.
func (w *walker) child(s Scope) *walker {
	return &walker{folder: w.folder, scope: s, oneLine: w.oneLine, paths: w.paths}
}

func (w *walker) replace(at hcl.Range, out ...Segment) {
	w.edits = append(w.edits, edit{at: at, out: out})
}

func (w *walker) replaceCode(at hcl.Range, out ...Segment) {
	w.edits = append(w.edits, edit{at: at, out: out, code: true})
}

// text is the source of a range.
func (f *folder) text(r hcl.Range) string {
	return f.file.text[r.Start.Byte:r.End.Byte]
}

// copied is a segment of source text.
func (f *folder) copied(r hcl.Range) Segment {
	return Segment{Text: f.text(r), Source: r}
}

// splice is the source of a range with the edits in it applied.
func (w *walker) splice(r hcl.Range) []Segment {
	slices.SortStableFunc(w.edits, func(a, b edit) int { return a.at.Start.Byte - b.at.Start.Byte })
	pieces := 1
	for _, e := range w.edits {
		pieces += 1 + len(e.out)
	}
	out := make([]Segment, 0, pieces)
	at := r.Start
	for _, e := range w.edits {
		if e.at.Start.Byte < at.Byte || e.at.End.Byte > r.End.Byte {
			continue
		}
		between := hcl.Range{Filename: r.Filename, Start: at, End: e.at.Start}
		out = w.join(out, w.copied(between), false)
		for i, s := range e.out {
			out = w.join(out, s, e.code && i == 0)
		}
		if e.code {
			out = w.apart(out, e.at.End, r.End)
		}
		at = e.at.End
	}
	return w.join(out, w.copied(hcl.Range{Filename: r.Filename, Start: at, End: r.End}), false)
}

// join appends a segment, with a space before it where two words of code would
// become one.
func (w *walker) join(out []Segment, s Segment, code bool) []Segment {
	if s.Text == "" {
		return out
	}
	if code && len(out) > 0 {
		last := out[len(out)-1].Text
		if wordByte(last[len(last)-1]) && wordByte(s.Text[0]) {
			out = append(out, Segment{Text: " ", Source: s.Source})
		}
	}
	return append(out, s)
}

// apart adds a space after code that would otherwise run into the next word.
func (w *walker) apart(out []Segment, at, end hcl.Pos) []Segment {
	if len(out) == 0 || at.Byte >= end.Byte || !wordByte(w.src[at.Byte]) {
		return out
	}
	last := out[len(out)-1]
	if !wordByte(last.Text[len(last.Text)-1]) {
		return out
	}
	return append(out, Segment{Text: " ", Source: last.Source})
}

// wordByte reports whether a byte can be part of an identifier or a number.
// Every byte of a letter beyond ASCII counts.
func wordByte(b byte) bool {
	return b == '_' || b == '-' || b >= 0x80 ||
		'0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

// value evaluates a static expression. It reports false after it has said why
// there is no value.
func (w *walker) value(e hclsyntax.Expression) (cty.Value, bool) {
	v, diags := w.scope.Evaluator.Value(e, w.scope.Locals)
	w.add(diags...)
	if diags.HasErrors() {
		w.failed++
		return cty.DynamicVal, false
	}
	if !v.IsWhollyKnown() || v.ContainsMarked() {
		w.add(unprintable(e.Range(), "its value is not known when the blueprint is rendered, or is secret"))
		return cty.DynamicVal, false
	}
	return v, true
}
