package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"scaffold/blueprints"
	"scaffold/render/fold"
)

// variablesFile is where exposed values are declared.
const variablesFile = "variables.tf"

// exposing watches, over all packs of one render, what becomes of the values
// that the blueprint exposes. A variable is sound only if nothing else was
// computed from its value: that would stay as it is when the variable is set. So
// whatever the engine turns into a value is asked what it was computed from.
type exposing struct {
	model *blueprints.Model
	eye   *blueprints.Watch
	pack  *Pack // that is rendered

	mu     sync.Mutex
	closed bool // what is evaluated from here on is not rendered
	fixed  map[*blueprints.Exposed]map[hcl.Range]fixture
	used   map[*blueprints.Exposed]bool
}

// fixture is an expression that became a value though it depends on an exposed
// one, and what that was computed from.
type fixture struct {
	at   hcl.Range
	says string
	used []*blueprints.Attr
}

// newExposing is nil for a blueprint that exposes nothing.
func newExposing(m *blueprints.Model) *exposing {
	if len(m.Exposed) == 0 {
		return nil
	}
	x := &exposing{model: m, fixed: map[*blueprints.Exposed]map[hcl.Range]fixture{}, used: map[*blueprints.Exposed]bool{}}
	x.eye = &blueprints.Watch{Exposed: m.Exposed, Fixed: func(expr hcl.Expression, of []*blueprints.Exposed, used []*blueprints.Attr) {
		x.fix(fixture{expr.Range(), "this is decided by it", used}, of)
	}}
	x.eye.Inline = x.inline
	return x
}

// open begins to watch: what is evaluated from here on is for something rendered.
func (x *exposing) open(pack *Pack) *exposing {
	if x != nil {
		x.closed, x.pack = false, pack
	}
	return x
}

func (x *exposing) watch(s *blueprints.Scope) *blueprints.Scope {
	if x == nil {
		return s
	}
	return s.Watched(x.eye)
}

func (x *exposing) fix(f fixture, of []*blueprints.Exposed) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return
	}
	for _, e := range of {
		if x.fixed[e] == nil {
			x.fixed[e] = map[hcl.Range]fixture{}
		}
		x.fixed[e][f.at] = f
	}
}

// maxInline is how long an expression may become that takes the place of a value:
// what nobody can read is refused.
const maxInline = 160

// inline folds a rule until only variables are left in it, on one line.
func (x *exposing) inline(rule hclsyntax.Expression, scope *blueprints.Scope) string {
	src := x.source(rule.Range().Filename)
	if src == nil {
		return ""
	}
	out, diags := fold.Expression(src, rule, fold.Scope{Evaluator: scope, Keep: scope.Keep})
	text := strings.TrimSpace(out.String())
	if !strings.Contains(text, `"`) {
		text = strings.Join(strings.Fields(text), " ")
	}
	variables := slices.ContainsFunc(out.Segments, func(s fold.Segment) bool { return s.Kept })
	if !variables || diags.HasErrors() || len(text) > maxInline || strings.ContainsAny(text, "\n#") || strings.Contains(text, "//") || strings.Contains(text, "/*") {
		return ""
	}
	return text
}

// source is a file of definitions, of the pack in hand, or the blueprint.
func (x *exposing) source(name string) []byte {
	if f := x.model.Catalog.Sources()[name]; f != nil {
		return f.Bytes
	}
	if f := x.pack.Sources()[name]; f != nil {
		return f.Bytes
	}
	if f := x.model.Source.Files[name]; f != nil {
		return f.Bytes
	}
	return nil
}

// expose declares the variables that the files of the run use.
func (r *run) expose() hcl.Diagnostics {
	x := r.exposing
	if x == nil {
		return nil
	}
	var used []*blueprints.Exposed
	for _, e := range r.model.Exposed {
		if r.uses("var." + e.Name) {
			used = append(used, e)
			x.used[e] = true
		}
	}
	promises := r.promises(used)
	r.promiseComputed(promises)
	x.closed = true // until the next pack is rendered
	var diags hcl.Diagnostics
	for _, e := range used {
		u := r.variable(e, promises[e])
		if other := r.byAddr[u.address]; other != nil {
			diags = append(diags, &hcl.Diagnostic{
				Severity: hcl.DiagError, Summary: "Two variables with one name", Subject: e.Expr.Range().Ptr(),
				Detail: fmt.Sprintf("%s would become %s, and the pack has a variable of that name. Give the component another name, or do not expose the value.", e.Attr.Path(), u.address),
				Extra:  &blueprints.Extra{Related: []blueprints.Related{{Range: other.at(), Text: "the pack's variable"}}},
			})
			continue
		}
		diags = append(diags, r.place(u)...)
	}
	return diags
}

// uses reports whether a variable was written in place of a value.
func (r *run) uses(variable string) bool {
	for _, name := range r.order {
		for _, u := range r.files[name] {
			if holds(u.text, variable) {
				return true
			}
		}
	}
	return false
}

