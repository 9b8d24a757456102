package parse

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// scanner splits the text into tokens, one at a time. The parser tells it where
// text in quotes begins, so it needs no memory of what is open.
type scanner struct {
	src      string
	filename string
	start    hcl.Pos // of src in its file

	at        int // offset behind the token that was read last
	line      int // of at
	lineStart int // offset that counts as the first column of the line

	next   token
	peeked bool // next holds the token behind at, which was not read yet
	// newlines tells whether ends of lines are tokens: they are not in brackets.
	newlines bool
	last     token // that was read
}

// token is a token by its place in the text. Only the end of a heredoc's opening
// and newlines are on another line than the start.
type token struct {
	kind       hclsyntax.TokenType
	start, end int
	line       int
	lineStart  int
}

func (t token) text(s *scanner) string { return s.src[t.start:t.end] }

func (s *scanner) pos(offset, line, lineStart int) hcl.Pos {
	return hcl.Pos{Line: line, Column: offset - lineStart + 1, Byte: offset + s.start.Byte}
}

func (s *scanner) startOf(t token) hcl.Pos { return s.pos(t.start, t.line, t.lineStart) }
func (s *scanner) endOf(t token) hcl.Pos   { return s.pos(t.end, t.line, t.lineStart) }

func (s *scanner) rangeOf(t token) hcl.Range { return s.between(s.startOf(t), s.endOf(t)) }

func (s *scanner) between(start, end hcl.Pos) hcl.Range {
	return hcl.Range{Filename: s.filename, Start: start, End: end}
}

// here is the position behind what was read.
func (s *scanner) here() hcl.Pos { return s.pos(s.at, s.line, s.lineStart) }

// peek gives the kind of the next token, without reading it.
func (s *scanner) peek() hclsyntax.TokenType {
	if s.peeked && (s.newlines || s.next.kind != hclsyntax.TokenNewline) {
		return s.next.kind
	}
	s.scan()
	return s.next.kind
}

// read reads the next token.
func (s *scanner) read() token {
	s.peek()
	s.peeked = false
	s.last = s.next
	s.at = s.next.end
	if s.next.kind == hclsyntax.TokenNewline {
		s.line, s.lineStart = s.next.line+1, s.next.end
	} else {
		s.line, s.lineStart = s.next.line, s.next.lineStart
	}
	return s.last
}

// expect reads the next token, which has to be of a kind.
func (s *scanner) expect(kind hclsyntax.TokenType) token {
	if s.peek() != kind {
		panic(unusual)
	}
	return s.read()
}

// scan finds the token behind at, past white space and comments. Comments up to
// the end of a line count as the end of it.
func (s *scanner) scan() {
	i, line, lineStart := s.at, s.line, s.lineStart
	s.peeked = true
	for ; ; i++ {
		if i >= len(s.src) {
			s.next = token{hclsyntax.TokenEOF, len(s.src), len(s.src), line, lineStart}
			return
		}
		start := i
		switch c := s.src[i]; {
		case c == ' ', c == '\t':
			continue
		case c == '\n':
		case c == '#', c == '/' && strings.HasPrefix(s.src[i:], "//"):
			length := strings.IndexByte(s.src[i:], '\n')
			if length < 0 {
				lineStart += len(s.src) - i - columns(s.src[i:])
				i = len(s.src) - 1
				continue
			}
			i += length
		default:
			kind, length := s.token(i)
			s.next = token{kind, i, i + length, line, lineStart}
			return
		}
		if s.newlines {
			s.next = token{hclsyntax.TokenNewline, start, i + 1, line, lineStart}
			return
		}
		line, lineStart = line+1, i+1
	}
}

// token gives the kind and the length of the token that begins at an offset.
func (s *scanner) token(i int) (hclsyntax.TokenType, int) {
	c := s.src[i]
	switch {
	case isLetter(c):
		return hclsyntax.TokenIdent, s.identifier(i)
	case isDigit(c):
		return hclsyntax.TokenNumberLit, s.number(i)
	}
	rest := s.src[i:]
	following := func(text string, two hclsyntax.TokenType) (hclsyntax.TokenType, int) {
		if strings.HasPrefix(rest, text) {
			return two, len(text)
		}
		return hclsyntax.TokenType(c), 1
	}
	switch c {
	case '[', ']', '(', ')', '{', '}', ',', '*', '%', '+', '-', '?':
		return hclsyntax.TokenType(c), 1
	case '"':
		return hclsyntax.TokenOQuote, 1
	case '/':
		return following("/*", leftOut)
	case ':':
		return following("::", leftOut)
	case '.':
		return following("...", hclsyntax.TokenEllipsis)
	case '=':
		if strings.HasPrefix(rest, "=>") {
			return hclsyntax.TokenFatArrow, 2
		}
		return following("==", hclsyntax.TokenEqualOp)
	case '!':
		return following("!=", hclsyntax.TokenNotEqual)
	case '>':
		return following(">=", hclsyntax.TokenGreaterThanEq)
	case '<':
		if strings.HasPrefix(rest, "<<") {
			return hclsyntax.TokenOHeredoc, 2
		}
		return following("<=", hclsyntax.TokenLessThanEq)
	case '&':
		return following("&&", hclsyntax.TokenAnd)
	case '|':
		return following("||", hclsyntax.TokenOr)
	}
	return leftOut, 1
}

// leftOut is the kind of tokens that are left to hclsyntax: no place of the
// grammar takes one.
const leftOut = hclsyntax.TokenInvalid

func (s *scanner) identifier(i int) int {
	end := i + 1
	for end < len(s.src) && (isLetter(s.src[end]) || isDigit(s.src[end]) || s.src[end] == '-') {
		end++
	}
	if end < len(s.src) && s.src[end] >= 0x80 {
		panic(unusual) // it may be a letter
	}
	return end - i
}

// number takes digits, points and exponents, and never ends with a point.
func (s *scanner) number(i int) int {
	end := i + 1
	for at := end; at < len(s.src); {
		switch c := s.src[at]; {
		case isDigit(c):
			at++
			end = at
		case c == '.':
			at++
		case c == 'e' || c == 'E':
			digit := at + 1
			if digit < len(s.src) && (s.src[digit] == '+' || s.src[digit] == '-') {
				digit++
			}
			if digit >= len(s.src) || !isDigit(s.src[digit]) {
				return end - i
			}
			at = digit + 1
			end = at
		default:
			return end - i
		}
	}
	return end - i
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
