package fold

import (
	"bytes"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"scaffold/blueprints/parse"
)

// prune takes out an if directive whose condition is known and leaves the text
// of its branch. Directives that have a line to themselves go with their line.
// It reports false, and changes nothing, where the rest would not mean the same.
func (t *template) prune(e *hclsyntax.ConditionalExpr, scope Scope) bool {
	c := t.child(scope)
	if !c.foldable(e.Condition) {
		return false
	}
	first, middle, last := t.next, -1, -1
	for i, depth := t.next, 0; i < len(t.seqs) && last < 0; i++ {
		switch word := t.seqs[i].word; {
		case word == "if" || word == "for":
			depth++
		case word == "else" && depth == 1:
			middle = i
		case word == "endif" || word == "endfor":
			if depth--; depth == 0 {
				last = i
			}
		}
	}
	if last < 0 {
		return false
	}
	yes, ok := c.truth(e.Condition)
	if !ok {
		return false
	}
	before, behind, branch := t.cuts(first, middle, last, yes)
	if !t.unharmed(e, yes, before, behind) {
		return false
	}
	t.cut(before)
	t.next = branch
	if yes || middle >= 0 {
		t.branch(branchOf(e, yes), scope)
	}
	t.cut(behind)
	t.next = last + 1
	return true
}

// cuts are the ranges before and behind the branch that stays, and the first
// sequence in that branch. The sequences are numbered; middle is negative where
// there is no else.
func (t *template) cuts(first, middle, last int, yes bool) (before, behind hcl.Range, branch int) {
	opening, closing := first, last
	switch {
	case yes && middle >= 0:
		closing = middle
	case !yes && middle >= 0:
		opening = middle
	case !yes:
		opening = last
	}
	before = hcl.RangeBetween(t.fullLine(t.seqs[first]), t.fullLine(t.seqs[opening]))
	behind = hcl.RangeBetween(t.fullLine(t.seqs[closing]), t.fullLine(t.seqs[last]))
	if opening == last {
		behind = after(before)
	}
	return before, behind, opening + 1
}

// fullLine is the range of a directive, with its whole line if it has one to
// itself.
func (t *template) fullLine(s sequence) hcl.Range {
	if !t.heredoc || !t.ownLines(s.at) {
		return s.at
	}
	return t.wholeLines(s.at)
}

func (t *template) cut(r hcl.Range) {
	t.holes = append(t.holes, hole{at: r, gone: true})
	t.inner = append(t.inner, edit{at: r})
}

// unharmed reports whether the template without two ranges is the template with
// the branch in place of the directive. The parser is the judge: a trim marker
// or an indent may depend on what is taken out.
func (t *template) unharmed(e *hclsyntax.ConditionalExpr, yes bool, before, behind hcl.Range) bool {
	from, to := t.whole.Start.Byte, t.whole.End.Byte
	src := slices.Concat(t.src[from:before.Start.Byte], t.src[before.End.Byte:behind.Start.Byte], t.src[behind.End.Byte:to], []byte("\n"))
	parsed, diags := parse.Expression(src, "", hcl.InitialPos)
	left, ok := parsed.(*hclsyntax.TemplateExpr)
	if diags.HasErrors() || !ok {
		return false
	}
	var want, got flattened
	want.add(t.src, t.all, e, yes)
	got.add(src, left.Parts, nil, false)
	return slices.Equal(want.parts(), got.parts())
}

// flattened is a template as text and the source of what is inserted into it.
type flattened struct {
	done []string
	text bytes.Buffer
}

func (f *flattened) parts() []string {
	return append(f.done, f.text.String())
}

// add goes through parts; of the conditional "decided" it takes one branch.
func (f *flattened) add(src []byte, parts []hclsyntax.Expression, decided *hclsyntax.ConditionalExpr, yes bool) {
	for _, part := range parts {
		switch p := part.(type) {
		case *hclsyntax.LiteralValueExpr:
			if s, err := plain(p.Val); err == nil {
				f.text.WriteString(s)
			}
			continue
		case *hclsyntax.TemplateJoinExpr:
			if loop, ok := p.Tuple.(*hclsyntax.ForExpr); ok {
				f.insert("for " + loop.KeyVar + "," + loop.ValVar + sourceOf(src, loop.CollExpr))
				f.nested(src, loop.ValExpr, decided, yes)
				continue
			}
		case *hclsyntax.ConditionalExpr:
			if p == decided {
				f.nested(src, branchOf(p, yes), decided, yes)
				continue
			}
			if bytes.HasPrefix(src[p.Range().Start.Byte:], []byte("%{")) {
				f.insert("if " + sourceOf(src, p.Condition))
				f.nested(src, p.TrueResult, decided, yes)
				f.insert("else")
				f.nested(src, p.FalseResult, decided, yes)
				f.insert("endif")
				continue
			}
		}
		f.insert(sourceOf(src, part))
	}
}

func branchOf(e *hclsyntax.ConditionalExpr, yes bool) hclsyntax.Expression {
	if yes {
		return e.TrueResult
	}
	return e.FalseResult
}

func sourceOf(src []byte, e hclsyntax.Expression) string {
	return string(src[e.Range().Start.Byte:e.Range().End.Byte])
}

func (f *flattened) insert(source string) {
	f.done = append(f.done, f.text.String(), source)
	f.text.Reset()
}

func (f *flattened) nested(src []byte, e hclsyntax.Expression, decided *hclsyntax.ConditionalExpr, yes bool) {
	if inner, ok := e.(*hclsyntax.TemplateExpr); ok {
		f.add(src, inner.Parts, decided, yes)
	}
}
