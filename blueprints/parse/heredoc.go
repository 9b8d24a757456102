package parse

import (
	"math"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// heredoc reads a template that ends with a line of its own.
func (p *parser) heredoc() hclsyntax.Expression {
	start := p.startOf(p.read())
	flush := strings.HasPrefix(p.src[p.at:], "-")
	if flush {
		p.at++
	}
	marker := p.heredocMarker()
	parts := p.heredocParts(marker)
	if flush {
		unindent(parts)
	}

	first, interpolated := len(p.nodes.expressions), 0
	for i := 0; i < len(parts); {
		if parts[i].inner != nil {
			p.push(parts[i].inner)
			interpolated++
			i++
			continue
		}
		joined, next := join(parts, i)
		p.push(p.literalOf(joined))
		i = next
	}
	return p.template(start, p.here(), first, interpolated)
}

// heredocMarker reads the name behind << and the end of its line.
func (p *parser) heredocMarker() string {
	if p.at >= len(p.src) || !isLetter(p.src[p.at]) {
		panic(unusual)
	}
	name := p.src[p.at : p.at+p.identifier(p.at)]
	p.at += len(name)
	p.endLine()
	return name
}

// endLine steps over an end of line.
func (p *parser) endLine() {
	if p.at >= len(p.src) || p.src[p.at] != '\n' {
		panic(unusual)
	}
	p.at++
	p.line, p.lineStart = p.line+1, p.at
}

// part is text or, with inner, an interpolation.
type part struct {
	text
	inner hclsyntax.Expression
}

// heredocParts reads up to and with the line that ends the heredoc.
func (p *parser) heredocParts(marker string) []part {
	var parts []part
	for {
		line := p.src[p.at:]
		end := strings.IndexByte(line, '\n')
		if end < 0 {
			panic(unusual) // also the closing line needs an end
		}
		if strings.TrimSpace(line[:end]) == marker {
			if columns(line[:end]) != end {
				panic(unusual)
			}
			p.last = token{hclsyntax.TokenCHeredoc, p.at, p.at + end, p.line, p.lineStart}
			p.at += end
			return parts
		}
		parts = p.heredocLine(parts)
	}
}

// heredocLine reads a line with its end, which an interpolation may carry on to
// later lines.
func (p *parser) heredocLine(parts []part) []part {
	for {
		start := p.here()
		end, escaped := p.at, false
	scan:
		for ; ; end++ {
			if end >= len(p.src) {
				panic(unusual)
			}
			switch p.src[end] {
			case '\n':
				break scan
			case '$', '%':
				switch p.marker(end) {
				case opening:
					break scan
				case escape:
					escaped = true
					end += len("$${") - 1
				}
			}
		}
		piece := p.piece(start, end, hclsyntax.TokenStringLit, escaped)
		if p.src[end] == '\n' {
			if piece == nil {
				piece = &text{at: p.between(start, start)}
			}
			p.endLine()
			piece.value += "\n"
			piece.at.End = p.here()
			return append(parts, part{text: *piece})
		}
		if piece != nil {
			parts = append(parts, part{text: *piece})
		}
		parts = append(parts, part{inner: p.interpolation()})
	}
}

// unindent takes from each line the white space that all of them begin with;
// empty lines don't count and keep theirs.
func unindent(parts []part) {
	least := math.MaxInt
	var indented []*part
	newline := true
	for i := range parts {
		if newline {
			spaces, counts := indentation(parts[i])
			if counts {
				least = min(least, spaces)
				if parts[i].inner == nil {
					indented = append(indented, &parts[i])
				}
			}
		}
		newline = strings.HasSuffix(parts[i].value, "\n")
	}
	for _, p := range indented {
		p.value = p.value[least:]
		p.at.Start.Column += least
		p.at.Start.Byte += least
	}
}

// indentation is how many spaces a line begins with whose first part is given,
// and whether the line is more than spaces.
func indentation(first part) (int, bool) {
	trimmed := strings.TrimLeftFunc(first.value, unicode.IsSpace)
	if trimmed == "" && strings.HasSuffix(first.value, "\n") {
		return 0, false
	}
	spaces := first.value[:len(first.value)-len(trimmed)]
	if columns(spaces) != len(spaces) {
		panic(unusual)
	}
	return len(spaces), true
}

// join joins the texts from a place in the parts on, and gives where they end.
func join(parts []part, from int) (text, int) {
	end := from + 1
	for end < len(parts) && parts[end].inner == nil {
		end++
	}
	joined := parts[from].text
	if end > from+1 {
		var all strings.Builder
		for _, p := range parts[from:end] {
			all.WriteString(p.value)
		}
		joined.value, joined.at.End = all.String(), parts[end-1].at.End
	}
	return joined, end
}
