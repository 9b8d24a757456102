package parse

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

type parser struct {
	scanner
	nodes *nodes
}

func (p *parser) file() *hclsyntax.Body {
	p.newlines = true
	p.peek()
	return p.body(hclsyntax.TokenEOF, p.startOf(p.next))
}

// body reads arguments and blocks up to and with the token that ends them.
func (p *parser) body(end hclsyntax.TokenType, start hcl.Pos) *hclsyntax.Body {
	body := p.nodes.bodies.new()
	body.Attributes, body.Blocks = hclsyntax.Attributes{}, hclsyntax.Blocks{}
	for {
		switch p.peek() {
		case end:
			close := p.read()
			body.SrcRange = p.between(start, p.endOf(close))
			body.EndRange = p.between(p.endOf(close), p.endOf(close))
			return body
		case hclsyntax.TokenNewline:
			p.read()
		case hclsyntax.TokenIdent:
			p.item(body)
		default:
			panic(unusual)
		}
	}
}

// item reads an argument or a block, with the end of its line.
func (p *parser) item(body *hclsyntax.Body) {
	name := p.read()
	if p.peek() == hclsyntax.TokenEqual {
		attr := p.attribute(name)
		if body.Attributes[attr.Name] != nil {
			panic(unusual)
		}
		body.Attributes[attr.Name] = attr
	} else {
		body.Blocks = append(body.Blocks, p.block(name))
	}
	if end := p.peek(); end != hclsyntax.TokenNewline && end != hclsyntax.TokenEOF {
		panic(unusual)
	}
	p.read()
}

func (p *parser) attribute(name token) *hclsyntax.Attribute {
	equals := p.expect(hclsyntax.TokenEqual)
	attr := p.nodes.attributes.new()
	attr.Name = name.text(&p.scanner)
	attr.Expr = p.expression()
	attr.SrcRange = p.between(p.startOf(name), p.here())
	attr.NameRange = p.rangeOf(name)
	attr.EqualsRange = p.rangeOf(equals)
	return attr
}

func (p *parser) block(name token) *hclsyntax.Block {
	block := p.nodes.blocks.new()
	block.Type = name.text(&p.scanner)
	block.TypeRange = p.rangeOf(name)
	for p.peek() != hclsyntax.TokenOBrace {
		label, at := p.label()
		block.Labels = append(block.Labels, label)
		block.LabelRanges = append(block.LabelRanges, at)
	}
	open := p.read()
	block.OpenBraceRange = p.rangeOf(open)
	switch p.peek() {
	case hclsyntax.TokenNewline, hclsyntax.TokenCBrace:
		block.Body = p.body(hclsyntax.TokenCBrace, p.startOf(open))
	default:
		block.Body = p.oneLine()
		p.expect(hclsyntax.TokenCBrace)
	}
	block.CloseBraceRange = p.rangeOf(p.last)
	return block
}

// oneLine reads the one argument of a block that is written on a line.
func (p *parser) oneLine() *hclsyntax.Body {
	attr := p.attribute(p.expect(hclsyntax.TokenIdent))
	body := p.nodes.bodies.new()
	body.Attributes = hclsyntax.Attributes{attr.Name: attr}
	body.SrcRange = attr.SrcRange
	body.EndRange = p.between(attr.SrcRange.End, attr.SrcRange.End)
	return body
}

func (p *parser) label() (string, hcl.Range) {
	switch p.peek() {
	case hclsyntax.TokenIdent:
		name := p.read()
		return name.text(&p.scanner), p.rangeOf(name)
	case hclsyntax.TokenOQuote:
		start := p.startOf(p.read())
		label := ""
		if text := p.literal(); text != nil {
			label = text.value
		}
		p.closeQuote()
		return label, p.between(start, p.here())
	}
	panic(unusual)
}
