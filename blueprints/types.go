package blueprints

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"scaffold/blueprints/value"
)

// Type is the type of an input: one of HCL's, a unit, or a reference.
type Type struct {
	// Name is how the definition spells the type.
	Name string

	scalar   func(cty.Value) (cty.Value, error) // units; nil for others
	refKinds []string                           // kinds that a reference may have; nil for others
	elem     *Type                              // of a list, set or map that holds units or references
	wrap     string                             // "list", "set" or "map", with elem
	plain    cty.Type                           // all others
	defaults *typeexpr.Defaults
}

// units are the type keywords that HCL does not have.
var units = map[string]func(cty.Value) (cty.Value, error){
	"duration": fromText(value.ParseDuration),
	"bytes":    fromText(value.ParseBytes),
	"percent":  percent,
}

// plainTypes are the type keywords of HCL.
var plainTypes = []string{"any", "bool", "number", "string"}

func parseType(expr hcl.Expression) (*Type, hcl.Diagnostics) {
	t := &Type{}
	keyword := hcl.ExprAsKeyword(expr)
	if conv, ok := units[keyword]; ok {
		t.scalar, t.Name = conv, keyword
		return t, nil
	}
	if call, ok := expr.(*hclsyntax.FunctionCallExpr); ok {
		if done, diags := t.parseCall(call); done {
			return t, diags
		}
	}
	if keyword != "" && !contains(plainTypes, keyword) {
		names := append(mapKeys(units), plainTypes...)
		return &Type{Name: "any", plain: cty.DynamicPseudoType}, fail(expr.Range(), "Unknown type", fmt.Sprintf("There is no type %s. Types are %s, and list(…), set(…), map(…) and object({…}) of them.%s", keyword, joinNames(names), suggest(keyword, names)))
	}
	plain, defaults, diags := typeexpr.TypeConstraintWithDefaults(expr)
	t.plain, t.defaults = plain, defaults
	if t.Name == "" && !diags.HasErrors() {
		t.Name = typeexpr.TypeString(plain)
	}
	return t, diags
}

// parseCall reads ref(KIND, …) and collections of units or references.
func (t *Type) parseCall(call *hclsyntax.FunctionCallExpr) (bool, hcl.Diagnostics) {
	switch call.Name {
	case "ref":
		for _, arg := range call.Args {
			kind := hcl.ExprAsKeyword(arg)
			if kind == "" {
				return true, fail(arg.Range(), "Invalid type", "ref takes the names of component kinds, such as ref(database, cache).")
			}
			t.refKinds = append(t.refKinds, kind)
		}
		t.Name = "ref(" + strings.Join(t.refKinds, ", ") + ")"
		return true, nil
	case "list", "set", "map":
		if len(call.Args) != 1 {
			return false, nil
		}
		elem, diags := parseType(call.Args[0])
		if !elem.simple() {
			return false, nil
		}
		if diags.HasErrors() {
			return true, diags
		}
		t.wrap, t.elem = call.Name, elem
		t.Name = call.Name + "(" + elem.Name + ")"
		return true, nil
	}
	return false, nil
}

// simple reports whether values of the type are converted here and not by cty,
// as elements of collections.
func (t *Type) simple() bool {
	return t.scalar != nil || t.refKinds != nil || t.elem != nil || t.plain.IsPrimitiveType()
}

// IsRef reports whether values of the type are components.
func (t *Type) IsRef() bool { return t.refKinds != nil || (t.elem != nil && t.elem.IsRef()) }

// Convert makes v a value of the type. Durations become seconds, byte sizes
// bytes, percentages numbers from 0 to 100.
func (t *Type) Convert(v cty.Value) (cty.Value, error) {
	if v.IsNull() {
		return cty.NullVal(t.cty()), nil
	}
	switch {
	case t.scalar != nil:
		return t.scalar(v)
	case t.refKinds != nil:
		return t.convertRef(v)
	case t.elem != nil:
		return t.convertElements(v)
	}
	if t.defaults != nil {
		v = t.defaults.Apply(v)
	}
	out, err := convert.Convert(v, t.plain)
	if err != nil && t.plain.IsPrimitiveType() {
		return cty.NilVal, fmt.Errorf("%s is needed, and this is %s", article(t.Name), describeValue(v))
	}
	if err != nil {
		return cty.NilVal, fmt.Errorf("%s is needed: %w", article(t.Name), err)
	}
	return out, nil
}

