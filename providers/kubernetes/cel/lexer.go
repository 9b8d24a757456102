package cel

import (
	"fmt"
	"strconv"
	"strings"
)

type tokenKind int

const (
	end tokenKind = iota
	identifier
	text
	whole
	decimal
	operator
)

type token struct {
	kind tokenKind
	text string // of a string: its value
	at   int
}

var operators = []string{"&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "?", ":", "+", "-", "*", "/", "%", ".", ",", "(", ")", "[", "]", "{", "}"}

func (p *parser) lex(source string) error {
	p.source = source
	for at := 0; at < len(source); {
		c := source[at]
		var t token
		var length int
		var err error
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			at++
			continue
		case strings.HasPrefix(source[at:], "//"):
			for at < len(source) && source[at] != '\n' {
				at++
			}
			continue
		case quoted(source[at:]):
			t, length, err = lexText(source[at:])
		case c >= '0' && c <= '9':
			t, length = lexNumber(source[at:])
		case letter(c):
			length = 1
			for at+length < len(source) && (letter(source[at+length]) || source[at+length] >= '0' && source[at+length] <= '9') {
				length++
			}
			t = token{kind: identifier, text: source[at : at+length]}
		default:
			t, length, err = lexOperator(source[at:])
		}
		if err != nil {
			return fmt.Errorf("%w at %d in %s", err, at, source)
		}
		t.at = at
		p.tokens = append(p.tokens, t)
		at += length
	}
	p.tokens = append(p.tokens, token{kind: end, at: len(source)})
	return nil
}

func letter(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func quoted(s string) bool {
	if strings.HasPrefix(s, "r") || strings.HasPrefix(s, "R") {
		s = s[1:]
	}
	return strings.HasPrefix(s, `"`) || strings.HasPrefix(s, `'`)
}

func lexOperator(s string) (token, int, error) {
	for _, op := range operators {
		if strings.HasPrefix(s, op) {
			return token{kind: operator, text: op}, len(op), nil
		}
	}
	return token{}, 0, fmt.Errorf("unexpected character %q", s[0])
}

func lexNumber(s string) (token, int) {
	length, kind := 0, whole
	for length < len(s) {
		c := s[length]
		fraction := c == '.' && kind == whole && length+1 < len(s) && s[length+1] >= '0' && s[length+1] <= '9'
		hex := strings.HasPrefix(s, "0x") && (letter(c))
		if !(c >= '0' && c <= '9' || fraction || hex) {
			break
		}
		if fraction {
			kind = decimal
		}
		length++
	}
	return token{kind: kind, text: s[:length]}, length
}

func lexText(s string) (token, int, error) {
	raw := s[0] == 'r' || s[0] == 'R'
	start := 0
	if raw {
		start = 1
	}
	quote := s[start : start+1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(s[start:], triple) {
		quote = triple
	}
	var value strings.Builder
	for i := start + len(quote); i < len(s); {
		if strings.HasPrefix(s[i:], quote) {
			return token{kind: text, text: value.String()}, i + len(quote), nil
		}
		if s[i] != '\\' || raw {
			value.WriteByte(s[i])
			i++
			continue
		}
		r, multibyte, rest, err := strconv.UnquoteChar(s[i:], quote[0])
		if err != nil {
			// The language also knows escapes that Go does not, such as \?.
			if i+1 < len(s) && strings.ContainsRune("?`'\"", rune(s[i+1])) {
				value.WriteByte(s[i+1])
				i += 2
				continue
			}
			return token{}, 0, fmt.Errorf("bad escape")
		}
		if multibyte {
			value.WriteRune(r)
		} else {
			value.WriteByte(byte(r))
		}
		i = len(s) - len(rest)
	}
	return token{}, 0, fmt.Errorf("unterminated text")
}
