package fold

import (
	"bytes"
	"regexp"
)

// Comment is a comment of a source: the bytes from Start to End, without the
// line break that ends one of one line.
type Comment struct {
	Start, End int
}

// Comments finds the comments of a source that parses. It only looks for where
// texts begin and end, which is much less than to read all tokens.
func Comments(src []byte) []Comment {
	s := &scanner{src: src}
	s.code(false)
	return s.found
}

// scanner goes through a source once. Each method starts where its construct
// does and leaves at behind its end.
type scanner struct {
	src   []byte
	at    int
	found []Comment
	ends  []int // behind braces that close what was opened outside of all others
}

// code scans expressions and blocks: the whole source, or what stands in an
// interpolation, up to its brace.
func (s *scanner) code(interpolated bool) {
	for depth := 0; s.at < len(s.src); {
		switch c := s.src[s.at]; {
		case c == '#', c == '/' && s.follows("//"):
			s.comment(s.at, bytes.IndexByte(s.src[s.at:], '\n'))
		case c == '/' && s.follows("/*"):
			s.comment(s.at, s.past("*/", 2))
		case c == '"':
			s.at++
			s.quoted()
		case c == '<' && s.follows("<<"):
			s.heredoc()
		case c == '{':
			depth++
			s.at++
		case c == '}':
			s.at++
			if depth--; depth < 0 && interpolated {
				return
			}
			if depth == 0 && !interpolated {
				s.ends = append(s.ends, s.at)
			}
		default:
			s.at++
		}
	}
}

func (s *scanner) follows(text string) bool {
	return bytes.HasPrefix(s.src[s.at:], []byte(text))
}

// past is how far it is to behind a text, which is looked for after skip bytes;
// -1 if there is none.
func (s *scanner) past(text string, skip int) int {
	n := bytes.Index(s.src[min(s.at+skip, len(s.src)):], []byte(text))
	if n < 0 {
		return -1
	}
	return skip + n + len(text)
}

func (s *scanner) comment(start, size int) {
	if size < 0 {
		size = len(s.src) - start
	}
	s.at = start + size
	end := start + len(bytes.TrimRight(s.src[start:s.at], "\r"))
	s.found = append(s.found, Comment{start, end})
}

// quoted scans the inside of a quoted text.
func (s *scanner) quoted() {
	for s.at < len(s.src) {
		switch c := s.src[s.at]; {
		case c == '\\':
			s.at += 2
		case c == '"':
			s.at++
			return
		case s.marker():
		default:
			s.at++
		}
	}
}

// marker passes over ${…}, %{…} and their escapes, if one is at hand.
func (s *scanner) marker() bool {
	switch {
	case s.follows("$${"), s.follows("%%{"):
		s.at += 3
	case s.follows("${"), s.follows("%{"):
		s.at += 2
		s.code(true)
	default:
		return false
	}
	return true
}

var heredocStart = regexp.MustCompile(`\A<<-?([\pL_][\pL\pN_-]*)\r?\n`)

// heredoc scans a text up to the line that holds its name alone. The name is
// only looked for where a line begins outside of an interpolation.
func (s *scanner) heredoc() {
	m := heredocStart.FindSubmatch(s.src[s.at:])
	if m == nil {
		s.at += 2
		return
	}
	s.at += len(m[0])
	for begins := true; s.at < len(s.src); {
		if begins {
			line, _, _ := bytes.Cut(s.src[s.at:], []byte("\n"))
			if bytes.Equal(bytes.TrimSpace(line), m[1]) {
				s.at += len(line)
				return
			}
		}
		begins = false
		switch {
		case s.src[s.at] == '\n':
			s.at++
			begins = true
		case s.marker():
		default:
			s.at++
		}
	}
}