func (t *Type) cty() cty.Type {
	switch {
	case t.scalar != nil:
		return cty.Number
	case t.refKinds != nil:
		return refType
	case t.elem != nil && t.wrap == "map":
		return cty.Map(t.elem.cty())
	case t.elem != nil && t.wrap == "set":
		return cty.Set(t.elem.cty())
	case t.elem != nil:
		return cty.List(t.elem.cty())
	}
	return t.plain.WithoutOptionalAttributesDeep()
}

func (t *Type) convertRef(v cty.Value) (cty.Value, error) {
	inst := instanceOf(v)
	if inst == nil {
		return cty.NilVal, fmt.Errorf("a reference to %s is needed, such as %s.NAME without quotes", either(t.refKinds), t.refKinds[0])
	}
	if !slices.Contains(t.refKinds, inst.Kind) {
		return cty.NilVal, fmt.Errorf("%s is a %s; a reference to %s is needed", inst.Path, inst.Kind, either(t.refKinds))
	}
	return v, nil
}

func (t *Type) convertElements(v cty.Value) (cty.Value, error) {
	if t.wrap == "map" {
		return t.convertMap(v)
	}
	if !v.CanIterateElements() || v.Type().IsObjectType() || v.Type().IsMapType() {
		return cty.NilVal, fmt.Errorf("a list is needed: write [ … ] around it")
	}
	var out []cty.Value
	var errs []error
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		c, err := t.elem.Convert(e)
		if err != nil {
			errs = append(errs, fmt.Errorf("element %d: %w", len(out)+len(errs), err))
			continue
		}
		out = append(out, c)
	}
	if err := errors.Join(errs...); err != nil {
		return cty.NilVal, err
	}
	switch {
	case len(out) == 0 && t.wrap == "set":
		return cty.SetValEmpty(t.elem.cty()), nil
	case len(out) == 0:
		return cty.ListValEmpty(t.elem.cty()), nil
	case t.wrap == "set":
		return cty.SetVal(out), nil
	}
	return cty.ListVal(out), nil
}

func (t *Type) convertMap(v cty.Value) (cty.Value, error) {
	if !v.Type().IsObjectType() && !v.Type().IsMapType() {
		return cty.NilVal, fmt.Errorf("a map is needed: write { name = value }")
	}
	out := map[string]cty.Value{}
	for it := v.ElementIterator(); it.Next(); {
		key, e := it.Element()
		c, err := t.elem.Convert(e)
		if err != nil {
			return cty.NilVal, fmt.Errorf("%q: %w", key.AsString(), err)
		}
		out[key.AsString()] = c
	}
	if len(out) == 0 {
		return cty.MapValEmpty(t.elem.cty()), nil
	}
	return cty.MapVal(out), nil
}

// fromText makes a unit's conversion: text is parsed, and a number is taken as
// it is only from expressions, where it is a computed amount in base units.
func fromText(parse func(string) (cty.Value, error)) func(cty.Value) (cty.Value, error) {
	return func(v cty.Value) (cty.Value, error) {
		switch v.Type() {
		case cty.String:
			return parse(v.AsString())
		case cty.Number:
			return v, nil
		}
		_, err := parse("")
		return cty.NilVal, errors.New(strings.TrimPrefix(err.Error(), `"" is not `) + " is needed")
	}
}

func percent(v cty.Value) (cty.Value, error) {
	if v.Type() == cty.String {
		p, err := value.ParsePercent(v.AsString())
		if err != nil {
			return cty.NilVal, err
		}
		v = p
	}
	if v.Type() != cty.Number {
		return cty.NilVal, errors.New(`a percentage such as 55 or "55%" is needed`)
	}
	if v.LessThan(cty.Zero).True() || v.GreaterThan(cty.NumberIntVal(100)).True() {
		return cty.NilVal, fmt.Errorf("%s is no percentage: one is from 0 to 100", display(v))
	}
	return v, nil
}

func either(words []string) string {
	var all []string
	for _, w := range words {
		all = append(all, indefinite(w))
	}
	if len(all) == 1 {
		return all[0]
	}
	return strings.Join(all[:len(all)-1], ", ") + " or " + all[len(all)-1]
}

// describeValue names a value that does not fit, so that it is found in the line.
func describeValue(v cty.Value) string {
	if inst := instanceOf(v); inst != nil {
		return inst.Path + ", a whole block; name one of its values"
	}
	if t := v.Type(); t.IsPrimitiveType() {
		return display(v)
	} else if t.IsObjectType() || t.IsMapType() {
		return "an object"
	}
	return "a list"
}

func article(name string) string {
	switch name {
	case "":
		return "another type"
	case "bool":
		return "true or false"
	case "any":
		return "a value"
	}
	return "a " + name
}
