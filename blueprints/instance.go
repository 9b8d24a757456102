package blueprints

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// Instance is one thing of a resolved blueprint with values: a component, a
// pattern of it, a nested block, the blueprint itself, the target, or a pack's
// shared values.
type Instance struct {
	// Kind is the component kind, or what else the instance is: a pattern's
	// id, a nested block's name, "blueprint", "target".
	Kind string
	// Name is a component's name, or a nested block's label.
	Name string
	// Path is how a person would write it: "database.orders.read_replicas".
	Path string
	// Range is the block header that made it, or the definition's.
	Range hcl.Range
	// Definition is nil for instances that no definition describes.
	Definition *Definition
	// Parent is the instance that this one stands in, nil for components.
	Parent *Instance
	// Patterns are a component's patterns, in catalogue order of their ids.
	Patterns []*Instance

	attrs    map[string]*Attr
	order    []string
	problems hcl.Diagnostics
	spelling atomic.Pointer[spelling] // of many names, once one of them was wrong

	referrers, referred []*Instance
}

// refType is the type of a value that stands for an instance.
var refType = cty.Capsule("component", reflect.TypeFor[Instance]())

// Ref gives the value that stands for the instance in expressions.
func (i *Instance) Ref() cty.Value { return cty.CapsuleVal(refType, i) }

// InstanceOf gives the instance that v stands for, nil if v is something else.
func InstanceOf(v cty.Value) *Instance { return instanceOf(v) }

func instanceOf(v cty.Value) *Instance {
	if v == cty.NilVal || v.Type() != refType || v.IsNull() || !v.IsKnown() {
		return nil
	}
	return v.EncapsulatedValue().(*Instance)
}

// Component is the component that the instance belongs to, or is.
func (i *Instance) Component() *Instance {
	for i.Parent != nil {
		i = i.Parent
	}
	return i
}

// Neighbours are the components that refer to this one, and then those that it
// refers to.
func (i *Instance) Neighbours() []*Instance { return slices.Concat(i.referrers, i.referred) }

// Attr gives a value by name, nil if there is none.
func (i *Instance) Attr(name string) *Attr { return i.attrs[name] }

func (i *Instance) valueOf(name string) cty.Value {
	if a := i.attrs[name]; a != nil {
		return a.Value()
	}
	return cty.DynamicVal
}

// Attrs lists the values in the order of their definition.
func (i *Instance) Attrs() []*Attr {
	out := make([]*Attr, len(i.order))
	for n, name := range i.order {
		out[n] = i.attrs[name]
	}
	return out
}

// Pattern gives a pattern of the component, nil if it does not name it. A
// pattern that extends the asked one counts too.
func (i *Instance) Pattern(id string) *Instance {
	for _, p := range i.Patterns {
		if p.Kind == id || p.Definition.Extends == id {
			return p
		}
	}
	return nil
}

// Set adds a known value, or replaces it.
func (i *Instance) Set(name string, v cty.Value, origin Origin) *Attr {
	a := &Attr{Name: name, Owner: i, outcome: outcome{val: v, refs: hasRefs(v)}, Origin: origin}
	a.state.Store(done)
	i.put(a)
	return a
}

// SetExpr adds a value that is computed from expr when it is first asked for.
func (i *Instance) SetExpr(name string, expr hcl.Expression, scope *Scope, source string) *Attr {
	a := &Attr{Name: name, Owner: i, expr: expr, scope: scope, Origin: Origin{Source: source, Range: expr.Range(), Expr: expr}}
	i.put(a)
	return a
}

func (i *Instance) put(a *Attr) {
	if i.attrs == nil {
		i.attrs = map[string]*Attr{}
	}
	if i.attrs[a.Name] == nil {
		i.order = append(i.order, a.Name)
	}
	i.attrs[a.Name] = a
}

// The states of a value.
const (
	untouched int32 = iota
	running
	published // is about to be done
	done
)

// Attr is one value of an instance, computed when it is first asked for.
type Attr struct {
	Name  string
	Owner *Instance
	// Origin says where the value came from. Its Inputs are complete once the
	// value was computed.
	Origin Origin

	input *Input // nil for values that are not inputs
	expr  hcl.Expression
	scope *Scope
	state atomic.Int32
	outcome
}

// outcome is what computing a value came to.
type outcome struct {
	val    cty.Value
	failed bool
	refs   bool // val holds instances
}

