package schema

import (
	"sync"

	"github.com/zclconf/go-cty/cty"
)

// Block is what may stand between the braces of a resource, of a provider or
// of a nested block. Blocks are shared and must not be changed.
type Block struct {
	Attributes map[string]*Attribute
	Blocks     map[string]*NestedBlock
	Deprecated bool

	once    sync.Once
	implied cty.Type
	dynamic bool // the implied type has a part that isn't fixed
}

// Attribute is one argument, or one value that the provider computes.
type Attribute struct {
	Type   cty.Type      // of the value, also where Nested is set
	Nested *NestedObject // for attributes whose object is described in detail

	Required, Optional, Computed     bool
	Deprecated, Sensitive, WriteOnly bool
}

// ReadOnly tells whether only the provider may set the attribute.
func (a *Attribute) ReadOnly() bool { return a.Computed && !a.Optional && !a.Required }

// NestedObject describes the attributes of an attribute's object.
type NestedObject struct {
	Attributes map[string]*Attribute
	Nesting    Nesting
}

// NestedBlock is a block type inside a block.
type NestedBlock struct {
	Block              *Block
	Nesting            Nesting
	MinItems, MaxItems int
}

// Nesting says how many blocks of one type there may be, and which collection
// they become.
type Nesting string

// The five ways to nest.
const (
	Single Nesting = "single"
	Group  Nesting = "group"
	List   Nesting = "list"
	Set    Nesting = "set"
	Map    Nesting = "map"
)

// ImpliedType is the type of an object that the block describes.
func (b *Block) ImpliedType() cty.Type {
	b.once.Do(b.imply)
	return b.implied
}

// imply remembers whether a type is fixed: asking the type itself would walk
// through every path of a schema whose blocks nest in each other.
func (b *Block) imply() {
	types := make(map[string]cty.Type, len(b.Attributes)+len(b.Blocks))
	for name, attribute := range b.Attributes {
		types[name] = attribute.Type
		b.dynamic = b.dynamic || attribute.Type.HasDynamicTypes()
	}
	for name, nested := range b.Blocks {
		object := nested.Block.ImpliedType()
		types[name] = nested.Nesting.collection(object, nested.Block.dynamic)
		b.dynamic = b.dynamic || nested.Block.dynamic
	}
	b.implied = cty.Object(types)
}

// collection is the type that objects of a block type become together.
// A collection of values without a fixed type has no fixed type itself.
func (n Nesting) collection(object cty.Type, dynamic bool) cty.Type {
	switch n {
	case List, Map:
		if dynamic {
			return cty.DynamicPseudoType
		}
		if n == Map {
			return cty.Map(object)
		}
		return cty.List(object)
	case Set:
		return cty.Set(object)
	default:
		return object
	}
}

func (o *NestedObject) impliedType() cty.Type {
	types := make(map[string]cty.Type, len(o.Attributes))
	optional := []string{}
	for name, attribute := range o.Attributes {
		types[name] = attribute.Type
		if !attribute.Required {
			optional = append(optional, name)
		}
	}
	object := cty.ObjectWithOptionalAttrs(types, optional)
	return o.Nesting.collection(object, object.HasDynamicTypes())
}

// Function is the signature of a function that a provider offers.
type Function struct {
	Parameters []Parameter
	Variadic   *Parameter
	Return     cty.Type
}

// Parameter is one parameter of a provider's function.
type Parameter struct {
	Name string
	Type cty.Type
	Null bool // the function takes null
}
