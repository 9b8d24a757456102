package check

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// place is a block as it stands in one instance of a resource: what its
// for_each and those of dynamic blocks give is known there, if it is written
// out.
type place struct {
	c     *checker
	body  *hclsyntax.Body
	names map[string]cty.Value // each, and the iterators of dynamic blocks
}

// placesOf are the instances of a resource that are known. Where they are not,
// there is one, of which less is known.
func (c *checker) placesOf(r *resource, body *hclsyntax.Body) []place {
	one := place{c: c, body: body}
	if r.forEach == nil {
		return []place{one}
	}
	var all []place
	for _, element := range one.elements(r.forEach) {
		all = append(all, one.with(body, "each", element))
	}
	if len(all) == 0 {
		return []place{one}
	}
	return all
}

// with is another body in which one more name is known.
func (p place) with(body *hclsyntax.Body, name string, value cty.Value) place {
	names := map[string]cty.Value{name: value}
	for other, v := range p.names {
		if other != name {
			names[other] = v
		}
	}
	return place{p.c, body, names}
}

// fewElements are looked at one by one; more hardly show anything new.
const fewElements = 100

// elements are what for_each repeats a block for, if that is written out.
func (p place) elements(forEach hcl.Expression) []cty.Value {
	value := p.value(forEach)
	if !value.IsKnown() || value.IsNull() || !value.CanIterateElements() || value.Type().IsSetType() && !value.IsWhollyKnown() {
		return nil
	}
	var elements []cty.Value
	for it := value.ElementIterator(); it.Next() && len(elements) < fewElements; {
		key, element := it.Element()
		if value.Type().IsSetType() {
			key = element
		}
		elements = append(elements, cty.ObjectVal(map[string]cty.Value{"key": key, "value": element}))
	}
	return elements
}

// value is what an expression gives here: unknown, if it speaks of anything but
// what is written out.
func (p place) value(expr hcl.Expression) cty.Value {
	var locals []hcl.Traversal
	variables := expr.Variables()
	for _, t := range variables {
		_, known := p.names[t.RootName()]
		switch {
		case t.RootName() == "local":
			locals = append(locals, t)
		case !known:
			return cty.DynamicVal
		}
	}
	ctx := &hcl.EvalContext{}
	if p.c.typed != nil {
		ctx = p.c.typed.context(locals, scope{})
	}
	if len(p.names) > 0 && ctx.Variables == nil {
		ctx.Variables = map[string]cty.Value{}
	}
	for name, value := range p.names {
		ctx.Variables[name] = value
	}
	value, diags := expr.Value(ctx)
	if diags.HasErrors() {
		return cty.DynamicVal
	}
	value, _ = value.UnmarkDeep()
	return value
}

// constant is a value that is written out, as text.
func (p place) constant(expr hcl.Expression) (string, bool) {
	value := p.value(expr)
	if !value.IsWhollyKnown() || value.IsNull() || !value.Type().IsPrimitiveType() {
		return "", false
	}
	text, err := convert.Convert(value, cty.String)
	if err != nil {
		return "", false
	}
	return text.AsString(), true
}

// blocks are the blocks of a type in this one, those that a dynamic block makes
// among them.
func (p place) blocks(name string) []place {
	var found []place
	for _, block := range p.body.Blocks {
		if block.Type == name {
			found = append(found, place{p.c, block.Body, p.names})
		}
		if !isDynamic(block, name) {
			continue
		}
		for _, content := range block.Body.Blocks {
			elements := p.made(block)
			for _, element := range elements {
				found = append(found, p.with(content.Body, iteratorOf(block), element))
			}
			if elements == nil {
				found = append(found, place{p.c, content.Body, p.names})
			}
		}
	}
	return found
}

func isDynamic(block *hclsyntax.Block, name string) bool {
	return block.Type == "dynamic" && len(block.Labels) == 1 && block.Labels[0] == name
}

func iteratorOf(dynamic *hclsyntax.Block) string {
	if attribute := dynamic.Body.Attributes["iterator"]; attribute != nil {
		return hcl.ExprAsKeyword(attribute.Expr)
	}
	return dynamic.Labels[0]
}

// made is what a dynamic block makes its blocks of; nil if only Terraform knows.
func (p place) made(dynamic *hclsyntax.Block) []cty.Value {
	if attribute := dynamic.Body.Attributes["for_each"]; attribute != nil {
		return p.elements(attribute.Expr)
	}
	return nil
}

// presence is whether a body says something by a name. A dynamic block may make
// no block, and an argument whose value may be null may not be set: of these
// only Terraform knows.
type presence int

const (
	absent presence = iota
	perhaps
	present
)

// find is whether there is an argument or block, and where. The name may be a
// path down through blocks.
func (p place) find(name string) (presence, hcl.Range) {
	first, rest, deeper := strings.Cut(name, ".")
	if deeper {
		best, at := absent, hcl.Range{}
		for _, inside := range p.blocks(first) {
			if found, where := inside.find(rest); found > best {
				best, at = found, where
			}
		}
		if outer, _ := p.find(first); outer < best {
			best = outer
		}
		return best, at
	}
	if attribute := p.body.Attributes[name]; attribute != nil {
		return p.presenceOf(attribute.Expr), attribute.SrcRange
	}
	best, at := absent, hcl.Range{}
	for _, block := range p.body.Blocks {
		if block.Type == name {
			return present, block.DefRange()
		}
		if !isDynamic(block, name) {
			continue
		}
		if len(p.made(block)) > 0 {
			return present, block.DefRange()
		}
		best, at = perhaps, block.DefRange()
	}
	return best, at
}

func (p place) presenceOf(expr hclsyntax.Expression) presence {
	if value := p.value(expr); value.IsKnown() {
		if value.IsNull() {
			return absent
		}
		return present
	}
	switch e := expr.(type) {
	case *hclsyntax.ParenthesesExpr:
		return p.presenceOf(e.Expression)
	case *hclsyntax.ConditionalExpr:
		yes, no := p.presenceOf(e.TrueResult), p.presenceOf(e.FalseResult)
		if yes != no {
			return perhaps
		}
		return yes
	}
	return present
}

// holds is whether a condition is known to hold.
func (p place) holds(c *valueCondition) bool {
	places := []place{p}
	for _, step := range c.path[:len(c.path)-1] {
		var inside []place
		for _, q := range places {
			inside = append(inside, q.blocks(step)...)
		}
		places = inside
	}
	last := c.path[len(c.path)-1]
	if len(places) == 0 {
		return slices.Contains(c.values, "") != c.not
	}
	return slices.ContainsFunc(places, func(q place) bool {
		found, _ := q.find(last)
		if found == absent {
			return slices.Contains(c.values, "") != c.not
		}
		if attribute := q.body.Attributes[last]; attribute != nil {
			if text, known := q.constant(attribute.Expr); known {
				return slices.Contains(c.values, text) != c.not
			}
		}
		return c.not && found == present && slices.Equal(c.values, []string{""}) // it is set to something
	})
}
