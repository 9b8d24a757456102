package yaml

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// quoted writes a string on one line: plain where no reader can take it for
// anything but that string, else in double quotes. Single quotes are not used,
// so that there is one way to escape.
func quoted(text string, flow bool) string {
	if plain(text, flow) {
		return text
	}
	return doubleQuoted(text)
}

// plain reports whether text can stand without quotes, in YAML 1.1 and 1.2.
func plain(text string, flow bool) bool {
	switch {
	case text == "" || resolves(text) || !allPrintable(text):
		return false
	case text[0] == ' ' || text[len(text)-1] == ' ' || text[len(text)-1] == ':':
		return false
	case strings.ContainsRune(`?:,[]{}#&*!|>'"%@`+"`", rune(text[0])):
		return false
	case text == "-" || strings.HasPrefix(text, "- "):
		return false
	case strings.HasPrefix(text, "---") || strings.HasPrefix(text, "..."):
		return false // at the start of a line these end a document
	case strings.Contains(text, ": ") || strings.Contains(text, " #"):
		return false
	}
	// Older readers stop at any colon or question mark inside brackets.
	return !flow || !strings.ContainsAny(text, ",[]{}:?")
}

// words are what some reader turns into a boolean, a null, the default value
// or a merge key, in lower case.
var words = map[string]bool{
	"y": true, "n": true, "yes": true, "no": true, "on": true, "off": true,
	"true": true, "false": true, "null": true, "~": true, "=": true, "<<": true,
}

var (
	// digits is wider than the numbers of YAML: 1.42.0 and 10.0.0.1 are
	// strings to all readers, but a version 1.42 is not, and people expect
	// the two to look alike. It covers sexagesimal numbers and dates too.
	digits    = regexp.MustCompile(`^[-+.]*[0-9][-+.:,0-9]*$`)
	based     = regexp.MustCompile(`^[-+]?0[xXoObB][0-9a-fA-F]*$`)
	exponent  = regexp.MustCompile(`^[-+]?[0-9.]+[eE][-+]?[0-9]*$`)
	special   = regexp.MustCompile(`^[-+]?\.(?i:inf|nan)$`)
	timestamp = regexp.MustCompile(`^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt]|[ \t]+)[0-9]`)
)

// resolves reports whether a reader could take plain text for something other
// than a string.
func resolves(text string) bool {
	if len(text) <= len("false") && words[strings.ToLower(text)] {
		return true
	}
	// All numbers and dates begin with one of these; most strings do not.
	if !strings.ContainsRune("+-.0123456789", rune(text[0])) {
		return false
	}
	bare := strings.ReplaceAll(text, "_", "") // 1_000 is a number in YAML 1.1
	for _, number := range []*regexp.Regexp{digits, based, exponent, special, timestamp} {
		if number.MatchString(bare) {
			return true
		}
	}
	return false
}

// allPrintable reports whether each character can be seen and is the same to
// all readers. It is stricter than YAML: marks that change the direction of
// text, no-break spaces and the like are escaped, so that a person can see
// them.
func allPrintable(text string) bool {
	for i, r := range text {
		if !printable(r) {
			return false
		}
		if r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD") {
			return false
		}
	}
	return true
}

func printable(r rune) bool {
	const zeroWidthJoiner = '\u200D' // holds emoji together
	return unicode.IsPrint(r) || r == zeroWidthJoiner
}

// doubleQuoted writes any text on one line. Bytes that are not UTF-8 become
// U+FFFD.
func doubleQuoted(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == 0:
			b.WriteString(`\0`)
		case printable(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02X`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			fmt.Fprintf(&b, `\U%08X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// literal returns the header and the lines of text as a literal block. It is
// not ok where a block would not be read back as the same text, or where its
// end could not be seen.
func literal(text string) (header string, lines []string, ok bool) {
	body := strings.TrimRight(text, "\n")
	if !strings.Contains(text, "\n") || strings.TrimSpace(body) == "" {
		return "", nil, false
	}
	lines = strings.Split(body, "\n")
	for _, line := range lines {
		if !allPrintable(strings.ReplaceAll(line, "\t", " ")) {
			return "", nil, false
		}
	}
	if strings.TrimSpace(lines[len(lines)-1]) == "" {
		return "", nil, false
	}
	header = "|"
	if first := strings.TrimLeft(text, "\n")[0]; first == ' ' || first == '\t' {
		header += "2" // else a reader takes the leading space for indentation
	}
	switch blank := len(text) - len(body); blank {
	case 0:
		header += "-"
	case 1:
	default:
		header += "+"
		lines = append(lines, make([]string, blank-1)...)
	}
	return header, lines, true
}
