package render

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"scaffold/blueprints"
	"scaffold/render/fold"
)

// joined are the list arguments of Terraform's own that extensions add to,
// instead of clashing over them.
var joined = map[string]bool{"depends_on": true, "ignore_changes": true, "replace_triggered_by": true}

// tail are the members that close a block by convention: additions stand
// before them.
var tail = map[string]bool{"tags": true, "depends_on": true, "lifecycle": true, "labels": true}

// join adds the arguments and blocks of an extension to the unit's block.
func (u *unit) join(ext *unit) hcl.Diagnostics {
	text := u.text.String()
	target, diags := parseBlock(text)
	if diags.HasErrors() {
		return append(diags, invalid(u.at(), "The folded block does not parse; this is a mistake of the pack or of scaffold: "+diags.Error())...)
	}
	addition, diags := parseBody(ext.text.String())
	if diags.HasErrors() {
		return append(diags, invalid(ext.at(), "The folded extension does not parse; this is a mistake of the pack or of scaffold: "+diags.Error())...)
	}
	e := &extender{unit: u, ext: ext, at: insertionPoint(target.Body, target.CloseBraceRange.Start.Byte, text)}
	e.members(target.Body, addition)
	if e.diags.HasErrors() {
		return e.diags
	}
	u.text = splice(u.text, e.inserts)
	return e.diags
}

// extender collects what to insert where.
type extender struct {
	unit, ext *unit
	at        int
	inserts   []insert
	diags     hcl.Diagnostics
}

// insert is a piece of an output that goes into another at a byte offset.
type insert struct {
	at   int
	text []fold.Segment
}

func parseBlock(text string) (*hclsyntax.Block, hcl.Diagnostics) {
	body, diags := parseBody(text)
	if diags.HasErrors() || len(body.Blocks) != 1 {
		return nil, append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Not one block"})
	}
	return body.Blocks[0], nil
}

func parseBody(text string) (*hclsyntax.Body, hcl.Diagnostics) {
	file, diags := hclsyntax.ParseConfig([]byte(text), "", hcl.InitialPos)
	if diags.HasErrors() {
		return nil, diags
	}
	return file.Body.(*hclsyntax.Body), nil
}

// insertionPoint is before the members that close the block, or its brace.
func insertionPoint(body *hclsyntax.Body, end int, text string) int {
	first := end
	type member struct {
		name  string
		start int
	}
	var members []member
	for name, attr := range body.Attributes {
		members = append(members, member{name, attr.SrcRange.Start.Byte})
	}
	for _, b := range body.Blocks {
		members = append(members, member{b.Type, b.TypeRange.Start.Byte})
	}
	last := 0 // start of the last member that is not of the tail
	for _, m := range members {
		if !tail[m.name] && m.start > last {
			last = m.start
		}
	}
	for _, m := range members {
		if m.start > last && m.start < first {
			first = m.start
		}
	}
	return lineStart(text, first)
}

func lineStart(text string, at int) int {
	for at > 0 && text[at-1] != '\n' {
		at--
	}
	// A comment above the member belongs to it.
	for at > 0 {
		above := at - 1
		for above > 0 && text[above-1] != '\n' {
			above--
		}
		line := trimLeft(text[above : at-1])
		if line == "" || line[0] != '#' {
			break
		}
		at = above
	}
	return at
}

func trimLeft(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	return s
}

func (e *extender) members(into, from *hclsyntax.Body) {
	var whole []fold.Segment
	skip := map[int]int{} // ranges of the extension that go elsewhere
	for name, attr := range from.Attributes {
		other := into.Attributes[name]
		switch {
		case name == "when":
			skip[attr.SrcRange.Start.Byte] = attr.SrcRange.End.Byte
		case other == nil:
		case joined[name]:
			e.joinLists(other.Expr, attr.Expr)
			skip[attr.SrcRange.Start.Byte] = attr.SrcRange.End.Byte
		default:
			e.conflict(name)
		}
	}
	for _, block := range from.Blocks {
		if other := onlyBlock(into, block.Type); other != nil && block.Type == "lifecycle" {
			e.nested(other, block)
			skip[block.TypeRange.Start.Byte] = block.CloseBraceRange.End.Byte
		}
	}
	whole = cut(e.ext.text.Segments, skip)
	if blank(whole) {
		return
	}
	segments := append([]fold.Segment{{Text: "\n", Source: e.ext.at()}}, whole...)
	segments = append(segments, fold.Segment{Text: "\n\n", Source: e.ext.at()})
	e.inserts = append(e.inserts, insert{e.at, segments})
}

func (e *extender) nested(into, from *hclsyntax.Block) {
	for name, attr := range from.Body.Attributes {
		other := into.Body.Attributes[name]
		switch {
		case other == nil:
			piece := between(e.ext.text.Segments, attr.SrcRange.Start.Byte, attr.SrcRange.End.Byte)
			piece = append(piece, fold.Segment{Text: "\n", Source: e.ext.at()})
			e.inserts = append(e.inserts, insert{lineStart(e.unit.text.String(), into.CloseBraceRange.Start.Byte), piece})
		case joined[name]:
			e.joinLists(other.Expr, attr.Expr)
		default:
			e.conflict(from.Type + "." + name)
		}
	}
	for _, block := range from.Body.Blocks {
		piece := between(e.ext.text.Segments, block.TypeRange.Start.Byte, block.CloseBraceRange.End.Byte)
		piece = append(piece, fold.Segment{Text: "\n", Source: e.ext.at()})
		e.inserts = append(e.inserts, insert{lineStart(e.unit.text.String(), into.CloseBraceRange.Start.Byte), piece})
	}
}

// joinLists adds the elements of one list constructor to another that it does
// not have.
func (e *extender) joinLists(into, from hclsyntax.Expression) {
	list, ok := into.(*hclsyntax.TupleConsExpr)
	add, ok2 := from.(*hclsyntax.TupleConsExpr)
	if !ok || !ok2 {
		e.conflict("a list")
		return
	}
	text, extText := e.unit.text.String(), e.ext.text.String()
	have := map[string]bool{}
	end := list.OpenRange.End.Byte
	for _, item := range list.Exprs {
		r := item.Range()
		have[text[r.Start.Byte:r.End.Byte]] = true
		end = r.End.Byte
	}
	first := len(list.Exprs) == 0
	var piece []fold.Segment
	for _, item := range add.Exprs {
		r := item.Range()
		if have[extText[r.Start.Byte:r.End.Byte]] {
			continue
		}
		if !first {
			piece = append(piece, fold.Segment{Text: ", ", Source: e.ext.at()})
		}
		first = false
		piece = append(piece, between(e.ext.text.Segments, r.Start.Byte, r.End.Byte)...)
	}
	if len(piece) > 0 {
		e.inserts = append(e.inserts, insert{end, piece})
	}
}

func (e *extender) conflict(name string) {
	e.diags = append(e.diags, &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: "Argument set twice", Subject: e.ext.at().Ptr(),
		Detail: fmt.Sprintf("The extension sets %s of %s, which its template sets already. Every field has one owner; take it out of one of them.", name, e.unit.address),
		Extra:  &blueprints.Extra{Related: []blueprints.Related{{Range: e.unit.at(), Text: "the block that is extended"}}},
	})
}

func onlyBlock(body *hclsyntax.Body, blockType string) *hclsyntax.Block {
	for _, b := range body.Blocks {
		if b.Type == blockType {
			return b
		}
	}
	return nil
}
