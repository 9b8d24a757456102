package check

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
)

var (
	managedSchema = &hcl.BodySchema{
		Attributes: []hcl.AttributeSchema{{Name: "count"}, {Name: "for_each"}, {Name: "provider"}, {Name: "depends_on"}},
		Blocks: []hcl.BlockHeaderSchema{
			{Type: "locals"},
			{Type: "lifecycle"},
			{Type: "connection"},
			{Type: "provisioner", LabelNames: labels("type")},
			{Type: "_"},
		},
	}
	// dataSchema is for data sources and ephemeral resources.
	dataSchema = &hcl.BodySchema{
		Attributes: managedSchema.Attributes,
		Blocks:     []hcl.BlockHeaderSchema{{Type: "locals"}, {Type: "lifecycle"}, {Type: "_"}},
	}
	lifecycleSchema = &hcl.BodySchema{
		Attributes: []hcl.AttributeSchema{
			{Name: "create_before_destroy"}, {Name: "prevent_destroy"}, {Name: "ignore_changes"}, {Name: "replace_triggered_by"},
		},
		Blocks: []hcl.BlockHeaderSchema{{Type: "precondition"}, {Type: "postcondition"}},
	}
	connectionSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "type"}}}
)

func (c *checker) loadResource(block *hcl.Block, m mode) {
	r := &resource{mode: m, typ: block.Labels[0], name: block.Labels[1], block: block}
	c.identifier("resource type name", r.typ, block.LabelRanges[0])
	c.identifier("resource name", r.name, block.LabelRanges[1])

	schema := managedSchema
	if m != managed {
		schema = dataSchema
	}
	content, rest, diags := block.Body.PartialContent(schema)
	c.add(diags...)
	r.config = rest
	c.loadMetaArguments(r, content.Attributes)
	c.loadMetaBlocks(r, content.Blocks)

	if first, ok := c.module.resources[r.address()]; ok {
		c.duplicate("resource", string(r.address()), first.block.DefRange, block.DefRange)
		return
	}
	c.module.resources[r.address()] = r
	c.module.order = append(c.module.order, r.address())
}

func (c *checker) loadMetaArguments(r *resource, attributes hcl.Attributes) {
	if attribute := attributes["count"]; attribute != nil {
		r.count = attribute.Expr
	}
	if attribute := attributes["for_each"]; attribute != nil {
		r.forEach = attribute.Expr
		if r.count != nil {
			c.add(problem(`Invalid combination of "count" and "for_each"`,
				`The "count" and "for_each" meta-arguments are mutually-exclusive, only one should be used to be explicit about the number of resources to be created.`,
				attribute.NameRange))
		}
	}
	if attribute := attributes["provider"]; attribute != nil {
		r.provider = c.providerReference(attribute.Expr)
	}
	r.dependsOn = c.dependsOn(attributes["depends_on"])
}

// providerReference reads "name" or "name.alias".
func (c *checker) providerReference(expr hcl.Expression) *providerReference {
	const summary = "Invalid provider configuration reference"
	traversal, diags := hcl.AbsTraversalForExpr(unquoted(expr))
	if diags.HasErrors() || len(traversal) > 2 {
		c.add(problem(summary, "The provider argument requires a provider type name, optionally followed by a period and then a configuration alias.", expr.Range()))
		return nil
	}
	reference := &providerReference{name: traversal.RootName(), at: expr.Range()}
	if len(traversal) == 2 {
		alias, ok := traversal[1].(hcl.TraverseAttr)
		if !ok {
			c.add(problem(summary, "Provider name must either stand alone or be followed by a period and then a configuration alias.", expr.Range()))
			return nil
		}
		reference.alias = alias.Name
	}
	return reference
}

func (c *checker) loadMetaBlocks(r *resource, blocks hcl.Blocks) {
	seen := map[string]*hcl.Block{}
	for _, block := range blocks {
		if first := seen[block.Type]; first != nil && block.Type != "provisioner" {
			c.duplicate(block.Type+" block", block.Type, first.DefRange, block.DefRange)
			continue
		}
		seen[block.Type] = block
		switch block.Type {
		case "lifecycle":
			c.loadLifecycle(r, block)
		case "connection":
			r.connections = append(r.connections, c.connection(block))
		case "provisioner":
			c.loadProvisioner(r, block)
		case "locals":
			c.add(problem("Reserved block type name in resource block",
				fmt.Sprintf("The block type name %q is reserved for use by Terraform in a future version.", block.Type), block.TypeRange))
		case "_":
			r.config = hcl.MergeBodies([]hcl.Body{r.config, block.Body})
		}
	}
}

