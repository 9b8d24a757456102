package fold

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Evaluator evaluates what is known when a pack is rendered.
type Evaluator interface {
	// Knows reports whether root is a name that the blueprint defines.
	Knows(root string) bool

	// Pure reports whether a function gives the same result for the same
	// arguments at any time and place, and so may be folded.
	Pure(function string) bool

	// Value evaluates expr, whose free variables are known roots or locals.
	// The result is wholly known and unmarked. A component in it is a capsule
	// value: it can be iterated over and reached into, but not printed.
	Value(expr hclsyntax.Expression, locals map[string]cty.Value) (cty.Value, hcl.Diagnostics)
}

// Scope is what an expression of a pack can see. It is a value: a nested scope
// is a copy, nothing is shared that changes.
type Scope struct {
	Evaluator Evaluator

	// Locals are loop variables and block iterators with known values. They
	// win over known roots.
	Locals map[string]cty.Value

	// Shadowed are loop variables and block iterators whose values are only
	// known to Terraform. They win over known roots.
	Shadowed map[string]bool

	// Keep reports whether a known expression is computed from a value that shall
	// be a variable in the output, and what to write if it names the variable, or
	// something that is computed from it by a rule. Nil where there are none.
	Keep func(expr hclsyntax.Expression, locals map[string]cty.Value) (text string, touched bool)

	// This is what the name "this" in addresses becomes; empty leaves it alone.
	This string

	// File is what is known of the file that is folded, for callers that fold it
	// many times; nil: it is found out for each call.
	File *File
}
