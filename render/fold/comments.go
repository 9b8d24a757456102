package fold

import (
	"bytes"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// withComments extends a range to the comments right above it, down to a floor
// behind which the lexer can start. An item that shares its line with something
// before has none.
func (f *folder) withComments(r hcl.Range, floor hcl.Pos) hcl.Range {
	if !f.firstOnLine(r.Start.Byte, floor) || !f.commentLike(f.lineStart(r.Start.Byte)) {
		return r
	}
	comments := f.file.before(f.src, r.Start.Byte)
	for i := len(comments) - 1; i >= 0 && comments[i].Start >= floor.Byte; i-- {
		c := comments[i]
		if !f.endsAbove(c, r.Start.Byte) || !f.firstOnLine(c.Start, floor) {
			break
		}
		line := bytes.Count(f.src[c.Start:r.Start.Byte], []byte("\n"))
		r.Start = hcl.Pos{Byte: c.Start, Line: r.Start.Line - line, Column: c.Start - f.lineStart(c.Start) + 1}
	}
	return r
}

// commentLike reports whether the line above one that starts at a byte can end a
// comment, which saves looking for comments in most files.
func (f *folder) commentLike(line int) bool {
	return line > 0 && bytes.ContainsAny(f.src[f.lineStart(line-1):line], "#/")
}

// endsAbove reports whether a comment ends on the line above the one that a byte
// is on.
func (f *folder) endsAbove(c Comment, at int) bool {
	between := f.src[c.End:at]
	return blank(string(between)) && bytes.Count(between, []byte("\n")) == 1
}

// firstOnLine reports whether only blanks stand before a position on its line.
func (f *folder) firstOnLine(at int, floor hcl.Pos) bool {
	start := f.lineStart(at)
	return start >= floor.Byte && blank(string(f.src[start:at]))
}

// lineStart is the first byte of the line that a byte is on.
func (f *folder) lineStart(at int) int {
	return bytes.LastIndexByte(f.src[:at], '\n') + 1
}

// lineComment extends an end over a comment on the rest of the line.
func (f *folder) lineComment(end hcl.Pos) hcl.Pos {
	rest := f.src[end.Byte:]
	if n := bytes.IndexByte(rest, '\n'); n >= 0 {
		rest = rest[:n]
	}
	text := strings.TrimSpace(string(rest))
	whole := strings.HasPrefix(text, "#") || strings.HasPrefix(text, "//") ||
		strings.HasPrefix(text, "/*") && strings.Index(text, "*/") == len(text)-2
	if whole {
		size := len(bytes.TrimRight(rest, " \t\r"))
		end.Byte += size
		end.Column += size
	}
	return end
}

// ownLines reports whether a range shares its lines with nothing.
func (f *folder) ownLines(r hcl.Range) bool {
	rest := f.src[r.End.Byte:]
	n := bytes.IndexByte(rest, '\n')
	return n >= 0 && blank(string(rest[:n])) && blank(string(f.src[f.lineStart(r.Start.Byte):r.Start.Byte]))
}

// wholeLines extends a range to full lines with their last newline.
func (f *folder) wholeLines(r hcl.Range) hcl.Range {
	r.Start.Byte = f.lineStart(r.Start.Byte)
	r.Start.Column = 1
	r.End.Byte += bytes.IndexByte(f.src[r.End.Byte:], '\n') + 1
	r.End.Line++
	r.End.Column = 1
	return r
}
