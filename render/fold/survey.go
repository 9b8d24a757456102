package fold

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// facts are what an expression is made of, as seen from a scope.
type facts struct {
	known   bool // has a name that the blueprint knows
	dynamic bool // has a name or function that only Terraform knows
}

// names are what an expression needs to have a value, whatever the scope.
type names struct {
	free    []string // roots that no for expression inside binds, each once
	dynamic bool     // calls a function that is not folded, or is not whole
}

// survey looks through an expression. Names that a for expression in it binds
// are neither known nor dynamic.
func (w *walker) survey(e hclsyntax.Expression) facts {
	found := w.file.names(e, w.scope.Evaluator.Pure)
	out := facts{dynamic: found.dynamic}
	for _, root := range found.free {
		if w.scope.knows(root) {
			out.known = true
		} else {
			out.dynamic = true
		}
	}
	return out
}

// names are those of an expression of the file. A template is folded for many
// components, so they are looked for once.
func (f *File) names(e hclsyntax.Expression, pure func(string) bool) *names {
	return remembered(&f.surveyed, e, func() *names {
		s := &surveyor{pure: pure}
		_ = hclsyntax.Walk(e, s) // the surveyor makes no diagnostics
		return &s.names
	})
}

// Static reports whether all names and functions in an expression of the scope's
// file are known now. Of an expression without a file it is never sure.
func (s Scope) Static(e hclsyntax.Expression) bool {
	if s.File == nil {
		return false
	}
	found := s.File.names(e, s.Evaluator.Pure)
	return !found.dynamic && !slices.ContainsFunc(found.free, func(root string) bool { return !s.knows(root) })
}

// static reports whether an expression has a value now. One without any known
// name has too, but is the author's text and stays.
func (w *walker) static(e hclsyntax.Expression) bool {
	return !w.survey(e).dynamic
}

// foldable reports whether an expression is to become its value.
func (w *walker) foldable(e hclsyntax.Expression) bool {
	return w.decided(e) && !w.opens(e)
}

// decided reports whether the blueprint decides an expression, all by itself.
func (w *walker) decided(e hclsyntax.Expression) bool {
	found := w.survey(e)
	return found.known && !found.dynamic
}

type surveyor struct {
	pure  func(string) bool
	bound []map[string]struct{}
	splat int // how many splats the node is in
	names names
}

func (s *surveyor) Enter(n hclsyntax.Node) hcl.Diagnostics {
	switch n := n.(type) {
	case hclsyntax.ChildScope:
		s.bound = append(s.bound, n.LocalNames)
	case *hclsyntax.ScopeTraversalExpr:
		s.name(n.Traversal.RootName())
	case *hclsyntax.FunctionCallExpr:
		if strings.Contains(n.Name, "::") || !s.pure(n.Name) {
			s.names.dynamic = true
		}
	case *hclsyntax.SplatExpr:
		s.splat++
	case *hclsyntax.AnonSymbolExpr:
		if s.splat == 0 {
			s.names.dynamic = true // the element of a splat around the expression
		}
	case *hclsyntax.ExprSyntaxError:
		s.names.dynamic = true
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
	if !slices.Contains(s.names.free, root) {
		s.names.free = append(s.names.free, root)
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
