package parse

import "github.com/hashicorp/hcl/v2/hclsyntax"

func (p *parser) tuple() (result hclsyntax.Expression) {
	open := p.read()
	p.inBrackets(func() {
		if p.atKeyword("for") {
			result = p.loop(open, hclsyntax.TokenCBrack)
			return
		}
		first := len(p.nodes.expressions)
		for p.peek() != hclsyntax.TokenCBrack {
			p.push(p.expression())
			if p.peek() != hclsyntax.TokenCBrack {
				p.expect(hclsyntax.TokenComma)
			}
		}
		close := p.read()
		tuple := p.nodes.tuples.new()
		tuple.Exprs = taken(&p.nodes.expressions, first)
		tuple.SrcRange = p.between(p.startOf(open), p.endOf(close))
		tuple.OpenRange = p.rangeOf(open)
		result = tuple
	})
	return result
}

func (p *parser) atKeyword(word string) bool {
	return p.peek() == hclsyntax.TokenIdent && p.next.text(&p.scanner) == word
}

// object reads an object, in which ends of lines count unless it is a loop.
func (p *parser) object() (result hclsyntax.Expression) {
	open := p.read()
	p.inBrackets(func() {
		if p.atKeyword("for") {
			result = p.loop(open, hclsyntax.TokenCBrace)
			return
		}
		p.peeked = false // it may stand behind ends of lines
		p.newlines = true
		result = p.items(open)
	})
	return result
}

func (p *parser) items(open token) hclsyntax.Expression {
	first := len(p.nodes.items)
	for {
		switch p.peek() {
		case hclsyntax.TokenNewline:
			p.read()
			continue
		case hclsyntax.TokenCBrace:
			close := p.read()
			object := p.nodes.objects.new()
			object.Items = taken(&p.nodes.items, first)
			object.SrcRange = p.between(p.startOf(open), p.endOf(close))
			object.OpenRange = p.rangeOf(open)
			return object
		}
		p.nodes.items = append(p.nodes.items, p.objectItem())
		switch p.peek() {
		case hclsyntax.TokenComma, hclsyntax.TokenNewline:
			p.read()
		case hclsyntax.TokenCBrace:
		default:
			panic(unusual)
		}
	}
}

func (p *parser) objectItem() hclsyntax.ObjectConsItem {
	key := p.nodes.keys.new()
	key.ForceNonLiteral = p.peek() == hclsyntax.TokenOParen
	key.Wrapped = p.expression()
	if p.peek() == hclsyntax.TokenColon {
		p.read()
	} else {
		p.expect(hclsyntax.TokenEqual)
	}
	return hclsyntax.ObjectConsItem{KeyExpr: key, ValueExpr: p.expression()}
}

// loop reads a for expression behind its opening bracket.
func (p *parser) loop(open token, end hclsyntax.TokenType) hclsyntax.Expression {
	p.read()
	loop := &hclsyntax.ForExpr{OpenRange: p.rangeOf(open)}
	loop.ValVar = p.variable()
	if p.peek() == hclsyntax.TokenComma {
		p.read()
		loop.KeyVar, loop.ValVar = loop.ValVar, p.variable()
	}
	if !p.atKeyword("in") {
		panic(unusual)
	}
	p.read()
	loop.CollExpr = p.expression()
	p.expect(hclsyntax.TokenColon)
	loop.ValExpr = p.expression()
	if p.peek() == hclsyntax.TokenFatArrow {
		p.read()
		loop.KeyExpr, loop.ValExpr = loop.ValExpr, p.expression()
	}
	if p.peek() == hclsyntax.TokenEllipsis {
		p.read()
		loop.Group = true
	}
	if p.atKeyword("if") {
		p.read()
		loop.CondExpr = p.expression()
	}
	close := p.expect(end)
	if object := end == hclsyntax.TokenCBrace; object != (loop.KeyExpr != nil) || loop.Group && !object {
		panic(unusual)
	}
	loop.CloseRange = p.rangeOf(close)
	loop.SrcRange = p.between(p.startOf(open), p.endOf(close))
	return loop
}

func (p *parser) variable() string {
	return p.expect(hclsyntax.TokenIdent).text(&p.scanner)
}
