package yaml

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

const (
	// step is the indentation of one level, of sequences in mappings too.
	step = 2

	// flowWidth is the column that a list in brackets must not pass.
	flowWidth = 100

	// keyLength is what a key may take on the line of its value. Readers give
	// up at 1024 characters.
	keyLength = 1000
)

// Mark tells where a line of output came from.
type Mark struct {
	// Line counts from one.
	Line int

	// Source is that of the innermost node on the line.
	Source Source
}

// Write writes doc as one document, without "---", and returns one mark for
// each line in order. The document should pass Check: what is not UTF-8 is
// written as U+FFFD.
func Write(doc *Node) ([]byte, []Mark) {
	w := &writer{}
	w.lift(doc, 0, Source{})
	w.value(doc, -step, Source{}, true)
	return w.out.Bytes(), w.marks
}

// writer holds the output so far. Each method that ends a line says whose it
// is; sources are handed down for nodes that have none of their own.
type writer struct {
	out   bytes.Buffer
	marks []Mark
}

func sourceOf(n *Node, parent Source) Source {
	if n != nil && n.Source.known() {
		return n.Source
	}
	return parent
}

// value writes what follows a key or a dash. indent is the column of that key
// or dash; inline says that the cursor is where the value itself may begin.
func (w *writer) value(n *Node, indent int, parent Source, inline bool) {
	source := sourceOf(n, parent)
	if !isBlock(n) {
		w.scalar(n, indent, source, inline)
		return
	}
	if !inline {
		w.endWithComment(n.Line, source)
	}
	if n.Kind == Mapping {
		w.mapping(n, indent+step, source, inline)
	} else {
		w.sequence(n, indent+step, source, inline)
	}
	w.comment(n.Foot, indent+step, source)
}

func (w *writer) mapping(n *Node, indent int, source Source, inline bool) {
	for i, e := range n.Entries {
		own := sourceOf(e.Value, source)
		if !inline || i > 0 {
			w.comment(head(e.Value), indent, own)
			w.indent(indent)
		}
		w.key(e.Key, indent, own)
		w.value(e.Value, indent, source, false)
	}
}

// key writes a key and its colon; one that is too long for the line of its
// value gets a line of its own.
func (w *writer) key(key string, indent int, source Source) {
	text := quoted(key, false)
	if len(text) > keyLength {
		w.out.WriteString("? " + text)
		w.end(source)
		w.indent(indent)
		text = ""
	}
	w.out.WriteString(text + ":")
}

func (w *writer) sequence(n *Node, indent int, source Source, inline bool) {
	for i, item := range n.Items {
		if !inline || i > 0 {
			w.lift(item, indent, source)
			w.indent(indent)
		}
		w.out.WriteString("- ")
		w.value(item, indent, source, true)
	}
}

// scalar writes everything that begins on the line of its key: scalars,
// literal blocks, and collections that fit on the line.
func (w *writer) scalar(n *Node, indent int, source Source, inline bool) {
	if !inline {
		w.out.WriteByte(' ')
	}
	if n != nil && n.Kind == String {
		if header, lines, ok := literal(n.Text); ok {
			w.out.WriteString(header)
			w.endWithComment(n.Line, source)
			w.literal(lines, indent+step, source)
			return
		}
	}
	text := oneLine(n)
	if n != nil && len(n.Items) > 0 && w.column()+utf8.RuneCountInString(text) > flowWidth {
		w.brokenFlow(n, indent, source, inline)
		return
	}
	w.out.WriteString(text)
	if n != nil {
		w.endWithComment(n.Line, source)
		return
	}
	w.end(source)
}

// brokenFlow writes a list that was asked to stand on one line, but is too
// long for it, in block style.
func (w *writer) brokenFlow(n *Node, indent int, source Source, inline bool) {
	block := *n
	block.Flow = false
	if inline && n.Line != "" { // the place for it above the dash has passed
		first := *n.Items[0]
		first.Line = n.Line
		block.Items = append([]*Node{&first}, n.Items[1:]...)
	}
	if !inline {
		w.out.Truncate(w.out.Len() - 1) // the space after the key
	}
	w.value(&block, indent, source, inline)
}

