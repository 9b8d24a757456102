package fold

import (
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Address is the form that a component's name has in Terraform addresses.
func Address(name string) string {
	return strings.ReplaceAll(name, "-", "_")
}

// unnamed are the roots of Terraform's language whose attributes are not names
// that an author chooses.
var unnamed = map[string]bool{"each": true, "count": true, "self": true, "path": true, "terraform": true}

// deeper are the roots under which a type stands before the name.
var deeper = map[string]bool{"data": true, "ephemeral": true, "resource": true}

// nameAt is the position of the name in a reference to a Terraform object, or 0
// if a traversal is no such reference.
func (s Scope) nameAt(t hcl.Traversal) int {
	root := t.RootName()
	_, local := s.Locals[root]
	switch {
	case local || s.Shadowed[root] || s.Evaluator.Knows(root) || unnamed[root]:
		return 0
	case deeper[root]:
		return 2
	default:
		return 1
	}
}

// reference puts the component's name in the place of "this".
func (w *walker) reference(e *hclsyntax.ScopeTraversalExpr) {
	at := w.scope.nameAt(e.Traversal)
	if at == 0 || at >= len(e.Traversal) {
		return
	}
	step, ok := e.Traversal[at].(hcl.TraverseAttr)
	if !ok {
		return
	}
	if name, ok := w.scope.renamed(step.Name); ok {
		// The step's range begins with the dot; the name ends it.
		r := step.SrcRange
		r.Start = r.End
		r.Start.Byte -= len(step.Name)
		r.Start.Column -= utf8.RuneCountInString(step.Name)
		w.replace(r, Segment{Text: name, Source: r})
	}
}

// renamed is what a name with "this" becomes.
func (s Scope) renamed(name string) (string, bool) {
	if s.This == "" {
		return name, false
	}
	if name == "this" {
		return Address(s.This), true
	}
	if rest, ok := strings.CutPrefix(name, "this_"); ok {
		return Address(s.This) + "_" + rest, true
	}
	return name, false
}

// otherAddress turns TYPE[key] with a known key into TYPE.name. It reports
// false for any other index.
func (w *walker) otherAddress(e *hclsyntax.IndexExpr) bool {
	coll, ok := e.Collection.(*hclsyntax.ScopeTraversalExpr)
	if !ok || w.scope.nameAt(coll.Traversal) != len(coll.Traversal) || !w.decided(e.Key) {
		return false
	}
	key, ok := w.value(e.Key)
	if !ok {
		return true
	}
	if key.IsNull() || key.Type() != cty.String {
		return false
	}
	name := Address(key.AsString())
	if !hclsyntax.ValidIdentifier(name) {
		w.add(badAddress(e.Key.Range(), w.text(coll.Range()), key.AsString()))
		return true
	}
	r := e.BracketRange
	r.Start = coll.Range().End
	w.replace(r, Segment{Text: "." + name, Source: e.Key.Range(), Expr: e.Key, Locals: w.scope.Locals})
	return true
}
