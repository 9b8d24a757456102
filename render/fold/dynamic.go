package fold

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// dynamic folds a dynamic block: over a known collection into blocks, otherwise
// from within. It reports whether anything stays.
func (w *walker) dynamic(b *hclsyntax.Block, of bodyOf) bool {
	if when, ok := b.Body.Attributes["when"]; ok && !w.wanted(when) {
		return false
	}
	each, content := b.Body.Attributes["for_each"], contentOf(b)
	if each == nil || content == nil {
		return w.block(b, of) // not what it looks like; Terraform will say so
	}
	iterator := iteratorOf(b)
	if !w.static(each.Expr) || !w.blockKnown(b) {
		w.dynamicLeft(b, of, iterator)
		return true
	}
	elements, ok := w.elements(each.Expr, "for_each")
	if !ok {
		return true
	}
	out := w.blocks(b, content, of, iterator, elements)
	if len(out) == 0 {
		return false
	}
	w.replace(hcl.RangeBetween(b.TypeRange, b.CloseBraceRange), out...)
	return true
}

func contentOf(b *hclsyntax.Block) *hclsyntax.Block {
	for _, inner := range b.Body.Blocks {
		if inner.Type == "content" {
			return inner
		}
	}
	return nil
}

// iteratorOf is the name that the elements of a dynamic block have in it.
func iteratorOf(b *hclsyntax.Block) string {
	if a, ok := b.Body.Attributes["iterator"]; ok {
		if name := hcl.ExprAsKeyword(a.Expr); name != "" {
			return name
		}
	}
	return b.Labels[0]
}

// blockKnown reports whether anything in a block is known.
func (w *walker) blockKnown(b *hclsyntax.Block) bool {
	for _, a := range b.Body.Attributes {
		if w.survey(a.Expr).known {
			return true
		}
	}
	for _, inner := range b.Body.Blocks {
		if w.blockKnown(inner) {
			return true
		}
	}
	return false
}

// dynamicLeft folds a dynamic block that Terraform goes through.
func (w *walker) dynamicLeft(b *hclsyntax.Block, of bodyOf, iterator string) {
	shadowed := w.child(w.scope.shadowing(iterator))
	floor := w.inside(b.Body).Start
	for _, it := range w.items(b.Body) {
		inner := bodyOf{braces: true, block: b.Type, parent: of.block}
		stays := true
		switch {
		case it.attr != nil && it.attr.Name == "iterator":
		case it.attr != nil && it.attr.Name == "for_each":
			stays = w.item(it, inner)
		default:
			stays = shadowed.item(it, inner)
		}
		if !stays {
			w.drop(it, floor)
		}
		floor = itemEnd(it)
	}
	w.edits = append(w.edits, shadowed.edits...)
}

// blocks writes the block for each element.
func (w *walker) blocks(b, content *hclsyntax.Block, of bodyOf, iterator string, elements []element) []Segment {
	glue := func(text string) Segment { return Segment{Text: text, Source: b.TypeRange} }
	between := "\n"
	if content.OpenBraceRange.Start.Line != content.CloseBraceRange.Start.Line {
		between = "\n\n"
	}
	var out []Segment
	for _, el := range elements {
		c := w.child(w.scope.with(map[string]cty.Value{
			iterator: cty.ObjectVal(map[string]cty.Value{"key": el.key, "value": el.value}),
		}))
		labels := c.dynamicLabels(b)
		inside := w.inside(content.Body)
		if !c.body(content.Body, inside, bodyOf{braces: true, block: b.Labels[0], parent: of.block}) {
			continue
		}
		if len(out) > 0 {
			out = append(out, glue(between))
		}
		out = append(out, Segment{Text: b.Labels[0], Source: b.LabelRanges[0]})
		out = append(out, labels...)
		out = append(out, glue(" {"))
		out = append(out, c.splice(inside)...)
		out = append(out, glue("}"))
	}
	return out
}

// dynamicLabels are the labels of one block. In HCL they are text, so they must
// be known.
func (w *walker) dynamicLabels(b *hclsyntax.Block) []Segment {
	a, ok := b.Body.Attributes["labels"]
	if !ok {
		return nil
	}
	if !w.static(a.Expr) {
		w.add(notStatic(a.Expr.Range(), "A label of a block", "Take labels from the blueprint."))
		return nil
	}
	elements, ok := w.elements(a.Expr, "labels")
	if !ok {
		return nil
	}
	var out []Segment
	for _, el := range elements {
		s, err := convert.Convert(el.value, cty.String)
		if err != nil || s.IsNull() {
			w.add(unprintable(a.Expr.Range(), "a label must be text, but one is "+describe(el.value)))
			continue
		}
		text, err := quote(s.AsString())
		if err != nil {
			w.add(unprintable(a.Expr.Range(), err.Error()))
			continue
		}
		out = append(out, Segment{Text: " " + text, Source: a.Expr.Range(), Expr: a.Expr, Locals: w.scope.Locals})
	}
	return out
}
