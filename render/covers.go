package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"scaffold/blueprints"
	"scaffold/render/fold"
	"scaffold/render/yaml"
)

// Evidence is what a template says about one point of its pattern.
type Evidence struct {
	// How is "covers", "approximates" or "misses".
	How string
	By  []hclsyntax.Expression // references into the rendered output, or into the blueprint
	Why hclsyntax.Expression   // nil for "covers"

	at hcl.Range
}

// Statuses are those that a point can have by this evidence, whatever the
// blueprint; that nothing of it is rendered is left aside.
func (e Evidence) Statuses() []string {
	switch {
	case e.How == "misses":
		return []string{Missing}
	case e.How == "covers":
		return []string{Covered}
	case mayBeNull(e.Why):
		return []string{Covered, Approximated}
	}
	return []string{Approximated}
}

// mayBeNull reports whether a branch of a conditional is null.
func mayBeNull(expr hclsyntax.Expression) bool {
	switch e := expr.(type) {
	case *hclsyntax.LiteralValueExpr:
		return e.Val.IsNull()
	case *hclsyntax.ParenthesesExpr:
		return mayBeNull(e.Expression)
	case *hclsyntax.ConditionalExpr:
		return mayBeNull(e.TrueResult) || mayBeNull(e.FalseResult)
	}
	return false
}

// Coverage says how one point of one component's pattern is realised.
type Coverage struct {
	Component *blueprints.Instance
	Pattern   string
	Point     blueprints.Point
	// Status is "covered", "approximated", "missing" or "unknown": the pack
	// says nothing about the point.
	Status string
	// By are the rendered addresses that evidence it.
	By []string
	// Why it is not covered outright.
	Why string
}

func (t *Template) readCovers(how string, expr hclsyntax.Expression) hcl.Diagnostics {
	object, ok := expr.(*hclsyntax.ObjectConsExpr)
	if !ok {
		return invalid(expr.Range(), how+" takes an object: the point's id = what shows it.")
	}
	var diags hcl.Diagnostics
	for _, item := range object.Items {
		id := hcl.ExprAsKeyword(item.KeyExpr)
		e := Evidence{How: how, at: item.KeyExpr.Range()}
		switch how {
		case "covers":
			e.By = listOf(item.ValueExpr)
		case "misses":
			e.Why = item.ValueExpr
		default:
			inner, ok := item.ValueExpr.(*hclsyntax.ObjectConsExpr)
			if !ok {
				return invalid(item.ValueExpr.Range(), "approximates takes { by = [ … ], why = \"…\" } for each point.")
			}
			for _, field := range inner.Items {
				switch hcl.ExprAsKeyword(field.KeyExpr) {
				case "by":
					e.By = listOf(field.ValueExpr)
				case "why":
					e.Why = field.ValueExpr
				}
			}
		}
		if first, twice := t.Covers[id]; twice {
			diags = append(diags, claimedTwice(id, first, e))
			continue
		}
		t.Covers[id] = e
	}
	return diags
}

// claimedTwice refuses a second answer for a point: which of them counts would
// be a matter of chance.
func claimedTwice(id string, first, second Evidence) *hcl.Diagnostic {
	where := first.How + " and in " + second.How
	if first.How == second.How {
		where = second.How + " twice"
	}
	return &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: "Invalid pack", Subject: second.at.Ptr(),
		Detail: fmt.Sprintf("The point %s stands in %s. A template gives one answer for each point; leave out the other.", id, where),
		Extra:  &blueprints.Extra{Related: []blueprints.Related{{Range: first.at, Text: "the other one"}}},
	}
}

func listOf(expr hclsyntax.Expression) []hclsyntax.Expression {
	if list, ok := expr.(*hclsyntax.TupleConsExpr); ok {
		return list.Exprs
	}
	return []hclsyntax.Expression{expr}
}

// cover computes how the points of every named pattern are realised, from what
// was rendered.
func (r *run) cover() hcl.Diagnostics {
	claims := map[*blueprints.Instance]map[string][]claim{} // pattern instance -> point
	for _, j := range r.jobs {
		if j.template.Pattern == "" {
			continue
		}
		p := j.subject.instance.Pattern(j.template.Pattern)
		if claims[p] == nil {
			claims[p] = map[string][]claim{}
		}
		for id, e := range j.template.Covers {
			claims[p][id] = append(claims[p][id], claim{j, e})
		}
	}
	for _, c := range r.model.Components {
		for _, p := range c.Patterns {
			for _, point := range p.Definition.Points {
				r.addCoverage(Coverage{Component: c, Pattern: p.Kind, Point: point}, claims[p][point.ID])
			}
		}
	}
	return nil
}

// claim is the evidence that one template names for a point.
type claim struct {
	job      *job
	evidence Evidence
}

