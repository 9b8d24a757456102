package render

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sort"
	"sync/atomic"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"golang.org/x/sync/errgroup"

	"scaffold/blueprints"
	"scaffold/render/fold"
)

// Result is what one pack renders: files by slash-separated path.
type Result struct {
	Files    map[string]*File
	Coverage []Coverage

	judged map[judgement]int // where in Coverage a judgement is
}

// File is one rendered file.
type File struct {
	Path string
	Form Form
	Data []byte
	// Body is Data as it parses; nil for files that are not Terraform, or do not.
	Body *hclsyntax.Body

	lines []Line
	trace func() []Line // computes lines when they are first asked for; nil: they are there
}

// Lines are the lines of the file, each with its origin. They are worked out
// when they are first asked for, which most renders never do.
func (f *File) Lines() []Line {
	if f.trace != nil {
		f.lines, f.trace = f.trace(), nil
	}
	return f.lines
}

// Line is one line of a file and where it came from.
type Line struct {
	Text  string
	Parts []Part
}

// Part is a piece of a line: text of the pack, or a value computed from Expr.
type Part struct {
	Source  hcl.Range
	Expr    hcl.Expression // nil for text of the pack
	Locals  map[string]cty.Value
	Subject *blueprints.Instance // the component that it was rendered for
	Scope   *blueprints.Scope
	// Exposed is where the blueprint asks for the variable that stands in place of
	// the value; empty where the value does.
	Exposed hcl.Range
}

// Library finds packs by name.
type Library interface {
	// Pack loads a pack, nil if there is none of that name.
	Pack(name string) (*Pack, hcl.Diagnostics)
}

// Render folds the model into the pack and those that it uses. The model must
// have passed Check. Nothing is rendered if a rule of a pack is not met.
func Render(m *blueprints.Model, pack *Pack, lib Library) (*Result, hcl.Diagnostics) {
	result := &Result{Files: map[string]*File{}}
	x := newExposing(m)
	diags := renderInto(result, m, pack, lib, "", x)
	if diags.HasErrors() {
		return result, diags // what became of exposed values is not known
	}
	return result, append(diags, x.judge(result)...)
}

func renderInto(result *Result, m *blueprints.Model, pack *Pack, lib Library, folder string, x *exposing) hcl.Diagnostics {
	r := &run{model: m, pack: pack, result: result, folder: folder, exposing: x}
	diags := r.render()
	if diags.HasErrors() {
		return diags
	}
	for _, use := range pack.Uses {
		if use.When != nil {
			on, moreDiags := r.known(use.When, x.open(pack).watch(m.ScopeOf(m.Blueprint)))
			diags = append(diags, moreDiags...)
			if !on {
				continue
			}
		}
		other, moreDiags := lib.Pack(use.Pack)
		diags = append(diags, moreDiags...)
		if other == nil {
			diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Unknown pack", Detail: fmt.Sprintf("Pack %q uses a pack %q, which is not there.", pack.Name, use.Pack)})
			continue
		}
		diags = append(diags, renderInto(result, m, other, lib, joinPath(folder, use.Folder), x)...)
	}
	return diags
}

func joinPath(folder, name string) string {
	if folder == "" {
		return name
	}
	return folder + "/" + name
}

// run is the rendering of one pack.
type run struct {
	model  *blueprints.Model
	pack   *Pack
	result *Result
	folder string

	jobs   []*job
	byAddr map[string]*unit
	subs   map[*blueprints.Instance]*subject
	files  map[string][]*unit
	order  []string
	table  *blueprints.Instance
	// exposing is nil where the blueprint exposes nothing.
	exposing *exposing
	// objects are the manifests, once coverage has asked for them.
	objects map[[2]string][]*unit
}

// job is one template for one component.
type job struct {
	template *Template
	subject  *subject
	scope    *blueprints.Scope
	file     string
	units    []*unit
	diags    hcl.Diagnostics
	exposing *exposing // nil where the blueprint exposes nothing
	// declares is the value that the job declares a variable for; other jobs
	// render a template.
	declares *blueprints.Exposed
}

