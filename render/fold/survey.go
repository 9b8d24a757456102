package fold

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// facts are what an expression is made of, as seen from a scope.
type facts struct {
	known   bool // has a name that the blueprint knows
	dynamic bool // has a name or function that only Terraform knows
}

// survey looks through an expression. Names that a for expression in it binds
// are neither known nor dynamic.
func (w *walker) survey(e hclsyntax.Expression) facts {
	s := &surveyor{scope: w.scope}
	_ = hclsyntax.Walk(e, s) // the surveyor makes no diagnostics
	return s.facts
}

// static reports whether an expression has a value now. One without any known
// name has too, but is the author's text and stays.
func (w *walker) static(e hclsyntax.Expression) bool {
	return !w.survey(e).dynamic
}

// foldable reports whether an expression is to become its value.
func (w *walker) foldable(e hclsyntax.Expression) bool {
	found := w.survey(e)
	return found.known && !found.dynamic
}

type surveyor struct {
	scope Scope
	bound []map[string]struct{}
	splat int // how many splats the node is in
	facts facts
}

func (s *surveyor) Enter(n hclsyntax.Node) hcl.Diagnostics {
	switch n := n.(type) {
	case hclsyntax.ChildScope:
		s.bound = append(s.bound, n.LocalNames)
	case *hclsyntax.ScopeTraversalExpr:
		s.name(n.Traversal.RootName())
	case *hclsyntax.FunctionCallExpr:
		if strings.Contains(n.Name, "::") || !s.scope.Evaluator.Pure(n.Name) {
			s.facts.dynamic = true
		}
	case *hclsyntax.SplatExpr:
		s.splat++
	case *hclsyntax.AnonSymbolExpr:
		if s.splat == 0 {
			s.facts.dynamic = true // the element of a splat around the expression
		}
	case *hclsyntax.ExprSyntaxError:
		s.facts.dynamic = true
	}
	return nil
}

func (s *surveyor) Exit(n hclsyntax.Node) hcl.Diagnostics {
	switch n.(type) {
	case hclsyntax.ChildScope:
		s.bound = s.bound[:len(s.bound)-1]
	case *hclsyntax.SplatExpr:
		s.splat--
	}
	return nil
}

func (s *surveyor) name(root string) {
	for _, names := range s.bound {
		if _, ok := names[root]; ok {
			return
		}
	}
	if s.scope.knows(root) {
		s.facts.known = true
	} else {
		s.facts.dynamic = true
	}
}

// knows reports whether a name has a value now.
func (s Scope) knows(root string) bool {
	if s.Shadowed[root] {
		return false
	}
	if _, ok := s.Locals[root]; ok {
		return true
	}
	return s.Evaluator.Knows(root)
}