// addCoverage judges the claims for one point. Where several packs render a
// target, the best answer counts.
func (r *run) addCoverage(c Coverage, claims []claim) {
	c.Status, c.Why = Unknown, "the pack does not say how this point is realised"
	for _, cl := range claims {
		if next := r.judge(c, cl); rank(next.Status) > rank(c.Status) {
			c = next
		}
	}
	if r.result.judged == nil {
		r.result.judged = map[judgement]int{}
	}
	key := judgement{c.Component, c.Pattern, c.Point.ID}
	if i, ok := r.result.judged[key]; ok {
		if old := &r.result.Coverage[i]; rank(c.Status) > rank(old.Status) {
			*old = c
		}
		return
	}
	r.result.judged[key] = len(r.result.Coverage)
	r.result.Coverage = append(r.result.Coverage, c)
}

// judgement is what a Coverage is about.
type judgement struct {
	component      *blueprints.Instance
	pattern, point string
}

// The status of a point, from worst to best.
const (
	Unknown      = "unknown"
	Missing      = "missing"
	Approximated = "approximated"
	Covered      = "covered"
)

func rank(status string) int {
	for i, s := range []string{Unknown, Missing, Approximated, Covered} {
		if s == status {
			return i
		}
	}
	return 0
}

func (r *run) judge(c Coverage, cl claim) Coverage {
	why, outright := "", cl.evidence.How == "covers"
	if cl.evidence.Why != nil {
		if v, diags := cl.job.scope.Value(cl.evidence.Why, nil); !diags.HasErrors() {
			why, _ = plainText(v)
			outright = v.IsNull() // nothing is lacking in this blueprint
		}
	}
	if cl.evidence.How == "misses" {
		c.Status, c.Why = Missing, why
		return c
	}
	var absent []string
	c.By = nil
	for _, expr := range cl.evidence.By {
		address, found := r.evidence(cl.job, expr)
		if address == "" {
			continue
		}
		if found {
			c.By = append(c.By, address)
		} else {
			absent = append(absent, address)
		}
	}
	switch {
	case len(absent) > 0:
		c.Status, c.Why = Missing, "not in the output: "+strings.Join(absent, ", ")
	case len(c.By) == 0:
		c.Status, c.Why = Missing, "nothing that this blueprint renders shows it"
	case outright:
		c.Status, c.Why = Covered, ""
	default:
		c.Status, c.Why = Approximated, why
	}
	return c
}

// evidence looks one reference up in the output, or in the blueprint. The
// address is empty where a condition says that there is nothing to look for.
func (r *run) evidence(j *job, expr hclsyntax.Expression) (string, bool) {
	switch e := expr.(type) {
	case *hclsyntax.ParenthesesExpr:
		return r.evidence(j, e.Expression)
	case *hclsyntax.ConditionalExpr:
		on, diags := r.known(e.Condition, j.scope)
		switch {
		case diags.HasErrors():
			return "(" + diags.Error() + ")", false
		case on:
			return r.evidence(j, e.TrueResult)
		}
		return r.evidence(j, e.FalseResult)
	case *hclsyntax.ScopeTraversalExpr:
		if j.scope.Knows(e.Traversal.RootName()) {
			return r.evidenceInBlueprint(j, e)
		}
		return r.evidenceInOutput(j, e.Traversal)
	}
	return "", false
}

func (r *run) evidenceInBlueprint(j *job, e *hclsyntax.ScopeTraversalExpr) (string, bool) {
	v, used, diags := j.scope.Trace(e, nil)
	if len(used) == 0 {
		return strings.TrimSpace(string(e.SrcRange.SliceBytes(j.template.src))), false
	}
	return "blueprint: " + used[len(used)-1].Path(), !diags.HasErrors() && !v.IsNull()
}

// evidenceInOutput follows TYPE.NAME.path… in Terraform, Kind.name.path… in
// manifests, or file["NAME"].path… in what is written as YAML. Of several blocks
// or elements of a path, ["NAME"] is the one with that name.
func (r *run) evidenceInOutput(j *job, t hcl.Traversal) (string, bool) {
	var steps []string
	for _, step := range t {
		switch step := step.(type) {
		case hcl.TraverseRoot:
			steps = append(steps, step.Name)
		case hcl.TraverseAttr:
			steps = append(steps, step.Name)
		case hcl.TraverseIndex:
			if step.Key.Type() == cty.String {
				steps = append(steps, step.Key.AsString())
			}
		}
	}
	if t.RootName() == "file" && len(steps) > 1 {
		return r.evidenceInFile(j, steps[1], steps[2:])
	}
	words := named(steps, j.foldScope())
	for n := min(3, len(words)); n >= 2; n-- {
		if u := r.byAddr[strings.Join(words[:n], ".")]; u != nil {
			return strings.Join(words, "."), u.holds(words[n:])
		}
	}
	if address, ok := r.evidenceInManifests(words); ok {
		return address, true
	}
	// A neighbour may carry what a pattern is about: the pods of a mesh are those
	// of the services in it, and a breaker stands before what is called.
	for _, other := range j.subject.instance.Neighbours() {
		if address, ok := r.evidenceInManifests(named(steps, fold.Scope{This: other.Name})); ok {
			return address, true
		}
	}
	return strings.Join(words, "."), false
}

