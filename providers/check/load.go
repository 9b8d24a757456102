package check

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

func labels(names ...string) []string { return names }

var rootSchema = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
	{Type: "terraform"},
	{Type: "required_providers"},
	{Type: "provider", LabelNames: labels("name")},
	{Type: "variable", LabelNames: labels("name")},
	{Type: "locals"},
	{Type: "output", LabelNames: labels("name")},
	{Type: "module", LabelNames: labels("name")},
	{Type: "resource", LabelNames: labels("type", "name")},
	{Type: "data", LabelNames: labels("type", "name")},
	{Type: "ephemeral", LabelNames: labels("type", "name")},
	{Type: "moved"},
	{Type: "removed"},
	{Type: "import"},
	{Type: "check", LabelNames: labels("name")},
}}

// load collects what one file declares.
func (c *checker) load(body *hclsyntax.Body) {
	content, diags := body.Content(rootSchema)
	c.add(diags...)
	for _, block := range content.Blocks {
		c.loadBlock(block)
	}
}

func (c *checker) loadBlock(block *hcl.Block) {
	switch block.Type {
	case "terraform":
		c.loadTerraform(block)
	case "required_providers":
		c.add(problem("Invalid required_providers block",
			`A "required_providers" block must be nested inside a "terraform" block.`, block.DefRange))
	case "provider":
		c.loadProvider(block)
	case "variable":
		c.loadVariable(block)
	case "locals":
		c.loadLocals(block)
	case "output":
		c.loadOutput(block)
	case "module":
		c.loadCall(block)
	case "resource", "data", "ephemeral":
		c.loadResource(block, mode(block.Type))
	case "moved":
		c.loadMoved(block)
	case "removed":
		c.loadRemoved(block)
	case "import":
		c.loadImport(block)
	case "check":
		c.loadCheck(block)
	}
}

// content decodes a body and keeps the diagnostics.
func (c *checker) content(body hcl.Body, schema *hcl.BodySchema) *hcl.BodyContent {
	content, diags := body.Content(schema)
	c.add(diags...)
	return content
}

// identifier checks a label; what names the thing in the message.
func (c *checker) identifier(what, name string, at hcl.Range) bool {
	if plainName(name) || hclsyntax.ValidIdentifier(name) {
		return true
	}
	c.add(problem("Invalid "+what, "A name must start with a letter or underscore and may contain only letters, digits, underscores, and dashes.", at))
	return false
}

// plainName reports whether a name is an identifier at first sight: of letters
// without accents.
func plainName(name string) bool {
	for i, c := range []byte(name) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_'
		if !letter && (i == 0 || c != '-' && (c < '0' || c > '9')) {
			return false
		}
	}
	return name != ""
}

// duplicate reports a second declaration; first is where the other one is.
func (c *checker) duplicate(what, name string, first, second hcl.Range) {
	c.add(problem("Duplicate "+what,
		fmt.Sprintf("%q was already declared at %s. Names must be unique in a root.", name, first), second))
}

// constant evaluates an argument that can't refer to anything.
func (c *checker) constant(attribute *hcl.Attribute, into func(hcl.Expression) hcl.Diagnostics) {
	if attribute != nil {
		c.add(into(attribute.Expr)...)
	}
}

var conditionSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{
	{Name: "condition", Required: true},
	{Name: "error_message", Required: true},
}}

// loadCondition reads a precondition, postcondition, validation or assert block.
func (c *checker) loadCondition(block *hcl.Block) *condition {
	content := c.content(block.Body, conditionSchema)
	loaded := &condition{keyword: block.Type}
	if attribute := content.Attributes["condition"]; attribute != nil {
		loaded.condition = attribute.Expr
		if len(attribute.Expr.Variables()) == 0 {
			c.add(problem("Invalid "+block.Type+" expression",
				"The condition expression must refer to at least one object from elsewhere in the configuration, or else its result would not be checking anything.",
				attribute.Expr.Range()))
		}
	}
	if attribute := content.Attributes["error_message"]; attribute != nil {
		loaded.errorMessage = attribute.Expr
	}
	return loaded
}

// dependsOn reads a list of references.
func (c *checker) dependsOn(attribute *hcl.Attribute) []hcl.Traversal {
	if attribute == nil {
		return nil
	}
	exprs, diags := hcl.ExprList(attribute.Expr)
	c.add(diags...)
	list := []hcl.Traversal{}
	for _, expr := range exprs {
		traversal, diags := hcl.AbsTraversalForExpr(unquoted(expr))
		c.add(diags...)
		if !diags.HasErrors() {
			list = append(list, traversal)
		}
	}
	return list
}

// unquoted turns a quoted reference, as old versions wanted it, into the
// reference itself.
func unquoted(expr hcl.Expression) hcl.Expression {
	template, ok := expr.(*hclsyntax.TemplateExpr)
	if !ok || !template.IsStringLiteral() {
		return expr
	}
	value, _ := template.Value(nil)
	start := template.Range().Start
	start.Column, start.Byte = start.Column+1, start.Byte+1
	traversal, diags := hclsyntax.ParseTraversalAbs([]byte(value.AsString()), template.Range().Filename, start)
	if diags.HasErrors() {
		return expr
	}
	return &hclsyntax.ScopeTraversalExpr{Traversal: traversal, SrcRange: template.Range()}
}
