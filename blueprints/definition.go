package blueprints

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// Definition says what can stand in one block of a blueprint: a component, a
// pattern, a target or a nested block.
type Definition struct {
	// Role is "component", "pattern", "target" or "block".
	Role    string
	ID      string
	Title   string
	Summary string
	Range   hcl.Range

	Inputs  []*Input
	Derived []*Derived
	Blocks  []*Block
	Checks  []*Check

	// Plural is the name of the list of all components of the kind.
	Plural string

	// The rest is a pattern's.
	Attaches    []string // component kinds that may name it
	Extends     string   // the pattern that it elaborates, or empty
	Quality     int      // 1 to 10
	Difficulty  int      // 1 to 10
	Performance string   // "Medium", "High" or "Very High"
	When        []string // when to use it
	Metrics     map[string]Metric
	Suits       []string             // words of Suits that it was made for
	Excludes    map[string]string    // patterns that cannot stand on one component with it, and why
	Places      map[string]hcl.Range // where arguments stand, by their names
	Points      []Point
}

// Point is one of the five things that make a pattern worth having.
type Point struct {
	ID      string
	Summary string
}

// Input is a value that the user may set.
type Input struct {
	Name       string
	Type       *Type
	Default    hcl.Expression // nil: the user must set it
	Summary    string
	Nullable   bool
	OneOf      []cty.Value
	Range      []cty.Value // two values, either of which may be null; ends included
	Length     []cty.Value // as Range, for texts and lists
	Distinct   bool        // no element of a list twice
	Matches    *Pattern
	Hint       string
	Deprecated string
	Decl       hcl.Range
}

// Derived is a value that is computed and cannot be set.
type Derived struct {
	Name    string
	Value   hcl.Expression
	Summary string
	Decl    hcl.Range
}

// Block is a nested block of the language.
type Block struct {
	*Definition
	Label string // the attribute that holds its label; empty for none
	Many  bool
}

// Check is a rule over the whole blueprint.
type Check struct {
	ID        string
	Condition hcl.Expression
	Message   hcl.Expression
	Fix       hcl.Expression
	At        hcl.Expression
	Related   hcl.Expression
	Warning   bool
	// Firm says that no comment in a blueprint can answer the rule: without it
	// the output would be refused or do something else than what was asked.
	Firm bool
	Decl hcl.Range
}

// Profile is a set of defaults for a purpose.
type Profile struct {
	ID       string
	Title    string
	Summary  string
	Patterns []string
	Defaults map[string]hcl.Body // by component kind
	Weights  map[string]float64  // what counts more or less in a recommendation than usual
	Range    hcl.Range
}

func (d *Definition) input(name string) *Input {
	for _, in := range d.Inputs {
		if in.Name == name {
			return in
		}
	}
	return nil
}

func (d *Definition) block(name string) *Block {
	for _, b := range d.Blocks {
		if b.ID == name {
			return b
		}
	}
	return nil
}

// inputNames lists what may be set, for suggestions.
func (d *Definition) inputNames() []string {
	var names []string
	for _, in := range d.Inputs {
		names = append(names, in.Name)
	}
	return names
}
