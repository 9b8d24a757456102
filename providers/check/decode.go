package check

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/dynblock"
	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"scaffold/providers/schema"
)

// decoder compares a body with a schema block.
type decoder struct {
	context *hcl.EvalContext
	schemas bodySchemas
	// storesValues: ephemeral values may only go to write-only arguments.
	storesValues bool
	diags        hcl.Diagnostics
}

// newDecoder gives a decoder for expressions with the values of a context.
func (c *checker) newDecoder(context *hcl.EvalContext, storesValues bool) *decoder {
	if c.schemas == nil {
		c.schemas = bodySchemas{}
	}
	return &decoder{context: context, schemas: c.schemas, storesValues: storesValues}
}

// decode checks a whole body, dynamic blocks included.
func (d *decoder) decode(body hcl.Body, block *schema.Block) hcl.Diagnostics {
	d.content(dynblock.Expand(body, d.context), block)
	return d.diags
}

func (d *decoder) add(diags ...*hcl.Diagnostic) { d.diags = append(d.diags, diags...) }

// body checks the body of a nested block.
func (d *decoder) body(body hcl.Body, block *schema.Block) {
	syntax, ok := body.(*hclsyntax.Body)
	switch {
	case ok && d.plain(syntax, block, nil):
	case ok:
		d.content(dynblock.Expand(syntax, d.context), block)
	default:
		d.content(body, block)
	}
}

// content checks a body of any form.
func (d *decoder) content(body hcl.Body, block *schema.Block) {
	described := d.schemas.of(block)
	asBlocks := attributesAsBlocks(body, block, described.probe)
	if len(asBlocks) > 0 {
		described.body = bodySchema(block, asBlocks)
	}
	content, diags := body.Content(described.body)
	d.add(diags...)
	for _, name := range slices.Sorted(maps.Keys(content.Attributes)) {
		a := content.Attributes[name]
		d.attribute(argument{a.Name, a.Expr, a.Range, a.NameRange}, block.Attributes[name])
	}
	byType := content.Blocks.ByType()
	for _, name := range slices.Sorted(maps.Keys(block.Blocks)) {
		nested := make([]nestedBlock, len(byType[name]))
		for i, b := range byType[name] {
			nested[i] = nestedBlock{b.Labels, b.DefRange, b.Body}
		}
		d.blocks(name, block.Blocks[name], nested, body.MissingItemRange())
	}
	for _, name := range slices.Sorted(maps.Keys(asBlocks)) {
		for _, nested := range byType[name] {
			d.body(nested.Body, asBlocks[name])
		}
	}
}

// bodySchemas are those of the blocks that a checker met.
type bodySchemas map[*schema.Block]blockSchema

// blockSchema is what HCL needs to know of a block: body, to take it apart, and
// probe, to find attributes that are written as blocks. The rest is for bodies that
// need not be taken apart: what must be there.
type blockSchema struct {
	body, probe *hcl.BodySchema
	required    []string // attributes
	atLeast     []string // blocks of which there is a least number
}

func (s bodySchemas) of(block *schema.Block) blockSchema {
	known, ok := s[block]
	if !ok {
		known = blockSchema{body: bodySchema(block, nil), probe: &hcl.BodySchema{}}
		for name, nested := range block.Blocks {
			if nested.MinItems > 0 {
				known.atLeast = append(known.atLeast, name)
			}
		}
		for name, attribute := range block.Attributes {
			if attribute.Required {
				known.required = append(known.required, name)
			}
			if objectElements(attribute.Type) && attribute.Nested == nil {
				known.probe.Blocks = append(known.probe.Blocks, hcl.BlockHeaderSchema{Type: name})
			}
		}
		slices.Sort(known.atLeast)
		s[block] = known
	}
	return known
}

// bodySchema is what HCL needs to know to take a body apart. It is sorted, so
// that diagnostics come in one order.
func bodySchema(block *schema.Block, asBlocks map[string]*schema.Block) *hcl.BodySchema {
	s := &hcl.BodySchema{}
	for _, name := range slices.Sorted(maps.Keys(block.Attributes)) {
		if asBlocks[name] != nil {
			s.Blocks = append(s.Blocks, hcl.BlockHeaderSchema{Type: name})
			continue
		}
		s.Attributes = append(s.Attributes, hcl.AttributeSchema{Name: name, Required: block.Attributes[name].Required})
	}
	for _, name := range slices.Sorted(maps.Keys(block.Blocks)) {
		header := hcl.BlockHeaderSchema{Type: name}
		if block.Blocks[name].Nesting == schema.Map {
			header.LabelNames = labels("key")
		}
		s.Blocks = append(s.Blocks, header)
	}
	return s
}

// attributesAsBlocks finds the attributes that a body writes as blocks: that is
// allowed for lists and sets of objects, which were blocks in old schemas.
func attributesAsBlocks(body hcl.Body, block *schema.Block, probe *hcl.BodySchema) map[string]*schema.Block {
	if len(probe.Blocks) == 0 {
		return nil
	}
	content, _, _ := body.PartialContent(probe)
	found := map[string]*schema.Block{}
	for _, nested := range content.Blocks {
		if found[nested.Type] == nil {
			found[nested.Type] = blockOfType(block.Attributes[nested.Type].Type.ElementType())
		}
	}
	return found
}

