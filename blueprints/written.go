package blueprints

import (
	"encoding/json"
	"math/big"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
)

// Written is a value as a blueprint has it.
type Written struct {
	// Text is an expression without names but those of components.
	Text string
	// Exact reports whether the text reads back as the very same value.
	Exact bool
	// Long reports whether it holds a number with more digits than a person reads.
	Long bool
}

// Write gives the value as a person would write it in a blueprint.
func (a *Attr) Write() Written {
	w := &writer{exact: true}
	t := &Type{plain: cty.DynamicPseudoType}
	if a.input != nil {
		t = a.input.Type
	}
	w.value(a.Value(), t)
	return Written{w.String(), w.exact, w.long}
}

// IsInput reports whether the value is one that a blueprint can set.
func (a *Attr) IsInput() bool { return a.input != nil }

type writer struct {
	strings.Builder
	exact, long bool
}

func (w *writer) value(v cty.Value, t *Type) {
	switch inst := instanceOf(v); {
	case !v.IsKnown():
		w.exact = false
		w.WriteString("null")
	case v.IsNull():
		w.WriteString("null")
	case inst != nil:
		w.exact = w.exact && inst.Parent == nil
		w.WriteString(inst.Path)
	case v.Type() == cty.Number:
		w.number(v, t)
	case v.Type().IsPrimitiveType():
		w.Write(hclwrite.TokensForValue(v).Bytes())
	case v.Type().IsObjectType() || v.Type().IsMapType():
		w.object(v, t)
	case v.CanIterateElements():
		w.list(v, t)
	default:
		w.exact = false
		w.WriteString("null")
	}
}

// maxDigits is how many characters of a number a person reads.
const maxDigits = 20

// exactly is more than a number of 512 bits, as HCL has them, can need.
const exactly = 200

func (w *writer) number(v cty.Value, t *Type) {
	if t.scalar != nil && t.Name != "percent" {
		text := cty.StringVal(unitText(v, t.Name))
		if back, err := t.scalar(text); err == nil && back.RawEquals(v) {
			w.Write(hclwrite.TokensForValue(text).Bytes())
			return
		}
	}
	f := v.AsBigFloat()
	text := f.Text('f', -1)
	if !reads(text, v) && !f.IsInf() {
		text = strings.TrimRight(new(big.Float).SetPrec(512).Set(f).Text('f', exactly), "0")
	}
	w.exact = w.exact && reads(text, v)
	w.long = w.long || len(text) > maxDigits
	w.WriteString(text)
}

func reads(text string, v cty.Value) bool {
	back, err := cty.ParseNumberVal(text)
	return err == nil && back.RawEquals(v)
}

// unitText writes an amount in the largest unit of which it is a whole number.
func unitText(v cty.Value, unit string) string {
	text := Display(v, unit)
	zero := map[string]string{"duration": "0s", "bytes": "0B"}[unit]
	if v.RawEquals(cty.Zero) && zero != "" {
		return zero
	}
	return text
}

func (w *writer) list(v cty.Value, t *Type) {
	w.WriteString("[")
	for i, e := range v.AsValueSlice() {
		if i > 0 {
			w.WriteString(", ")
		}
		w.value(e, t.element())
	}
	w.WriteString("]")
}

func (w *writer) object(v cty.Value, t *Type) {
	if v.LengthInt() == 0 {
		w.WriteString("{}")
		return
	}
	separator := "{ "
	for it := v.ElementIterator(); it.Next(); {
		key, e := it.Element()
		w.WriteString(separator)
		separator = ", "
		if name := key.AsString(); hclsyntax.ValidIdentifier(name) && name != "for" {
			w.WriteString(name)
		} else {
			w.Write(hclwrite.TokensForValue(key).Bytes())
		}
		w.WriteString(" = ")
		w.value(e, t.element())
	}
	w.WriteString(" }")
}

// element is the type of what a collection holds, where scaffold converts it.
func (t *Type) element() *Type {
	if t.elem != nil {
		return t.elem
	}
	return &Type{plain: cty.DynamicPseudoType}
}

// JSON gives the value for programs: amounts in seconds, bytes and percent,
// components and blocks by their paths.
func (a *Attr) JSON() any { return asJSON(a.Value()) }

func asJSON(v cty.Value) any {
	switch inst := instanceOf(v); {
	case !v.IsKnown() || v.IsNull():
		return nil
	case inst != nil:
		return inst.Path
	case v.Type() == cty.String:
		return v.AsString()
	case v.Type() == cty.Bool:
		return v.True()
	case v.Type() == cty.Number:
		return numberJSON(v.AsBigFloat())
	case v.Type().IsObjectType() || v.Type().IsMapType():
		out := map[string]any{}
		for it := v.ElementIterator(); it.Next(); {
			key, e := it.Element()
			out[key.AsString()] = asJSON(e)
		}
		return out
	case v.CanIterateElements():
		out := []any{}
		for _, e := range v.AsValueSlice() {
			out = append(out, asJSON(e))
		}
		return out
	}
	return nil
}

// numberJSON keeps whole numbers whole; others have the digits that programs read.
func numberJSON(f *big.Float) any {
	switch {
	case f.IsInf():
		return nil
	case f.IsInt():
		return json.Number(f.Text('f', 0))
	}
	n, _ := f.Float64()
	return n
}

// Nested lists the patterns and blocks that stand in the instance, blocks first.
func (i *Instance) Nested() []*Instance {
	all := i.nested()
	n := len(i.Patterns)
	return slices.Concat(all[n:], all[:n])
}

// Listed reports whether the instance is one of a list of blocks without labels.
func (i *Instance) Listed() bool {
	if i.Parent == nil || i.Parent.Definition == nil {
		return false
	}
	b := i.Parent.Definition.block(i.Kind)
	return b != nil && b.Many && b.Label == ""
}

// Reason is what a comment of the blueprint gives for ignoring a rule, the one at
// the line if there are several; empty where none does.
func (s *Source) Reason(code string, line int) string {
	reason := ""
	for _, sup := range s.suppressions {
		if sup.code == code && (reason == "" || sup.line == line) {
			reason = sup.reason
		}
	}
	return reason
}

// ExtensionNames are the extensions as they are written.
func (s *Source) ExtensionNames() []string { return slices.Clone(s.extensions) }

// HasUnit reports whether the value is an amount with a unit.
func (a *Attr) HasUnit() bool { return a.input != nil && a.input.Type.scalar != nil }
