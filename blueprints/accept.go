package blueprints

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// accept converts v, which expr gave, to the input's type and holds it against
// the input's rules. Elements of lists and maps that are written out are
// complained about at their own places.
func (in *Input) accept(v cty.Value, expr hcl.Expression) (cty.Value, hcl.Diagnostics) {
	if v.IsNull() {
		if in.Nullable {
			return cty.NullVal(in.Type.cty()), nil
		}
		return cty.DynamicVal, fail(expr.Range(), "Invalid value", fmt.Sprintf("%s needs a value, and this is null. Leave the argument out to get the default.", in.Name))
	}
	out, reason := in.convert(v)
	if reason == "" {
		return out, nil
	}
	if diags := in.elements(v, expr); diags.HasErrors() {
		return cty.DynamicVal, diags
	}
	return cty.DynamicVal, fail(expr.Range(), "Invalid value", fmt.Sprintf("The value of %s does not fit: %s", in.Name, sentence(reason)))
}

// convert gives the value as the input takes it, or says why it does not.
func (in *Input) convert(v cty.Value) (cty.Value, string) {
	out, err := in.Type.Convert(v)
	if err != nil {
		return cty.DynamicVal, err.Error()
	}
	return out, in.refuse(out)
}

// elements holds each element of a list or map that is written out against the
// rules for elements.
func (in *Input) elements(v cty.Value, expr hcl.Expression) hcl.Diagnostics {
	exprs := elementExprs(expr)
	if in.Type.elem == nil || !v.CanIterateElements() || v.LengthInt() != len(exprs) {
		return nil
	}
	one := *in
	one.Type, one.Length, one.Nullable = in.Type.elem, nil, false
	var diags hcl.Diagnostics
	for it := v.ElementIterator(); it.Next(); {
		key, e := it.Element()
		at := exprs[0]
		if key.Type() == cty.Number {
			exprs = exprs[1:]
		} else if at = itemExpr(expr, key.AsString()); at == nil {
			continue
		}
		if e.IsNull() {
			diags = append(diags, problem(at.Range(), "Invalid value", fmt.Sprintf("%s holds a null here, which is no value. Leave it out.", in.Name)))
			continue
		}
		_, moreDiags := one.accept(e, at)
		diags = append(diags, moreDiags...)
	}
	return diags
}

// elementExprs are the elements of a list or object that is written out.
func elementExprs(expr hcl.Expression) []hcl.Expression {
	if list, diags := hcl.ExprList(expr); !diags.HasErrors() {
		return list
	}
	var out []hcl.Expression
	pairs, _ := hcl.ExprMap(expr)
	for _, p := range pairs {
		out = append(out, p.Value)
	}
	return out
}

func itemExpr(expr hcl.Expression, key string) hcl.Expression {
	pairs, _ := hcl.ExprMap(expr)
	for _, p := range pairs {
		if k, diags := p.Key.Value(nil); !diags.HasErrors() && k.Type() == cty.String && k.AsString() == key {
			return p.Value
		}
	}
	return nil
}

// blame points problems with a value that a definition computes at the
// blueprint: a user can change what it was computed from, or set it, and not
// the rule.
func (a *Attr) blame(diags hcl.Diagnostics) {
	if a.Origin.Source != "default" && a.Origin.Source != "derived" {
		return
	}
	for _, d := range diags {
		if d.Subject == nil || a.Owner.Range.Filename == "" {
			continue
		}
		related := []Related{{Range: *d.Subject, Text: a.Path() + " is computed here"}}
		d.Subject, d.Context = a.Owner.Range.Ptr(), nil
		d.Detail = fmt.Sprintf("%s cannot be computed. %s", a.Path(), d.Detail)
		if a.Origin.Source == "default" {
			d.Detail += fmt.Sprintf(" Set %s, or change what it is computed from.", a.Name)
		}
		d.Extra = &Extra{Related: append(related, relate(a.Origin.Inputs, d.Subject)...)}
	}
}

