package blueprints

import "github.com/hashicorp/hcl/v2"

// NewValues makes an instance that no definition describes, for values that a
// pack computes. Add them with SetExpr.
func NewValues(path string) *Instance {
	return &Instance{Kind: path, Path: path, attrs: map[string]*Attr{}}
}

// Share makes the values of other readable as if they were i's own. A value of
// the same name that is set later replaces the shared one.
func (i *Instance) Share(other *Instance) {
	for _, name := range other.order {
		i.put(other.attrs[name])
	}
}

// Has reports whether there is a value of that name.
func (i *Instance) Has(name string) bool { return i.attrs[name] != nil }

// Compute computes the values that were not yet asked for.
func (i *Instance) Compute() {
	r := &resolver{}
	for _, a := range i.Attrs() {
		if a.Owner == i {
			r.force(a)
		}
	}
	i.problems = append(i.problems, r.diags...)
}

// Problems gives what went wrong in Compute, once.
func (i *Instance) Problems() hcl.Diagnostics {
	diags := i.problems
	i.problems = nil
	return diags
}
