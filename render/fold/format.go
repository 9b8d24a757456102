package fold

import (
	"bytes"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2/hclwrite"
)

// format lays text out as `terraform fmt` does. It gives what hclwrite.Format
// gives; that one counts the columns of every token, which is most of the work
// of a large render and which plain text does not need. What is not plain is
// left to it.
func format(text []byte) []byte {
	f := formatters.Get().(*formatter)
	defer formatters.Put(f)
	f.src, f.tokens = text, f.tokens[:0]
	if !plainText(text) || !f.read() {
		return hclwrite.Format(text)
	}
	f.indent()
	f.align()
	return f.write()
}

var formatters = sync.Pool{New: func() any { return &formatter{} }}

// plainText reports whether a byte of text is a column, every line break ends a
// line of tokens, and all blanks stand before a token.
func plainText(text []byte) bool {
	if n := len(text); n > 0 && (text[n-1] == ' ' || text[n-1] == '\t') {
		return false
	}
	for i, c := range text {
		switch {
		case c >= 0x80, c == '\r':
			return false
		case c == '<' && i+1 < len(text) && text[i+1] == '<':
			return false
		case c == '/' && i+1 < len(text) && text[i+1] == '*':
			return false
		}
	}
	return true
}

// formatter holds the tokens of one text.
type formatter struct {
	src    []byte
	tokens []word
	lines  []cells
	opened []int // how many brackets each level of indentation has open
}

// word is a token: its text, and the spaces before it.
type word struct {
	kind       wordKind
	start, end int
	spaces     int
}

// cells is a line of tokens, from start to end. An assignment that is whole begins
// at assign, a comment behind other tokens at comment; both are end without.
type cells struct {
	start, assign, comment, end int
}

type wordKind byte

const (
	none wordKind = iota
	name
	numeral
	operator // between two values, and all that no rule names
	minus
	equals
	colon
	question
	bang
	comma
	dot
	ellipsis
	namespace   // ::
	openParen   // (
	openBracket // [
	openBrace   // {
	closeParen
	closeBracket
	closeBrace
	openQuote
	closeQuote
	literal // text inside of quotes
	openInsert
	closeInsert
	remark
	lineEnd
)

// change is how many brackets are open behind a token that were not before.
func (k wordKind) change() int {
	switch k {
	case openParen, openBracket, openBrace, openInsert:
		return 1
	case closeParen, closeBracket, closeBrace, closeInsert:
		return -1
	}
	return 0
}

// read splits the text into tokens and lines. It reports false on what it does
// not know.
func (f *formatter) read() bool {
	if end, ok := f.code(0, false); !ok || end != len(f.src) {
		return false
	}
	f.split()
	return true
}

func (f *formatter) add(kind wordKind, start, end int) int {
	f.tokens = append(f.tokens, word{kind: kind, start: start, end: end})
	return end
}

// code reads tokens up to the end or, inside of an insertion, its brace.
func (f *formatter) code(at int, inserted bool) (int, bool) {
	depth := 0
	for at < len(f.src) {
		c := f.src[at]
		switch {
		case c == ' ', c == '\t':
			at++
		case c == '\n':
			at = f.add(lineEnd, at, at+1)
		case c == '#', c == '/' && f.next(at) == '/':
			end := bytes.IndexByte(f.src[at:], '\n')
			if end < 0 {
				return at, false
			}
			at = f.add(remark, at, at+end+1)
		case c == '"':
			var ok bool
			if at, ok = f.quoted(at); !ok {
				return at, false
			}
		case c == '~' && inserted && depth == 0 && f.next(at) == '}':
			return f.add(closeInsert, at, at+2), true
		case c == '}' && inserted && depth == 0:
			return f.add(closeInsert, at, at+1), true
		case letter(c):
			end := at + 1
			for end < len(f.src) && (letter(f.src[end]) || digit(f.src[end]) || f.src[end] == '-') {
				end++
			}
			at = f.add(name, at, end)
		case digit(c):
			at = f.add(numeral, at, f.numberEnd(at))
		default:
			kind, size := f.symbol(at)
			if size == 0 {
				return at, false
			}
			switch kind {
			case openBrace:
				depth++
			case closeBrace:
				depth--
			}
			at = f.add(kind, at, at+size)
		}
	}
	return at, !inserted
}