// subject is a component, or the blueprint, with what the pack computes for it.
type subject struct {
	instance *blueprints.Instance
	let      *blueprints.Instance
	this     string
}

func (r *run) render() hcl.Diagnostics {
	r.byAddr, r.files = map[string]*unit{}, map[string][]*unit{}
	r.exposing.open(r.pack)
	var diags hcl.Diagnostics
	steps := []func() hcl.Diagnostics{r.refuse, r.plan, r.check, r.compute, r.fold, r.assemble, r.expose, r.write, r.cover}
	for _, step := range steps {
		diags = append(diags, step()...)
		if diags.HasErrors() {
			return diags
		}
	}
	return diags
}

// refuse complains about combinations that the pack declares impossible, and
// about patterns that it does not render.
func (r *run) refuse() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, c := range r.model.Components {
		for _, f := range r.pack.Forbids {
			diags = append(diags, r.refuseCombination(c, f)...)
		}
	}
	return diags
}

func (r *run) refuseCombination(c *blueprints.Instance, f Forbid) hcl.Diagnostics {
	var found []*blueprints.Instance
	for _, id := range f.Patterns {
		p := c.Pattern(id)
		if p == nil {
			return nil
		}
		found = append(found, p)
	}
	if len(found) == 0 {
		return nil
	}
	last := found[len(found)-1]
	extra := &blueprints.Extra{Code: r.pack.Name + "." + f.ID}
	for _, p := range found[:len(found)-1] {
		extra.Related = append(extra.Related, blueprints.Related{Range: p.Range, Text: p.Path + " is named here"})
	}
	return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Patterns that do not go together", Detail: f.Why, Subject: last.Range.Ptr(), Extra: extra}}
}

// plan finds out which templates are rendered for which components.
func (r *run) plan() hcl.Diagnostics {
	r.subs = map[*blueprints.Instance]*subject{}
	root := r.subject(r.model.Blueprint, nil)
	var needed []*Template
	for _, t := range r.pack.Templates {
		if len(r.instances(t)) > 0 {
			needed = append(needed, t)
		}
	}
	diags := r.pack.Load(needed)
	if diags.HasErrors() {
		return diags
	}
	// Templates for the whole blueprint come first: their lets are shared.
	for _, whole := range []bool{true, false} {
		diags = append(diags, r.decide(r.candidates(needed, whole, root), root)...)
	}
	// Jobs go in the order of templates, then of components.
	sort.SliceStable(r.jobs, func(i, k int) bool { return r.jobs[i].template.order < r.jobs[k].template.order })
	wanted := map[*Template]bool{}
	for _, j := range r.jobs {
		wanted[j.template] = true
	}
	return append(diags, r.pack.Open(slices.Collect(maps.Keys(wanted)))...)
}

// candidates are the jobs of templates that are for the whole blueprint, or for
// components, before their conditions are asked.
func (r *run) candidates(templates []*Template, whole bool, root *subject) []*job {
	var jobs []*job
	for _, t := range templates {
		if (t.For == "blueprint") != whole {
			continue
		}
		for _, inst := range r.instances(t) {
			jobs = append(jobs, r.candidate(t, inst, root))
		}
	}
	return jobs
}

// instances are the components that a template is for.
func (r *run) instances(t *Template) []*blueprints.Instance {
	if t.For == "blueprint" {
		return []*blueprints.Instance{r.model.Blueprint}
	}
	var out []*blueprints.Instance
	for _, c := range r.model.Components {
		if c.Kind == t.For && (t.Pattern == "" || c.Pattern(t.Pattern) != nil) {
			out = append(out, c)
		}
	}
	return out
}

func (r *run) subject(inst, shared *blueprints.Instance) *subject {
	if s := r.subs[inst]; s != nil {
		return s
	}
	s := &subject{instance: inst, let: blueprints.NewValues("let")}
	if inst != r.model.Blueprint {
		s.this = inst.Name
	}
	if shared != nil {
		s.let.Share(shared)
	}
	inst.Set("let", s.let.Ref(), blueprints.Origin{Source: "scaffold", Range: inst.Range})
	r.subs[inst] = s
	return s
}

