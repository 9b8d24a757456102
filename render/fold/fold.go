// Package fold turns the HCL of a pack into the HCL of a target: what the
// blueprint knows becomes a literal, everything else is copied byte for byte.
//
// The syntax tree is only used to decide. What is decided is written down as
// edits on the source text, so comments, blank lines, order, heredocs and the
// spelling of numbers are the author's, and a node kind that this package has
// never heard of is copied like any other text.
//
// The package may import hcl, cty and blueprints/parse, nothing else. It
// knows no component, no pattern and no provider.
package fold

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Output is folded text, in segments that remember where each came from.
type Output struct {
	Segments []Segment
}

// Segment is a piece of folded text.
type Segment struct {
	// Text is what stands in the output.
	Text string

	// Source is where the text stands in the pack or, for text that was
	// computed, the expression that it was computed from.
	Source hcl.Range

	// Expr is the static expression whose value Text is; nil for copied text.
	Expr hclsyntax.Expression

	// Kept says that Text is not the value but what Scope.Keep gave.
	Kept bool

	// Locals are the loop variables that Expr saw.
	Locals map[string]cty.Value
}

// String is the whole text.
func (o Output) String() string {
	var b strings.Builder
	b.Grow(o.size())
	for _, s := range o.Segments {
		b.WriteString(s.Text)
	}
	return b.String()
}

func (o Output) bytes() []byte {
	b := make([]byte, 0, o.size())
	for _, s := range o.Segments {
		b = append(b, s.Text...)
	}
	return b
}

func (o Output) size() int {
	size := 0
	for _, s := range o.Segments {
		size += len(s.Text)
	}
	return size
}

// Expression folds one expression. src is the file that its ranges point into.
func Expression(src []byte, expr hclsyntax.Expression, s Scope) (Output, hcl.Diagnostics) {
	f := s.folder(src)
	w := f.walker(s)
	w.expr(expr, onLine)
	return Output{w.splice(expr.Range())}, f.diags
}

// Body folds the inside of a body: its attributes and blocks in the order of
// the source, with the text between them. Of the body of a block the braces are
// left out, and so is its `when`; the output is empty where that is false.
func Body(src []byte, body *hclsyntax.Body, s Scope) (Output, hcl.Diagnostics) {
	f := s.folder(src)
	inside := f.inside(body)
	w := f.walker(s)
	if !w.body(body, inside, bodyOf{braces: inside != body.SrcRange}) {
		return Output{}, f.diags
	}
	return Output{w.splice(inside)}, f.diags
}

// Block folds a whole block with its labels, its lead comment and a comment on
// its last line. It reports false if the block drops itself with `when`.
func Block(src []byte, block *hclsyntax.Block, s Scope) (Output, bool, hcl.Diagnostics) {
	f := s.folder(src)
	w := f.walker(s)
	whole := f.withComments(block.Range(), hcl.InitialPos)
	whole.End = f.lineComment(block.CloseBraceRange.End)
	if !w.block(block, bodyOf{}) {
		return Output{}, false, f.diags
	}
	return Output{w.splice(whole)}, true, f.diags
}

// Above is the comment right above a block, to the end of its last line; it is
// empty where there is none.
func Above(src []byte, block *hclsyntax.Block, s Scope) Output {
	f := s.folder(src)
	at := block.Range()
	at.End = at.Start
	at = f.withComments(at, hcl.InitialPos)
	if at.Start.Byte == at.End.Byte {
		return Output{}
	}
	at.End.Byte = f.lineStart(at.End.Byte)
	return Output{[]Segment{{Text: string(at.SliceBytes(src)), Source: at}}}
}
