// Package yaml is an ordered YAML tree and its only writer.
//
// The tree keeps what a map of values loses: the order of keys, comments, and
// where each node came from. There is one fixed style, so that the same tree
// gives the same bytes everywhere, and no reader: tests read the output back
// with independent implementations.
//
// The package imports no other package of this module. From outside it uses
// hcl and cty, only to say where a node came from.
package yaml

import (
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Kind says what a Node is.
type Kind int

const (
	// Null is the kind of the zero Node.
	Null Kind = iota
	Bool
	Number
	String
	Sequence
	Mapping
)

func (k Kind) String() string {
	return [...]string{"null", "boolean", "number", "string", "list", "mapping"}[k]
}

// Node is one value of a document together with its comments.
type Node struct {
	Kind Kind

	// Text is the value of a string, or the spelling of a number or boolean.
	Text string

	// Entries are the pairs of a mapping in the order of output. Keys are
	// unique; Set keeps them so.
	Entries []Entry

	// Items are the elements of a sequence.
	Items []*Node

	// Flow asks for [a, b] on one line. It is followed only where all items
	// are short scalars without comments.
	Flow bool

	// Head are the lines of the comment above the node (above its key, or
	// above its dash), without "#". Line is the comment on its line. Foot is
	// the comment below the last entry or item of a collection.
	Head []string
	Line string
	Foot []string

	// Source is where the node came from. A node without one is reported as
	// its parent's.
	Source Source
}

// Entry is one pair of a mapping.
type Entry struct {
	Key   string
	Value *Node
}

// Source is the origin of a node.
type Source struct {
	// Range is the part of the pack that the node was made from, including
	// the key where there is one.
	Range hcl.Range

	// Expr is the expression whose value the node is, nil where the node was
	// written out in the pack. Locals are the loop variables it was evaluated
	// with.
	Expr   hclsyntax.Expression
	Locals map[string]cty.Value
}

func (s Source) known() bool {
	return s.Expr != nil || s.Range != hcl.Range{}
}

// NewMapping returns a mapping without entries.
func NewMapping() *Node { return &Node{Kind: Mapping} }

// NewSequence returns a sequence in block style.
func NewSequence(items ...*Node) *Node { return &Node{Kind: Sequence, Items: items} }

// NewString returns a string; Check tells whether YAML can hold it.
func NewString(text string) *Node { return &Node{Kind: String, Text: text} }

// NewNumber returns a number that is written as text.
func NewNumber(text string) *Node { return &Node{Kind: Number, Text: text} }

// NewBool returns true or false.
func NewBool(b bool) *Node { return &Node{Kind: Bool, Text: strconv.FormatBool(b)} }

// NewNull returns a null.
func NewNull() *Node { return &Node{Kind: Null} }

// Get returns the value of a key of a mapping, or nil.
func (n *Node) Get(key string) *Node {
	if i := n.index(key); i >= 0 {
		return n.Entries[i].Value
	}
	return nil
}

// Set gives a key of a mapping a value. A key that is there already keeps its
// place.
func (n *Node) Set(key string, value *Node) {
	if i := n.index(key); i >= 0 {
		n.Entries[i].Value = value
		return
	}
	n.Entries = append(n.Entries, Entry{Key: key, Value: value})
}

// index is linear: mappings of manifests have a handful of keys.
func (n *Node) index(key string) int {
	if n == nil {
		return -1
	}
	for i := range n.Entries {
		if n.Entries[i].Key == key {
			return i
		}
	}
	return -1
}

// Clone returns a copy that shares no node with n.
func (n *Node) Clone() *Node {
	if n == nil {
		return nil
	}
	c := *n
	c.Head = append([]string(nil), n.Head...)
	c.Foot = append([]string(nil), n.Foot...)
	c.Entries, c.Items = nil, nil
	for _, e := range n.Entries {
		c.Entries = append(c.Entries, Entry{Key: e.Key, Value: e.Value.Clone()})
	}
	for _, item := range n.Items {
		c.Items = append(c.Items, item.Clone())
	}
	return &c
}

// Check returns an error where the tree holds text that YAML has no way to
// write: bytes that are not UTF-8.
func (n *Node) Check() error {
	if n == nil {
		return nil
	}
	if !utf8.ValidString(n.Text) {
		return fmt.Errorf("%q is not UTF-8", n.Text)
	}
	for _, e := range n.Entries {
		if !utf8.ValidString(e.Key) {
			return fmt.Errorf("the key %q is not UTF-8", e.Key)
		}
		if err := e.Value.Check(); err != nil {
			return fmt.Errorf("%s: %w", e.Key, err)
		}
	}
	for i, item := range n.Items {
		if err := item.Check(); err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
	}
	return nil
}
