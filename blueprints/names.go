package blueprints

import (
	"fmt"
	"math"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// lacks says that an instance has no value of a name, in words for what the
// instance is.
func (s *Scope) lacks(inst *Instance, name string) string {
	near := inst.near(name)
	switch {
	case inst.Kind == "var":
		return fmt.Sprintf("There is no variable %q.%s%s", name, near, listOthers("Variables are", near, inst.order))
	case inst.Kind == "local":
		return fmt.Sprintf("There is no local value %q.%s%s", name, near, listOthers("There are", near, inst.order))
	case inst.Definition == nil && inst.Path == inst.Kind && inst.Kind != "blueprint" && inst.Kind != "let":
		if other := s.otherKind(inst, name); other != "" {
			return fmt.Sprintf("There is no %s %q: write %s.%s.", inst.Kind, name, other, name)
		}
		return fmt.Sprintf("The blueprint has no %s %q.%s%s", inst.Kind, name, near, listOthers("It has", near, inst.order))
	case inst.Path == "":
		return fmt.Sprintf("%s has no value called %q.%s", inst.Kind, name, near)
	}
	return fmt.Sprintf("%s has no value called %q.%s", inst.Path, name, near)
}

// listOthers names what there is where nothing is near and the list is short.
func listOthers(lead, near string, names []string) string {
	if near != "" || len(names) == 0 || len(names) > 12 {
		return ""
	}
	return fmt.Sprintf(" %s %s.", lead, strings.Join(names, ", "))
}

// otherKind is the kind whose component has the name.
func (s *Scope) otherKind(space *Instance, name string) string {
	for _, root := range s.rootNames() {
		v, _ := s.root(root)
		if other := instanceOf(v); other != nil && other != space && other.Definition == nil && other.Path == root && instanceOf(other.valueOf(name)) != nil {
			return root
		}
	}
	return ""
}

// improve says in our own words what HCL's evaluator says in its own.
func (w *walker) improve(diags hcl.Diagnostics) hcl.Diagnostics {
	for _, d := range diags {
		if hint, ok := w.hints[rangeKey(d.Subject)]; ok {
			d.Summary, d.Detail = hint.Summary, hint.Detail
		}
		switch {
		case d.Summary == "Call to unknown function":
			d.Detail += " Functions are Terraform's, less those that read the clock, the disk or chance, so that a blueprint renders the same at any time and place. Hand such a value in with --var."
		case d.Summary == "Inconsistent conditional result types" && w.instances:
			d.Detail = "The branches of a conditional hold components that are asked for different values, which makes them values of different types. Choose in a for expression instead, as in [for c in [component] : c if CONDITION], and join the parts with concat."
		}
		// The context would print whole instances.
		d.EvalContext, d.Expression = nil, nil
	}
	return diags
}

// bareAmount is an amount with a unit that stands without quotes.
var bareAmount = regexp.MustCompile(`=\s*([0-9.]+[A-Za-z%]+)\s*$`)

// unclosed is the line of the first text without a closing quote: behind it the
// parser takes what is text for code, and the other way round, and complains of
// both.
func unclosed(diags hcl.Diagnostics) int {
	line := math.MaxInt
	for _, d := range diags {
		if d.Subject != nil && d.Summary == "Invalid multi-line string" {
			line = min(line, d.Subject.Start.Line)
		}
	}
	return line
}

// tidy keeps the first of the problems that the parser has with a line, for the
// others follow from it, and says what is likely meant.
func tidy(diags hcl.Diagnostics, data []byte) hcl.Diagnostics {
	lines := strings.Split(string(data), "\n")
	var out hcl.Diagnostics
	seen := map[int]bool{}
	end := unclosed(diags)
	for _, d := range diags {
		if d.Subject == nil || seen[d.Subject.Start.Line] || d.Subject.Start.Line > end {
			continue
		}
		seen[d.Subject.Start.Line] = true
		switch d.Summary {
		case "Invalid multi-line string":
			d.Detail = "The text has no closing quote on its line."
		case "Missing newline after argument":
			if m := bareAmount.FindStringSubmatch(lines[d.Subject.Start.Line-1]); m != nil {
				d.Detail = fmt.Sprintf("An amount with a unit is a text: write %q in quotes.", m[1])
			}
		case "Unclosed configuration block":
			d.Detail = "The block has no closing brace. Where it looks as if it had, an inner block has none."
		}
		out = append(out, d)
	}
	return out
}