// refuse says why a value of the right type is not allowed; empty if it is.
func (in *Input) refuse(v cty.Value) string {
	for _, f := range []func(cty.Value) string{refuseNull, refuseInfinity, in.refuseText, in.refuseChoice, in.refuseRange, in.refuseLength, in.refuseTwice} {
		if reason := f(v); reason != "" {
			return reason
		}
	}
	return ""
}

// refuseNull keeps elements out that are no value. Where an input takes any type
// they are the target's affair.
func refuseNull(v cty.Value) string {
	return each(v, func(e cty.Value) string {
		if e.IsNull() && !v.IsNull() {
			return "it holds a null, which is no value. Leave that out"
		}
		return ""
	})
}

// refuseInfinity keeps out what a division by zero gives.
func refuseInfinity(v cty.Value) string {
	if v.Type() == cty.Number && !v.IsNull() && v.AsBigFloat().IsInf() {
		return "it has no bounds, for something is divided by zero"
	}
	return ""
}

func (in *Input) refuseText(v cty.Value) string {
	reason := ""
	_ = cty.Walk(v, func(_ cty.Path, e cty.Value) (bool, error) {
		if reason != "" || e.IsNull() || e.Type() != cty.String {
			return e.Type() != refType, nil
		}
		text := e.AsString()
		switch {
		case !utf8.ValidString(text) || strings.ContainsRune(text, utf8.RuneError):
			reason = "it is not valid UTF-8 text"
		case strings.ContainsRune(text, 0):
			reason = "a text cannot hold a NUL character"
		case in.Matches != nil && !in.Matches.MatchString(text):
			reason = fmt.Sprintf("%s is not %s", quote(text), in.wanted())
		}
		return true, nil
	})
	return reason
}

func (in *Input) wanted() string {
	if in.Hint != "" {
		return in.Hint
	}
	return "a text that matches " + in.Matches.String()
}

// quote shows a user's text on one line, cut to what a person reads.
func quote(s string) string {
	if len(s) > 60 {
		s = strings.ToValidUTF8(s[:57], "") + "..."
	}
	return fmt.Sprintf("%q", s)
}

func (in *Input) refuseChoice(v cty.Value) string {
	if in.OneOf == nil {
		return ""
	}
	return each(v, func(e cty.Value) string {
		var names []string
		for _, choice := range in.OneOf {
			if choice.RawEquals(e) {
				return ""
			}
			names = append(names, display(choice))
		}
		hint := ""
		if e.Type() == cty.String {
			hint = suggest(e.AsString(), trimQuotes(names))
		}
		return fmt.Sprintf("%s is not one of %s.%s", display(e), strings.Join(names, ", "), hint)
	})
}

func trimQuotes(names []string) []string {
	var out []string
	for _, n := range names {
		out = append(out, strings.Trim(n, `"`))
	}
	return out
}

func (in *Input) refuseRange(v cty.Value) string {
	if len(in.Range) != 2 {
		return ""
	}
	return each(v, func(e cty.Value) string {
		least, most := in.Range[0], in.Range[1]
		if e.Type() != cty.Number {
			return ""
		}
		if !least.IsNull() && e.LessThan(least).True() {
			return fmt.Sprintf("%s is below the least value, %s", in.show(e), in.show(least))
		}
		if !most.IsNull() && e.GreaterThan(most).True() {
			return fmt.Sprintf("%s is above the greatest value, %s", in.show(e), in.show(most))
		}
		return ""
	})
}

func (in *Input) refuseLength(v cty.Value) string {
	if len(in.Length) != 2 {
		return ""
	}
	n, what := 0, "characters"
	switch {
	case v.Type() == cty.String:
		n = utf8.RuneCountInString(v.AsString())
	case v.CanIterateElements():
		n, what = v.LengthInt(), "elements"
	}
	length := cty.NumberIntVal(int64(n))
	if least := in.Length[0]; !least.IsNull() && length.LessThan(least).True() {
		return fmt.Sprintf("it has %d %s and needs at least %s", n, what, display(least))
	}
	if most := in.Length[1]; !most.IsNull() && length.GreaterThan(most).True() {
		return fmt.Sprintf("it has %d %s and may have at most %s", n, what, display(most))
	}
	return ""
}

