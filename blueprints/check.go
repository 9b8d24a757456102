package blueprints

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// Check computes every value of the model and evaluates every rule of the
// definitions in use. After it the model does not change and may be read from
// several goroutines. Where something is wrong already the rules are left
// alone: what they say of a half-read blueprint is mostly a consequence.
func (m *Model) Check() hcl.Diagnostics {
	computeAhead(m.Components, true)
	before := len(m.resolver.diags)
	m.forceAll(m.Blueprint)
	m.forceAll(m.TargetInstance)
	for _, name := range []string{"var", "local"} {
		if v, ok := m.scope.root(name); ok {
			m.forceAll(instanceOf(v))
		}
	}
	for _, c := range m.Components {
		m.forceAll(c)
	}
	diags := append(hcl.Diagnostics{}, m.resolver.diags[before:]...)
	m.resolver.diags = m.resolver.diags[:before]
	if m.broken || diags.HasErrors() {
		return diags
	}
	diags = append(diags, m.checkInstance(m.TargetInstance)...)
	return append(diags, inParts(m.Components, m.checkInstance)...)
}

func (m *Model) forceAll(inst *Instance) {
	for _, a := range inst.Attrs() {
		m.resolver.force(a)
	}
	for _, nested := range inst.nested() {
		m.forceAll(nested)
	}
}

// nested lists the patterns and blocks that stand in the instance.
func (i *Instance) nested() []*Instance {
	out := append([]*Instance{}, i.Patterns...)
	if i.Definition == nil {
		return out
	}
	for _, block := range i.Definition.Blocks {
		a := i.attrs[block.ID]
		if a == nil || a.Value().IsNull() || !a.Value().IsKnown() {
			continue
		}
		if inst := instanceOf(a.val); inst != nil {
			out = append(out, inst)
			continue
		}
		for it := a.val.ElementIterator(); it.Next(); {
			_, e := it.Element()
			out = append(out, instanceOf(e))
		}
	}
	return out
}

func (m *Model) checkInstance(inst *Instance) hcl.Diagnostics {
	if inst.Definition == nil {
		return nil
	}
	var diags hcl.Diagnostics
	for _, check := range inst.Definition.Checks {
		diags = append(diags, m.RunCheck(check, inst, m.ScopeOf(inst))...)
	}
	for _, nested := range inst.nested() {
		diags = append(diags, m.checkInstance(nested)...)
	}
	return diags
}

// ScopeOf gives what expressions of the instance's definition see.
func (m *Model) ScopeOf(inst *Instance) *Scope {
	roots := map[string]cty.Value{"self": inst.Ref()}
	if c := inst.Component(); c != m.TargetInstance && c != m.Blueprint {
		roots["component"], roots[c.Kind] = c.Ref(), c.Ref()
	}
	return m.base.With(roots)
}

// UserScope is what expressions of a blueprint see.
func (m *Model) UserScope() *Scope { return m.scope }

// RunCheck evaluates one rule for an instance and gives a diagnostic if it does
// not hold. A rule whose values could not be computed is passed over: their
// problem was reported already.
func (m *Model) RunCheck(check *Check, inst *Instance, scope *Scope) hcl.Diagnostics {
	r := &resolver{}
	cond, used, diags := scope.evaluate(r, check.Condition, nil)
	diags = append(r.diags, diags...)
	if diags.HasErrors() || !cond.IsWhollyKnown() {
		return diags
	}
	ok, err := convert.Convert(cond, cty.Bool)
	if err != nil || ok.IsNull() {
		return append(diags, problem(check.Condition.Range(), "Invalid definition", "The condition of a check must be true or false."))
	}
	if ok.True() {
		return diags
	}
	return append(diags, m.violation(check, inst, scope, used)...)
}

func (m *Model) violation(check *Check, inst *Instance, scope *Scope, used []*Attr) hcl.Diagnostics {
	message, diags := scope.text(check.Message)
	fix, moreDiags := scope.text(check.Fix)
	diags = append(diags, moreDiags...)
	code := inst.Kind + "." + check.ID // the blueprint has no definition
	if inst.Definition != nil {
		code = inst.Definition.ID + "." + check.ID
	}
	d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Rule not met: " + code, Detail: message, Subject: inst.Range.Ptr()}
	if fix != "" {
		d.Detail += "\n\n" + fix
	}
	if check.Warning {
		d.Severity = hcl.DiagWarning
	}
	extra := &Extra{Code: code, Fix: fix}
	d.Extra = extra
	if check.Related != nil {
		_, used, _ = scope.evaluate(&resolver{}, check.Related, nil)
	}
	if check.At != nil {
		if _, at, _ := scope.evaluate(&resolver{}, check.At, nil); len(at) > 0 {
			point := at[len(at)-1]
			d.Subject = point.place(inst).Ptr()
			if other := firstWritten(used); other != nil && !point.written() {
				d.Subject = other.place(inst).Ptr()
				used = append([]*Attr{point}, used...)
			}
		}
	}
	extra.Related = relate(used, d.Subject)
	if m.Source.ignored(code, d.Subject) {
		if !check.Firm {
			return diags
		}
		d.Detail += "\n\nThis rule cannot be ignored: what is rendered without it is refused or does something else."
	}
	return append(diags, d)
}