func objectElements(typ cty.Type) bool {
	return (typ.IsListType() || typ.IsSetType()) && typ.ElementType().IsObjectType()
}

// blockOfType describes an object as a block whose arguments may all be left out.
func blockOfType(object cty.Type) *schema.Block {
	block := &schema.Block{Attributes: map[string]*schema.Attribute{}}
	for name, typ := range object.AttributeTypes() {
		block.Attributes[name] = &schema.Attribute{Type: typ, Optional: true}
	}
	return block
}

// argument is an argument as a body has it.
type argument struct {
	name       string
	expr       hcl.Expression
	at, nameAt hcl.Range
}

func (d *decoder) attribute(attribute argument, described *schema.Attribute) {
	if described.Deprecated {
		d.add(warning("Argument is deprecated", fmt.Sprintf("The argument %q is deprecated.", attribute.name), attribute.nameAt))
	}
	value, diags := attribute.expr.Value(d.context)
	d.add(diags...)
	if diags.HasErrors() {
		return
	}
	converted, err := convert.Convert(value, described.Type)
	if err != nil {
		d.add(&hcl.Diagnostic{
			Severity: hcl.DiagError,
			Summary:  "Incorrect attribute value type",
			Detail:   fmt.Sprintf("Inappropriate value for attribute %q: %s.", attribute.name, err),
			Subject:  attribute.expr.Range().Ptr(), Context: attribute.at.Ptr(),
			Expression: attribute.expr, EvalContext: d.context,
		})
		return
	}
	d.value(attribute, described, converted)
}

// value checks what every provider checks of a value before its own rules.
func (d *decoder) value(attribute argument, described *schema.Attribute, marked cty.Value) {
	value, marks := unmark(marked)
	if _, ok := marks[ephemeralMark{}]; ok && d.storesValues && !described.WriteOnly {
		d.add(problem("Invalid use of ephemeral value",
			fmt.Sprintf("Ephemeral values are not valid for %q, because it is not a write-only attribute and must be persisted to state.", attribute.name), attribute.expr.Range()))
	}
	switch {
	case value.IsNull() && described.Required:
		// Terraform lets it pass where something in the same blocks is not known
		// before the apply, which then fails.
		d.add(problem("Missing required argument",
			fmt.Sprintf("The argument %q is required, but it is null here.", attribute.name), attribute.expr.Range()))
	case value.IsNull():
	case described.ReadOnly():
		d.add(problem("Value for unconfigurable attribute",
			fmt.Sprintf("Can't configure a value for %q: its value will be decided automatically based on the result of applying this configuration.", attribute.name), attribute.at))
	case hasNullElement(value):
		d.add(problem("Null value found in list", "Null values are not allowed for this attribute value.", attribute.expr.Range()))
	}
}

// unmark is UnmarkDeep without walking through what has no depth.
func unmark(value cty.Value) (cty.Value, cty.ValueMarks) {
	if value.Type().IsPrimitiveType() {
		return value.Unmark()
	}
	return value.UnmarkDeep()
}

func hasNullElement(value cty.Value) bool {
	if !value.IsKnown() || !value.Type().IsListType() && !value.Type().IsSetType() {
		return false
	}
	for _, element := range value.Elements() {
		if element.IsNull() {
			return true
		}
	}
	return false
}

// nestedBlock is a block as a body has it.
type nestedBlock struct {
	labels []string
	at     hcl.Range
	body   hcl.Body
}

// blocks checks the nested blocks of one type.
func (d *decoder) blocks(name string, nested *schema.NestedBlock, blocks []nestedBlock, missing hcl.Range) {
	unknown := false
	keys := map[string]bool{}
	for _, block := range blocks {
		if nested.Block.Deprecated {
			d.add(warning("Block is deprecated", fmt.Sprintf("The block %q is deprecated.", name), block.at))
		}
		if nested.Nesting == schema.Map && len(block.labels) == 1 {
			if keys[block.labels[0]] {
				d.add(problem("Duplicate block", fmt.Sprintf("There is already a %q block with the key %q.", name, block.labels[0]), block.at))
			}
			keys[block.labels[0]] = true
		}
		d.body(block.body, nested.Block)
		if body, ok := block.body.(hcldec.UnknownBody); ok && body.Unknown() {
			unknown = true // how many there will be is not known
		}
	}
	if !unknown {
		d.countBlocks(name, nested, blocks, missing)
	}
}

func (d *decoder) countBlocks(name string, nested *schema.NestedBlock, blocks []nestedBlock, missing hcl.Range) {
	least, most := nested.MinItems, nested.MaxItems
	switch nested.Nesting {
	case schema.Single, schema.Group:
		most = 1
	case schema.Map:
		return
	}
	if len(blocks) < least {
		d.add(problem("Insufficient blocks", fmt.Sprintf("At least %d %q blocks are required.", least, name), missing))
	}
	if most > 0 && len(blocks) > most {
		d.add(problem("Too many blocks", fmt.Sprintf("No more than %d %q blocks are allowed.", most, name), blocks[most].at))
	}
}
