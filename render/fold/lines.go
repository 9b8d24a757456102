package fold

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Line is a line of the final text.
type Line struct {
	Text string

	// Segments are what the line is made of, in order. Copied text is cut to
	// the line, so that its range is that of the line in the pack.
	Segments []Segment
}

// Lines is folded text in its final form: formatted, without blank lines that
// dropped items left behind.
func Lines(o Output) []Line {
	formatted := string(format(o.bytes()))
	lines := trace(pieces(o.Segments), formatted)
	texts := make([]string, len(lines))
	for i, line := range lines {
		texts[i] = line.Text
	}
	var out []Line
	for _, i := range withoutSurplus(texts, formatted) {
		out = append(out, lines[i])
	}
	return out
}

// WriteText writes folded text in its final form, as Lines gives it, without the
// work of finding out where each line came from.
func WriteText(b *bytes.Buffer, o Output) {
	formatted := string(format(o.bytes()))
	texts := strings.Split(strings.TrimSuffix(formatted, "\n"), "\n")
	for i, text := range texts {
		texts[i] = strings.TrimSuffix(text, "\r")
	}
	for _, i := range withoutSurplus(texts, formatted) {
		b.WriteString(texts[i])
		b.WriteByte('\n')
	}
}

// pieces cuts copied text into its lines, without the blanks around them.
func pieces(segments []Segment) []Segment {
	var out []Segment
	for _, s := range segments {
		copied := s.Expr == nil && len(s.Text) == s.Source.End.Byte-s.Source.Start.Byte
		if !copied || !strings.Contains(s.Text, "\n") {
			out = append(out, s)
			continue
		}
		at := s.Source.Start
		for text := range strings.Lines(s.Text) {
			if word := strings.TrimSpace(text); word != "" {
				from := forward(at, text[:strings.Index(text, word)])
				r := hcl.Range{Filename: s.Source.Filename, Start: from, End: forward(from, word)}
				out = append(out, Segment{Text: word, Source: r})
			}
			at = hcl.Pos{Byte: at.Byte + len(text), Line: at.Line + 1, Column: 1}
		}
	}
	return out
}

// forward is the position behind a text without line breaks.
func forward(at hcl.Pos, text string) hcl.Pos {
	at.Byte += len(text)
	at.Column += utf8.RuneCountInString(text)
	return at
}

// trace finds out which segments each line comes from. The formatter only
// changes blanks, so the other bytes stay in step.
func trace(segments []Segment, formatted string) []Line {
	owner := make([]int, 0, len(formatted)) // of each byte that is not blank, the segment
	for i, s := range segments {
		for j := range len(s.Text) {
			if !blankByte(s.Text[j]) {
				owner = append(owner, i)
			}
		}
	}
	var lines []Line
	at := 0
	for _, text := range strings.Split(strings.TrimSuffix(formatted, "\n"), "\n") {
		line := Line{Text: strings.TrimSuffix(text, "\r")}
		last := -1
		for j := range len(text) {
			if blankByte(text[j]) {
				continue
			}
			if at < len(owner) && owner[at] != last {
				last = owner[at]
				line.Segments = append(line.Segments, segments[last])
			}
			at++
		}
		lines = append(lines, line)
	}
	return lines
}

func blankByte(b byte) bool {
	return b == ' ' || b == '\t' || b == '\n' || b == '\r'
}

// withoutSurplus tells which lines stay: not blank ones at the start and end,
// right inside of brackets, and all but one of several. Text inside of templates
// is kept.
func withoutSurplus(lines []string, formatted string) []int {
	kept := insideTemplates(formatted)
	out := make([]int, 0, len(lines))
	last := "" // that stays
	for i, line := range lines {
		if blank(line) && !kept[i+1] {
			if len(out) == 0 || blank(last) && !kept[i] || opensBracket(last) && !kept[i] {
				continue
			}
			if next := nextText(lines[i+1:]); next == "" || strings.ContainsAny(next[:1], "}])") {
				continue
			}
		}
		out, last = append(out, i), line
	}
	return out
}

func opensBracket(line string) bool {
	line = strings.TrimSpace(line)
	return line != "" && strings.ContainsAny(line[len(line)-1:], "{[(") && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "//")
}

// nextText is the next line that is not blank.
func nextText(lines []string) string {
	for _, line := range lines {
		if text := strings.TrimSpace(line); text != "" {
			return text
		}
	}
	return ""
}

// insideTemplates are the numbers of the lines that begin inside of a heredoc
// or a block comment, whose blank lines are its own.
func insideTemplates(text string) map[int]bool {
	if !strings.Contains(text, "<<") && !strings.Contains(text, "/*") {
		return nil // no need to lex
	}
	tokens, _ := hclsyntax.LexConfig([]byte(text), "", hcl.InitialPos)
	inside := map[int]bool{}
	depth, from := 0, 0
	for _, tok := range tokens {
		switch tok.Type {
		case hclsyntax.TokenOHeredoc:
			if depth == 0 {
				from = tok.Range.Start.Line
			}
			depth++
		case hclsyntax.TokenCHeredoc:
			depth--
			if depth == 0 {
				mark(inside, from+1, tok.Range.End.Line)
			}
		case hclsyntax.TokenComment:
			if bytes.HasPrefix(tok.Bytes, []byte("/*")) {
				mark(inside, tok.Range.Start.Line+1, tok.Range.End.Line)
			}
		}
	}
	return inside
}

func mark(lines map[int]bool, from, to int) {
	for n := from; n <= to; n++ {
		lines[n] = true
	}
}