// evidenceInFile finds the file of the component that a template knows by label.
func (r *run) evidenceInFile(j *job, label string, path []string) (string, bool) {
	for _, name := range r.order {
		for _, u := range r.files[name] {
			if u.form != Content || u.block.Labels[0] != label || (u.job.subject != j.subject && strings.Contains(label, "this")) {
				continue
			}
			if u.holds(path) {
				return strings.Join(append([]string{u.file}, path...), "."), true
			}
		}
	}
	return strings.Join(append([]string{label}, path...), "."), false
}

// named gives the labels among the steps of a reference the component's name.
func named(steps []string, s fold.Scope) []string {
	words := slices.Clone(steps)
	for i := 1; i < len(words) && i < 3; i++ {
		words[i] = s.Named(words[i])
	}
	return words
}

func (r *run) evidenceInManifests(words []string) (string, bool) {
	if len(words) < 2 {
		return "", false
	}
	for _, u := range r.manifests()[[2]string{words[0], words[1]}] {
		if u.holds(words[2:]) {
			if kind := u.tree.Get("kind"); kind != nil {
				words[0] = kind.Text // it may be written as another kind
			}
			return strings.Join(words, "."), true
		}
	}
	return "", false
}

// manifests are the rendered objects by the kind and the name that templates
// know them by.
func (r *run) manifests() map[[2]string][]*unit {
	if r.objects != nil {
		return r.objects
	}
	r.objects = map[[2]string][]*unit{}
	for _, name := range r.order {
		for _, u := range r.files[name] {
			if u.form == Object {
				key := [2]string{u.block.Labels[1], u.job.foldScope().Named(u.block.Labels[2])}
				r.objects[key] = append(r.objects[key], u)
			}
		}
	}
	return r.objects
}

// holds reports whether the rendered block has something at the path.
func (u *unit) holds(path []string) bool {
	if len(path) == 0 {
		return true
	}
	if u.tree != nil {
		return treeHolds(u.tree, path)
	}
	return u.syntax != nil && bodyHolds(u.syntax, path)
}

func bodyHolds(body *hclsyntax.Body, path []string) bool {
	if attr := body.Attributes[path[0]]; attr != nil {
		return len(path) == 1 || exprHolds(attr.Expr, path[1:])
	}
	for _, b := range body.Blocks {
		blockType := b.Type
		inner := b.Body
		if blockType == "dynamic" && len(b.Labels) == 1 {
			blockType = b.Labels[0]
			if content := onlyBlock(b.Body, "content"); content != nil {
				inner = content.Body
			}
		}
		switch {
		case blockType != path[0]:
		case len(path) == 1, bodyHolds(inner, path[1:]):
			return true
		case isNamed(inner, path[1]) && (len(path) == 2 || bodyHolds(inner, path[2:])):
			return true
		}
	}
	return false
}

// isNamed reports whether a block has the argument name, and it is this.
func isNamed(body *hclsyntax.Body, name string) bool {
	attr := body.Attributes["name"]
	if attr == nil {
		return false
	}
	v, diags := attr.Expr.Value(nil)
	return !diags.HasErrors() && v.Type() == cty.String && v.IsKnown() && !v.IsNull() && v.AsString() == name
}

func exprHolds(expr hclsyntax.Expression, path []string) bool {
	if len(path) == 0 {
		return true
	}
	switch e := expr.(type) {
	case *hclsyntax.ObjectConsExpr:
		for _, item := range e.Items {
			key, diags := item.KeyExpr.Value(nil)
			if !diags.HasErrors() && key.Type() == cty.String && key.AsString() == path[0] && exprHolds(item.ValueExpr, path[1:]) {
				return true
			}
		}
		return false
	case *hclsyntax.TupleConsExpr:
		for _, item := range e.Exprs {
			if exprHolds(item, path) {
				return true
			}
		}
		return false
	}
	return true // computed by Terraform; it cannot be looked into
}

func treeHolds(n *yaml.Node, path []string) bool {
	if len(path) == 0 {
		return true
	}
	if n.Kind == yaml.Sequence {
		for _, item := range n.Items {
			if name := item.Get("name"); name != nil && name.Text == path[0] && treeHolds(item, path[1:]) || treeHolds(item, path) {
				return true
			}
		}
		return false
	}
	for _, e := range n.Entries {
		if e.Key == path[0] {
			return treeHolds(e.Value, path[1:])
		}
	}
	return false
}
