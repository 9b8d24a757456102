package check

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

var (
	movedSchema   = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "from", Required: true}, {Name: "to", Required: true}}}
	removedSchema = &hcl.BodySchema{
		Attributes: []hcl.AttributeSchema{{Name: "from", Required: true}},
		Blocks:     []hcl.BlockHeaderSchema{{Type: "lifecycle"}, {Type: "connection"}, {Type: "provisioner", LabelNames: labels("type")}},
	}
	removedLifecycle = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "destroy"}}}
	importSchema     = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{
		{Name: "provider"}, {Name: "id", Required: true}, {Name: "to", Required: true}, {Name: "for_each"},
	}}
	checkSchema = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
		{Type: "data", LabelNames: labels("type", "name")}, {Type: "assert"},
	}}
)

// endpoint reads the address of a resource or of a module in moved and removed
// blocks. What it names need not exist.
func (c *checker) endpoint(expr hcl.Expression) (m mode, isModule, ok bool) {
	traversal, diags := hcl.AbsTraversalForExpr(expr)
	if diags.HasErrors() {
		c.add(diags...)
		return managed, false, false
	}
	steps := withoutKeys(traversal)
	for len(steps) >= 2 && stepName(steps[0]) == "module" {
		steps, isModule = steps[2:], true
	}
	if len(steps) == 0 && isModule {
		return managed, true, true
	}
	m = managed
	switch word := stepName(first(steps)); word {
	case "data", "ephemeral":
		m, steps = mode(word), steps[1:]
	case "resource":
		steps = steps[1:]
	}
	if len(steps) != 2 {
		c.add(problem("Invalid address", "This must be the address of a resource or of a module.", expr.Range()))
	}
	return m, false, len(steps) == 2
}

func first(steps hcl.Traversal) hcl.Traverser {
	if len(steps) == 0 {
		return nil
	}
	return steps[0]
}

func withoutKeys(traversal hcl.Traversal) hcl.Traversal {
	steps := hcl.Traversal{}
	for _, step := range traversal {
		if _, ok := step.(hcl.TraverseIndex); !ok {
			steps = append(steps, step)
		}
	}
	return steps
}

func (c *checker) loadMoved(block *hcl.Block) {
	content := c.content(block.Body, movedSchema)
	from, to := content.Attributes["from"], content.Attributes["to"]
	if from == nil || to == nil {
		return
	}
	_, fromModule, fromOK := c.endpoint(from.Expr)
	_, toModule, toOK := c.endpoint(to.Expr)
	if fromOK && toOK && fromModule != toModule {
		c.add(problem("Invalid \"moved\" addresses", "The \"from\" and \"to\" addresses must either both refer to resources or both refer to modules.", block.DefRange))
	}
}

func (c *checker) loadRemoved(block *hcl.Block) {
	content := c.content(block.Body, removedSchema)
	if from := content.Attributes["from"]; from != nil {
		c.loadRemovedAddress(from.Expr)
	}
	for _, nested := range content.Blocks {
		if nested.Type == "lifecycle" {
			c.constant(c.content(nested.Body, removedLifecycle).Attributes["destroy"], decodeBool)
		}
	}
}

func (c *checker) loadRemovedAddress(from hcl.Expression) {
	m, _, ok := c.endpoint(from)
	if !ok {
		return
	}
	if m != managed {
		c.add(problem("Invalid address", "Only managed resources and modules can be removed.", from.Range()))
	}
	traversal, _ := hcl.AbsTraversalForExpr(from)
	if len(withoutKeys(traversal)) != len(traversal) {
		c.add(problem("Resource instance address not allowed", "This address must name a whole resource or module, without an instance key.", from.Range()))
	}
	c.module.removed = append(c.module.removed, from)
}

// checkRemoved runs when all files are known.
func (c *checker) checkRemoved() {
	for _, from := range c.module.removed {
		target, ok := targetAddress(from)
		if _, exists := c.module.resources[target]; ok && exists {
			c.add(problem("Removed resource still exists",
				fmt.Sprintf("This statement declares that %s was removed, but it is still declared in the configuration.", target), from.Range()))
		}
	}
}

func (c *checker) loadImport(block *hcl.Block) {
	content := c.content(block.Body, importSchema)
	loaded := &importBlock{declared: block.DefRange}
	for name, target := range map[string]*hcl.Expression{"to": &loaded.to, "id": &loaded.id, "for_each": &loaded.forEach} {
		if attribute := content.Attributes[name]; attribute != nil {
			*target = attribute.Expr
		}
	}
	if attribute := content.Attributes["provider"]; attribute != nil {
		c.providerReference(attribute.Expr)
	}
	c.module.imports = append(c.module.imports, loaded)
}

func (c *checker) loadCheck(block *hcl.Block) {
	content := c.content(block.Body, checkSchema)
	loaded := &checkBlock{name: block.Labels[0], declared: block.DefRange}
	c.identifier("check block name", loaded.name, block.LabelRanges[0])
	sources := 0
	for _, nested := range content.Blocks {
		if nested.Type == "assert" {
			loaded.asserts = append(loaded.asserts, c.loadCondition(nested))
			continue
		}
		if sources++; sources > 1 {
			c.add(problem("Multiple data resource blocks", "A check block may hold only one data block.", nested.DefRange))
		}
		c.loadResource(nested, data)
	}
	if len(loaded.asserts) == 0 {
		c.add(problem("Zero assert blocks", "Check blocks must have at least one assert block.", block.DefRange))
	}
	if first, ok := c.module.checks[loaded.name]; ok {
		c.duplicate("check block configuration", loaded.name, first.declared, loaded.declared)
		return
	}
	c.module.checks[loaded.name] = loaded
	c.module.order = append(c.module.order, address("check."+loaded.name))
}

// targetAddress is the address of a resource without instance keys, which may be expressions.
func targetAddress(expr hcl.Expression) (address, bool) {
	for {
		switch inner := expr.(type) {
		case *hclsyntax.IndexExpr:
			expr = inner.Collection
		case *hclsyntax.ScopeTraversalExpr:
			steps := withoutKeys(inner.Traversal)
			if len(steps) != 2 {
				return "", false
			}
			return address(steps.RootName() + "." + stepName(steps[1])), true
		default:
			return "", false
		}
	}
}
