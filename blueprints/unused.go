package blueprints

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Unused warns of every place where the user wrote an input that the target
// makes nothing of, and says why. The path leads through nested blocks, as
// "external.fallback_host" does; a why that is null takes nothing back.
func (m *Model) Unused(inst *Instance, path string, why hcl.Expression, scope *Scope) hcl.Diagnostics {
	v, _, diags := scope.evaluate(&resolver{}, why, nil)
	if diags.HasErrors() || v.IsNull() {
		return diags
	}
	reason, moreDiags := scope.text(why)
	if diags = append(diags, moreDiags...); diags.HasErrors() {
		return diags
	}
	code := UnusedCode(inst.Definition.ID, path)
	places, known := inst.writtenAt(strings.Split(path, "."))
	if !known {
		return append(diags, problem(why.Range(), "Invalid pack", fmt.Sprintf("%s has no input %s to ignore.", inst.Definition.ID, path)))
	}
	for _, place := range places {
		if m.Source.ignored(code, place.Ptr()) {
			continue
		}
		fix := fmt.Sprintf("Leave it out for %s, or set it in a block of the target that is to have it.", m.Target)
		diags = append(diags, &hcl.Diagnostic{
			Severity: hcl.DiagWarning, Summary: "Rule not met: " + code, Subject: place.Ptr(),
			Detail: fmt.Sprintf("%s changes nothing on %s: %s\n\n%s", path, m.Target, reason, fix), Extra: &Extra{Code: code, Fix: fix},
		})
	}
	return diags
}

// UnusedCode is the name of the rule that speaks of an input without effect.
func UnusedCode(id, path string) string {
	return id + ".unused_" + strings.ReplaceAll(path, ".", "_")
}

// writtenAt are the places where the user wrote the input at a path, and whether
// the definition has one there.
func (i *Instance) writtenAt(path []string) ([]hcl.Range, bool) {
	if i.Definition == nil {
		return nil, false
	}
	attr := i.attrs[path[0]]
	if block := i.Definition.block(path[0]); block != nil {
		var places []hcl.Range
		for _, nested := range i.nested() {
			if nested.Parent != i || nested.Kind != block.ID {
				continue
			}
			if len(path) == 1 {
				places = append(places, nested.Range)
				continue
			}
			found, _ := nested.writtenAt(path[1:])
			places = append(places, found...)
		}
		return places, len(path) == 1 || slices.ContainsFunc(block.Definition.Inputs, func(in *Input) bool { return in.Name == path[1] })
	}
	if attr == nil || attr.input == nil || len(path) > 1 {
		return nil, false
	}
	if attr.Origin.Source == "blueprint" || strings.HasPrefix(attr.Origin.Source, "environment ") {
		return []hcl.Range{attr.Origin.Range}, true
	}
	return nil, true
}