// Origin is the provenance of a value.
type Origin struct {
	// Source is "blueprint", "environment NAME", "profile NAME", "default",
	// "derived", "variable" or "scaffold".
	Source string
	// Range is where the value is written, or where its rule is.
	Range hcl.Range
	// Expr is what it was computed from; nil for built-in values.
	Expr hcl.Expression
	// Inputs are the values that Expr used, in order of use.
	Inputs []*Attr
}

// Path is how a person would write the value: "database.orders.storage".
func (a *Attr) Path() string {
	if a.Owner.Path == "" {
		return a.Name
	}
	return a.Owner.Path + "." + a.Name
}

// Value gives the computed value. It is cty.DynamicVal if computing failed,
// and nothing before Model.Check or a Scope asked for it.
func (a *Attr) Value() cty.Value {
	if a.state.Load() != done {
		return cty.DynamicVal
	}
	return a.val
}

// resolver computes values, and remembers which are under way so that a circle
// is found and shown.
type resolver struct {
	stack []*Attr
	diags hcl.Diagnostics
	ahead *ahead // nil for values that were asked for
}

// force computes a if that was not done yet. Problems are collected once, with
// the resolver; whoever asks again gets an unknown value.
func (r *resolver) force(a *Attr) outcome {
	switch state := a.state.Load(); {
	case state == done:
		return a.outcome
	case r.ahead != nil:
		return r.forceAhead(a)
	case state == running:
		r.diags = append(r.diags, r.circle(a))
		a.val, a.failed = cty.DynamicVal, true
		return a.outcome
	}
	a.state.Store(running)
	r.stack = append(r.stack, a)
	v, inputs, diags := a.scope.evaluate(r, a.expr, nil)
	r.stack = r.stack[:len(r.stack)-1]
	a.Origin.Inputs = inputs
	if !diags.HasErrors() && a.input != nil && v.IsWhollyKnown() {
		v, diags = a.input.accept(v, a.expr)
	}
	if diags.HasErrors() || a.failed || !v.IsWhollyKnown() {
		v, a.failed = cty.DynamicVal, true
	}
	a.blame(diags)
	r.diags = append(r.diags, diags...)
	a.val, a.refs = v, hasRefs(v)
	a.state.Store(done)
	return a.outcome
}

// underWay reports whether a value is being computed, so that asking for it
// would be a circle.
func (r *resolver) underWay(a *Attr) bool {
	return a.state.Load() == running || r.ahead != nil && r.ahead.underWay[a]
}

func (r *resolver) circle(a *Attr) *hcl.Diagnostic {
	start := slices.Index(r.stack, a)
	var path []string
	var related []Related
	for _, step := range r.stack[start:] {
		path = append(path, step.Path())
		related = append(related, Related{Range: step.Origin.Range, Text: step.Path() + " is computed here"})
	}
	path = append(path, a.Path())
	rng := a.Origin.Range
	if user := firstUserValue(r.stack[start:]); user != nil {
		rng = user.Origin.Range
	}
	return &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: "Values go round in a circle",
		Detail:  fmt.Sprintf("%s.\n\nEach value needs the next, so none can be computed. Set one of them to a number or text of your own.", strings.Join(path, " needs ")),
		Subject: rng.Ptr(), Extra: &Extra{Related: related},
	}
}

func firstUserValue(attrs []*Attr) *Attr {
	for _, a := range attrs {
		if a.Origin.Source == "blueprint" {
			return a
		}
	}
	return nil
}

// Structural reports whether the value is not a datum of its own but leads to
// components or names them.
func (a *Attr) Structural() bool {
	return a.refs || a.Name == "name" || a.Name == "kind" || (a.state.Load() == done && a.val.IsKnown() && a.val.IsNull())
}

// Reference is a component that an instance names.
type Reference struct {
	// Input is where it is named, seen from the component: "needs", or
	// "PATTERN.INPUT" for an input of a pattern or of a nested block.
	Input string
	To    *Instance
}

// References lists what the component, its patterns and its blocks refer to, in
// the order in which their definitions have the inputs.
func (i *Instance) References() []Reference {
	var out []Reference
	for _, a := range i.Attrs() {
		if a.input == nil || !a.input.Type.IsRef() || a.Value().IsNull() || !a.Value().IsKnown() {
			continue
		}
		name := strings.TrimPrefix(a.Path(), i.Component().Path+".")
		_ = cty.Walk(a.Value(), func(_ cty.Path, e cty.Value) (bool, error) {
			if to := instanceOf(e); to != nil {
				out = append(out, Reference{name, to})
			}
			return true, nil
		})
	}
	for _, nested := range i.nested() {
		out = append(out, nested.References()...)
	}
	return out
}
