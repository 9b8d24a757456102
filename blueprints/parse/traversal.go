package parse

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// traversed reads what is taken out of an expression: .name, [key] and [*].
func (p *parser) traversed(from hclsyntax.Expression) hclsyntax.Expression {
	result := from
	for {
		switch p.peek() {
		case hclsyntax.TokenDot:
			dot := p.read()
			name := p.expect(hclsyntax.TokenIdent)
			at := p.between(p.startOf(dot), p.endOf(name))
			result = p.step(result, hcl.TraverseAttr{Name: name.text(&p.scanner), SrcRange: at}, at)
		case hclsyntax.TokenOBrack:
			open := p.read()
			if p.peek() == hclsyntax.TokenStar {
				return p.splat(from, result, open)
			}
			result = p.index(from, result, open)
		default:
			return result
		}
	}
}

// step adds a step to a reference, which is made of an expression that is none.
func (p *parser) step(expr hclsyntax.Expression, next hcl.Traverser, at hcl.Range) hclsyntax.Expression {
	switch expr := expr.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		expr.Traversal = append(expr.Traversal, next)
		expr.SrcRange.End = at.End
		return expr
	case *hclsyntax.RelativeTraversalExpr:
		expr.Traversal = append(expr.Traversal, next)
		expr.SrcRange.End = at.End
		return expr
	}
	return &hclsyntax.RelativeTraversalExpr{
		Source: expr, Traversal: hcl.Traversal{next},
		SrcRange: p.between(expr.Range().Start, at.End),
	}
}

func (p *parser) index(from, indexed hclsyntax.Expression, open token) hclsyntax.Expression {
	var key hclsyntax.Expression
	p.inBrackets(func() {
		key = p.expression()
		p.expect(hclsyntax.TokenCBrack)
	})
	at := p.between(p.startOf(open), p.here())
	if value, ok := constant(key); ok {
		return p.step(indexed, hcl.TraverseIndex{Key: value, SrcRange: at}, at)
	}
	return &hclsyntax.IndexExpr{
		Collection: indexed, Key: key,
		SrcRange:  p.between(from.Range().Start, at.End),
		OpenRange: p.rangeOf(open), BracketRange: at,
	}
}

// constant is the value of a key that makes an index a step of a reference.
func constant(key hclsyntax.Expression) (cty.Value, bool) {
	switch key := key.(type) {
	case *hclsyntax.LiteralValueExpr:
		return key.Val, true
	case *hclsyntax.TemplateExpr:
		if key.IsStringLiteral() {
			value, _ := key.Value(nil)
			return value, true
		}
	}
	return cty.NilVal, false
}

// splat reads what is taken out of each element, up to its end.
func (p *parser) splat(from, source hclsyntax.Expression, open token) hclsyntax.Expression {
	p.read()
	close := p.expect(hclsyntax.TokenCBrack)
	item := &hclsyntax.AnonSymbolExpr{SrcRange: p.between(p.startOf(open), p.endOf(close))}
	each := p.traversed(item)
	return &hclsyntax.SplatExpr{
		Source: source, Each: each, Item: item,
		SrcRange:    p.between(from.Range().Start, each.Range().End),
		MarkerRange: item.SrcRange,
	}
}
