package fold

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
)

// add records diagnostics. Text that is walked for each element of a loop says
// the same thing each time; once is enough.
func (f *folder) add(diags ...*hcl.Diagnostic) {
	for _, d := range diags {
		if !f.said(d) {
			f.diags = append(f.diags, d)
		}
	}
}

func (f *folder) said(d *hcl.Diagnostic) bool {
	for _, old := range f.diags {
		if old.Summary == d.Summary && old.Detail == d.Detail &&
			old.Subject != nil && d.Subject != nil && *old.Subject == *d.Subject {
			return true
		}
	}
	return false
}

func problem(at hcl.Range, summary, format string, args ...any) *hcl.Diagnostic {
	return &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  summary,
		Detail:   fmt.Sprintf(format, args...),
		Subject:  &at,
	}
}

func unprintable(at hcl.Range, why string) *hcl.Diagnostic {
	return problem(at, "Value cannot be written",
		"This expression cannot be replaced by its value: %s. Use a part of it that can be written as text, a number, a bool, a list or an object.", why)
}

func badAddress(at hcl.Range, collection, key string) *hcl.Diagnostic {
	return problem(at, "Invalid address",
		"%s[%q] names a Terraform object, but %q is not a name: it must be letters, digits, hyphens and underscores and start with a letter. Use a component's name, with a suffix if need be.", collection, key, key)
}

func notStatic(at hcl.Range, what, mend string) *hcl.Diagnostic {
	return problem(at, "Value not known yet",
		"%s must be known when the blueprint is rendered, but this refers to something that only Terraform knows. %s", what, mend)
}

func notCollection(at hcl.Range, what, got string) *hcl.Diagnostic {
	return problem(at, "Cannot iterate",
		"%s must be a list, set, map or object, but this is %s. Use [] where there is nothing to go through.", what, got)
}

func duplicateKey(at hcl.Range, key string) *hcl.Diagnostic {
	return problem(at, "Duplicate key",
		"The key %q stands more than once in this object, so one of its values would be lost. Keys that are computed must differ from all others.", key)
}

func badKey(at hcl.Range, why string) *hcl.Diagnostic {
	return problem(at, "Invalid key", "A key of an object must be text: %s. Use a name or a number.", why)
}

func badInterpolation(at, template hcl.Range, why string) *hcl.Diagnostic {
	d := problem(at, "Invalid template value",
		"This value cannot stand in a text: %s. Use a part of it that is text, a number or a bool, or give a default with coalesce.", why)
	d.Context = &template
	return d
}

func unknownFunction(at hcl.Range, name, like string) *hcl.Diagnostic {
	hint := "Check the spelling, or use a function that Terraform has."
	if like != "" {
		hint = fmt.Sprintf("Did you mean %q?", like)
	}
	return problem(at, "Unknown function",
		"There is no function %q, neither in packs nor in Terraform. %s", name, hint)
}

func badWhen(at hcl.Range, got string) *hcl.Diagnostic {
	return problem(at, "Invalid condition",
		"when must be true or false, but this is %s. Compare it with something, for instance \"!= null\".", got)
}

func failedTry(at hcl.Range) *hcl.Diagnostic {
	return problem(at, "No valid argument",
		"Every argument of this try fails. Add a last argument that always has a value, for instance null.")
}

func hidesKnown(at hcl.Range, name string) *hcl.Diagnostic {
	d := problem(at, "Hidden name",
		"The loop variable %q hides the name %q of the blueprint inside of this expression. Give the variable another name.", name, name)
	d.Severity = hcl.DiagWarning
	return d
}

func unfolded(at hcl.Range) *hcl.Diagnostic {
	return problem(at, "Cannot fold",
		"This refers to the blueprint in a way that cannot be replaced by a value here. Compute it in a let block and refer to that.")
}