// exposedAs is where the blueprint asks for the variable that text is.
func (j *job) exposedAs(text string) hcl.Range {
	if j.declares != nil {
		return j.declares.Expr.Range()
	}
	if j.exposing != nil {
		for _, e := range j.exposing.model.Exposed {
			if mentions(text, "var."+e.Name) {
				return e.Expr.Range()
			}
		}
	}
	return hcl.Range{}
}

// promise is a rule as a variable keeps it: a condition and what to say.
type promise struct{ condition, message string }

// promises are the rules that speak of exposed values, folded until only their
// variables are left. What cannot be folded that far is noted.
func (r *run) promises(used []*blueprints.Exposed) map[*blueprints.Exposed][]promise {
	out := map[*blueprints.Exposed][]promise{}
	if len(used) == 0 {
		return out
	}
	note := func(check *blueprints.Check, code string, src []byte, scope *blueprints.Scope) {
		expr, ok := check.Condition.(hclsyntax.Expression)
		if !ok || check.Warning {
			return
		}
		eye := &blueprints.Watch{Exposed: used, Inline: r.exposing.inline, Fixed: func(_ hcl.Expression, of []*blueprints.Exposed, by []*blueprints.Attr) {
			r.exposing.fix(fixture{check.Decl, "the rule " + code, by}, of)
		}}
		v, by, _ := scope.Trace(expr, nil)
		of := eye.Touched(by)
		if len(of) == 0 || !v.RawEquals(cty.True) { // a rule that is not met was answered by the user
			return
		}
		scope = scope.Watched(eye)
		text, diags := fold.Expression(src, expr, fold.Scope{Evaluator: scope, Keep: scope.Keep})
		if diags.HasErrors() {
			r.exposing.fix(fixture{check.Decl, "the rule " + code, by}, of)
			return
		}
		for _, e := range of {
			if holds(text, "var."+e.Name) {
				out[e] = append(out[e], promise{strings.TrimSpace(text.String()), fmt.Sprintf("The rule %s would not be met. Other values have to change with this one: change it in the blueprint.", code)})
				return
			}
		}
	}
	sources := r.model.Catalog.Sources()
	r.model.Rules(func(check *blueprints.Check, inst *blueprints.Instance) {
		if f := sources[check.Condition.Range().Filename]; f != nil {
			note(check, inst.Definition.ID+"."+check.ID, f.Bytes, r.model.ScopeOf(inst))
		}
	})
	for _, j := range r.jobs {
		for _, check := range j.template.Checks {
			note(check, j.template.Name+"."+check.ID, j.template.src, j.scope)
		}
	}
	return out
}

// mentions reports whether an expression has the variable in it.
func mentions(text, variable string) bool {
	return slices.Contains(strings.FieldsFunc(text, func(r rune) bool {
		return r != '_' && r != '.' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}), variable)
}

// promiseComputed adds what holds of inputs whose default is computed from an
// exposed value.
func (r *run) promiseComputed(promises map[*blueprints.Exposed][]promise) {
	eye := r.exposing.eye
	computed := map[string][]promise{}
	first := map[string]*blueprints.Exposed{}
	eye.Inlined(func(a *blueprints.Attr, in *blueprints.Input, text string) {
		if in != nil {
			computed[a.Path()] = limits(in, "("+text+")", a.Path()+", which is computed from it, must be ")
			first[a.Path()] = eye.Touched([]*blueprints.Attr{a})[0]
		}
	})
	for _, path := range slices.Sorted(maps.Keys(computed)) {
		promises[first[path]] = append(promises[first[path]], computed[path]...)
	}
}

func holds(text fold.Output, variable string) bool {
	return slices.ContainsFunc(text.Segments, func(s fold.Segment) bool { return s.Kept && mentions(s.Text, variable) })
}

// variable is the block that declares an exposed value.
func (r *run) variable(e *blueprints.Exposed, rules []promise) *unit {
	v := e.Attr.Value()
	name := "var." + e.Name
	var segments []fold.Segment
	add := func(s string) { segments = append(segments, fold.Segment{Text: s, Source: e.Expr.Range()}) }
	add(fmt.Sprintf("variable %q {\n  description = %s\n  type = %s\n  default = ", e.Name, text(cty.StringVal(e.Describe())), v.Type().FriendlyName()))
	segments = append(segments, fold.Segment{Text: text(v), Source: e.Expr.Range(), Expr: e.Expr})
	add("\n  nullable = false\n")
	seen := map[string]bool{}
	for _, p := range append(limits(e.Input, name, "It must be "), rules...) {
		if seen[p.condition] {
			continue // two rules that ask for the same
		}
		seen[p.condition] = true
		add(fmt.Sprintf("\n  validation {\n    condition = %s\n    error_message = %s\n  }\n", p.condition, text(cty.StringVal(p.message))))
	}
	add("}\n")
	block := &hclsyntax.Block{Type: "variable", Labels: []string{e.Name}, Body: &hclsyntax.Body{}, TypeRange: e.Expr.Range()}
	j := &job{template: &Template{}, subject: &subject{instance: e.Attr.Owner.Component()}, scope: r.model.UserScope(), file: variablesFile, declares: e}
	return &unit{form: Config, job: j, block: block, address: name, shared: true, text: fold.Output{Segments: segments}}
}

