package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"scaffold/blueprints"
	"scaffold/blueprints/parse"
	"scaffold/render/fold"
)

// joined are the list arguments of Terraform's own that extensions add to,
// instead of clashing over them.
var joined = map[string]bool{"depends_on": true, "ignore_changes": true, "replace_triggered_by": true}

// tail are the members that close a block by convention: additions stand
// before them.
var tail = map[string]bool{"tags": true, "depends_on": true, "lifecycle": true, "labels": true}

// join adds the arguments and blocks of an extension to the unit's block. A
// block that single says can stand there once only is merged with the one that
// is there, any other is added.
func (u *unit) join(ext *unit, single func(*hclsyntax.Block, []string) bool) hcl.Diagnostics {
	text := u.text.String()
	target, diags := parseBlock(text)
	if diags.HasErrors() {
		return append(diags, invalid(u.at(), "The folded block does not parse; this is a mistake of the pack or of scaffold: "+diags.Error())...)
	}
	addition, diags := parseBody(ext.text.String())
	if diags.HasErrors() {
		return append(diags, invalid(ext.at(), "The folded extension does not parse; this is a mistake of the pack or of scaffold: "+diags.Error())...)
	}
	e := &extender{unit: u, ext: ext, text: text, single: single}
	e.members(place{
		body: target.Body, at: insertionPoint(target.Body, target.CloseBraceRange.Start.Byte, text), before: "\n", after: "\n\n",
	}, addition, 0, length(ext.text.Segments))
	if e.diags.HasErrors() {
		return e.diags
	}
	e.comment(0, ext.comment.Segments)
	u.text = splice(u.text, e.inserts)
	return e.diags
}

// extender collects what to insert where.
type extender struct {
	unit, ext *unit
	text      string // of the unit
	single    func(*hclsyntax.Block, []string) bool
	inserts   []insert
	diags     hcl.Diagnostics
}

// place is where members of an extension are added: a body of the block that is
// extended, and the byte that the text goes to.
type place struct {
	body          *hclsyntax.Body
	path          []string // of the block types that lead to the body
	at            int
	before, after string // what separates the text from its neighbours
}

// insert is a piece of an output that goes into another at a byte offset.
type insert struct {
	at   int
	text []fold.Segment
	// from is where the piece stood, and line the offset of a line that a
	// comment on it can stand above.
	from, line int
}

func parseBlock(text string) (*hclsyntax.Block, hcl.Diagnostics) {
	body, diags := parseBody(text)
	if diags.HasErrors() || len(body.Blocks) != 1 {
		return nil, append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Not one block"})
	}
	return body.Blocks[0], nil
}

