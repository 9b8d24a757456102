package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsimple"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"scaffold/providers/kubernetes/archive"
)

// constraints is the decoded constraints.hcl: what the API server checks in
// code and so no schema says.
type constraints struct {
	Types []typeConstraints `hcl:"type,block"`
	Roots []rootConstraints `hcl:"root,block"`
	Likes []like            `hcl:"like,block"`

	used map[string]bool
}

// typeConstraints belong to a definition of the OpenAPI document, wherever it
// is used.
type typeConstraints struct {
	Name       string       `hcl:"name,label"`
	Also       []string     `hcl:"also,optional"` // other types that they belong to
	Required   []string     `hcl:"required,optional"`
	ExactlyOne []string     `hcl:"exactly_one,optional"`
	AtMostOne  []string     `hcl:"at_most_one,optional"`
	Self       *element     `hcl:"self,block"`
	Properties []constraint `hcl:"property,block"`
	Rules      []rule       `hcl:"rule,block"`
}

// rootConstraints belong to the object of a kind, "*" to that of every kind.
type rootConstraints struct {
	Kind     string   `hcl:"kind,label"`
	Required []string `hcl:"required,optional"`
	Rules    []rule   `hcl:"rule,block"`
}

// like says that a place in a custom resource holds a built-in type, so that
// its constraints hold there too.
type like struct {
	Type   string   `hcl:"type,label"`
	Places []string `hcl:"places"`
}

type constraint struct {
	Name      string    `hcl:"name,label"`
	Enum      []string  `hcl:"enum,optional"`
	Pattern   string    `hcl:"pattern,optional"`
	Format    string    `hcl:"format,optional"`
	KeyFormat string    `hcl:"key_format,optional"`
	Minimum   *float64  `hcl:"minimum,optional"`
	Maximum   *float64  `hcl:"maximum,optional"`
	MinLength *int      `hcl:"min_length,optional"`
	MaxLength *int      `hcl:"max_length,optional"`
	MinItems  *int      `hcl:"min_items,optional"`
	MaxItems  *int      `hcl:"max_items,optional"`
	Keys      []string  `hcl:"keys,optional"`
	Set       bool      `hcl:"set,optional"`
	Default   cty.Value `hcl:"default,optional"`
	Items     *element  `hcl:"items,block"`
	Values    *element  `hcl:"values,block"`
	Rules     []rule    `hcl:"rule,block"`
}

// element constrains the items of a list, the values of a map, or a type that
// is a scalar.
type element struct {
	Enum      []string `hcl:"enum,optional"`
	Pattern   string   `hcl:"pattern,optional"`
	Format    string   `hcl:"format,optional"`
	Minimum   *float64 `hcl:"minimum,optional"`
	Maximum   *float64 `hcl:"maximum,optional"`
	MinLength *int     `hcl:"min_length,optional"`
	MaxLength *int     `hcl:"max_length,optional"`
	Number    bool     `hcl:"number,optional"` // may be written as a number
}

type rule struct {
	Condition string `hcl:"condition"`
	Message   string `hcl:"message"`
	Fix       string `hcl:"fix,optional"`
}

func readConstraints(from string) (*constraints, error) {
	c := &constraints{used: map[string]bool{}}
	err := hclsimple.DecodeFile(filepath.Join(from, "constraints.hcl"), nil, c)
	return c, err
}

