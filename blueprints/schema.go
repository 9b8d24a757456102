package blueprints

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"scaffold/blueprints/value"
)

// A schema is a JSON Schema of draft 2020-12, or a part of one. What JSON Schema
// has no word for, such as how a default is computed, stands under "x-scaffold".
type schema = map[string]any

const note = "x-scaffold"

// schemer writes the definitions of a catalogue as schemas.
type schemer struct {
	catalog *Catalog
	sources map[string]*hcl.File
	diags   hcl.Diagnostics
}

// Schema describes the values of a resolved blueprint: of its targets, its
// components and the patterns and blocks in them, by their definitions alone. The
// parts for "target", "components" and "profile" are under "properties", and
// what they refer to is under "$defs".
func (c *Catalog) Schema() (properties, defs map[string]any, diags hcl.Diagnostics) {
	s := &schemer{catalog: c}
	defs = schema{}
	targets, kinds := schema{}, schema{}
	var known []*Definition
	for _, folder := range []struct {
		name string
		get  func(string) (*Definition, hcl.Diagnostics)
	}{{"targets", c.Target}, {"components", c.Component}, {"patterns", c.Pattern}} {
		for _, id := range c.Names(folder.name) {
			def, diags := folder.get(id)
			s.diags = append(s.diags, diags...)
			if def != nil {
				known = append(known, def)
			}
		}
	}
	s.sources = c.Sources()
	for _, def := range known {
		defs[def.Role+"."+def.ID] = s.definition(def, known)
		switch def.Role {
		case "target":
			targets[def.ID] = ref(def)
		case "component":
			kinds[def.ID] = schema{"type": "object", "propertyNames": nameSchema(), "additionalProperties": ref(def)}
		}
	}
	profiles := []any{nil}
	for _, id := range c.Names("profiles") {
		profiles = append(profiles, id)
	}
	properties = schema{
		"target":     closed(targets),
		"components": closed(kinds),
		"profile":    schema{"enum": profiles, "description": "Supplies defaults."},
	}
	return properties, defs, s.diags
}

func ref(def *Definition) schema { return schema{"$ref": "#/$defs/" + def.Role + "." + def.ID} }

func closed(properties schema) schema {
	return schema{"type": "object", "properties": properties, "additionalProperties": false}
}

func nameSchema() schema {
	return schema{"pattern": namePattern.String(), "maxLength": maxName}
}

func (s *schemer) definition(def *Definition, known []*Definition) schema {
	properties := schema{}
	var required []string
	for _, in := range def.Inputs {
		properties[in.Name] = s.input(def, in)
		if in.Default == nil {
			required = append(required, in.Name)
		}
	}
	for _, d := range def.Derived {
		properties[d.Name] = schema{"description": d.Summary, "readOnly": true, note: schema{"computed": s.source(d.Value), "definition": where(d.Decl)}}
	}
	for _, block := range def.Blocks {
		properties[block.ID] = s.block(block)
	}
	out := closed(properties)
	own := schema{"block": def.ID, "labels": []string{}, "definition": where(def.Range)}
	switch def.Role {
	case "target":
		own["block"], own["labels"] = def.Role, []string{def.ID}
	case "component":
		own["labels"], own["overrides"] = []string{"name"}, s.catalog.Names("targets")
		patterns := []string{}
		for _, p := range known {
			if p.Role == "pattern" && contains(p.Attaches, def.ID) {
				properties[p.ID] = ref(p)
				patterns = append(patterns, p.ID)
			}
		}
		own["patterns"] = patterns
	case "pattern":
		own["attaches"] = def.Attaches
		if def.Extends != "" {
			own["extends"] = def.Extends
		}
	}
	out[note] = own
	if len(required) > 0 {
		out["required"] = required
	}
	describe(out, def.Title, def.Summary)
	return out
}

func describe(out schema, title, summary string) {
	if title != "" {
		out["title"] = title
	}
	if summary != "" {
		out["description"] = summary
	}
}

// block describes a nested block: one, several by their labels, or a list.
func (s *schemer) block(b *Block) schema {
	one := s.definition(b.Definition, nil)
	own := one[note].(schema)
	own["many"] = b.Many
	switch {
	case b.Label != "":
		own["labels"] = []string{b.Label}
		return schema{"type": "object", "propertyNames": nameSchema(), "additionalProperties": one}
	case b.Many:
		return schema{"type": "array", "items": one}
	}
	return one
}

func where(r hcl.Range) string { return fmt.Sprintf("%s:%d", r.Filename, r.Start.Line) }

// source is the text of an expression, on one line.
func (s *schemer) source(expr hcl.Expression) string {
	if expr == nil {
		return ""
	}
	r := expr.Range()
	f := s.sources[r.Filename]
	if f == nil || !r.CanSliceBytes(f.Bytes) {
		return ""
	}
	return strings.Join(strings.Fields(string(r.SliceBytes(f.Bytes))), " ")
}

