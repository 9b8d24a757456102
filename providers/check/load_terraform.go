package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/go-version"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

var (
	terraformSchema = &hcl.BodySchema{
		Attributes: []hcl.AttributeSchema{{Name: "required_version"}, {Name: "experiments"}, {Name: "language"}},
		Blocks: []hcl.BlockHeaderSchema{
			{Type: "backend", LabelNames: labels("type")},
			{Type: "cloud"},
			{Type: "required_providers"},
			{Type: "provider_meta", LabelNames: labels("provider")},
		},
	}
	providerSchema = &hcl.BodySchema{
		Attributes: []hcl.AttributeSchema{
			{Name: "version"}, {Name: "alias"}, {Name: "count"}, {Name: "depends_on"}, {Name: "for_each"}, {Name: "source"},
		},
		Blocks: []hcl.BlockHeaderSchema{{Type: "_"}, {Type: "lifecycle"}, {Type: "locals"}},
	}
)

func (c *checker) loadTerraform(block *hcl.Block) {
	content := c.content(block.Body, terraformSchema)
	c.constant(content.Attributes["required_version"], decodeConstraint)
	for _, nested := range content.Blocks {
		// A cloud block is one way to say what a backend block says.
		kind := nested.Type
		if kind == "cloud" {
			kind = "backend"
		}
		if kind != "provider_meta" {
			if first, ok := c.module.singletons[kind]; ok {
				c.duplicate(kind+" configuration", nested.Type, first, nested.DefRange)
				continue
			}
			c.module.singletons[kind] = nested.DefRange
		}
		if nested.Type == "required_providers" {
			c.loadRequirements(nested)
		}
	}
}

func decodeConstraint(expr hcl.Expression) hcl.Diagnostics {
	value, diags := expr.Value(nil)
	if diags.HasErrors() {
		return diags
	}
	text, ok := asString(value)
	if ok {
		if _, err := version.NewConstraint(text); err == nil {
			return nil
		}
	}
	return hcl.Diagnostics{problem("Invalid version constraint", "This string does not use correct version constraint syntax.", expr.Range())}
}

func asString(value cty.Value) (string, bool) {
	if value.IsNull() || !value.IsKnown() || value.Type() != cty.String {
		return "", false
	}
	return value.AsString(), true
}

func (c *checker) loadRequirements(block *hcl.Block) {
	attributes, diags := block.Body.JustAttributes()
	c.add(diags...)
	for _, name := range sortedAttributes(attributes) {
		attribute := attributes[name]
		if name != strings.ToLower(name) {
			c.add(problem("Invalid provider local name", "Provider names must be normalized. Use lower case letters only.", attribute.NameRange))
			continue
		}
		c.module.required[name] = c.loadRequirement(name, attribute)
	}
}

func (c *checker) loadRequirement(name string, attribute *hcl.Attribute) *requirement {
	r := &requirement{source: "hashicorp/" + name, at: attribute.Range}
	pairs, diags := hcl.ExprMap(attribute.Expr)
	if diags.HasErrors() { // the old form: only the version
		c.constant(attribute, decodeConstraint)
		return r
	}
	for _, pair := range pairs {
		key := hcl.ExprAsKeyword(pair.Key)
		if key == "" {
			value, _ := pair.Key.Value(nil)
			key, _ = asString(value)
		}
		switch key {
		case "source":
			value, _ := pair.Value.Value(nil)
			text, ok := asString(value)
			if parts := len(strings.Split(text, "/")); !ok || parts > 3 || slices.Contains(strings.Split(text, "/"), "") {
				c.add(problem("Invalid provider source", `The "source" attribute must be in the format "[hostname/][namespace/]name".`, pair.Value.Range()))
				continue
			}
			r.source = text
		case "version":
			if more := decodeConstraint(pair.Value); more.HasErrors() {
				c.add(more...)
				continue
			}
			value, _ := pair.Value.Value(nil)
			r.version = value.AsString()
		case "configuration_aliases":
		default:
			c.add(problem("Invalid required_providers object", `required_providers objects can only contain "version", "source" and "configuration_aliases" attributes.`, pair.Key.Range()))
		}
	}
	return r
}

// checkRequirements compares what the root requires with the schemas at hand:
// Terraform refuses a provider that it hasn't got in a required version.
func (c *checker) checkRequirements() {
	for name, required := range c.module.required {
		schema := c.providers[name]
		if schema == nil {
			continue
		}
		if fullSource(required.source) != fullSource(schema.Source()) {
			c.add(problem("Missing required provider", fmt.Sprintf("The provider %q is required from %s, but its schema is that of %s.", name, required.source, schema.Source()), required.at))
		}
		constraint, err := version.NewConstraint(required.version)
		have, err2 := version.NewVersion(schema.Version())
		if err == nil && err2 == nil && !constraint.Check(have) {
			c.add(problem("Unsupported provider version", fmt.Sprintf("The provider %q is required in version %s, but its schema is that of version %s.", name, required.version, have), required.at))
		}
	}
}

// fullSource fills in the parts of a provider's address that may be left out.
func fullSource(source string) string {
	parts := strings.Split(strings.ToLower(source), "/")
	return strings.Join(append([]string{"registry.terraform.io", "hashicorp"}[:3-min(3, len(parts))], parts...), "/")
}

func (c *checker) loadProvider(block *hcl.Block) {
	content, rest, diags := block.Body.PartialContent(providerSchema)
	c.add(diags...)
	body, _ := block.Body.(*hclsyntax.Body)
	p := &providerConfig{name: block.Labels[0], declared: block.DefRange, config: rest, body: body}
	c.identifier("provider name", p.name, block.LabelRanges[0])
	for _, name := range sortedAttributes(content.Attributes) {
		attribute := content.Attributes[name]
		switch name {
		case "alias":
			value, diags := attribute.Expr.Value(nil)
			alias, ok := asString(value)
			if c.add(diags...); diags.HasErrors() {
				break
			}
			if !ok || !hclsyntax.ValidIdentifier(alias) {
				c.add(problem("Invalid provider configuration alias", "An alias must be a valid name: letters, digits, underscores and dashes.", attribute.Expr.Range()))
			}
			p.alias = alias
		case "version":
			c.add(warning("Version constraints inside provider configuration blocks are deprecated", "Move the constraint into the required_providers block.", attribute.Range))
			c.constant(attribute, decodeConstraint)
		default:
			c.add(problem("Reserved argument name in provider block", fmt.Sprintf("The provider argument name %q is reserved for use by Terraform in a future version.", name), attribute.NameRange))
		}
	}
	for _, nested := range content.Blocks {
		if nested.Type == "_" {
			p.config = hcl.MergeBodies([]hcl.Body{p.config, nested.Body})
			continue
		}
		c.add(problem("Reserved block type name in provider block", fmt.Sprintf("The block type name %q is reserved for use by Terraform in a future version.", nested.Type), nested.TypeRange))
	}
	if first, ok := c.module.configs[p.key()]; ok {
		c.duplicate("provider configuration", p.key(), first.declared, p.declared)
		return
	}
	c.module.configs[p.key()] = p
	c.module.order = append(c.module.order, address("provider."+p.key()))
}

func sortedAttributes(attributes hcl.Attributes) []string {
	names := make([]string, 0, len(attributes))
	for name := range attributes {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return attributes[a].Range.Start.Byte - attributes[b].Range.Start.Byte
	})
	return names
}
