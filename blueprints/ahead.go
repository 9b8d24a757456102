package blueprints

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// fewInstances are not worth a second goroutine.
var fewInstances = 50

// ComputeAhead computes values of instances on all processors. Nothing depends on
// it but time: it reports no problems, and ends at the first value that has one,
// or is part of a circle. That and what is left is computed, and its problem
// reported, when it is asked for.
func ComputeAhead(instances []*Instance) { computeAhead(instances, false) }

func computeAhead(instances []*Instance, nested bool) {
	if len(instances) <= fewInstances {
		return
	}
	var over atomic.Bool
	sideBySide(len(instances), func(next func() (int, bool)) {
		r := &resolver{ahead: &ahead{underWay: map[*Attr]bool{}, over: &over}}
		for i, ok := next(); ok && !over.Load(); i, ok = next() {
			r.allAhead(instances[i], nested)
		}
	})
}

// ahead is what a goroutine that computes values ahead keeps in mind.
type ahead struct {
	underWay map[*Attr]bool
	over     *atomic.Bool // a value had a problem
}

// sideBySide runs a function on each processor. They share the numbers up to n.
func sideBySide(n int, work func(next func() (int, bool))) {
	var taken atomic.Int64
	next := func() (int, bool) {
		i := int(taken.Add(1)) - 1
		return i, i < n
	}
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() { work(next) })
	}
	all.Wait()
}

// inParts collects what there is to say of instances, in their order. Their
// values were computed, so that to ask for them changes nothing.
func inParts(instances []*Instance, look func(*Instance) hcl.Diagnostics) hcl.Diagnostics {
	found := make([]hcl.Diagnostics, len(instances))
	sideBySide(len(instances), func(next func() (int, bool)) {
		for i, ok := next(); ok; i, ok = next() {
			found[i] = look(instances[i])
		}
	})
	var diags hcl.Diagnostics
	for _, part := range found {
		diags = append(diags, part...)
	}
	return diags
}

func (r *resolver) allAhead(inst *Instance, nested bool) {
	for _, a := range inst.Attrs() {
		r.force(a)
	}
	if nested {
		for _, inner := range inst.nested() {
			r.allAhead(inner, true)
		}
	}
}

// forceAhead computes a value that another goroutine may be computing as well:
// both come to the same, and one of them notes it down.
func (r *resolver) forceAhead(a *Attr) outcome {
	failed := outcome{val: cty.DynamicVal, failed: true}
	if r.ahead.underWay[a] || r.ahead.over.Load() {
		r.ahead.over.Store(true)
		return failed
	}
	r.ahead.underWay[a] = true
	v, inputs, diags := a.scope.evaluate(r, a.expr, nil)
	if len(diags) == 0 && a.input != nil && v.IsWhollyKnown() {
		v, diags = a.input.accept(v, a.expr)
	}
	delete(r.ahead.underWay, a)
	if len(diags) > 0 || !v.IsWhollyKnown() {
		r.ahead.over.Store(true)
		return failed
	}
	out := outcome{val: v, refs: hasRefs(v)}
	if a.state.CompareAndSwap(untouched, published) {
		a.outcome, a.Origin.Inputs = out, inputs
		a.state.Store(done)
	}
	return out
}
