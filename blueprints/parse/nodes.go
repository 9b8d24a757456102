package parse

import "github.com/hashicorp/hcl/v2/hclsyntax"

// nodes hands out the nodes of a tree, many from one piece of memory: they are
// needed as long as each other, and there are thousands of them.
type nodes struct {
	bodies     pool[hclsyntax.Body]
	attributes pool[hclsyntax.Attribute]
	blocks     pool[hclsyntax.Block]
	literals   pool[hclsyntax.LiteralValueExpr]
	templates  pool[hclsyntax.TemplateExpr]
	scopes     pool[hclsyntax.ScopeTraversalExpr]
	tuples     pool[hclsyntax.TupleConsExpr]
	objects    pool[hclsyntax.ObjectConsExpr]
	keys       pool[hclsyntax.ObjectConsKeyExpr]
	calls      pool[hclsyntax.FunctionCallExpr]

	// What was read of lists that are still open: a list is copied out when
	// its length is known.
	expressions []hclsyntax.Expression
	items       []hclsyntax.ObjectConsItem
}

type pool[T any] struct {
	free []T
	size int
}

// most is how many nodes are made at once at the most.
const most = 64

func (p *pool[T]) new() *T {
	if len(p.free) == 0 {
		p.size = min(max(1, 2*p.size), most)
		p.free = make([]T, p.size)
	}
	node := &p.free[0]
	p.free = p.free[1:]
	return node
}

// taken gives what was put on a stack since it had a length, in memory of its
// own, and takes it off. It gives nil for nothing.
func taken[T any](stack *[]T, since int) []T {
	list := append([]T(nil), (*stack)[since:]...)
	clear((*stack)[since:])
	*stack = (*stack)[:since]
	return list
}
