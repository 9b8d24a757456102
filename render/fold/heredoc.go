package fold

import (
	"strings"
	"unicode"
)

// heredocText is the value of hole i as text of a heredoc. There only the
// markers can be escaped, so a value with line breaks or unprintable letters
// has no text; nor has one that would count as the indent of a line.
func (t *template) heredocText(i int) (string, bool) {
	text := t.holes[i].text
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return "", false
	}
	if t.startsLine(i) && (text == "" || unicode.IsSpace(rune(text[0])) || strings.TrimSpace(text) != text) {
		return "", false
	}
	if strings.Contains(text, "$${") || strings.Contains(text, "%%{") ||
		strings.Contains(text, "$%{") || strings.Contains(text, "%${") {
		return "", false
	}
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(text), true
}

// startsLine reports whether there is nothing but blanks between hole i and the
// start of its line.
func (t *template) startsLine(i int) bool {
	start := t.holes[i].at.Start.Byte
	line := t.src[:start]
	if n := strings.LastIndexByte(string(line[t.whole.Start.Byte:]), '\n'); n >= 0 {
		line = line[t.whole.Start.Byte+n+1:]
	}
	for _, h := range t.holes[:i] {
		if h.known && strings.TrimSpace(h.text) == "" && h.at.Start.Byte >= start-len(line) {
			return true
		}
	}
	return blank(string(line))
}

// closesEarly reports whether text made a line that ends the heredoc.
func (t *template) closesEarly(edits []edit) bool {
	c := t.child(t.scope)
	c.edits = append(c.edits, edits...)
	c.edits = append(c.edits, t.inner...)
	lines := strings.Split(Output{c.splice(t.whole)}.String(), "\n")
	marker := strings.TrimSpace(strings.TrimLeft(lines[0], "<-"))
	for _, line := range lines[1 : len(lines)-1] {
		if strings.TrimSpace(line) == marker {
			return true
		}
	}
	return false
}