// unused reports constraints on types that no kind has: a misspelled name would
// otherwise check nothing.
func (c *constraints) unused() error {
	var names []string
	for _, t := range c.Types {
		for _, name := range append([]string{t.Name}, t.Also...) {
			if !c.used[name] {
				names = append(names, name)
			}
		}
	}
	for _, r := range c.Roots {
		if !c.used[r.Kind] {
			names = append(names, r.Kind)
		}
	}
	for _, l := range c.Likes {
		for _, place := range l.Places {
			if !c.used[place] {
				names = append(names, place)
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	sort.Strings(names)
	return fmt.Errorf("constraints.hcl: nothing is called %s", strings.Join(names, ", "))
}

func (c *constraints) apply(name string, s *schema) error {
	for _, t := range c.Types {
		if t.Name != name && !slices.Contains(t.Also, name) {
			continue
		}
		c.used[name] = true
		if err := t.apply(s); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (t typeConstraints) apply(s *schema) error {
	s.Required = append(without(s.Required, t.Required...), t.Required...)
	if len(t.ExactlyOne) > 0 {
		s.Rules = append(s.Rules, oneOf(t.ExactlyOne, "== 1", "exactly one"))
	}
	if len(t.AtMostOne) > 0 {
		s.Rules = append(s.Rules, oneOf(t.AtMostOne, "<= 1", "at most one"))
	}
	s.Rules = append(s.Rules, converted(t.Rules)...)
	if t.Self != nil {
		t.Self.apply(&s.Node)
	}
	for _, p := range t.Properties {
		child := s.properties[p.Name]
		if child == nil {
			return fmt.Errorf("no property %s", p.Name)
		}
		if err := p.apply(child); err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	return nil
}

// oneOf counts which of the fields are set.
func oneOf(fields []string, compare, word string) archive.Rule {
	terms := make([]string, len(fields))
	for i, name := range fields {
		terms[i] = fmt.Sprintf("(has(self.%s) ? 1 : 0)", name)
	}
	return archive.Rule{
		Condition: strings.Join(terms, " + ") + " " + compare,
		Message:   fmt.Sprintf("%s of %s must be set", word, strings.Join(fields, ", ")),
	}
}

func (p constraint) apply(s *schema) error {
	n := &s.Node
	n.Enum = appendTexts(n.Enum, p.Enum)
	n.Pattern = or(p.Pattern, n.Pattern)
	n.Format = or(p.Format, n.Format)
	n.KeyFormat = or(p.KeyFormat, n.KeyFormat)
	n.Minimum, n.Maximum = or(p.Minimum, n.Minimum), or(p.Maximum, n.Maximum)
	n.MinLength, n.MaxLength = or(p.MinLength, n.MinLength), or(p.MaxLength, n.MaxLength)
	n.MinItems, n.MaxItems = or(p.MinItems, n.MinItems), or(p.MaxItems, n.MaxItems)
	n.Set = n.Set || p.Set
	if p.Keys != nil {
		n.Keys = p.Keys
	}
	n.Rules = append(n.Rules, converted(p.Rules)...)
	if p.Default != cty.NilVal && !p.Default.IsNull() {
		text, err := ctyjson.Marshal(p.Default, p.Default.Type())
		if err != nil {
			return err
		}
		n.Default = json.RawMessage(text)
	}
	for _, pair := range []struct {
		from *element
		to   *schema
	}{{p.Items, s.items}, {p.Values, s.values}} {
		if pair.from == nil {
			continue
		}
		if pair.to == nil {
			return fmt.Errorf("has no items or values to constrain")
		}
		pair.from.apply(&pair.to.Node)
	}
	return nil
}

func (e element) apply(n *archive.Node) {
	n.Enum = appendTexts(n.Enum, e.Enum)
	n.Pattern = or(e.Pattern, n.Pattern)
	n.Format = or(e.Format, n.Format)
	n.Minimum, n.Maximum = or(e.Minimum, n.Minimum), or(e.Maximum, n.Maximum)
	n.MinLength, n.MaxLength = or(e.MinLength, n.MinLength), or(e.MaxLength, n.MaxLength)
	if e.Number {
		n.Type, n.IntOrString = "", true
	}
}

func (c *constraints) applyRoot(k archive.Kind, s *schema) error {
	for _, r := range c.Roots {
		if r.Kind != "*" && r.Kind != k.String() {
			continue
		}
		c.used[r.Kind] = true
		s.Required = append(without(s.Required, r.Required...), r.Required...)
		s.Rules = append(s.Rules, converted(r.Rules)...)
	}
	return nil
}

// adopt lays the constraints of a built-in type over the places of a custom
// resource that hold it. What the resource's own schema says stays.
func (c *constraints) adopt(k archive.Kind, s *schema, core *builtin) error {
	for _, l := range c.Likes {
		for _, place := range l.Places {
			kind, path, _ := strings.Cut(place, ":")
			if kind != k.String() {
				continue
			}
			c.used[place] = true
			at := s.find(strings.Split(path, "."))
			if at == nil {
				return fmt.Errorf("no field %s", path)
			}
			model, err := core.definition(l.Type)
			if err != nil {
				return err
			}
			at.adopt(model)
		}
	}
	return nil
}

// find follows field names; "*" stands for the items of a list.
func (s *schema) find(path []string) *schema {
	for _, name := range path {
		if s == nil {
			return nil
		}
		if name == "*" {
			s = s.items
			continue
		}
		s = s.properties[name]
	}
	return s
}

func (s *schema) adopt(model *schema) {
	s.Rules = append(s.Rules, model.Rules...)
	s.Format, s.KeyFormat = or(s.Format, model.Format), or(s.KeyFormat, model.KeyFormat)
	s.Pattern = or(s.Pattern, model.Pattern)
	s.Minimum, s.Maximum = or(s.Minimum, model.Minimum), or(s.Maximum, model.Maximum)
	s.MinLength, s.MaxLength = or(s.MinLength, model.MinLength), or(s.MaxLength, model.MaxLength)
	s.MinItems = or(s.MinItems, model.MinItems)
	if s.Enum == nil {
		s.Enum = model.Enum
	}
	if s.Keys == nil && !s.Set {
		s.Keys, s.Set = model.Keys, model.Set
	}
	if s.Default == nil {
		s.Default = model.Default
	}
	for name, child := range s.properties {
		if m := model.properties[name]; m != nil {
			child.adopt(m)
		}
	}
	if s.items != nil && model.items != nil {
		s.items.adopt(model.items)
	}
	if s.values != nil && model.values != nil {
		s.values.adopt(model.values)
	}
}

func converted(rules []rule) []archive.Rule {
	var out []archive.Rule
	for _, r := range rules {
		out = append(out, archive.Rule{Condition: r.Condition, Message: r.Message, Fix: r.Fix})
	}
	return out
}

func appendTexts(list []any, texts []string) []any {
	for _, t := range texts {
		list = append(list, t)
	}
	return list
}

// or returns the first value that is set.
func or[T comparable](values ...T) T {
	var zero T
	for _, v := range values {
		if v != zero {
			return v
		}
	}
	return zero
}
