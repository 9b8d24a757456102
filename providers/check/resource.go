package check

import (
	"fmt"
	"math/big"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

func (c *checker) validateResource(r *resource) {
	c.validateRepetition(r.count, r.forEach)
	c.validateDependsOn(r.dependsOn)
	if r.schema == nil {
		return
	}
	c.validateBody(r)
	c.validateValues(r)
	c.validateIgnoreChanges(r)
	c.validateTriggers(r)
	c.validateConditions(r)
}

func (c *checker) validateBody(r *resource) {
	if r.schema.Deprecated {
		c.add(warning("Deprecated Resource", fmt.Sprintf("The type %q is deprecated.", r.typ), r.block.LabelRanges[0]))
	}
	inside := r.inside()
	inside.inside = r
	traversals := r.bodyTraversals()
	if !c.refer(traversals, inside) {
		return
	}
	c.both(func(e *evaluator) hcl.Diagnostics {
		return c.newDecoder(e.context(traversals, inside), r.mode != ephemeral).decodeResource(r)
	})
}

// validateRepetition checks count and for_each, which can't use themselves.
func (c *checker) validateRepetition(count, forEach hcl.Expression) {
	c.value(count, scope{}, func(value cty.Value) *hcl.Diagnostic {
		return checkCount(value, count.Range())
	})
	c.value(forEach, scope{}, func(value cty.Value) *hcl.Diagnostic {
		return checkForEach(value, forEach.Range())
	})
}

func checkCount(marked cty.Value, at hcl.Range) *hcl.Diagnostic {
	wrong := func(why string) *hcl.Diagnostic {
		return problem("Invalid count argument", fmt.Sprintf(`The given "count" argument value is unsuitable: %s.`, why), at)
	}
	if isEphemeral(marked) {
		return wrong("it is ephemeral, and the number of instances must be stored")
	}
	value, err := convert.Convert(marked, cty.Number)
	switch {
	case err != nil:
		return wrong(err.Error())
	case value.IsNull():
		return wrong("it is null")
	case !value.IsKnown():
		return nil
	}
	number := value.AsBigFloat()
	if !number.IsInt() {
		return wrong("it must be a whole number")
	}
	if number.Cmp(big.NewFloat(0)) < 0 {
		return wrong("it must be greater than or equal to zero")
	}
	return nil
}

func checkForEach(value cty.Value, at hcl.Range) *hcl.Diagnostic {
	wrong := func(why string) *hcl.Diagnostic {
		return problem("Invalid for_each argument", fmt.Sprintf(`The given "for_each" argument value is unsuitable: %s.`, why), at)
	}
	typ := value.Type()
	switch {
	case isEphemeral(value):
		return wrong("it is ephemeral, and the keys of instances must be stored")
	case value.IsNull():
		return wrong(`it is null. A map, or set of strings is allowed`)
	case typ == cty.DynamicPseudoType:
		return nil
	case !typ.IsMapType() && !typ.IsObjectType() && !typ.IsSetType():
		return wrong(fmt.Sprintf(`it must be a map, or set of strings, and you have provided a value of type %s`, typ.FriendlyName()))
	case !typ.IsSetType() || !value.IsKnown():
		return wrongElementType(value, wrong)
	}
	if diag := wrongElementType(value, wrong); diag != nil {
		return diag
	}
	for _, element := range value.AsValueSlice() {
		if element.IsNull() {
			return wrong("sets must not contain null values")
		}
	}
	return nil
}

func wrongElementType(value cty.Value, wrong func(string) *hcl.Diagnostic) *hcl.Diagnostic {
	if !value.Type().IsSetType() {
		return nil
	}
	element := value.Type().ElementType()
	if element == cty.String || element == cty.DynamicPseudoType {
		return nil
	}
	return wrong(fmt.Sprintf(`sets of strings are allowed, and you have provided a set containing type %s`, element.FriendlyName()))
}

func (c *checker) validateIgnoreChanges(r *resource) {
	for _, traversal := range r.ignoreChanges {
		diags := staticTraversal(r.schema, traversal, traversal.SourceRange())
		c.add(diags...)
		attribute := r.schema.Attributes[stepName(traversal[0])]
		if !diags.HasErrors() && len(traversal) == 1 && attribute != nil && attribute.ReadOnly() {
			c.add(warning("Redundant ignore_changes element",
				fmt.Sprintf("The attribute %s is decided by the provider alone and therefore there can be no configured value to compare with.", stepName(traversal[0])), traversal.SourceRange()))
		}
	}
}

// validateTriggers checks that each trigger names a managed resource or a part
// of one; keys may be count.index and each.key.
func (c *checker) validateTriggers(r *resource) {
	for _, expr := range r.triggers {
		traversal, ok := triggerTraversal(expr)
		if !ok {
			c.add(problem("Invalid replace_triggered_by expression", "Only references to managed resources are allowed.", expr.Range()))
			continue
		}
		ref, wrong := parseReference(traversal)
		if wrong != nil {
			c.add(wrong)
			continue
		}
		if ref.kind != toResource || ref.mode != managed {
			c.add(problem("Invalid reference in replace_triggered_by expression", "Only resources can be used in replace_triggered_by.", expr.Range()))
			continue
		}
		c.add(atPlan(c.static([]reference{ref}, r.inside())...)...)
	}
}

// triggerTraversal writes a key that isn't a literal as an unknown one.
func triggerTraversal(expr hcl.Expression) (hcl.Traversal, bool) {
	switch expr := expr.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		return expr.Traversal, true
	case *hclsyntax.RelativeTraversalExpr:
		start, ok := triggerTraversal(expr.Source)
		return append(start[:len(start):len(start)], expr.Traversal...), ok
	case *hclsyntax.IndexExpr:
		start, ok := triggerTraversal(expr.Collection)
		key := hcl.TraverseIndex{Key: cty.UnknownVal(cty.String), SrcRange: expr.SrcRange}
		return append(start[:len(start):len(start)], key), ok
	default:
		return nil, false
	}
}

func (c *checker) validateConditions(r *resource) {
	before := r.inside()
	before.inside = r
	for _, precondition := range r.preconditions {
		c.validateCondition(precondition, before)
	}
	after := r.inside()
	after.self = r
	for _, postcondition := range r.postconditions {
		c.validateCondition(postcondition, after)
	}
	for _, body := range append(r.connections, r.provisioners...) {
		for _, traversal := range traversalsOf(bodyOf(body), map[string]bool{"when": true, "on_failure": true, "connection": true}) {
			c.refer([]hcl.Traversal{traversal}, after)
		}
	}
}
