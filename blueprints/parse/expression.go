package parse

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

func (p *parser) expression() hclsyntax.Expression {
	condition := p.operation(0)
	if p.peek() != hclsyntax.TokenQuestion {
		return condition
	}
	p.read()
	yes := p.expression()
	p.expect(hclsyntax.TokenColon)
	no := p.expression()
	return &hclsyntax.ConditionalExpr{
		Condition: condition, TrueResult: yes, FalseResult: no,
		SrcRange: p.between(condition.Range().Start, no.Range().End),
	}
}

type operator struct {
	binds int // more than operators with a smaller number
	op    *hclsyntax.Operation
}

func operatorOf(kind hclsyntax.TokenType) operator {
	switch kind {
	case hclsyntax.TokenOr:
		return operator{1, hclsyntax.OpLogicalOr}
	case hclsyntax.TokenAnd:
		return operator{2, hclsyntax.OpLogicalAnd}
	case hclsyntax.TokenEqualOp:
		return operator{3, hclsyntax.OpEqual}
	case hclsyntax.TokenNotEqual:
		return operator{3, hclsyntax.OpNotEqual}
	case hclsyntax.TokenGreaterThan:
		return operator{4, hclsyntax.OpGreaterThan}
	case hclsyntax.TokenGreaterThanEq:
		return operator{4, hclsyntax.OpGreaterThanOrEqual}
	case hclsyntax.TokenLessThan:
		return operator{4, hclsyntax.OpLessThan}
	case hclsyntax.TokenLessThanEq:
		return operator{4, hclsyntax.OpLessThanOrEqual}
	case hclsyntax.TokenPlus:
		return operator{5, hclsyntax.OpAdd}
	case hclsyntax.TokenMinus:
		return operator{5, hclsyntax.OpSubtract}
	case hclsyntax.TokenStar:
		return operator{6, hclsyntax.OpMultiply}
	case hclsyntax.TokenSlash:
		return operator{6, hclsyntax.OpDivide}
	case hclsyntax.TokenPercent:
		return operator{6, hclsyntax.OpModulo}
	}
	return operator{}
}

// operation reads operands and the operators between them that bind more than
// a number says.
func (p *parser) operation(binds int) hclsyntax.Expression {
	left := p.traversed(p.term())
	for {
		next := operatorOf(p.peek())
		if next.binds <= binds {
			return left
		}
		p.read()
		right := p.operation(next.binds)
		left = &hclsyntax.BinaryOpExpr{
			LHS: left, Op: next.op, RHS: right,
			SrcRange: p.between(left.Range().Start, right.Range().End),
		}
	}
}

func (p *parser) term() hclsyntax.Expression {
	switch p.peek() {
	case hclsyntax.TokenIdent:
		return p.name()
	case hclsyntax.TokenOQuote:
		return p.quoted()
	case hclsyntax.TokenNumberLit:
		number := p.read()
		value, err := cty.ParseNumberVal(number.text(&p.scanner))
		if err != nil {
			panic(unusual)
		}
		return p.value(number, value)
	case hclsyntax.TokenOBrack:
		return p.tuple()
	case hclsyntax.TokenOBrace:
		return p.object()
	case hclsyntax.TokenOParen:
		return p.parentheses()
	case hclsyntax.TokenOHeredoc:
		return p.heredoc()
	case hclsyntax.TokenMinus:
		return p.unary(hclsyntax.OpNegate)
	case hclsyntax.TokenBang:
		return p.unary(hclsyntax.OpLogicalNot)
	}
	panic(unusual)
}

func (p *parser) value(at token, value cty.Value) hclsyntax.Expression {
	literal := p.nodes.literals.new()
	literal.Val, literal.SrcRange = value, p.rangeOf(at)
	return literal
}

func (p *parser) unary(op *hclsyntax.Operation) hclsyntax.Expression {
	symbol := p.read()
	operand := p.traversed(p.term())
	return &hclsyntax.UnaryOpExpr{
		Op: op, Val: operand,
		SrcRange:    p.between(p.startOf(symbol), operand.Range().End),
		SymbolRange: p.rangeOf(symbol),
	}
}

// inBrackets reads something in which ends of lines do not count.
func (p *parser) inBrackets(read func()) {
	was := p.newlines
	p.newlines = false
	read()
	p.newlines = was
}

func (p *parser) parentheses() hclsyntax.Expression {
	open := p.read()
	var inner hclsyntax.Expression
	p.inBrackets(func() {
		inner = p.expression()
		p.expect(hclsyntax.TokenCParen)
	})
	return &hclsyntax.ParenthesesExpr{Expression: inner, SrcRange: p.between(p.startOf(open), p.here())}
}

// name reads a constant, a call, or the first name of a reference.
func (p *parser) name() hclsyntax.Expression {
	name := p.read()
	if p.peek() == hclsyntax.TokenOParen {
		return p.call(name)
	}
	switch text := name.text(&p.scanner); text {
	case "true":
		return p.value(name, cty.True)
	case "false":
		return p.value(name, cty.False)
	case "null":
		return p.value(name, cty.NullVal(cty.DynamicPseudoType))
	default:
		scope := p.nodes.scopes.new()
		scope.SrcRange = p.rangeOf(name)
		scope.Traversal = make(hcl.Traversal, 1, 3) // TYPE.NAME.ARGUMENT is most frequent
		scope.Traversal[0] = hcl.TraverseRoot{Name: text, SrcRange: scope.SrcRange}
		return scope
	}
}

func (p *parser) call(name token) hclsyntax.Expression {
	open := p.read()
	call := p.nodes.calls.new()
	call.Name = name.text(&p.scanner)
	call.NameRange = p.rangeOf(name)
	call.OpenParenRange = p.rangeOf(open)
	args := len(p.nodes.expressions)
	p.inBrackets(func() {
		for p.peek() != hclsyntax.TokenCParen {
			p.push(p.expression())
			if p.peek() == hclsyntax.TokenEllipsis {
				p.read()
				call.ExpandFinal = true
				break
			}
			if p.peek() != hclsyntax.TokenCParen {
				p.expect(hclsyntax.TokenComma)
			}
		}
		call.CloseParenRange = p.rangeOf(p.expect(hclsyntax.TokenCParen))
	})
	call.Args = taken(&p.nodes.expressions, args)
	return call
}

func (p *parser) push(expr hclsyntax.Expression) {
	p.nodes.expressions = append(p.nodes.expressions, expr)
}