// refuseTwice keeps out lists that name something twice which is made for each
// of them: a component, or what the definition calls distinct.
func (in *Input) refuseTwice(v cty.Value) string {
	if !v.CanIterateElements() || !in.Distinct && !in.Type.IsRef() {
		return ""
	}
	seen := map[string]bool{}
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		key := display(e)
		if e.Type() == cty.String && e.IsKnown() && !e.IsNull() {
			key = e.AsString() // display cuts it
		}
		if seen[key] {
			return fmt.Sprintf("%s is in it twice. Name it once.", display(e))
		}
		seen[key] = true
	}
	return ""
}

// each holds the elements of a list against a rule, or the value itself.
func each(v cty.Value, rule func(cty.Value) string) string {
	t := v.Type()
	if !t.IsListType() && !t.IsSetType() && !t.IsMapType() {
		return rule(v)
	}
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		if reason := rule(e); reason != "" {
			return reason
		}
	}
	return ""
}

// show prints a number in the input's unit.
func (in *Input) show(v cty.Value) string { return Display(v, in.Type.Name) }

// Display prints a value for a person; the type's name gives the unit.
func Display(v cty.Value, typeName string) string {
	if v.IsNull() || !v.IsKnown() || v.Type() != cty.Number {
		return display(v)
	}
	switch typeName {
	case "duration":
		return displayUnits(v, [][2]string{{"86400", "d"}, {"3600", "h"}, {"60", "m"}, {"1", "s"}, {"0.001", "ms"}})
	case "bytes":
		return displayUnits(v, [][2]string{{"1099511627776", "TiB"}, {"1073741824", "GiB"}, {"1048576", "MiB"}, {"1024", "KiB"}, {"1", "B"}})
	case "percent":
		return display(v) + "%"
	}
	return display(v)
}

// displayUnits picks the largest unit of which v is a whole number of.
func displayUnits(v cty.Value, units [][2]string) string {
	for _, u := range units {
		n := v.Divide(cty.MustParseNumberVal(u[0]))
		if !v.RawEquals(cty.Zero) && n.AsBigFloat().IsInt() {
			return display(n) + u[1]
		}
	}
	return display(v)
}

func display(v cty.Value) string {
	switch {
	case v == cty.NilVal || !v.IsKnown():
		return "(not computed)"
	case v.IsNull():
		return "null"
	case instanceOf(v) != nil:
		return instanceOf(v).Path
	case v.Type() == cty.String:
		return quote(v.AsString())
	case v.Type() == cty.Number:
		return displayNumber(v)
	case v.Type().IsPrimitiveType():
		s, _ := convert.Convert(v, cty.String)
		return s.AsString()
	case v.CanIterateElements():
		return displayElements(v)
	}
	return v.Type().FriendlyName()
}

func displayNumber(v cty.Value) string {
	f := v.AsBigFloat()
	if f.IsInt() {
		return f.Text('f', 0)
	}
	return f.Text('g', 6)
}

func displayElements(v cty.Value) string {
	named := v.Type().IsObjectType() || v.Type().IsMapType()
	var parts []string
	for it := v.ElementIterator(); it.Next(); {
		key, e := it.Element()
		if len(parts) == 8 {
			parts = append(parts, "…")
			break
		}
		if named {
			parts = append(parts, key.AsString()+" = "+display(e))
		} else {
			parts = append(parts, display(e))
		}
	}
	switch {
	case named && len(parts) == 0:
		return "{}"
	case named:
		return "{ " + strings.Join(parts, ", ") + " }"
	}
	return "[" + strings.Join(parts, ", ") + "]"
}