// text is a value as Terraform reads it.
func text(v cty.Value) string { return string(hclwrite.TokensForValue(v).Bytes()) }

// limits are what the definition of an input says of its value, which is written
// as an expression.
func limits(in *blueprints.Input, value, must string) []promise {
	var out []promise
	bounds := func(limits []cty.Value, what, says string) {
		var parts, words []string
		for i, sign := range []string{">=", "<="} {
			if i < len(limits) && !limits[i].IsNull() {
				parts = append(parts, what+" "+sign+" "+text(limits[i]))
				words = append(words, []string{"at least ", "at most "}[i]+text(limits[i]))
			}
		}
		if len(parts) > 0 {
			out = append(out, promise{strings.Join(parts, " && "), says + strings.Join(words, " and ") + "."})
		}
	}
	bounds(in.Range, value, must)
	bounds(in.Length, "length("+value+")", must+"a text or list whose length is ")
	if in.OneOf != nil {
		var choices []string
		for _, c := range in.OneOf {
			choices = append(choices, text(c))
		}
		list := strings.Join(choices, ", ")
		out = append(out, promise{"contains([" + list + "], " + value + ")", must + "one of " + list + "."})
	}
	if in.Matches != nil {
		hint := in.Hint
		if hint == "" {
			hint = "a text that matches " + in.Matches.String()
		}
		out = append(out, promise{"can(regex(" + text(cty.StringVal(`\A(?:`+in.Matches.String()+`)\z`)) + ", " + value + "))", must + hint + "."})
	}
	return out
}

// judge refuses a variable whose value something else was computed from, and says
// so where no variable came about.
func (x *exposing) judge(result *Result) hcl.Diagnostics {
	if x == nil {
		return nil
	}
	config := false
	for _, f := range result.Files {
		config = config || f.Form == Config
	}
	var diags hcl.Diagnostics
	for _, e := range x.model.Exposed {
		path, at := e.Attr.Path(), e.Expr.Range().Ptr()
		fixed := x.fixed[e]
		switch {
		case !config:
			diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "No variables here", Subject: at,
				Detail: fmt.Sprintf("The target %s renders no Terraform, and manifests have no variables: %s stays as it is.", x.model.Target, path)})
		case len(fixed) > 0:
			diags = append(diags, x.refuse(e, fixed))
		case !x.used[e]:
			diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Variable without use", Subject: at,
				Detail: fmt.Sprintf("Nothing that is rendered for the target %s holds the value of %s, so there is no variable.", x.model.Target, path)})
		}
	}
	return diags
}

func (x *exposing) refuse(e *blueprints.Exposed, fixed map[hcl.Range]fixture) *hcl.Diagnostic {
	all := make([]fixture, 0, len(fixed))
	for _, f := range fixed {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b fixture) int {
		return strings.Compare(a.at.Filename, b.at.Filename)*2 + max(-1, min(1, a.at.Start.Byte-b.at.Start.Byte))
	})
	var values []string
	lines := map[string]bool{}
	extra := &blueprints.Extra{}
	for _, f := range all {
		line := fmt.Sprintf("%s:%d", f.at.Filename, f.at.Start.Line)
		if !lines[line] && len(extra.Related) < maxRelated {
			extra.Related = append(extra.Related, blueprints.Related{Range: f.at, Text: f.says})
		}
		lines[line] = true
		for _, a := range f.used {
			if text := a.Path() + " = " + a.Show(); a != e.Attr && !a.Structural() && a.Owner.Definition != nil && slices.Contains(x.eye.Touched([]*blueprints.Attr{a}), e) && !slices.Contains(values, text) {
				values = append(values, text)
			}
		}
	}
	slices.Sort(values)
	why := "It decides what is rendered, which would stay as it is"
	if len(values) > 0 {
		why = "Others are computed from it (" + strings.Join(values, ", ") + ") and would stay as they are"
	}
	return &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: "Cannot be exposed", Subject: e.Expr.Range().Ptr(), Extra: extra,
		Detail: fmt.Sprintf("For the target %s, %s cannot be a variable. %s when somebody sets the variable. Leave it out of expose and change it in the blueprint, where everything follows.", x.model.Target, e.Attr.Path(), why),
	}
}

// maxRelated keeps a diagnostic readable.
const maxRelated = 4
