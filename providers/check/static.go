package check

import (
	"fmt"
	"maps"
	"slices"

	"github.com/agext/levenshtein"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"scaffold/providers/schema"
)

// scope says which names besides the declared ones an expression may use.
type scope struct {
	each, count bool
	self        *resource // what self means, if it means something
	inside      *resource // the resource whose own configuration this is
}

// static refuses references to what isn't there, before anything is evaluated.
func (c *checker) static(refs []reference, s scope) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, ref := range refs {
		diags = append(diags, c.staticReference(ref, s)...)
	}
	return diags
}

func (c *checker) staticReference(ref reference, s scope) hcl.Diagnostics {
	switch ref.kind {
	case toVariable:
		return declared(c.module.variables, ref, "Reference to undeclared input variable", "An input variable with the name %q has not been declared.%s")
	case toLocal:
		return declared(c.module.locals, ref, "Reference to undeclared local value", "A local value with the name %q has not been declared.%s")
	case toModule:
		return declared(c.module.calls, ref, "Reference to undeclared module", "No module call named %q is declared in the root module.%s")
	case toEach:
		return eachReference(ref, s)
	case toCount:
		return countReference(ref, s)
	case toPath:
		return declared(pathValues, ref, `Invalid "path" attribute`, `The "path" object does not have an attribute named %q.%s`)
	case toTerraform:
		return declared(terraformValues, ref, `Invalid "terraform" attribute`, `The "terraform" object does not have an attribute named %q.%s`)
	case toSelf:
		if s.self == nil {
			return hcl.Diagnostics{problem(`Invalid "self" reference`,
				`The "self" object is not available in this context. This object can be used only in resource provisioner, connection, and postcondition blocks.`, ref.at())}
		}
		return staticTraversal(s.self.schema, ref.rest, ref.at())
	default:
		return c.resourceReference(ref, s)
	}
}

// declared looks a name up among those of its kind.
func declared[V any](names map[string]V, ref reference, summary, detail string) hcl.Diagnostics {
	if _, ok := names[ref.name]; ok {
		return nil
	}
	return hcl.Diagnostics{problem(summary, fmt.Sprintf(detail, ref.name, suggestion(ref.name, slices.Sorted(maps.Keys(names)))), ref.at())}
}

