package render

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"scaffold/blueprints"
)

// decide asks the conditions of candidates, and keeps the jobs that are to be
// done. A condition may name what other templates of its component share: those
// without a condition share first, and one whose condition names what another
// may share waits for the other's condition.
func (r *run) decide(candidates []*job, root *subject) hcl.Diagnostics {
	d := &decision{run: r, root: root, candidates: candidates, wanted: map[*job]bool{}}
	waiting := map[*subject][]*job{}
	var subjects []*subject
	for _, j := range candidates {
		if j.template.When == nil {
			d.settle(j)
			continue
		}
		if waiting[j.subject] == nil {
			subjects = append(subjects, j.subject)
		}
		waiting[j.subject] = append(waiting[j.subject], j)
	}
	for _, s := range subjects {
		d.settleAll(waiting[s])
	}
	for _, j := range candidates {
		if d.wanted[j] {
			r.jobs = append(r.jobs, j)
		}
	}
	return d.diags
}

// decision is what decide has found out so far.
type decision struct {
	run        *run
	root       *subject
	candidates []*job
	wanted     map[*job]bool
	diags      hcl.Diagnostics
}

// settle asks the condition of one job; one that is wanted shares its lets.
func (d *decision) settle(j *job) {
	on, diags := j.wanted(d.run)
	if diags.HasErrors() {
		diags = withheld(j, d.candidates, diags)
	}
	d.wanted[j] = on
	if on {
		diags = append(diags, j.share(d.run, d.root)...)
	}
	d.diags = append(d.diags, diags...)
}

// settleAll settles the jobs of one component, each after those that it waits
// for.
func (d *decision) settleAll(left []*job) {
	for len(left) > 0 {
		next := slices.IndexFunc(left, func(j *job) bool { return waitsFor(j, left) == nil })
		if next < 0 {
			d.diags = append(d.diags, conditionCircle(left[0], waitsFor(left[0], left)))
			return
		}
		d.settle(left[next])
		left = slices.Delete(left, next, next+1)
	}
}

// wanted reports whether the template's condition lets it be rendered.
func (j *job) wanted(r *run) (bool, hcl.Diagnostics) {
	if j.template.When == nil {
		return true, nil
	}
	return r.known(j.template.When, j.scope)
}

// share gives the component what the template's let blocks name.
func (j *job) share(r *run, root *subject) hcl.Diagnostics {
	var diags hcl.Diagnostics
	s := j.subject
	for _, attr := range j.template.Lets {
		if s.let.Has(attr.Name) && s.instance != r.model.Blueprint && !root.let.Has(attr.Name) {
			diags = append(diags, invalid(attr.NameRange, fmt.Sprintf("%s is given twice for %s.", attr.Name, s.instance.Path))...)
			continue
		}
		s.let.SetExpr(attr.Name, attr.Expr, j.scope, "pack")
	}
	return diags
}

// waitsFor is the job among others that may share what the condition of j
// names, nil if none does.
func waitsFor(j *job, others []*job) *job {
	for _, t := range j.template.When.Variables() {
		name := letName(t)
		if name == "" || j.subject.let.Has(name) {
			continue
		}
		for _, other := range others {
			if slices.ContainsFunc(other.template.Lets, func(a *hclsyntax.Attribute) bool { return a.Name == name }) {
				return other
			}
		}
	}
	return nil
}

// withheld adds to the problems of a condition which template would share what
// it names, if it were rendered for the component.
func withheld(j *job, candidates []*job, diags hcl.Diagnostics) hcl.Diagnostics {
	var near []*job
	for _, other := range candidates {
		if other.subject == j.subject && other != j {
			near = append(near, other)
		}
	}
	if other := waitsFor(j, near); other != nil {
		last := diags[len(diags)-1]
		last.Detail += fmt.Sprintf(" Template %q shares it where its own condition holds, and for %s it does not.", other.template.Name, j.subject.instance.Path)
	}
	return diags
}

// letName is X of let.X, or empty.
func letName(t hcl.Traversal) string {
	if t.RootName() != "let" || len(t) < 2 {
		return ""
	}
	step, _ := t[1].(hcl.TraverseAttr)
	return step.Name
}

func conditionCircle(j, other *job) *hcl.Diagnostic {
	what := fmt.Sprintf("names a let of template %q, whose own condition cannot be decided before this one", other.template.Name)
	if j.template == other.template {
		what = "names a let of the template itself, and there is none until the condition holds"
	}
	return &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: "Invalid pack", Subject: j.template.When.Range().Ptr(),
		Detail: fmt.Sprintf("The condition of template %q %s. Move the let to a template that is always rendered for a %s, or write its value out here.", j.template.Name, what, j.template.For),
		Extra:  &blueprints.Extra{Related: []blueprints.Related{{Range: other.template.Range, Text: "the template that shares it"}}},
	}
}
