package schema

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// The stored shape of one entry: its distinct blocks, inner ones first, the
// entry's own block last. A nested block type names its block by position.
type (
	packedEntry []*packedBlock
	packedBlock struct {
		Attributes map[string]*packedAttribute `json:"a,omitempty"`
		Blocks     map[string]*packedNested    `json:"b,omitempty"`
		Deprecated bool                        `json:"d,omitempty"`
	}
	packedAttribute struct {
		Flags  string        `json:"f"`
		Type   *packedType   `json:"t,omitempty"`
		Nested *packedObject `json:"n,omitempty"`
	}
	packedObject struct {
		Attributes map[string]*packedAttribute `json:"a"`
		Nesting    Nesting                     `json:"m"`
	}
	packedNested struct {
		Block   int     `json:"b"`
		Nesting Nesting `json:"m"`
		Min     int     `json:"l,omitempty"`
		Max     int     `json:"u,omitempty"`
	}
)

// packedType is stored as cty writes a type.
type packedType struct{ cty.Type }

// ordinary are the types of nearly all attributes, which cty takes long to read.
var ordinary = map[string]cty.Type{
	`"string"`: cty.String, `"number"`: cty.Number, `"bool"`: cty.Bool,
	`["list","string"]`: cty.List(cty.String), `["set","string"]`: cty.Set(cty.String), `["map","string"]`: cty.Map(cty.String),
}

func (t *packedType) UnmarshalJSON(text []byte) error {
	if known, ok := ordinary[string(text)]; ok {
		t.Type = known
		return nil
	}
	return t.Type.UnmarshalJSON(text)
}

// flags in the order in which they are written.
var flags = []struct {
	letter string
	of     func(*tfAttribute) bool
}{
	{"r", func(a *tfAttribute) bool { return a.Required }},
	{"o", func(a *tfAttribute) bool { return a.Optional }},
	{"c", func(a *tfAttribute) bool { return a.Computed }},
	{"d", func(a *tfAttribute) bool { return a.Deprecated }},
	{"s", func(a *tfAttribute) bool { return a.Sensitive }},
	{"w", func(a *tfAttribute) bool { return a.WriteOnly }},
}

// pack turns a tree of blocks into a list of distinct ones.
func pack(root *tfBlock) (packedEntry, error) {
	if root == nil {
		root = &tfBlock{}
	}
	p := &packer{seen: map[string]int{}}
	_, err := p.add(root)
	return p.list, err
}

type packer struct {
	list packedEntry
	seen map[string]int // by the block's JSON, in which inner blocks are numbers
}

func (p *packer) add(block *tfBlock) (int, error) {
	packed := &packedBlock{
		Attributes: packAttributes(block.Attributes),
		Blocks:     map[string]*packedNested{},
		Deprecated: block.Deprecated,
	}
	for _, name := range sorted(block.BlockTypes) {
		nested := block.BlockTypes[name]
		if nested.Block == nil {
			nested.Block = &tfBlock{}
		}
		index, err := p.add(nested.Block)
		if err != nil {
			return 0, err
		}
		packed.Blocks[name] = &packedNested{index, nested.Nesting, nested.MinItems, nested.MaxItems}
	}
	text, err := json.Marshal(packed)
	if err != nil {
		return 0, err
	}
	index, ok := p.seen[string(text)]
	if !ok {
		index = len(p.list)
		p.seen[string(text)] = index
		p.list = append(p.list, packed)
	}
	return index, nil
}

func packAttributes(attributes map[string]*tfAttribute) map[string]*packedAttribute {
	packed := make(map[string]*packedAttribute, len(attributes))
	for name, attribute := range attributes {
		one := &packedAttribute{}
		if attribute.Type != nil {
			one.Type = &packedType{*attribute.Type}
		}
		for _, flag := range flags {
			if flag.of(attribute) {
				one.Flags += flag.letter
			}
		}
		if attribute.Nested != nil {
			one.Nested = &packedObject{packAttributes(attribute.Nested.Attributes), attribute.Nested.Nesting}
		}
		packed[name] = one
	}
	return packed
}

// unpack builds the blocks of an entry and returns the entry's own.
func unpack(list packedEntry) (*Block, error) {
	blocks := make([]*Block, 0, len(list))
	for _, packed := range list {
		block := &Block{
			Attributes: unpackAttributes(packed.Attributes),
			Blocks:     make(map[string]*NestedBlock, len(packed.Blocks)),
			Deprecated: packed.Deprecated,
		}
		for name, nested := range packed.Blocks {
			if nested.Block < 0 || nested.Block >= len(blocks) {
				return nil, fmt.Errorf("block %q is not in the entry", name)
			}
			block.Blocks[name] = &NestedBlock{blocks[nested.Block], nested.Nesting, nested.Min, nested.Max}
		}
		blocks = append(blocks, block)
	}
	if len(blocks) == 0 {
		return nil, fmt.Errorf("the entry is empty")
	}
	return blocks[len(blocks)-1], nil
}

func unpackAttributes(packed map[string]*packedAttribute) map[string]*Attribute {
	attributes := make(map[string]*Attribute, len(packed))
	for name, one := range packed {
		has := func(flag string) bool { return strings.Contains(one.Flags, flag) }
		attribute := &Attribute{
			Type:     cty.DynamicPseudoType,
			Required: has("r"), Optional: has("o"), Computed: has("c"),
			Deprecated: has("d"), Sensitive: has("s"), WriteOnly: has("w"),
		}
		if one.Type != nil {
			attribute.Type = one.Type.Type
		}
		if one.Nested != nil {
			attribute.Nested = &NestedObject{unpackAttributes(one.Nested.Attributes), one.Nested.Nesting}
			attribute.Type = attribute.Nested.impliedType()
		}
		attributes[name] = attribute
	}
	return attributes
}
