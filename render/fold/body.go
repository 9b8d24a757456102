package fold

import (
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// bodyOf says which block a body belongs to, where that matters.
type bodyOf struct {
	braces bool   // it is the body of a block rather than of a file
	block  string // the type of the block, if that is folded too
	parent string // the type of the block around the block
}

// inside is the range of a body without its braces.
func (f *folder) inside(b *hclsyntax.Body) hcl.Range {
	r := b.SrcRange
	if r.End.Byte-r.Start.Byte < 2 || f.src[r.Start.Byte] != '{' || f.src[r.End.Byte-1] != '}' {
		return r
	}
	r.Start.Byte++
	r.Start.Column++
	r.End.Byte--
	r.End.Column--
	return r
}

// item is an attribute or a block.
type item struct {
	attr  *hclsyntax.Attribute
	block *hclsyntax.Block
}

func (i item) Range() hcl.Range {
	if i.attr != nil {
		return i.attr.SrcRange
	}
	return i.block.Range()
}

// items are the attributes and blocks of a body in the order of the source. The
// tree has them in a map.
func (f *folder) items(b *hclsyntax.Body) []item {
	return remembered(&f.file.ordered, b, func() []item { return inOrder(b) })
}

func inOrder(b *hclsyntax.Body) []item {
	all := make([]item, 0, len(b.Attributes)+len(b.Blocks))
	for _, a := range b.Attributes {
		all = append(all, item{attr: a})
	}
	for _, blk := range b.Blocks {
		all = append(all, item{block: blk})
	}
	sort.Slice(all, func(i, j int) bool {
		return all[i].Range().Start.Byte < all[j].Range().Start.Byte
	})
	return all
}

// body folds the items of a body. It reports false if the body says that its
// block is not wanted.
func (w *walker) body(b *hclsyntax.Body, inside hcl.Range, of bodyOf) bool {
	if when, ok := b.Attributes["when"]; ok && of.braces {
		if !w.wanted(when) {
			return false
		}
	}
	floor := inside.Start
	for _, it := range w.items(b) {
		if !w.item(it, of) {
			w.drop(it, floor)
		}
		floor = itemEnd(it)
	}
	return true
}

func itemEnd(it item) hcl.Pos {
	if it.attr != nil {
		return it.attr.SrcRange.End
	}
	return it.block.CloseBraceRange.End
}

// item folds one item of a body and reports whether it stays.
func (w *walker) item(it item, of bodyOf) bool {
	switch {
	case it.block != nil && it.block.Type == "dynamic" && len(it.block.Labels) == 1:
		return w.dynamic(it.block, of)
	case it.block != nil:
		return w.block(it.block, of)
	case it.attr.Name == "when" && of.braces:
		return false
	default:
		return w.attribute(it.attr, of)
	}
}

// wanted evaluates the when of a block.
func (w *walker) wanted(when *hclsyntax.Attribute) bool {
	if !w.static(when.Expr) {
		w.add(notStatic(when.Expr.Range(), "when", "Use count, for_each or a dynamic block for what Terraform decides."))
		return true
	}
	v, ok := w.value(when.Expr)
	if !ok {
		return true
	}
	if v.IsNull() || v.Type() != cty.Bool {
		w.add(badWhen(when.Expr.Range(), describe(v)))
		return true
	}
	return v.True()
}

// attribute folds an attribute and reports whether it stays: one whose value is
// known to be null goes.
func (w *walker) attribute(a *hclsyntax.Attribute, of bodyOf) bool {
	if of.block == "locals" && of.parent == "" {
		if name, ok := w.scope.renamed(a.Name); ok {
			w.replace(a.NameRange, Segment{Text: name, Source: a.NameRange})
		}
	}
	if of.block == "variable" && a.Name == "type" {
		return true // a type, not an expression
	}
	c := w.child(w.scope)
	c.paths = a.Name == "ignore_changes"
	if of.wantsLiteral(a.Name) {
		c.scope.Keep = nil
	}
	c.expr(a.Expr, onLine)
	for _, e := range c.edits {
		if e.null && e.at == a.Expr.Range() {
			return false
		}
	}
	if a.Name == "for_each" {
		c.keepSet()
	}
	w.edits = append(w.edits, c.edits...)
	return true
}

// keepSet writes a known set as one: a list would not do for for_each.
func (w *walker) keepSet() {
	if len(w.edits) != 1 || len(w.edits[0].out) != 1 || w.edits[0].out[0].Expr == nil {
		return
	}
	s := &w.edits[0].out[0]
	v, diags := w.scope.Evaluator.Value(s.Expr, s.Locals)
	if !diags.HasErrors() && v.Type().IsSetType() && !strings.HasPrefix(s.Text, "toset(") {
		s.Text = "toset(" + s.Text + ")"
	}
}

// block folds a block and reports whether it stays.
func (w *walker) block(b *hclsyntax.Block, of bodyOf) bool {
	inner := bodyOf{braces: true, block: b.Type, parent: of.block}
	c := w.child(w.scope)
	if !c.body(b.Body, w.inside(b.Body), inner) {
		return false
	}
	w.edits = append(w.edits, c.edits...)
	w.label(b)
	return true
}

// label puts the component's name in the place of "this" in the last label.
func (w *walker) label(b *hclsyntax.Block) {
	last := len(b.Labels) - 1
	if last < 0 {
		return
	}
	name, ok := w.scope.renamed(b.Labels[last])
	if !ok {
		return
	}
	at := b.LabelRanges[last]
	text := name
	if w.src[at.Start.Byte] == '"' {
		text = `"` + name + `"`
	}
	w.replace(at, Segment{Text: text, Source: at})
}

// drop removes an item with the comment above it and the one on its line.
func (w *walker) drop(it item, floor hcl.Pos) {
	r := w.withComments(hcl.Range{Filename: it.Range().Filename, Start: it.Range().Start, End: itemEnd(it)}, floor)
	r.End = w.lineComment(r.End)
	if w.ownLines(r) {
		r = w.wholeLines(r)
	}
	w.edits = slices.DeleteFunc(w.edits, func(e edit) bool {
		return e.at.Start.Byte >= r.Start.Byte && e.at.End.Byte <= r.End.Byte
	})
	w.replace(r)
}
