package blueprints

import (
	"fmt"
	"regexp"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Model is a blueprint resolved for one environment and one target.
type Model struct {
	Source      *Source
	Catalog     *Catalog
	Environment string // empty where the blueprint has none
	Target      string // the target's name

	// Blueprint holds name, labels, profile, environment and the list of each
	// component kind.
	Blueprint *Instance
	// TargetInstance holds the inputs of the target, and its name as "provider".
	TargetInstance *Instance
	// Components in the order of the file.
	Components []*Instance
	// Profile is nil where the blueprint names none.
	Profile *Profile
	// Exposed are the values that shall become variables, in the order of the file.
	Exposed []*Exposed

	// scope is what a user's expressions see; base what definitions see beside
	// the instance in hand.
	scope, base *Scope
	resolver    *resolver
	broken      bool // Resolve found errors
}

// Options say what to resolve a blueprint for.
type Options struct {
	Environment string
	Target      string
	// Variables are values given for the blueprint's variables.
	Variables map[string]string
}

// Resolve decodes the blueprint against the catalogue. Values are not computed
// yet, see Check. What is wrong in every environment is said by Source.Check.
func Resolve(src *Source, catalog *Catalog, opts Options) (*Model, hcl.Diagnostics) {
	m := &Model{Source: src, Catalog: catalog, Environment: opts.Environment, Target: opts.Target, resolver: &resolver{}}
	b := &builder{Model: m, layers: src.top(opts.Environment), byName: map[string]*Instance{}, byKind: map[string][]*Instance{}, named: map[[2]string][]layer{}, opts: opts}
	b.build()
	diags := append(b.diags, m.resolver.diags...)
	m.broken = diags.HasErrors() || src.problems.HasErrors()
	return m, diags
}

// builder makes the instances of a model.
type builder struct {
	*Model
	layers []layer
	byName map[string]*Instance
	byKind map[string][]*Instance
	named  map[[2]string][]layer // blocks of the layers by type and first label
	opts   Options
	expose []hcl.Expression // what shall be a variable, as it is written
	diags  hcl.Diagnostics
}

func (b *builder) add(diags hcl.Diagnostics) { b.diags = append(b.diags, diags...) }

func (b *builder) build() {
	b.scope = &Scope{roots: map[string]cty.Value{}, resolver: b.resolver}
	b.base = &Scope{roots: map[string]cty.Value{}, resolver: b.resolver}
	b.checkTopLevel()
	b.buildBlueprint()
	b.buildVariables()
	b.buildLocals()
	b.buildTarget()
	b.buildComponents()
	b.buildKinds()
	b.buildExposed()
}

// checkTopLevel complains about blocks that the language does not have.
func (b *builder) checkTopLevel() {
	kinds := b.Catalog.Names("components")
	known := append([]string{"blueprint", "target", "variable", "locals", "environment"}, kinds...)
	for _, l := range b.layers {
		inEnvironment := l.block != nil
		if inEnvironment {
			for _, attr := range sortedAttributes(l.body) {
				b.diags = append(b.diags, problem(attr.NameRange, "Unexpected argument", "An environment holds blocks only, the same as the blueprint."))
			}
		}
		for _, block := range l.body.Blocks {
			switch {
			case !contains(known, block.Type):
				b.diags = append(b.diags, problem(block.TypeRange, "Unknown block", b.unknownTop(block.Type, kinds, known)))
			case inEnvironment && (block.Type == "environment" || block.Type == "blueprint"):
				b.diags = append(b.diags, problem(block.TypeRange, "Block in the wrong place", fmt.Sprintf("%s stands beside environments, not in one. An environment changes targets, variables, locals and components.", block.Type)))
			}
		}
	}
	if len(b.Source.environments) > 0 && b.opts.Environment != "" && len(b.layers) == 1 {
		b.diags = append(b.diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Unknown environment", Detail: fmt.Sprintf("The blueprint has no environment %q.%s", b.opts.Environment, suggest(b.opts.Environment, b.Source.environments))})
	}
}

func (b *builder) unknownTop(name string, kinds, known []string) string {
	if b.Catalog.Has("patterns", name) {
		return fmt.Sprintf("%s is a pattern. It stands inside the component that it is for, not beside it.", name)
	}
	return fmt.Sprintf("There is no block %s. Components are %s.%s", name, joinNames(kinds), suggest(name, known))
}

func (b *builder) buildBlueprint() {
	block := b.Source.blueprint
	inst := &Instance{Kind: "blueprint", Name: block.Labels[0], Path: "blueprint", Range: block.DefRange()}
	b.Blueprint = inst
	if !validName(inst.Name) {
		b.diags = append(b.diags, problem(block.LabelRanges[0], "Invalid name", nameRule("blueprint", inst.Name)))
	}
	builtin := Origin{Source: "blueprint", Range: block.LabelRanges[0]}
	inst.setName("name", builtin)
	d := newDecoder(block.Body)
	profile := d.text("profile")
	d.texts("extensions")
	labels := d.expr("labels")
	b.readExpose(d.expr(exposeWord))
	d.unknown()
	b.add(d.diags)
	b.readProfile(profile, d.expr("profile"))
	inst.Set("profile", nullable(profile), builtin)
	inst.Set("environment", nullable(b.Environment), builtin)
	b.setLabels(inst, labels)
	b.base.roots["blueprint"] = inst.Ref()
	b.scope.roots["blueprint"] = inst.Ref()
}

func (b *builder) setLabels(inst *Instance, expr hcl.Expression) {
	if expr == nil {
		inst.Set("labels", cty.MapValEmpty(cty.String), Origin{Source: "default", Range: inst.Range})
		return
	}
	a := inst.SetExpr("labels", expr, b.scope, "blueprint")
	a.input = &Input{Name: "labels", Type: &Type{wrap: "map", elem: &Type{plain: cty.String, Name: "string"}, Name: "map(string)"}, Matches: labelRule,
		Hint: "a label: up to 63 lower case letters, digits, hyphens, underscores and dots, starting and ending with a letter or digit"}
}

// labelRule holds for labels in Google Cloud, Kubernetes and AWS alike.
var labelRule = wholly(`[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?`)

func (b *builder) readProfile(id string, expr hcl.Expression) {
	if id == "" {
		return
	}
	p, diags := b.Catalog.Profile(id)
	b.add(diags)
	if p == nil && !diags.HasErrors() {
		b.diags = append(b.diags, problem(expr.Range(), "Unknown profile", fmt.Sprintf("There is no profile %q. Profiles are %s.%s", id, joinNames(b.Catalog.Names("profiles")), suggest(id, b.Catalog.Names("profiles")))))
	}
	b.Profile = p
}

func nullable(s string) cty.Value {
	if s == "" {
		return cty.NullVal(cty.String)
	}
	return cty.StringVal(s)
}

func (b *builder) buildVariables() {
	vars := &Instance{Kind: "var", Path: "var"}
	known := map[string]bool{}
	for _, l := range layersOf(b.layers, "variable", "") {
		if len(l.block.Labels) != 1 {
			b.diags = append(b.diags, problem(l.block.DefRange(), "Missing name", `A variable needs a name: variable "image_tag" { … }.`))
			continue
		}
		name := l.block.Labels[0]
		known[name] = true
		if !hclsyntax.ValidIdentifier(name) {
			b.diags = append(b.diags, problem(l.block.LabelRanges[0], "Invalid name", fmt.Sprintf("%s is no name for a variable, for var.%s could not be read. Use letters, digits and underscores, and start with a letter.", quote(name), name)))
			continue
		}
		b.buildVariable(vars, name, l)
	}
	for _, name := range mapKeys(b.opts.Variables) {
		if !known[name] {
			b.diags = append(b.diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Unknown variable", Detail: fmt.Sprintf("A value was given for %q, which the blueprint does not declare.%s", name, suggest(name, mapKeys(known)))})
		}
	}
	b.scope.roots["var"] = vars.Ref()
}

func (b *builder) buildVariable(vars *Instance, name string, l layer) {
	d := newDecoder(l.body)
	in := &Input{Name: name, Type: &Type{plain: cty.DynamicPseudoType, Name: "any"}, Default: d.expr("default"), Summary: d.text("description"), Decl: l.block.DefRange()}
	if expr := d.expr("type"); expr != nil {
		t, diags := parseType(expr)
		b.add(diags)
		in.Type = t
	}
	d.unknown()
	b.add(d.diags)
	if text, ok := b.opts.Variables[name]; ok {
		b.setVariable(vars, in, text)
		return
	}
	if in.Default == nil {
		b.diags = append(b.diags, problem(l.block.DefRange(), "Variable without a value", fmt.Sprintf("The variable %s has no default. Give it a value with --var %s=…, or a default.", name, name)))
		vars.Set(name, cty.DynamicVal, Origin{Source: "variable", Range: in.Decl})
		return
	}
	vars.SetExpr(name, in.Default, b.scope, l.source).input = in
}

// setVariable takes a value from outside: as it is for a text, else as an HCL
// expression, as Terraform does.
func (b *builder) setVariable(vars *Instance, in *Input, text string) {
	v := cty.StringVal(text)
	if in.Type.plain != cty.NilType && in.Type.plain != cty.String && in.Type.plain != cty.DynamicPseudoType {
		expr, diags := hclsyntax.ParseExpression([]byte(text), "--var "+in.Name, hcl.InitialPos)
		if !diags.HasErrors() {
			if parsed, diags := expr.Value(nil); !diags.HasErrors() {
				v = parsed
			}
		}
	}
	given := *in
	given.Name = "--var " + in.Name
	out, diags := given.accept(v, hcl.StaticExpr(v, in.Decl))
	b.add(diags)
	vars.Set(in.Name, out, Origin{Source: "variable", Range: in.Decl})
}

func (b *builder) buildLocals() {
	locals := &Instance{Kind: "local", Path: "local"}
	for _, l := range layersOf(b.layers, "locals", "") {
		for _, attr := range sortedAttributes(l.body) {
			locals.SetExpr(attr.Name, attr.Expr, b.scope, l.source)
		}
		for _, block := range l.body.Blocks {
			b.diags = append(b.diags, problem(block.TypeRange, "Unknown block", "A locals block holds arguments only."))
		}
	}
	b.scope.roots["local"] = locals.Ref()
}

func (b *builder) buildTarget() {
	layers := layersOf(b.layers, "target", b.Target)
	inst := &Instance{Kind: "target", Name: b.Target, Path: "target." + b.Target}
	b.TargetInstance = inst
	for _, l := range layersOf(b.layers, "target", "") {
		switch {
		case len(l.block.Labels) != 1:
			b.diags = append(b.diags, problem(l.block.DefRange(), "Missing name", fmt.Sprintf(`A target takes one label, its name: target %q { … }. Targets are %s.`, b.Target, joinNames(b.Catalog.Names("targets")))))
		case !b.Catalog.Has("targets", l.block.Labels[0]):
			names := b.Catalog.Names("targets")
			b.diags = append(b.diags, problem(l.block.LabelRanges[0], "Unknown target", fmt.Sprintf("There is no target %q. Targets are %s.%s", l.block.Labels[0], joinNames(names), suggest(l.block.Labels[0], names))))
		case !contains(b.Source.targets, l.block.Labels[0]):
			b.diags = append(b.diags, problem(l.block.DefRange(), "Target of one environment only", fmt.Sprintf("An environment changes targets and does not add any. Add the block target %q { … } beside the environments; --env and --target choose what is rendered.", l.block.Labels[0])))
		}
	}
	def, diags := b.Catalog.Target(b.Target)
	b.add(diags)
	if def == nil || len(layers) == 0 {
		return
	}
	inst.Range, inst.Definition = layers[0].block.DefRange(), def
	inst.Set("provider", cty.StringVal(b.Target), Origin{Source: "blueprint", Range: inst.Range})
	b.fill(inst, layers, b.base.With(map[string]cty.Value{"self": inst.Ref(), "target": inst.Ref()}), nil)
	b.base.roots["target"] = inst.Ref()
	if attr, _ := find(layers, exposeWord); attr != nil && def.input(exposeWord) == nil {
		b.readExpose(attr.Expr)
	}
}

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// maxName leaves room for what packs add in names with a limit of 32
// characters (load balancers) and 40 (cache clusters).
const maxName = 24

// ValidName reports whether s can be the name of a blueprint or a component.
func ValidName(s string) bool { return validName(s) }

func validName(s string) bool { return len(s) <= maxName && namePattern.MatchString(s) && s != "this" }

func nameRule(kind, name string) string {
	if name == "this" {
		return fmt.Sprintf("this is no name for %s: in templates it stands for the component in hand. Choose another one.", indefinite(kind))
	}
	return fmt.Sprintf("%s is no name for %s. A name is up to %d lower case letters, digits and single hyphens, starting with a letter; it becomes part of DNS names and resource names.", quote(name), indefinite(kind), maxName)
}

// buildKinds makes the names KIND.NAME of blueprints and the lists of
// components that definitions see.
func (b *builder) buildKinds() {
	for _, kind := range b.Catalog.Names("components") {
		def, diags := b.Catalog.Component(kind)
		b.add(diags)
		if def == nil {
			continue
		}
		space := &Instance{Kind: kind, Path: kind, Range: def.Range}
		var refs []cty.Value
		for _, inst := range b.byKind[kind] {
			space.Set(inst.Name, inst.Ref(), Origin{Source: "blueprint", Range: inst.Range})
			refs = append(refs, inst.Ref())
		}
		list := cty.ListValEmpty(refType)
		if len(refs) > 0 {
			list = cty.ListVal(refs)
		}
		b.scope.roots[kind] = space.Ref()
		b.Blueprint.Set(def.Plural, list, Origin{Source: "blueprint", Range: b.Blueprint.Range}).refs = true
	}
	b.setReferrers()
}

// setReferrers gives every component the list of those that refer to it, so
// that a definition need not search all components for them.
func (b *builder) setReferrers() {
	for _, from := range b.Components {
		seen := map[*Instance]bool{}
		for _, a := range from.Attrs() {
			if a.input == nil || !a.input.Type.IsRef() {
				continue
			}
			v := b.resolver.force(a).val
			if v.IsNull() || !v.IsKnown() {
				continue
			}
			_ = cty.Walk(v, func(_ cty.Path, e cty.Value) (bool, error) {
				if to := instanceOf(e); to != nil && !seen[to] {
					seen[to] = true
					from.referred = append(from.referred, to)
					to.referrers = append(to.referrers, from)
				}
				return true, nil
			})
		}
	}
	for _, inst := range b.Components {
		list := cty.ListValEmpty(refType)
		if len(inst.referrers) > 0 {
			var refs []cty.Value
			for _, from := range inst.referrers {
				refs = append(refs, from.Ref())
			}
			list = cty.ListVal(refs)
		}
		inst.Set("referrers", list, Origin{Source: "blueprint", Range: inst.Range})
	}
}

// PatternIDs lists the ids of all patterns that the blueprint names.
func (m *Model) PatternIDs() []string {
	seen := map[string]bool{}
	for _, c := range m.Components {
		for _, p := range c.Patterns {
			seen[p.Kind] = true
		}
	}
	ids := mapKeys(seen)
	sort.Strings(ids)
	return ids
}

// Find gives a value by its path, such as "service.web.auto_scaling_group.max",
// nil if there is none.
func (m *Model) Find(path string) *Attr {
	words := strings.Split(path, ".")
	at := m.start(&words)
	for i, word := range words {
		if at == nil {
			return nil
		}
		a := at.attrs[word]
		if a == nil || i == len(words)-1 {
			return a
		}
		at = instanceOf(a.Value())
	}
	return nil
}

// FindInstance gives a component, pattern or nested block by its path, such as
// "service.web.auto_scaling_group"; nil if there is none.
func (m *Model) FindInstance(path string) *Instance {
	words := strings.Split(path+".", ".")
	at := m.start(&words)
	for _, word := range words[:len(words)-1] {
		if at == nil {
			return nil
		}
		a := at.attrs[word]
		if a == nil {
			return nil
		}
		at = instanceOf(a.Value())
	}
	return at
}

// start is the instance that the first words of a path name; words loses them.
func (m *Model) start(words *[]string) *Instance {
	w := *words
	switch {
	case len(w) > 1 && w[0] == "blueprint":
		*words = w[1:]
		return m.Blueprint
	case len(w) > 1 && w[0] == "target":
		*words = w[1:]
		if len(w) > 2 && w[1] == m.Target {
			*words = w[2:]
		}
		return m.TargetInstance
	}
	for _, c := range m.Components {
		if len(w) > 2 && c.Kind == w[0] && c.Name == w[1] {
			*words = w[2:]
			return c
		}
	}
	return nil
}
