package parse

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// text is a piece of a template between two interpolations, or up to the end of
// a line.
type text struct {
	value string
	at    hcl.Range
}

// quoted reads a template in quotes.
func (p *parser) quoted() hclsyntax.Expression {
	start := p.startOf(p.read())
	first := len(p.nodes.expressions)
	interpolated := 0
	for {
		if piece := p.literal(); piece != nil {
			p.push(p.literalOf(*piece))
		}
		if p.at >= len(p.src) {
			panic(unusual)
		}
		if p.src[p.at] == '"' {
			p.closeQuote()
			return p.template(start, p.here(), first, interpolated)
		}
		p.push(p.interpolation())
		interpolated++
	}
}

func (p *parser) closeQuote() {
	if p.at >= len(p.src) || p.src[p.at] != '"' {
		panic(unusual)
	}
	p.last = token{hclsyntax.TokenCQuote, p.at, p.at + 1, p.line, p.lineStart}
	p.at++
}

// template makes a template of the parts that were pushed since first.
func (p *parser) template(start, end hcl.Pos, first, interpolated int) hclsyntax.Expression {
	switch parts := len(p.nodes.expressions) - first; {
	case parts == 0: // an empty text is said to stand behind the quotes
		p.push(p.literalOf(text{"", p.between(end, end)}))
	case parts == 1 && interpolated == 1:
		return &hclsyntax.TemplateWrapExpr{Wrapped: taken(&p.nodes.expressions, first)[0], SrcRange: p.between(start, end)}
	}
	template := p.nodes.templates.new()
	template.Parts = taken(&p.nodes.expressions, first)
	template.SrcRange = p.between(start, end)
	return template
}

func (p *parser) literalOf(piece text) hclsyntax.Expression {
	literal := p.nodes.literals.new()
	literal.Val, literal.SrcRange = cty.StringVal(piece.value), piece.at
	return literal
}

// interpolation reads ${ … }.
func (p *parser) interpolation() (inner hclsyntax.Expression) {
	if strings.HasPrefix(p.src[p.at:], "${~") {
		panic(unusual)
	}
	p.at += len("${")
	p.inBrackets(func() {
		inner = p.expression()
		p.expect(hclsyntax.TokenCBrace)
	})
	return inner
}

// literal reads text in quotes up to the closing quote or an interpolation, nil
// if there is none.
func (p *parser) literal() *text {
	start := p.here()
	end, escaped := p.at, false
	for ; end < len(p.src); end++ {
		switch p.src[end] {
		case '"':
			return p.piece(start, end, hclsyntax.TokenQuotedLit, escaped)
		case '\n':
			panic(unusual)
		case '\\':
			escaped = true
			end++
		case '$', '%':
			switch p.marker(end) {
			case opening:
				return p.piece(start, end, hclsyntax.TokenQuotedLit, escaped)
			case escape:
				escaped = true
				end += len("$${") - 1
			}
		}
	}
	panic(unusual)
}

type marker int

const (
	plain   marker = iota // the character itself
	opening               // ${
	escape                // $${ or %%{
)

// marker tells what a dollar or a percent sign at an offset is.
func (p *parser) marker(at int) marker {
	rest := p.src[at:]
	switch {
	case strings.HasPrefix(rest, "${"):
		return opening
	case strings.HasPrefix(rest, "$${~"), strings.HasPrefix(rest, "%%{~"), strings.HasPrefix(rest, "%{"):
		panic(unusual)
	case strings.HasPrefix(rest, "$${"), strings.HasPrefix(rest, "%%{"):
		return escape
	case strings.HasPrefix(rest, "$$"), strings.HasPrefix(rest, "%%"):
		panic(unusual) // where an escape begins is another question
	}
	return plain
}

// piece takes the text up to end, as it stands or with its escapes resolved.
func (p *parser) piece(start hcl.Pos, end int, kind hclsyntax.TokenType, escaped bool) *text {
	if end == p.at {
		return nil
	}
	raw := p.src[p.at:end]
	value := raw
	if escaped {
		unescaped, diags := hclsyntax.ParseStringLiteralToken(hclsyntax.Token{Type: kind, Bytes: []byte(raw)})
		if diags.HasErrors() {
			panic(unusual)
		}
		value = unescaped
	}
	p.at = end
	p.lineStart += len(raw) - columns(raw)
	return &text{value, p.between(start, p.here())}
}

// columns is how many columns a text takes that has no end of line in it. Those of
// characters that are not ASCII only hclsyntax can tell.
func columns(text string) int {
	for i := range len(text) {
		if text[i] >= 0x80 {
			return wideColumns(text)
		}
	}
	return len(text)
}

func wideColumns(text string) int {
	if strings.ContainsAny(text, "$%") {
		panic(unusual) // hclsyntax counts each part for itself
	}
	tokens, diags := hclsyntax.LexTemplate([]byte(text), "", hcl.InitialPos)
	if diags.HasErrors() {
		panic(unusual)
	}
	return tokens[len(tokens)-1].Range.End.Column - 1
}
