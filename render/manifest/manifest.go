// Package manifest turns the HCL of a manifest into a YAML tree.
//
// Manifests have no expressions of their own, so everything in them has to be
// known when rendering. What the author wrote out (objects, lists,
// conditionals, loops, merge, concat, flatten) is walked, so that the order of
// keys and the comments are the author's; the rest is evaluated and written in
// a fixed order. Null stands for absence everywhere: a key or a list item that
// is null goes, and its comment with it.
//
// The package may import render/fold, for the scope, and render/yaml. It names
// no kind of object: what is valid is for a schema to say.
package manifest

import (
	"sort"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"scaffold/render/fold"
	"scaffold/render/yaml"
)

// meta are the arguments of a manifest block that say whether and how often it
// is rendered, and as what. The first two are the caller's.
var meta = map[string]bool{"when": true, "for_each": true, "written_as": true}

// Document renders one manifest block of the file src. Its labels are
// apiVersion and kind, which come first, then metadata, then the arguments in
// the author's order.
func Document(src *Source, block *hclsyntax.Block, apiVersion, kind string, s fold.Scope) (*yaml.Node, hcl.Diagnostics) {
	w := newWalker(src)
	doc := w.body(block, s)
	doc.Source = yaml.Source{Range: block.DefRange()}
	w.notes(doc).head = w.comments.above(src.text, block.Range().Start)
	w.finish(doc)

	header := []yaml.Entry{
		{Key: "apiVersion", Value: labelled(apiVersion, block, 0)},
		{Key: "kind", Value: labelled(kind, block, 1)},
	}
	if attr := block.Body.Attributes["written_as"]; attr != nil {
		w.writtenAs(attr.Expr, s, header)
	}
	doc.Entries = append(header, metadataFirst(doc.Entries)...)
	return doc, distinct(w.diags)
}

// Tree renders one expression of the file src. The result is null where the
// expression is.
func Tree(src *Source, expr hclsyntax.Expression, s fold.Scope) (*yaml.Node, hcl.Diagnostics) {
	w := newWalker(src)
	n := w.walk(expr, s)
	w.finish(n)
	return n, distinct(w.diags)
}

// body walks the arguments of a block in the order of the source; the parser
// keeps them in a map.
func (w *walker) body(block *hclsyntax.Block, s fold.Scope) *yaml.Node {
	attrs := make([]*hclsyntax.Attribute, 0, len(block.Body.Attributes))
	for _, attr := range block.Body.Attributes {
		attrs = append(attrs, attr)
	}
	sort.Slice(attrs, func(i, j int) bool {
		return attrs[i].SrcRange.Start.Byte < attrs[j].SrcRange.Start.Byte
	})

	doc := yaml.NewMapping()
	items := make([]item, 0, len(attrs))
	for _, attr := range attrs {
		if meta[attr.Name] {
			items = append(items, item{rng: attr.SrcRange})
			continue
		}
		if attr.Name == "apiVersion" || attr.Name == "kind" {
			w.fail(attr.NameRange, "Label set as an argument",
				"The labels of a manifest block are its apiVersion and its kind; remove "+attr.Name+" here.")
			continue
		}
		n := w.walk(attr.Expr, s)
		w.place(n, attr.SrcRange)
		doc.Entries = append(doc.Entries, yaml.Entry{Key: attr.Name, Value: n})
		items = append(items, item{n, attr.SrcRange})
	}
	for _, inner := range block.Body.Blocks {
		w.fail(inner.DefRange(), "Block in a manifest",
			"A manifest is made of arguments. Write "+inner.Type+" = { … } for a mapping, or "+
				inner.Type+" = [{ … }] for a list of them.")
	}
	w.attach(doc, block.OpenBraceRange.End, items, block.CloseBraceRange.Start)
	return doc
}

// writtenAs replaces what the labels say. They stay the name by which other
// templates know the object, so that one which becomes a different kind for
// some blueprints can still be extended.
func (w *walker) writtenAs(expr hclsyntax.Expression, s fold.Scope, header []yaml.Entry) {
	n := w.walk(expr, s)
	if n.Kind != yaml.Sequence || len(n.Items) != len(header) {
		w.fail(expr.Range(), "Not a kind", "written_as takes a list of two texts: apiVersion and kind.")
		return
	}
	for i, item := range n.Items {
		if item.Kind != yaml.String {
			w.fail(expr.Range(), "Not a kind", "written_as takes a list of two texts: apiVersion and kind.")
			return
		}
		header[i].Value = item
	}
}

// labelled is the entry that a label of the block stands for.
func labelled(text string, block *hclsyntax.Block, label int) *yaml.Node {
	n := yaml.NewString(text)
	n.Source.Range = block.DefRange()
	if label < len(block.LabelRanges) {
		n.Source.Range = block.LabelRanges[label]
	}
	return n
}

func metadataFirst(entries []yaml.Entry) []yaml.Entry {
	sort.SliceStable(entries, func(i, j int) bool {
		return entries[i].Key == "metadata" && entries[j].Key != "metadata"
	})
	return entries
}

// distinct drops what was reported before: each turn of a loop finds the same
// problem in the same place.
func distinct(diags hcl.Diagnostics) hcl.Diagnostics {
	type problem struct {
		at              hcl.Range
		summary, detail string
	}
	seen := map[problem]bool{}
	var kept hcl.Diagnostics
	for _, d := range diags {
		p := problem{summary: d.Summary, detail: d.Detail}
		if d.Subject != nil {
			p.at = *d.Subject
		}
		if !seen[p] {
			seen[p] = true
			kept = append(kept, d)
		}
	}
	return kept
}