func (f *formatter) next(at int) byte {
	if at+1 < len(f.src) {
		return f.src[at+1]
	}
	return 0
}

func letter(c byte) bool { return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func digit(c byte) bool  { return '0' <= c && c <= '9' }

func (f *formatter) numberEnd(at int) int {
	digits := func() {
		for at < len(f.src) && digit(f.src[at]) {
			at++
		}
	}
	digits()
	if at+1 < len(f.src) && f.src[at] == '.' && digit(f.src[at+1]) {
		at++
		digits()
	}
	if at < len(f.src) && (f.src[at] == 'e' || f.src[at] == 'E') {
		exponent := at + 1
		if exponent < len(f.src) && (f.src[exponent] == '+' || f.src[exponent] == '-') {
			exponent++
		}
		if exponent < len(f.src) && digit(f.src[exponent]) {
			at = exponent
			digits()
		}
	}
	return at
}

var symbols = []struct {
	text string
	kind wordKind
}{
	{"...", ellipsis}, {"::", namespace},
	{"==", operator}, {"!=", operator}, {"<=", operator}, {">=", operator}, {"=>", operator}, {"&&", operator}, {"||", operator},
	{"(", openParen}, {")", closeParen}, {"[", openBracket}, {"]", closeBracket}, {"{", openBrace}, {"}", closeBrace},
	{"=", equals}, {":", colon}, {"?", question}, {"!", bang}, {",", comma}, {".", dot}, {"-", minus},
	{"+", operator}, {"*", operator}, {"/", operator}, {"%", operator}, {"<", operator}, {">", operator},
}

func (f *formatter) symbol(at int) (wordKind, int) {
	for _, s := range symbols {
		if s.text[0] == f.src[at] && (len(s.text) == 1 || bytes.HasPrefix(f.src[at:], []byte(s.text))) {
			return s.kind, len(s.text)
		}
	}
	return none, 0
}

// quoted reads a text in quotes with its insertions.
func (f *formatter) quoted(at int) (int, bool) {
	at = f.add(openQuote, at, at+1)
	start := at
	text := func() {
		if at > start {
			f.add(literal, start, at)
		}
	}
	for at < len(f.src) {
		switch c := f.src[at]; {
		case c == '\\' && at+1 < len(f.src):
			at += 2
		case c == '"':
			text()
			return f.add(closeQuote, at, at+1), true
		case c == '\n':
			return at, false
		case (c == '$' || c == '%') && f.next(at) == c && at+2 < len(f.src) && f.src[at+2] == '{':
			at += 3
		case (c == '$' || c == '%') && f.next(at) == '{':
			text()
			size := 2
			if at+2 < len(f.src) && f.src[at+2] == '~' {
				size = 3
			}
			var ok bool
			if at, ok = f.code(f.add(openInsert, at, at+size), true); !ok {
				return at, false
			}
			start = at
		default:
			at++
		}
	}
	return at, false
}

// split finds the lines, and in each the assignment and the comment.
func (f *formatter) split() {
	f.lines = f.lines[:0]
	start := 0
	for i, w := range f.tokens {
		if w.kind == lineEnd || w.kind == remark {
			f.lines = append(f.lines, f.cells(start, i+1))
			start = i + 1
		}
	}
	if start < len(f.tokens) {
		f.lines = append(f.lines, f.cells(start, len(f.tokens)))
	}
}

func (f *formatter) cells(start, end int) cells {
	r := cells{start: start, assign: end, comment: end, end: end}
	if end-start > 1 && f.tokens[end-1].kind == remark {
		r.comment = end - 1
		r.assign = r.comment
	}
	for i := start + 1; i < r.comment; i++ {
		if f.tokens[i].kind != equals {
			continue
		}
		// A value that goes on in the next line is not aligned.
		if f.change(i, r.comment) == 0 {
			r.assign = i
		}
		break
	}
	return r
}

func (f *formatter) change(from, to int) int {
	n := 0
	for _, w := range f.tokens[from:to] {
		n += w.kind.change()
	}
	return n
}

// indent sets the spaces between tokens, and those before each line by the
// brackets that are open. A line that opens several indents once.
func (f *formatter) indent() {
	f.opened = f.opened[:0]
	for _, r := range f.lines {
		f.space(r.start, r.assign)
		f.space(r.assign, r.comment)
		first := &f.tokens[r.start]
		if first.kind == lineEnd {
			continue
		}
		net := f.change(r.start, r.comment)
		if net < 0 {
			f.close(-net)
		}
		first.spaces = 2 * len(f.opened)
		if net > 0 {
			f.opened = append(f.opened, net)
		}
	}
}

func (f *formatter) close(brackets int) {
	for brackets > 0 && len(f.opened) > 0 {
		last := len(f.opened) - 1
		if f.opened[last] > brackets {
			f.opened[last] -= brackets
			return
		}
		brackets -= f.opened[last]
		f.opened = f.opened[:last]
	}
}

func (f *formatter) space(from, to int) {
	for i := from; i+1 < to; i++ {
		before := none
		if i > from {
			before = f.tokens[i-1].kind
		}
		if f.spaced(before, f.tokens[i], f.tokens[i+1].kind) {
			f.tokens[i+1].spaces = 1
		}
	}
}

// spaced reports whether a space stands between a token and the next.
func (f *formatter) spaced(before wordKind, w word, after wordKind) bool {
	switch {
	case after == lineEnd, after == comma, after == ellipsis:
		return false
	case w.kind == dot, after == dot, w.kind == name && (after == openParen || after == namespace), w.kind == namespace && after == name:
		return false
	case w.kind == comma:
		return true
	case w.kind == literal, w.kind == openQuote, after == literal, after == closeQuote:
		return false // text in quotes is what it is
	case before == name && w.kind == name && string(f.src[w.start:w.end]) == "in":
		return true // "for x in [a]" is no index
	case after == openBracket && (w.kind == name || w.kind == numeral || w.kind.change() < 0):
		return false
	case w.kind == bang:
		return false
	case w.kind == minus:
		return !sign(before)
	case w.kind == openBrace, after == closeBrace:
		return w.kind != openBrace || after != closeBrace
	case w.kind == openInsert && after == openBrace, w.kind == closeBrace && after == closeInsert:
		return true
	case w.kind == closeInsert && after == openInsert:
		return false
	}
	return w.kind.change() <= 0 && after.change() >= 0
}

// sign reports whether a minus behind a token is that of a number.
func sign(before wordKind) bool {
	switch before {
	case none, openParen, openBrace, openBracket, equals, colon, comma, question, operator, minus, bang:
		return true
	}
	return false
}

// align puts the equals signs of neighbouring lines below each other, and then
// the comments behind them.
func (f *formatter) align() {
	f.chains(func(r cells) int { return r.assign }, func(r cells) bool { return r.assign < r.comment })
	f.chains(func(r cells) int { return r.comment }, func(r cells) bool { return r.comment < r.end })
}

// chains aligns the token that column names in lines that follow each other.
func (f *formatter) chains(column func(cells) int, in func(cells) bool) {
	for i := 0; i < len(f.lines); {
		if !in(f.lines[i]) {
			i++
			continue
		}
		last, widest := i, 0
		for last < len(f.lines) && in(f.lines[last]) {
			r := f.lines[last]
			widest = max(widest, f.width(r.start, column(r)))
			last++
		}
		for ; i < last; i++ {
			r := f.lines[i]
			f.tokens[column(r)].spaces = widest - f.width(r.start, column(r)) + 1
		}
	}
}

func (f *formatter) width(from, to int) int {
	n := 0
	for _, w := range f.tokens[from:to] {
		n += w.spaces + w.end - w.start
	}
	return n
}

func (f *formatter) write() []byte {
	out := make([]byte, 0, len(f.src)+len(f.src)/8)
	for _, w := range f.tokens {
		for n := w.spaces; n > 0; n -= len(blanks) {
			out = append(out, blanks[:min(n, len(blanks))]...)
		}
		out = append(out, f.src[w.start:w.end]...)
	}
	return out
}

var blanks = strings.Repeat(" ", 64)
