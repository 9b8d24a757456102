package check

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

var (
	variableSchema = &hcl.BodySchema{
		Attributes: []hcl.AttributeSchema{
			{Name: "description"}, {Name: "default"}, {Name: "type"}, {Name: "sensitive"}, {Name: "ephemeral"}, {Name: "nullable"},
		},
		Blocks: []hcl.BlockHeaderSchema{{Type: "validation"}},
	}
	outputSchema = &hcl.BodySchema{
		Attributes: []hcl.AttributeSchema{
			{Name: "description"}, {Name: "value", Required: true}, {Name: "depends_on"}, {Name: "sensitive"}, {Name: "ephemeral"},
		},
		Blocks: []hcl.BlockHeaderSchema{{Type: "precondition"}},
	}
	callSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{
		{Name: "source", Required: true}, {Name: "version"}, {Name: "count"}, {Name: "for_each"}, {Name: "depends_on"}, {Name: "providers"},
	}}
)

// reservedVariables are names that mean something in a module block.
var reservedVariables = map[string]bool{
	"source": true, "version": true, "providers": true, "count": true,
	"for_each": true, "lifecycle": true, "depends_on": true, "locals": true,
}

func (c *checker) loadVariable(block *hcl.Block) {
	content := c.content(block.Body, variableSchema)
	v := &variable{name: block.Labels[0], declared: block.DefRange, typ: cty.DynamicPseudoType}
	c.identifier("variable name", v.name, block.LabelRanges[0])
	if reservedVariables[v.name] {
		c.add(problem("Invalid variable name", fmt.Sprintf("The variable name %q is reserved due to its special meaning inside module blocks.", v.name), block.LabelRanges[0]))
	}
	c.constant(content.Attributes["description"], decodeString)
	c.constant(content.Attributes["sensitive"], decodeBool)
	nullable := true
	for name, target := range map[string]*bool{"nullable": &nullable, "ephemeral": &v.ephemeral} {
		c.constant(content.Attributes[name], decodeInto(target))
	}
	var defaults *typeexpr.Defaults
	if attribute := content.Attributes["type"]; attribute != nil {
		v.typ, defaults = c.variableType(attribute.Expr)
	}
	if attribute := content.Attributes["default"]; attribute != nil {
		c.checkDefault(v, defaults, nullable, attribute.Expr)
	}
	v.typ = v.typ.WithoutOptionalAttributesDeep()
	for _, nested := range content.Blocks {
		v.validations = append(v.validations, c.loadValidation(v, nested))
	}
	if first, ok := c.module.variables[v.name]; ok {
		c.duplicate("variable declaration", v.name, first.declared, v.declared)
		return
	}
	c.module.variables[v.name] = v
	c.module.order = append(c.module.order, address("var."+v.name))
}

func (c *checker) variableType(expr hcl.Expression) (cty.Type, *typeexpr.Defaults) {
	switch hcl.ExprAsKeyword(expr) { // short forms that Terraform still takes
	case "list":
		return cty.List(cty.DynamicPseudoType), nil
	case "map":
		return cty.Map(cty.DynamicPseudoType), nil
	}
	typ, defaults, diags := typeexpr.TypeConstraintWithDefaults(expr)
	c.add(diags...)
	if diags.HasErrors() {
		return cty.DynamicPseudoType, nil
	}
	return typ, defaults
}

func (c *checker) checkDefault(v *variable, defaults *typeexpr.Defaults, nullable bool, expr hcl.Expression) {
	value, diags := expr.Value(nil)
	c.add(diags...)
	if diags.HasErrors() {
		return
	}
	if defaults != nil && !value.IsNull() {
		value = defaults.Apply(value)
	}
	const summary = "Invalid default value for variable"
	if _, err := convert.Convert(value, v.typ); err != nil {
		c.add(problem(summary, fmt.Sprintf("This default value is not compatible with the variable's type constraint: %s.", err), expr.Range()))
	}
	if value.IsNull() && !nullable {
		c.add(problem(summary, "A null default value is not valid when nullable=false.", expr.Range()))
	}
}

func (c *checker) loadValidation(v *variable, block *hcl.Block) *condition {
	loaded := c.loadCondition(block)
	if loaded.condition == nil {
		return loaded
	}
	for _, traversal := range loaded.condition.Variables() {
		if traversal.RootName() == "var" && len(traversal) > 1 && stepName(traversal[1]) == v.name {
			return loaded
		}
	}
	c.add(problem("Invalid variable validation condition",
		fmt.Sprintf("The condition for variable %q must refer to var.%s in order to test incoming values.", v.name, v.name), loaded.condition.Range()))
	return loaded
}

func (c *checker) loadLocals(block *hcl.Block) {
	attributes, diags := block.Body.JustAttributes()
	c.add(diags...)
	for _, name := range sortedAttributes(attributes) {
		attribute := attributes[name]
		c.identifier("local value name", name, attribute.NameRange)
		if first, ok := c.module.locals[name]; ok {
			c.duplicate("local value definition", name, first.at, attribute.NameRange)
			continue
		}
		expr, ok := attribute.Expr.(hclsyntax.Expression)
		if !ok {
			continue
		}
		c.module.locals[name] = &local{name: name, expr: expr, at: attribute.NameRange}
		c.module.order = append(c.module.order, address("local."+name))
	}
}

func (c *checker) loadOutput(block *hcl.Block) {
	content := c.content(block.Body, outputSchema)
	o := &output{name: block.Labels[0], declared: block.DefRange}
	c.identifier("output name", o.name, block.LabelRanges[0])
	if attribute := content.Attributes["value"]; attribute != nil {
		o.value = attribute.Expr
	}
	c.constant(content.Attributes["description"], decodeString)
	c.constant(content.Attributes["sensitive"], decodeBool)
	c.constant(content.Attributes["ephemeral"], decodeInto(&o.ephemeral))
	if o.ephemeral {
		c.add(problem("Ephemeral output not allowed", "Ephemeral outputs are not allowed in the context of a root module.", block.DefRange))
	}
	o.dependsOn = c.dependsOn(content.Attributes["depends_on"])
	for _, nested := range content.Blocks {
		o.preconditions = append(o.preconditions, c.loadCondition(nested))
	}
	if first, ok := c.module.outputs[o.name]; ok {
		c.duplicate("output definition", o.name, first.declared, o.declared)
		return
	}
	c.module.outputs[o.name] = o
	c.module.order = append(c.module.order, address("output."+o.name))
}

func (c *checker) loadCall(block *hcl.Block) {
	content, _, diags := block.Body.PartialContent(callSchema)
	c.add(diags...)
	body, _ := block.Body.(*hclsyntax.Body)
	m := &call{name: block.Labels[0], declared: block.DefRange, body: body}
	c.identifier("module instance name", m.name, block.LabelRanges[0])
	if attribute := content.Attributes["count"]; attribute != nil {
		m.count = attribute.Expr
	}
	if attribute := content.Attributes["for_each"]; attribute != nil {
		m.forEach = attribute.Expr
	}
	for _, name := range []string{"source", "version"} {
		c.constant(content.Attributes[name], decodeString)
	}
	m.dependsOn = c.dependsOn(content.Attributes["depends_on"])
	if first, ok := c.module.calls[m.name]; ok {
		c.duplicate("module call", m.name, first.declared, m.declared)
		return
	}
	c.module.calls[m.name] = m
	c.module.order = append(c.module.order, address("module."+m.name))
}
