package manifest

import (
	"bytes"
	"sort"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"

	"scaffold/render/fold"
	"scaffold/render/yaml"
)

// comment is one comment of the source.
type comment struct {
	start, end int // bytes
	from, to   int // lines
	lines      []string
}

// comments are those of a file in order. They are named by their index.
type comments []comment

// notes are the comments of a node. They stay apart from the tree until it is
// finished: only then is known which nodes remain, and a comment in a loop is
// written once, at the first of them.
type notes struct {
	head, line, foot []int
}

// item is a part of a construct with the range it takes. The node is nil for a
// part that is not rendered, whose comments go with it.
type item struct {
	node *yaml.Node
	rng  hcl.Range
}

// Source is the text of a template. Its comments are found once, when the first
// of its blocks is rendered, however many components it is rendered for.
type Source struct {
	text     []byte
	comments func() comments
}

// NewSource is the source with a text.
func NewSource(text []byte) *Source {
	return &Source{text: text, comments: sync.OnceValue(func() comments { return readComments(text) })}
}

// readComments finds the comments in the text; the syntax tree has none.
func readComments(src []byte) comments {
	var all comments
	at, line := 0, 1
	for _, c := range fold.Comments(src) {
		text := string(src[c.Start:c.End])
		line += bytes.Count(src[at:c.Start], []byte("\n"))
		from := line
		line += strings.Count(text, "\n")
		at = c.End
		all = append(all, comment{start: c.Start, end: c.End, from: from, to: line, lines: commentLines(text)})
	}
	return all
}

// commentLines takes the marks off a comment. The indentation of a text after
// "#" is kept, for it may be an example.
func commentLines(text string) []string {
	if rest, ok := strings.CutPrefix(text, "#"); ok {
		return []string{trimComment(rest)}
	}
	if rest, ok := strings.CutPrefix(text, "//"); ok {
		return []string{trimComment(rest)}
	}
	text = strings.TrimSuffix(strings.TrimPrefix(text, "/*"), "*/")
	var lines []string
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "*" {
			line = ""
		}
		lines = append(lines, strings.TrimPrefix(line, "* "))
	}
	return lines
}

func trimComment(text string) string {
	return strings.TrimRight(strings.TrimPrefix(text, " "), " \t")
}

// between returns the comments that start in a range of bytes.
func (c comments) between(from, to int) []int {
	i := sort.Search(len(c), func(i int) bool { return c[i].start >= from })
	var found []int
	for ; i < len(c) && c[i].start < to; i++ {
		found = append(found, i)
	}
	return found
}

// above returns the comments that stand directly above a block, each on lines
// of its own. A comment with a blank line below it is about more than the
// block.
func (c comments) above(src []byte, block hcl.Pos) []int {
	var found []int
	line := block.Line
	i := sort.Search(len(c), func(i int) bool { return c[i].start >= block.Byte }) - 1
	for ; i >= 0 && c[i].to == line-1 && ownLine(src, c[i]); i-- {
		found = append([]int{i}, found...)
		line = c[i].from
	}
	return found
}

func ownLine(src []byte, c comment) bool {
	if c.end > len(src) {
		return false
	}
	start := bytes.LastIndexByte(src[:c.start], '\n') + 1
	return len(bytes.TrimSpace(src[start:c.start])) == 0
}

func (w *walker) notes(n *yaml.Node) *notes {
	if w.notebook[n] == nil {
		w.notebook[n] = &notes{}
	}
	return w.notebook[n]
}

func (w *walker) prepend(n *yaml.Node, above []int) {
	if len(above) > 0 {
		w.notes(n).head = append(append([]int(nil), above...), w.notes(n).head...)
	}
}

// attach gives the comments between the parts of a construct to the part under
// them or the part that their line belongs to. What is left before the end
// stands below the last part. container may be nil if there is no such place.
func (w *walker) attach(container *yaml.Node, open hcl.Pos, items []item, end hcl.Pos) {
	if len(w.comments) == 0 {
		return
	}
	last, lastEnd := container, open
	for _, it := range items {
		var head []int
		for _, c := range w.comments.between(lastEnd.Byte, it.rng.Start.Byte) {
			if w.comments[c].from == lastEnd.Line && it.rng.Start.Line != lastEnd.Line {
				w.onLine(last, c)
				continue
			}
			head = append(head, c)
		}
		if it.node != nil {
			w.prepend(it.node, head)
		}
		last, lastEnd = it.node, it.rng.End
	}
	for _, c := range w.comments.between(lastEnd.Byte, end.Byte) {
		switch {
		case w.comments[c].from == lastEnd.Line:
			w.onLine(last, c)
		case container != nil:
			w.notes(container).foot = append(w.notes(container).foot, c)
		}
	}
}

func (w *walker) onLine(n *yaml.Node, c int) {
	if n != nil {
		w.notes(n).line = append(w.notes(n).line, c)
	}
}

// finish drops what is null and writes the comments of the rest into the tree,
// in the order of output.
func (w *walker) finish(n *yaml.Node) {
	if of := w.notebook[n]; of != nil {
		n.Head = w.take(of.head)
		if line := w.take(of.line); len(line) == 1 {
			n.Line = line[0]
		} else {
			n.Head = append(n.Head, line...)
		}
	}
	entries := n.Entries[:0]
	for _, e := range n.Entries {
		if e.Value.Kind != yaml.Null {
			w.finish(e.Value)
			entries = append(entries, e)
		}
	}
	n.Entries = entries
	items := n.Items[:0]
	for _, it := range n.Items {
		if it.Kind != yaml.Null {
			w.finish(it)
			items = append(items, it)
		}
	}
	n.Items = items
	if of := w.notebook[n]; of != nil {
		n.Foot = w.take(of.foot)
	}
}

// take returns the lines of comments that were not written before.
func (w *walker) take(indexes []int) []string {
	var lines []string
	for _, c := range indexes {
		if !w.used[c] {
			w.used[c] = true
			lines = append(lines, w.comments[c].lines...)
		}
	}
	return lines
}