func (s *schemer) input(def *Definition, in *Input) schema {
	out := in.schema()
	own := schema{"type": in.Type.Name, "required": in.Default == nil, "definition": where(in.Decl)}
	if def.Extends != "" && in.Decl.Filename != def.Range.Filename {
		own["inherited"] = def.Extends
	}
	if in.Hint != "" {
		own["hint"] = in.Hint
	}
	if in.Type.scalar != nil && len(in.Range) == 2 {
		own["range"] = []string{unitText(in.Range[0], in.Type.Name), unitText(in.Range[1], in.Type.Name)}
	}
	if in.Default != nil {
		if v, diags := in.Default.Value(nil); !diags.HasErrors() {
			if v, diags := in.accept(v, in.Default); !diags.HasErrors() {
				out["default"] = asJSON(v)
			}
		}
		if in.Default.Range() != in.Decl { // it is written
			own["default"] = s.source(in.Default)
		}
	}
	if in.Deprecated != "" {
		out["deprecated"], own["instead"] = true, in.Deprecated
	}
	out[note] = own
	describe(out, "", in.Summary)
	return out
}

// schema describes the values that the input takes. Amounts are numbers of
// seconds, bytes or percent, or texts with a unit; components are their paths.
func (in *Input) schema() schema {
	out := typeSchema(in.Type)
	of, _ := out["type"].(string)
	if word := map[string]string{"string": "Length", "array": "Items", "object": "Properties"}[of]; word != "" {
		least, most := bounds(in.Length)
		set(out, "min"+word, least)
		set(out, "max"+word, most)
	}
	if of == "array" && (in.Distinct || in.Type.IsRef()) {
		out["uniqueItems"] = true
	}
	in.narrow(elementSchema(out))
	if in.Nullable {
		orNull(out)
	}
	return out
}

// elementSchema is what the rules for a value speak of: it, or what it holds.
func elementSchema(out schema) schema {
	for _, word := range []string{"items", "additionalProperties"} {
		if inner, ok := out[word].(schema); ok {
			return inner
		}
	}
	return out
}

func (in *Input) narrow(out schema) {
	if in.OneOf != nil {
		choices := []any{}
		for _, choice := range in.OneOf {
			choices = append(choices, asJSON(choice))
		}
		out["enum"] = choices
	}
	least, most := bounds(in.Range)
	set(out, "minimum", least)
	set(out, "maximum", most)
	if in.Matches != nil && everywhere(in.Matches.String()) {
		out["pattern"] = "^(?:" + in.Matches.String() + ")$"
	}
}

func bounds(ends []cty.Value) (least, most any) {
	if len(ends) != 2 {
		return nil, nil
	}
	return asJSON(ends[0]), asJSON(ends[1])
}

func set(out schema, word string, v any) {
	if v != nil {
		out[word] = v
	}
}

// foreign finds in a regular expression what JavaScript reads differently, with
// whose expressions JSON Schema has patterns.
var foreign = regexp.MustCompile(`\(\?[^:]|\[\[|\\[^dDsSwWbB.^$*+?()\[\]{}|/\\tnrfv-]`)

func everywhere(pattern string) bool { return !foreign.MatchString(pattern) }

func orNull(out schema) {
	switch t := out["type"].(type) {
	case string:
		out["type"] = []string{t, "null"}
	case []string:
		out["type"] = append(slices.Clone(t), "null")
	}
	if choices, ok := out["enum"].([]any); ok {
		out["enum"] = append(choices, nil)
	}
}

func typeSchema(t *Type) schema {
	switch {
	case t.scalar != nil:
		out := schema{"type": []string{"number", "string"}, "pattern": value.UnitPattern(t.Name)}
		if t.Name == "percent" {
			out["minimum"], out["maximum"] = 0, 100
		}
		return out
	case t.refKinds != nil:
		return schema{"type": "string", "pattern": "^(?:" + strings.Join(t.refKinds, "|") + `)\.` + strings.TrimPrefix(namePattern.String(), "^")}
	case t.elem != nil && t.wrap == "map":
		return schema{"type": "object", "additionalProperties": typeSchema(t.elem)}
	case t.elem != nil:
		return schema{"type": "array", "items": typeSchema(t.elem)}
	}
	return plainSchema(t.plain)
}

func plainSchema(t cty.Type) schema {
	switch {
	case t == cty.String:
		return schema{"type": "string"}
	case t == cty.Number:
		return schema{"type": "number"}
	case t == cty.Bool:
		return schema{"type": "boolean"}
	case t.IsMapType():
		return schema{"type": "object", "additionalProperties": plainSchema(t.ElementType())}
	case t.IsCollectionType():
		return schema{"type": "array", "items": plainSchema(t.ElementType())}
	case t.IsTupleType():
		items := []any{}
		for _, e := range t.TupleElementTypes() {
			items = append(items, plainSchema(e))
		}
		return schema{"type": "array", "prefixItems": items, "minItems": len(items), "items": false}
	case t.IsObjectType():
		return objectSchema(t)
	}
	return schema{}
}

func objectSchema(t cty.Type) schema {
	properties := schema{}
	var required []string
	for _, name := range mapKeys(t.AttributeTypes()) {
		one := plainSchema(t.AttributeType(name))
		if t.AttributeOptional(name) {
			orNull(one)
		} else {
			required = append(required, name)
		}
		properties[name] = one
	}
	out := closed(properties)
	if required != nil {
		out["required"] = required
	}
	return out
}
