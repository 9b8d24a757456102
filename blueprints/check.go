package blueprints

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// Check computes every value of the model and evaluates every rule of the
// definitions in use. After it the model does not change and may be read from
// several goroutines. Where something is wrong already the rules are left
// alone: what they say of a half-read blueprint is mostly a consequence.
func (m *Model) Check() hcl.Diagnostics {
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
	for _, c := range m.Components {
		diags = append(diags, m.checkInstance(c)...)
	}
	return diags
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
		if a == nil || a.val.IsNull() || !a.val.IsKnown() {
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
	code := check.ID
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
	if check.At != nil {
		if _, at, _ := scope.evaluate(&resolver{}, check.At, nil); len(at) > 0 {
			d.Subject = at[len(at)-1].place(inst).Ptr()
		}
	}
	if check.Related != nil {
		_, used, _ = scope.evaluate(&resolver{}, check.Related, nil)
	}
	extra.Related = relate(used, d.Subject)
	return append(diags, d)
}

// place is where a user would change the value: its own line, or the header of
// the block that it would stand in.
func (a *Attr) place(fallback *Instance) hcl.Range {
	if a.input != nil && a.Origin.Source != "default" && a.Origin.Expr != nil {
		return a.Origin.Range
	}
	if a.Owner.Range.Filename != "" && a.Owner.Definition != nil {
		return a.Owner.Range
	}
	return fallback.Range
}

// relate shows the values that a rule speaks of, each at its own line. Values
// that hold components are how the rule got at the others, and are left out.
func relate(used []*Attr, subject *hcl.Range) []Related {
	var out []Related
	for _, a := range used {
		if a.refs || a.val.IsNull() || !a.val.IsKnown() || a.Origin.Range.Filename == "" || a.Name == "name" || a.Name == "kind" {
			continue
		}
		text := fmt.Sprintf("%s = %s", a.Path(), a.Show())
		switch a.Origin.Source {
		case "default", "derived":
			text += " (" + a.Origin.Source + ")"
		case "blueprint":
			if subject != nil && a.Origin.Range == *subject {
				continue
			}
		}
		out = append(out, Related{Range: a.place(a.Owner), Text: text})
	}
	return out
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