// suggestion is " Did you mean …?" if a name is close, else "".
func suggestion(given string, names []string) string {
	best, distance := "", 3
	for _, name := range names {
		if d := levenshtein.Distance(given, name, nil); d < distance {
			best, distance = name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" Did you mean %q?", best)
}

func eachReference(ref reference, s scope) hcl.Diagnostics {
	if ref.name != "key" && ref.name != "value" {
		return hcl.Diagnostics{problem(`Invalid "each" attribute`,
			fmt.Sprintf(`The "each" object does not have an attribute named %q. The supported attributes are each.key and each.value, the current key and value pair of the "for_each" attribute set.`, ref.name), ref.at())}
	}
	if !s.each {
		return hcl.Diagnostics{problem(`Reference to "each" in context without for_each`,
			`The "each" object can be used only in "module" or "resource" blocks, and only when the "for_each" argument is set.`, ref.at())}
	}
	return nil
}

func countReference(ref reference, s scope) hcl.Diagnostics {
	if ref.name != "index" {
		return hcl.Diagnostics{problem(`Invalid "count" attribute`,
			fmt.Sprintf(`The "count" object does not have an attribute named %q. The only supported attribute is count.index, which is the index of each instance of a resource block that has the "count" argument set.`, ref.name), ref.at())}
	}
	if !s.count {
		return hcl.Diagnostics{problem(`Reference to "count" in non-counted context`,
			`The "count" object can only be used in "module", "resource", and "data" blocks, and only when the "count" argument is set.`, ref.at())}
	}
	return nil
}

func (c *checker) resourceReference(ref reference, s scope) hcl.Diagnostics {
	r, ok := c.module.resources[ref.address()]
	if !ok {
		hint := ""
		if _, ok := c.module.resources[resourceAddress(data, ref.typ, ref.name)]; ok && ref.mode == managed {
			hint = fmt.Sprintf(" Did you mean the data resource %s?", resourceAddress(data, ref.typ, ref.name))
		}
		kind := map[mode]string{managed: "managed", data: "data", ephemeral: "ephemeral"}[ref.mode]
		return hcl.Diagnostics{problem("Reference to undeclared resource",
			fmt.Sprintf("A %s resource %q %q has not been declared in the root module.%s", kind, ref.typ, ref.name, hint), ref.at())}
	}
	diags := instanceKey(r, ref)
	diags = append(diags, staticTraversal(r.schema, ref.rest, ref.at())...)
	if s.inside == r && !diags.HasErrors() { // validation lets it pass
		return atPlan(problem("Self-referential block", fmt.Sprintf("Configuration for %s may not refer to itself.", r.address()), ref.at()))
	}
	return diags
}

// instanceKey checks that a key is given exactly where there are instances.
func instanceKey(r *resource, ref reference) hcl.Diagnostics {
	argument, example := "", ""
	switch {
	case r.count != nil:
		argument, example = "count", "count.index"
	case r.forEach != nil:
		argument, example = "for_each", "each.key"
	}
	if argument == "" && ref.key {
		return hcl.Diagnostics{problem("Unexpected resource instance key",
			fmt.Sprintf(`Because %s does not have "count" or "for_each" set, references to it must not include an index key. Remove the bracketed index to refer to the single instance of this resource.`, r.address()), ref.at())}
	}
	if argument != "" && !ref.key && len(ref.rest) > 0 {
		return hcl.Diagnostics{problem("Missing resource instance key",
			fmt.Sprintf("Because %s has %q set, its attributes must be accessed on specific instances.\n\nFor example, to correlate with indices of a referring resource, use:\n    %s[%s]", r.address(), argument, r.address(), example), ref.at())}
	}
	return nil
}

// staticTraversal follows attribute steps through a schema.
func staticTraversal(block *schema.Block, steps hcl.Traversal, at hcl.Range) hcl.Diagnostics {
	if block == nil || len(steps) == 0 {
		return nil
	}
	name := ""
	switch step := steps[0].(type) {
	case hcl.TraverseAttr:
		name = step.Name
	case hcl.TraverseIndex: // object["name"] is object.name
		text, err := convert.Convert(step.Key, cty.String)
		if value, ok := asString(text); err == nil && ok && step.Key.Type() == cty.String {
			name = value
			break
		}
		return hcl.Diagnostics{problem("Invalid index operation", "Only attribute access is allowed here, using the dot operator.", at)}
	default:
		return nil
	}
	if attribute, ok := block.Attributes[name]; ok {
		_, diags := steps[1:].TraverseRel(cty.UnknownVal(attribute.Type.WithoutOptionalAttributesDeep()))
		return diags
	}
	if nested, ok := block.Blocks[name]; ok {
		return staticNested(name, nested, steps[1:], at)
	}
	names := slices.Sorted(maps.Keys(block.Attributes))
	names = append(names, slices.Sorted(maps.Keys(block.Blocks))...)
	return hcl.Diagnostics{problem("Unsupported attribute",
		fmt.Sprintf("This object has no argument, nested block, or exported attribute named %q.%s", name, suggestion(name, names)), at)}
}

func staticNested(name string, nested *schema.NestedBlock, steps hcl.Traversal, at hcl.Range) hcl.Diagnostics {
	if len(steps) == 0 {
		return nil
	}
	_, indexed := steps[0].(hcl.TraverseIndex)
	switch nested.Nesting {
	case schema.Set:
		return hcl.Diagnostics{problem("Cannot index a set value",
			fmt.Sprintf("Block type %q is represented by a set of objects, and set elements do not have addressable keys. To find elements matching specific criteria, use a \"for\" expression with an \"if\" clause.", name), at)}
	case schema.List:
		if !indexed {
			return hcl.Diagnostics{problem("Invalid operation",
				fmt.Sprintf("Block type %q is represented by a list of objects, so it must be indexed using a numeric key, like .%s[0].", name, name), at)}
		}
		if key := steps[0].(hcl.TraverseIndex).Key; key.Type() == cty.String {
			if _, err := convert.Convert(key, cty.Number); err != nil {
				return hcl.Diagnostics{problem("Invalid index operation",
					fmt.Sprintf("Block type %q is represented by a list of objects, so it must be indexed using a numeric key, like .%s[0].", name, name), at)}
			}
		}
		steps = steps[1:]
	case schema.Map:
		steps = steps[1:]
	}
	return staticTraversal(nested.Block, steps, at)
}
