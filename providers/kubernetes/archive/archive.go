// Package archive is the file format in which structural schemas are embedded:
// one zip entry for each group, version and kind, each a list of nodes, one
// JSON node a line. Equal nodes are stored once, and nodes that several kinds
// use lie in one common entry, so a reader inflates only the kinds it meets
// and parses only the nodes a document reaches.
//
// It is used by the generator, which writes, and by the validator, which reads.
// It may import the standard library only.
package archive

import (
	"encoding/json"
	"fmt"
)

// common is the entry with the nodes that more than one kind uses.
const common = "common"

// Kind names one entry. Group is empty for the core group.
type Kind struct {
	Group, Version, Kind string
}

// APIVersion is the text a manifest writes for the group and the version.
func (k Kind) APIVersion() string {
	if k.Group == "" {
		return k.Version
	}
	return k.Group + "/" + k.Version
}

func (k Kind) String() string { return k.APIVersion() + "/" + k.Kind }

// Ref points to a node: a line of the same entry, or, when negative, the line
// -Ref-1 of the common entry.
type Ref int

// Node is one schema. The JSON names are short because there are tens of
// thousands of them.
type Node struct {
	Type        string         `json:"t,omitempty"` // "" admits every type
	Properties  map[string]Ref `json:"p,omitempty"`
	Required    []string       `json:"q,omitempty"`
	Values      *Ref           `json:"v,omitempty"` // schema of the values of a map
	Open        bool           `json:"o,omitempty"` // unknown fields are kept
	Items       *Ref           `json:"i,omitempty"`
	KeyFormat   string         `json:"kf,omitempty"` // of the keys of a map
	Set         bool           `json:"s,omitempty"`  // items are unique
	Keys        []string       `json:"k,omitempty"`  // fields that identify an item
	Nullable    bool           `json:"n,omitempty"`
	IntOrString bool           `json:"io,omitempty"`

	Enum             []any    `json:"e,omitempty"`
	Pattern          string   `json:"r,omitempty"`
	Format           string   `json:"f,omitempty"`
	Minimum          *float64 `json:"mi,omitempty"`
	Maximum          *float64 `json:"ma,omitempty"`
	ExclusiveMinimum bool     `json:"xi,omitempty"`
	ExclusiveMaximum bool     `json:"xa,omitempty"`
	MinLength        *int     `json:"li,omitempty"`
	MaxLength        *int     `json:"la,omitempty"`
	MinItems         *int     `json:"ii,omitempty"`
	MaxItems         *int     `json:"ia,omitempty"`
	MinProperties    *int     `json:"pi,omitempty"`
	MaxProperties    *int     `json:"pa,omitempty"`

	AllOf []Ref `json:"al,omitempty"`
	AnyOf []Ref `json:"an,omitempty"`
	OneOf []Ref `json:"on,omitempty"`
	Not   *Ref  `json:"no,omitempty"`

	Default json.RawMessage `json:"d,omitempty"`
	Rules   []Rule          `json:"c,omitempty"`
}

// Rule is a condition in the Common Expression Language on the value of a node.
type Rule struct {
	Condition string `json:"r"`
	Message   string `json:"m,omitempty"`
	// Expression computes the message when the fixed one would say too little.
	Expression string `json:"e,omitempty"`
	Fix        string `json:"x,omitempty"`
}

// header is the first line of the entry of a kind.
type header struct {
	Root    Ref  `json:"root"`
	Cluster bool `json:"cluster,omitempty"`
}

func entryName(k Kind) string {
	group := k.Group
	if group == "" {
		group = "core"
	}
	return fmt.Sprintf("%s/%s/%s", group, k.Version, k.Kind)
}