func parseBody(text string) (*hclsyntax.Body, hcl.Diagnostics) {
	file, diags := parse.Config([]byte(text), "", hcl.InitialPos)
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

func rawLineStart(text string, at int) int { return strings.LastIndexByte(text[:at], '\n') + 1 }

func lineStart(text string, at int) int {
	at = rawLineStart(text, at)
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

// members adds the members of a body to a place. Start and end are the inside
// of the body in the text of the extension.
func (e *extender) members(into place, from *hclsyntax.Body, start, end int) {
	skip := map[int]int{} // ranges of the extension that go elsewhere
	for _, attr := range inOrder(from.Attributes) {
		name := attr.Name
		other := into.body.Attributes[name]
		if other == nil {
			continue
		}
		inserted := len(e.inserts)
		if joined[name] {
			e.joinLists(other, attr)
		} else {
			e.conflict(into.name(name))
		}
		skip[e.moved(attr.SrcRange.Start.Byte, inserted)] = attr.SrcRange.End.Byte
	}
	for _, block := range from.Blocks {
		other := onlyBlock(into.body, block.Type)
		if !e.once(into, block) {
			continue
		}
		inserted := len(e.inserts)
		switch {
		case other != nil:
			e.nested(into, other, block)
		case hasDynamic(into.body, block.Type):
			e.conflict(into.name(block.Type))
		default:
			continue
		}
		skip[e.moved(block.TypeRange.Start.Byte, inserted)] = block.CloseBraceRange.End.Byte
	}
	whole := cut(e.ext.text.Segments, start, end, skip)
	if blank(whole) {
		return
	}
	segments := append([]fold.Segment{{Text: into.before, Source: e.ext.at()}}, trimBlank(whole)...)
	segments = append(segments, fold.Segment{Text: into.after, Source: e.ext.at()})
	e.inserts = append(e.inserts, insert{into.at, segments, start, into.at})
}

func (p place) name(member string) string {
	return strings.Join(append(slices.Clone(p.path), member), ".")
}

// once reports whether a block of the extension can stand in a place once only.
// Of Terraform's own blocks that is so for lifecycle.
func (e *extender) once(into place, block *hclsyntax.Block) bool {
	if len(into.path) == 0 && block.Type == "lifecycle" {
		return true
	}
	return e.single != nil && len(block.Labels) == 0 && e.single(e.unit.block, append(slices.Clone(into.path), block.Type))
}

// nested merges a block of the extension with the one that is there.
func (e *extender) nested(into place, other, block *hclsyntax.Block) {
	inner := place{body: other.Body, path: append(slices.Clone(into.path), block.Type), after: "\n"}
	if other.OpenBraceRange.Start.Line == other.CloseBraceRange.Start.Line {
		// One line becomes several.
		inner.at, inner.before = other.CloseBraceRange.Start.Byte, "\n"
		if open := other.OpenBraceRange.End.Byte; open != inner.at {
			e.inserts = append(e.inserts, insert{at: open, text: []fold.Segment{{Text: "\n", Source: e.ext.at()}}, from: -1})
		}
	} else {
		inner.at = rawLineStart(e.text, other.CloseBraceRange.Start.Byte)
	}
	e.members(inner, block.Body, block.OpenBraceRange.End.Byte, block.CloseBraceRange.Start.Byte)
}

// moved takes the comment above a member of the extension along to what was
// inserted for the member, and gives where the comment starts.
func (e *extender) moved(member, inserted int) int {
	start := lineStart(e.ext.text.String(), member)
	e.comment(inserted, between(e.ext.text.Segments, start, rawLineStart(e.ext.text.String(), member)))
	return start
}

// comment puts a comment above the first of the latest inserts.
func (e *extender) comment(since int, comment []fold.Segment) {
	first := -1
	for i := since; i < len(e.inserts); i++ {
		if from := e.inserts[i].from; from >= 0 && (first < 0 || from < e.inserts[first].from) {
			first = i
		}
	}
	if blank(comment) || first < 0 {
		return
	}
	in := &e.inserts[first]
	if in.line == in.at {
		in.text = slices.Concat(in.text[:1], comment, in.text[1:])
		return
	}
	e.inserts = append(e.inserts, insert{at: in.line, text: comment, from: -1})
}

func hasDynamic(body *hclsyntax.Body, blockType string) bool {
	return slices.ContainsFunc(body.Blocks, func(b *hclsyntax.Block) bool {
		return b.Type == "dynamic" && len(b.Labels) == 1 && b.Labels[0] == blockType
	})
}

// joinLists adds the elements of one list constructor to another that it does
// not have.
func (e *extender) joinLists(into, from *hclsyntax.Attribute) {
	list, ok := into.Expr.(*hclsyntax.TupleConsExpr)
	add, ok2 := from.Expr.(*hclsyntax.TupleConsExpr)
	if !ok || !ok2 {
		e.conflict(into.Name)
		return
	}
	text, extText := e.text, e.ext.text.String()
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
		e.inserts = append(e.inserts, insert{end, piece, from.SrcRange.Start.Byte, rawLineStart(text, into.SrcRange.Start.Byte)})
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