func (r *run) candidate(t *Template, inst *blueprints.Instance, root *subject) *job {
	s := r.subject(inst, root.let)
	self := inst
	if t.Pattern != "" {
		self = inst.Pattern(t.Pattern)
	}
	return &job{template: t, subject: s, scope: r.exposing.watch(r.model.ScopeOf(inst)).With(map[string]cty.Value{
		"self": self.Ref(), "let": s.let.Ref(), "table": r.tables().Ref(),
	}), exposing: r.exposing}
}

// tables are the pack's tables as one instance, so that an expression pays for
// the one that it names.
func (r *run) tables() *blueprints.Instance {
	if r.table == nil {
		r.table = blueprints.NewValues("table")
		for name, rows := range r.pack.Tables {
			r.table.Set(name, rows, blueprints.Origin{Source: "pack"})
		}
	}
	return r.table
}

func (r *run) known(expr hclsyntax.Expression, scope *blueprints.Scope) (bool, hcl.Diagnostics) {
	v, diags := scope.Value(expr, nil)
	if diags.HasErrors() {
		return false, diags
	}
	if v.IsNull() || !v.IsKnown() || v.Type() != cty.Bool {
		return false, append(diags, invalid(expr.Range(), "The condition must be true or false.")...)
	}
	return v.True(), diags
}

// check evaluates the rules of the templates that are rendered.
func (r *run) check() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, j := range r.jobs {
		self := j.subject.instance
		if p := self.Pattern(j.template.Pattern); j.template.Pattern != "" && p != nil {
			self = p
		}
		for _, c := range j.template.Checks {
			diags = append(diags, r.model.RunCheck(c, self, j.scope)...)
		}
		for _, ignored := range j.template.Ignores {
			diags = append(diags, r.model.Unused(self, ignored.Path, ignored.Why, j.scope)...)
		}
	}
	return diags
}

// compute computes what the templates share. Rules come first: what they refuse
// may be what a shared value cannot be computed without.
func (r *run) compute() hcl.Diagnostics {
	lets := []*blueprints.Instance{}
	for _, c := range r.model.Components {
		if s := r.subs[c]; s != nil {
			lets = append(lets, s.let)
		}
	}
	blueprints.ComputeAhead(lets)
	var diags hcl.Diagnostics
	for _, j := range r.jobs {
		j.subject.let.Compute()
		diags = append(diags, j.subject.let.Problems()...)
	}
	return diags
}

// fold renders the blocks of all jobs, in parallel: by now every value was
// computed, so they only read.
func (r *run) fold() hcl.Diagnostics {
	sideBySide(len(r.jobs), func(i int) { r.jobs[i].fold() })
	var diags hcl.Diagnostics
	for _, j := range r.jobs {
		diags = append(diags, j.diags...)
	}
	return diags
}

// sideBySide does something for the numbers up to n, with one goroutine for each
// processor: a goroutine for each number would have to grow a stack every time.
func sideBySide(n int, do func(i int)) {
	var g errgroup.Group
	var next atomic.Int64
	for range min(n, runtime.GOMAXPROCS(0)) {
		g.Go(func() error {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
			return nil
		})
	}
	_ = g.Wait()
}

func (j *job) fold() {
	if len(j.template.Blocks) == 0 {
		return
	}
	if !j.resolveFile() {
		return
	}
	for _, block := range j.template.Blocks {
		units, diags := j.block(block)
		j.units = append(j.units, units...)
		j.diags = append(j.diags, diags...)
	}
}

func (j *job) resolveFile() bool {
	if j.template.File == nil {
		j.file = "main.tf"
		return true
	}
	v, diags := j.scope.Value(j.template.File, nil)
	j.diags = append(j.diags, diags...)
	if diags.HasErrors() {
		return false
	}
	if v.IsNull() || !v.IsKnown() || v.Type() != cty.String {
		j.diags = append(j.diags, invalid(j.template.File.Range(), "The name of a file must be a text.")...)
		return false
	}
	j.file = v.AsString()
	return true
}

func (j *job) foldScope() fold.Scope {
	return fold.Scope{Evaluator: j.scope, This: j.subject.this, File: &j.template.folded}
}
