package main

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"scaffold/providers/kubernetes/archive"
)

// schema is a node that is still a tree: its references are pointers, which
// constraints may change before it is stored.
type schema struct {
	archive.Node
	properties          map[string]*schema
	values, items, not  *schema
	allOf, anyOf, oneOf []*schema
}

// dialect says how a source writes its schemas.
type dialect struct {
	// resolve finds a definition of the OpenAPI document by its name. The
	// published resource definitions use none, the ones in crds/ do.
	resolve func(name string) (*schema, error)
	// closed: an object without properties has none. That is how the API
	// server prunes custom resources; in the OpenAPI document of the built-in
	// kinds such an object is free-form.
	closed bool
}

// convert turns the decoded JSON of a schema into a tree.
func (d dialect) convert(m map[string]any) (*schema, error) {
	if ref, ok := m["$ref"].(string); ok {
		return d.resolve(ref)
	}
	s := new(schema)
	s.Type, _ = m["type"].(string)
	s.Pattern, _ = m["pattern"].(string)
	s.Format, _ = m["format"].(string)
	s.Enum, _ = m["enum"].([]any)
	s.Nullable, _ = m["nullable"].(bool)
	s.IntOrString, _ = m["x-kubernetes-int-or-string"].(bool)
	s.Open, _ = m["x-kubernetes-preserve-unknown-fields"].(bool)
	s.ExclusiveMinimum, _ = m["exclusiveMinimum"].(bool)
	s.ExclusiveMaximum, _ = m["exclusiveMaximum"].(bool)
	s.Required = texts(m["required"])
	s.Minimum, s.Maximum = number(m["minimum"]), number(m["maximum"])
	s.MinLength, s.MaxLength = count(m["minLength"]), count(m["maxLength"])
	s.MinItems, s.MaxItems = count(m["minItems"]), count(m["maxItems"])
	s.MinProperties, s.MaxProperties = count(m["minProperties"]), count(m["maxProperties"])
	switch m["x-kubernetes-list-type"] {
	case "set":
		s.Set = true
	case "map":
		s.Keys = texts(m["x-kubernetes-list-map-keys"])
	}
	if unique, _ := m["uniqueItems"].(bool); unique {
		s.Set = true
	}
	if value, ok := m["default"]; ok {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		s.Default = text
	}
	s.Rules = rulesOf(m["x-kubernetes-validations"])
	if err := d.children(s, m); err != nil {
		return nil, err
	}
	d.normalise(s)
	return s, nil
}

func (d dialect) children(s *schema, m map[string]any) error {
	if properties, ok := m["properties"].(map[string]any); ok {
		s.properties = map[string]*schema{}
		for name, value := range properties {
			child, ok := value.(map[string]any)
			if !ok {
				return fmt.Errorf("property %s is not a schema", name)
			}
			var err error
			if s.properties[name], err = d.convert(child); err != nil {
				return err
			}
		}
	}
	for key, to := range map[string]**schema{"items": &s.items, "not": &s.not, "additionalProperties": &s.values} {
		switch value := m[key].(type) {
		case bool:
			s.Open = s.Open || value
		case map[string]any:
			var err error
			if *to, err = d.convert(value); err != nil {
				return err
			}
		}
	}
	for key, to := range map[string]*[]*schema{"allOf": &s.allOf, "anyOf": &s.anyOf, "oneOf": &s.oneOf} {
		list, _ := m[key].([]any)
		for _, value := range list {
			child, err := d.convert(value.(map[string]any))
			if err != nil {
				return err
			}
			*to = append(*to, child)
		}
	}
	return nil
}

// normalise writes the two spellings of "integer or string" as one and opens
// the objects of the built-in kinds that list no fields.
func (d dialect) normalise(s *schema) {
	either := func(list []*schema) bool {
		return len(list) == 2 && list[0].Type == "integer" && list[1].Type == "string"
	}
	if s.IntOrString && either(s.anyOf) {
		s.anyOf = nil
	}
	if s.IntOrString {
		s.allOf = slices.DeleteFunc(s.allOf, func(a *schema) bool { return either(a.anyOf) })
	}
	if s.Format == "int-or-string" {
		largest := float64(math.MaxInt32)
		s.IntOrString, s.Type, s.Format, s.Maximum = true, "", "", &largest
	}
	if !d.closed && s.properties == nil && s.values == nil && (s.Type == "object" || s.Type == "" && !s.IntOrString) {
		s.Open = true
	}
}

// rulesOf keeps the conditions on a value alone. Those that compare with the
// value before an update say nothing about a manifest.
func rulesOf(v any) []archive.Rule {
	var rules []archive.Rule
	list, _ := v.([]any)
	for _, item := range list {
		m, _ := item.(map[string]any)
		r := archive.Rule{}
		r.Condition, _ = m["rule"].(string)
		r.Message, _ = m["message"].(string)
		r.Expression, _ = m["messageExpression"].(string)
		optional, _ := m["optionalOldSelf"].(bool)
		if r.Condition != "" && (!mentions(r.Condition, "oldSelf") && !optional) {
			rules = append(rules, r)
		}
	}
	return rules
}

// store adds the tree to the archive, leaves first.
func (s *schema) store(w *archive.Writer) (archive.Ref, error) {
	n := s.Node
	if s.properties != nil {
		n.Properties = map[string]archive.Ref{}
	}
	for name, child := range s.properties {
		ref, err := child.store(w)
		if err != nil {
			return 0, err
		}
		n.Properties[name] = ref
	}
	for _, pair := range []struct {
		from *schema
		to   **archive.Ref
	}{{s.values, &n.Values}, {s.items, &n.Items}, {s.not, &n.Not}} {
		if pair.from == nil {
			continue
		}
		ref, err := pair.from.store(w)
		if err != nil {
			return 0, err
		}
		*pair.to = &ref
	}
	for _, pair := range []struct {
		from []*schema
		to   *[]archive.Ref
	}{{s.allOf, &n.AllOf}, {s.anyOf, &n.AnyOf}, {s.oneOf, &n.OneOf}} {
		for _, child := range pair.from {
			ref, err := child.store(w)
			if err != nil {
				return 0, err
			}
			*pair.to = append(*pair.to, ref)
		}
	}
	slices.Sort(n.Required)
	return w.Add(n)
}

func texts(v any) []string {
	var out []string
	list, _ := v.([]any)
	for _, item := range list {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func number(v any) *float64 {
	switch v := v.(type) {
	case int:
		f := float64(v)
		return &f
	case float64:
		return &v
	}
	return nil
}

func count(v any) *int {
	if f := number(v); f != nil {
		n := int(*f)
		return &n
	}
	return nil
}
