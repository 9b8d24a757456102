package check

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"scaffold/providers/schema"
)

// plain checks a body that has only arguments and blocks that the schema has, and
// all that must be there, as nearly all have. It reads the syntax tree, where taking
// the body apart by a schema would copy it. It reports false, and has looked at no
// value, for any other body. meta are the names that are not the provider's.
func (d *decoder) plain(body *hclsyntax.Body, block *schema.Block, meta map[string]bool) bool {
	described := d.schemas.of(block)
	if !fits(body, block, meta) || !complete(body, described) {
		return false
	}
	for _, name := range ownAttributes(body, meta) {
		a := body.Attributes[name]
		d.attribute(argument{a.Name, a.Expr, a.SrcRange, a.NameRange}, block.Attributes[name])
	}
	for _, name := range ownBlocks(body, described, meta) {
		var nested []nestedBlock
		for _, b := range body.Blocks {
			if b.Type == name {
				nested = append(nested, nestedBlock{b.Labels, b.DefRange(), b.Body})
			}
		}
		d.blocks(name, block.Blocks[name], nested, body.MissingItemRange())
	}
	return true
}

// fits reports whether the schema has all that stands in a body.
func fits(body *hclsyntax.Body, block *schema.Block, meta map[string]bool) bool {
	for name := range body.Attributes {
		if block.Attributes[name] == nil && !meta[name] {
			return false
		}
	}
	for _, b := range body.Blocks {
		nested := block.Blocks[b.Type]
		switch {
		case meta[b.Type]:
		case nested == nil:
			return false
		case nested.Nesting == schema.Map && len(b.Labels) != 1, nested.Nesting != schema.Map && len(b.Labels) > 0:
			return false
		}
	}
	return true
}

// complete reports whether a body has the arguments that it must have.
func complete(body *hclsyntax.Body, described blockSchema) bool {
	return !slices.ContainsFunc(described.required, func(name string) bool { return body.Attributes[name] == nil })
}

func ownAttributes(body *hclsyntax.Body, meta map[string]bool) []string {
	names := make([]string, 0, len(body.Attributes))
	for name := range body.Attributes {
		if !meta[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// ownBlocks are the types of blocks that a body has, or must have.
func ownBlocks(body *hclsyntax.Body, described blockSchema, meta map[string]bool) []string {
	if len(body.Blocks) == 0 {
		return described.atLeast
	}
	names := slices.Clone(described.atLeast)
	for _, b := range body.Blocks {
		if !meta[b.Type] {
			names = append(names, b.Type)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// decodeResource checks what a resource says to its provider.
func (d *decoder) decodeResource(r *resource) hcl.Diagnostics {
	if body := bodyOf(r.block.Body); body != nil && r.mode == managed && d.plain(body, r.schema, metaArguments) {
		return d.diags
	}
	return d.decode(r.config, r.schema)
}
