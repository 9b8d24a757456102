package fold

import (
	"bytes"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// withComments extends a range to the comment lines right above it, down to a
// floor. An item that shares its line with something before has none.
func (f *folder) withComments(r hcl.Range, floor hcl.Pos) hcl.Range {
	start := f.lineStart(r.Start.Byte)
	if start < floor.Byte || !blank(string(f.src[start:r.Start.Byte])) {
		return r
	}
	at, lines := start, 0
	for {
		n, ok := f.commentAbove(at, floor.Byte)
		if !ok {
			break
		}
		lines += bytes.Count(f.src[n:at], []byte("\n"))
		at = n
	}
	if at == start {
		return r
	}
	indent := len(f.src[at:]) - len(bytes.TrimLeft(f.src[at:], " \t"))
	r.Start = hcl.Pos{Byte: at + indent, Line: r.Start.Line - lines, Column: indent + 1}
	return r
}

// commentAbove is the start of the comment that ends right above the line that
// begins at a position.
func (f *folder) commentAbove(line, floor int) (int, bool) {
	if line <= floor {
		return 0, false
	}
	start := f.lineStart(line - 1)
	text := strings.TrimSpace(string(f.src[start : line-1]))
	if start < floor {
		return 0, false
	}
	if strings.HasPrefix(text, "#") || strings.HasPrefix(text, "//") {
		return start, true
	}
	if !strings.HasSuffix(text, "*/") {
		return 0, false
	}
	open := bytes.LastIndex(f.src[floor:line], []byte("/*"))
	if open < 0 {
		return 0, false
	}
	start = f.lineStart(floor + open)
	return start, start >= floor && blank(string(f.src[start:floor+open]))
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