func (c *checker) connection(block *hcl.Block) hcl.Body {
	_, rest, diags := block.Body.PartialContent(connectionSchema)
	c.add(diags...)
	return rest
}

func (c *checker) loadLifecycle(r *resource, block *hcl.Block) {
	content := c.content(block.Body, lifecycleSchema)
	for _, nested := range content.Blocks {
		loaded := c.loadCondition(nested)
		if nested.Type == "precondition" {
			r.preconditions = append(r.preconditions, loaded)
		} else {
			r.postconditions = append(r.postconditions, loaded)
		}
	}
	if r.mode != managed {
		for _, name := range sortedAttributes(content.Attributes) {
			attribute := content.Attributes[name]
			c.add(problem("Invalid lifecycle argument",
				fmt.Sprintf("The lifecycle argument %q is defined only for managed resources, and is not valid for a %s block.", name, r.mode), attribute.NameRange))
		}
		return
	}
	for _, name := range []string{"create_before_destroy", "prevent_destroy"} {
		c.constant(content.Attributes[name], decodeBool)
	}
	c.loadIgnoreChanges(r, content.Attributes["ignore_changes"])
	if attribute := content.Attributes["replace_triggered_by"]; attribute != nil {
		exprs, diags := hcl.ExprList(attribute.Expr)
		c.add(diags...)
		r.triggers = exprs
	}
}

func decodeBool(expr hcl.Expression) hcl.Diagnostics {
	var value *bool
	return decodeInto(&value)(expr)
}

func decodeString(expr hcl.Expression) hcl.Diagnostics {
	var value *string
	return decodeInto(&value)(expr)
}

// decodeInto stores a constant.
func decodeInto(target any) func(hcl.Expression) hcl.Diagnostics {
	return func(expr hcl.Expression) hcl.Diagnostics {
		if _, diags := expr.Value(nil); diags.HasErrors() {
			return diags
		}
		return gohcl.DecodeExpression(expr, nil, target)
	}
}

func (c *checker) loadIgnoreChanges(r *resource, attribute *hcl.Attribute) {
	if attribute == nil || hcl.ExprAsKeyword(attribute.Expr) == "all" {
		return
	}
	exprs, diags := hcl.ExprList(attribute.Expr)
	c.add(diags...)
	for _, expr := range exprs {
		traversal, diags := hcl.RelTraversalForExpr(unquoted(expr))
		if diags.HasErrors() {
			c.add(diags...)
			continue
		}
		r.ignoreChanges = append(r.ignoreChanges, traversal)
	}
}

// provisionerSchema has what each provisioner takes besides its own arguments.
var provisionerSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{{Name: "when"}, {Name: "on_failure"}},
	Blocks:     []hcl.BlockHeaderSchema{{Type: "connection"}, {Type: "lifecycle"}, {Type: "_"}},
}

// provisionerArguments are the arguments of the provisioners that are a part of
// Terraform; true means required.
var provisionerArguments = map[string]map[string]bool{
	"local-exec":  {"command": true, "interpreter": false, "working_dir": false, "environment": false, "quiet": false},
	"remote-exec": {"inline": false, "script": false, "scripts": false},
	"file":        {"source": false, "content": false, "destination": true},
}

func (c *checker) loadProvisioner(r *resource, block *hcl.Block) {
	content, rest, diags := block.Body.PartialContent(provisionerSchema)
	c.add(diags...)
	for name, words := range map[string][]string{"when": {"create", "destroy"}, "on_failure": {"continue", "fail"}} {
		attribute := content.Attributes[name]
		if attribute == nil {
			continue
		}
		if word := hcl.ExprAsKeyword(attribute.Expr); word != words[0] && word != words[1] {
			c.add(problem("Invalid keyword", fmt.Sprintf("The %q argument requires one of the keywords %s or %s.", name, words[0], words[1]), attribute.Expr.Range()))
		}
	}
	for _, nested := range content.Blocks {
		if nested.Type == "connection" {
			r.connections = append(r.connections, c.connection(nested))
		}
	}
	arguments, ok := provisionerArguments[block.Labels[0]]
	if !ok {
		c.add(problem("Unknown provisioner", fmt.Sprintf("There is no provisioner %q.", block.Labels[0]), block.LabelRanges[0]))
		return
	}
	schema := &hcl.BodySchema{}
	for name, required := range arguments {
		schema.Attributes = append(schema.Attributes, hcl.AttributeSchema{Name: name, Required: required})
	}
	c.content(rest, schema)
	r.provisioners = append(r.provisioners, rest)
}