func (w *writer) literal(lines []string, indent int, source Source) {
	for _, line := range lines {
		if line != "" {
			w.indent(max(indent, step))
			w.out.WriteString(line)
		}
		w.end(source)
	}
}

// comment writes whole lines of comment.
func (w *writer) comment(lines []string, indent int, source Source) {
	for _, line := range lines {
		w.indent(indent)
		w.out.WriteString(commentText(line))
		w.end(source)
	}
}

// lift writes the comments above a dash, or above a document. A block has no
// line of its own there and its first entry stands on the line of the dash, so
// the comments of both go above.
func (w *writer) lift(n *Node, indent int, parent Source) {
	source := sourceOf(n, parent)
	w.comment(head(n), indent, source)
	if !isBlock(n) {
		return
	}
	if n.Line != "" {
		w.comment([]string{n.Line}, indent, source)
	}
	if n.Kind == Sequence {
		w.lift(n.Items[0], indent, source)
		return
	}
	first := n.Entries[0].Value
	w.comment(head(first), indent, sourceOf(first, source))
}

func (w *writer) endWithComment(comment string, source Source) {
	if comment != "" {
		w.out.WriteString(" " + commentText(comment))
	}
	w.end(source)
}

func (w *writer) indent(n int) {
	for range n {
		w.out.WriteByte(' ')
	}
}

func (w *writer) end(source Source) {
	w.out.WriteByte('\n')
	w.marks = append(w.marks, Mark{Line: len(w.marks) + 1, Source: source})
}

func (w *writer) column() int {
	line := w.out.Bytes()
	return utf8.RuneCount(line[bytes.LastIndexByte(line, '\n')+1:])
}

// isBlock reports whether n is written over several lines of its own.
func isBlock(n *Node) bool {
	switch {
	case n == nil:
		return false
	case n.Kind == Mapping:
		return len(n.Entries) > 0
	case n.Kind == Sequence:
		return len(n.Items) > 0 && !canFlow(n)
	}
	return false
}

func canFlow(n *Node) bool {
	if !n.Flow || len(n.Foot) > 0 {
		return false
	}
	for _, item := range n.Items {
		if item == nil || item.Kind == Mapping || item.Kind == Sequence ||
			len(item.Head) > 0 || item.Line != "" || strings.Contains(item.Text, "\n") {
			return false
		}
	}
	return true
}

// oneLine is the text of a scalar or of a collection that is not a block.
func oneLine(n *Node) string {
	switch {
	case n == nil || n.Kind == Null:
		return "null"
	case n.Kind == String:
		return quoted(n.Text, false)
	case n.Kind == Mapping:
		return "{}"
	case n.Kind != Sequence:
		return n.Text
	}
	items := make([]string, len(n.Items))
	for i, item := range n.Items {
		items[i] = oneLine(item)
		if item.Kind == String {
			items[i] = quoted(item.Text, true)
		}
	}
	return "[" + strings.Join(items, ", ") + "]"
}

// head is the comment above a key. A collection without entries has no place
// for the comment inside it, so it goes there too.
func head(n *Node) []string {
	if n == nil {
		return nil
	}
	if isBlock(n) || len(n.Foot) == 0 {
		return n.Head
	}
	return append(append([]string(nil), n.Head...), n.Foot...)
}

// commentText writes one line of comment. Whatever could end the line or
// hide is replaced, for a comment must never become content.
func commentText(line string) string {
	clean := strings.Map(func(r rune) rune {
		if r == '\t' || !printable(r) {
			return ' '
		}
		return r
	}, line)
	return strings.TrimRight("# "+clean, " ")
}
