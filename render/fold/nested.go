package fold

import (
	"maps"

	"github.com/zclconf/go-cty/cty"
)

// with is the scope inside of a loop whose variables have values. Empty names
// are passed over: the key variable of a for expression may be missing.
func (s Scope) with(values map[string]cty.Value) Scope {
	s.Locals = cloned(s.Locals, len(values))
	s.Shadowed = cloned(s.Shadowed, 0)
	for name, v := range values {
		if name == "" {
			continue
		}
		s.Locals[name] = v
		delete(s.Shadowed, name)
	}
	return s
}

// shadowing is the scope inside of a loop that only Terraform goes through.
func (s Scope) shadowing(names ...string) Scope {
	s.Locals = cloned(s.Locals, 0)
	s.Shadowed = cloned(s.Shadowed, len(names))
	for _, name := range names {
		if name == "" {
			continue
		}
		s.Shadowed[name] = true
		delete(s.Locals, name)
	}
	return s
}

func cloned[V any](m map[string]V, extra int) map[string]V {
	c := make(map[string]V, len(m)+extra)
	maps.Copy(c, m)
	return c
}