// firstWritten is the first value that the user wrote; else the first block.
func firstWritten(attrs []*Attr) *Attr {
	for _, blocks := range []bool{false, true} {
		for _, a := range attrs {
			if a.written() && (a.inside() != nil) == blocks && !(blocks && passed(attrs, a)) {
				return a
			}
		}
	}
	return nil
}

// passed reports whether the pattern or block in a was only the way to a value
// in it.
func passed(attrs []*Attr, a *Attr) bool {
	return slices.ContainsFunc(attrs, func(other *Attr) bool { return other.Owner == a.inside() })
}

// written reports whether the user wrote the value, or the block that it is.
func (a *Attr) written() bool {
	return a.inside() != nil || (a.input != nil && a.Origin.Source != "default" && a.Origin.Expr != nil)
}

// inside is the pattern or nested block that the value is, the first of several.
func (a *Attr) inside() *Instance {
	v := a.Value()
	if v.IsKnown() && !v.IsNull() && (v.Type().IsListType() && v.Type().ElementType() == refType) && v.LengthInt() > 0 {
		v = v.AsValueSlice()[0]
	}
	if inst := instanceOf(v); inst != nil && inst.Parent == a.Owner {
		return inst
	}
	return nil
}

// place is where a user would change the value: its own line, or the header of
// the block that it would stand in.
func (a *Attr) place(fallback *Instance) hcl.Range {
	if inst := a.inside(); inst != nil {
		return inst.Range
	}
	if a.written() {
		return a.Origin.Range
	}
	if a.Owner.Range.Filename != "" && a.Owner.Definition != nil {
		return a.Owner.Range
	}
	return fallback.Range
}

// relate shows the values that a rule speaks of, each at its own line. Values
// that hold components are how the rule got at the others, and are left out,
// but for patterns and blocks, which stand in the blueprint.
func relate(used []*Attr, subject *hcl.Range) []Related {
	var out []Related
	for _, a := range used {
		if inst := a.inside(); inst != nil && instanceOf(a.val) != nil {
			if !passed(used, a) && (subject == nil || inst.Range != *subject) {
				out = append(out, Related{Range: inst.Range, Text: inst.Path + " is here"})
			}
			continue
		}
		if a.refs || a.val.IsNull() || !a.val.IsKnown() || a.Origin.Range.Filename == "" || a.Name == "name" || a.Name == "kind" || a.nothing() {
			continue
		}
		text := fmt.Sprintf("%s = %s", a.Path(), a.Show())
		switch {
		case a.Origin.Source == "default" || a.Origin.Source == "derived":
			text += " (" + a.Origin.Source + ")"
		case subject != nil && a.Origin.Range == *subject:
			continue
		}
		if place := a.place(a.Owner); place.Filename != "" {
			out = append(out, Related{Range: place, Text: text})
		}
	}
	return out
}

// nothing reports whether the value is a computed list without elements, which
// would be a list of components.
func (a *Attr) nothing() bool {
	return a.input == nil && a.val.CanIterateElements() && a.val.LengthInt() == 0
}

// Show prints the value in its unit.
func (a *Attr) Show() string {
	if a.input != nil {
		return Display(a.Value(), a.input.Type.Name)
	}
	return display(a.Value())
}

func (s *Scope) text(expr hcl.Expression) (string, hcl.Diagnostics) {
	if expr == nil {
		return "", nil
	}
	r := &resolver{}
	v, _, diags := s.evaluate(r, expr, nil)
	diags = append(r.diags, diags...)
	if diags.HasErrors() || !v.IsKnown() || v.IsNull() {
		return "", diags
	}
	text, err := convert.Convert(v, cty.String)
	if err != nil || text.IsNull() {
		return "", append(diags, problem(expr.Range(), "Invalid definition", "A text is needed."))
	}
	return text.AsString(), diags
}
