package parse

import (
	"sync"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// spares hold what parsers before left over of their pieces of memory.
var spares = sync.Pool{New: func() any { return &nodes{} }}

// nodes hands out the nodes of trees, many from one piece of memory: they are
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

// putBack keeps what is left for the next parser. One that ended early leaves
// lists open.
func (n *nodes) putBack() {
	taken(&n.expressions, 0)
	taken(&n.items, 0)
	spares.Put(n)
}

type pool[T any] struct{ free []T }

// together is how many nodes are made at once.
const together = 64

func (p *pool[T]) new() *T {
	if len(p.free) == 0 {
		p.free = make([]T, together)
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
