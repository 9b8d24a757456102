package blueprints

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// buildComponents makes an instance of every component block. An environment
// adds to a component of the same kind and name, or brings a new one.
func (b *builder) buildComponents() {
	for _, l := range b.layers {
		for _, block := range l.body.Blocks {
			if len(block.Labels) > 0 {
				key := [2]string{block.Type, block.Labels[0]}
				b.named[key] = append(b.named[key], layer{source: l.source, body: block.Body, block: block})
			}
		}
	}
	for i, l := range b.layers {
		for _, block := range l.body.Blocks {
			if b.Catalog.Has("components", block.Type) {
				b.buildComponent(block, i > 0)
			}
		}
	}
}

func (b *builder) buildComponent(block *hclsyntax.Block, inEnvironment bool) {
	if len(block.Labels) != 1 {
		b.diags = append(b.diags, problem(block.DefRange(), "Missing name", fmt.Sprintf(`A %s needs one name: %s "NAME" { … }.`, block.Type, block.Type)))
		return
	}
	name := block.Labels[0]
	if earlier := b.byName[name]; earlier != nil {
		b.checkTwice(earlier, block, inEnvironment)
		if earlier.Kind == block.Type {
			return
		}
	} else if !validName(name) {
		b.diags = append(b.diags, problem(block.LabelRanges[0], "Invalid name", nameRule(block.Type, name)))
	}
	// It is built in spite of its name, so that what refers to it is no second mistake.
	def, diags := b.Catalog.Component(block.Type)
	b.add(diags)
	if def == nil {
		return
	}
	inst := &Instance{Kind: block.Type, Name: name, Path: block.Type + "." + name, Range: block.DefRange(), Definition: def}
	if b.byName[name] == nil {
		b.byName[name] = inst
	}
	b.byKind[inst.Kind] = append(b.byKind[inst.Kind], inst)
	b.Components = append(b.Components, inst)
	builtin := Origin{Source: "blueprint", Range: block.LabelRanges[0]}
	inst.setName("name", builtin)
	inst.Set("kind", cty.StringVal(block.Type), builtin)
	b.fillComponent(inst, b.named[[2]string{block.Type, name}])
}

// setName makes the instance's name a value of it. One that breaks the rule for
// names was reported, and what would be computed from it is not.
func (i *Instance) setName(attr string, origin Origin) {
	if validName(i.Name) {
		i.Set(attr, cty.StringVal(i.Name), origin)
		return
	}
	i.Set(attr, cty.DynamicVal, origin).failed = true
}

// checkTwice refuses a second block of a name, unless it is an environment's
// block for the same component.
func (b *builder) checkTwice(earlier *Instance, block *hclsyntax.Block, inEnvironment bool) {
	if inEnvironment && earlier.Kind == block.Type {
		return
	}
	b.diags = append(b.diags, &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: "Name given twice",
		Detail:  fmt.Sprintf("%s %q has the name of %s. Names are unique over all kinds, for they become names of resources; give one of the two another name.", block.Type, block.Labels[0], earlier.Path),
		Subject: block.LabelRanges[0].Ptr(), Extra: &Extra{Related: []Related{{Range: earlier.Range, Text: earlier.Path + " is here"}}},
	})
}

func (b *builder) fillComponent(inst *Instance, layers []layer) {
	layers = b.withOverrides(inst, layers)
	scope := b.base.With(map[string]cty.Value{"self": inst.Ref(), "component": inst.Ref(), inst.Kind: inst.Ref()})
	patterns := b.patternLayers(inst, layers)
	b.dropBases(inst, patterns)
	all := layers
	if b.Profile != nil {
		if body, ok := b.Profile.Defaults[inst.Kind]; ok {
			all = append([]layer{{source: "profile " + b.Profile.ID, body: body.(*hclsyntax.Body)}}, layers...)
		}
	}
	b.fill(inst, all, scope, func(block *hclsyntax.Block) bool {
		return b.Catalog.Has("patterns", block.Type) || b.Catalog.Has("targets", block.Type)
	})
	for _, id := range b.Catalog.Names("patterns") {
		own, ok := patterns[id]
		if !ok {
			if inst.attrs[id] == nil {
				inst.Set(id, cty.NullVal(refType), Origin{Source: "scaffold", Range: inst.Range})
			}
			continue
		}
		b.buildPattern(inst, id, own, scope)
	}
}

// withOverrides puts the target's own blocks ("aws { … }" in a component) over
// the layer they stand in.
func (b *builder) withOverrides(inst *Instance, layers []layer) []layer {
	var out []layer
	for _, l := range layers {
		out = append(out, l)
		b.warnOverrides(inst, l)
		for _, block := range l.body.Blocks {
			if block.Type == b.Target && inst.Definition.block(block.Type) == nil && b.Catalog.Has("targets", block.Type) {
				out = append(out, layer{source: l.source, body: block.Body, block: block})
			}
		}
	}
	return out
}

// warnOverrides tells of overrides that hold for no target of the blueprint.
func (b *builder) warnOverrides(inst *Instance, l layer) {
	for _, block := range l.body.Blocks {
		if b.Catalog.Has("targets", block.Type) && inst.Definition.block(block.Type) == nil && !contains(b.Source.targets, block.Type) {
			b.diags = append(b.diags, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Override without its target", Subject: block.TypeRange.Ptr(),
				Detail: fmt.Sprintf("The blueprint has no target %q, so what stands in this block is not used, nor checked. Add the target, or drop the block.", block.Type)})
		}
	}
}

// patternLayers finds the patterns that the component names, and refuses those
// that are not for its kind.
func (b *builder) patternLayers(inst *Instance, layers []layer) map[string][]layer {
	out := map[string][]layer{}
	for _, l := range layers {
		for _, block := range l.body.Blocks {
			id := block.Type
			if !b.Catalog.Has("patterns", id) || inst.Definition.block(id) != nil {
				continue
			}
			def, diags := b.Catalog.Pattern(id)
			b.add(diags)
			if def == nil {
				continue
			}
			if !contains(def.Attaches, inst.Kind) {
				b.diags = append(b.diags, problem(block.TypeRange, "Pattern in the wrong place", fmt.Sprintf("%s (%s) is for %s, and %s is %s. Move it there, or drop it.", id, def.Title, either(def.Attaches), inst.Path, indefinite(inst.Kind))))
				continue
			}
			if len(block.Labels) > 0 {
				b.diags = append(b.diags, problem(block.LabelRanges[0], "Unexpected label", fmt.Sprintf("%s takes no label: a component names a pattern once.", id)))
			}
			if twiceInLayer(out[id], l) {
				b.diags = append(b.diags, problem(block.DefRange(), "Pattern given twice", fmt.Sprintf("%s names %s twice. Merge the two blocks.", inst.Path, id)))
				continue
			}
			out[id] = append(out[id], layer{source: l.source, body: block.Body, block: block})
		}
	}
	return out
}

// dropBases refuses a pattern beside another that elaborates it, and two that
// elaborate the same one: under the base's name there can be one of them only.
func (b *builder) dropBases(inst *Instance, patterns map[string][]layer) {
	owner := map[string]string{} // base pattern -> the pattern that stands for it
	for _, id := range mapKeys(patterns) {
		def, _ := b.Catalog.Pattern(id)
		if def.Extends == "" {
			continue
		}
		other := def.Extends
		if owner[def.Extends] != "" {
			other = owner[def.Extends]
		}
		owner[def.Extends] = id
		if patterns[other] == nil {
			continue
		}
		d := problem(patterns[id][0].block.TypeRange, "Pattern beside its elaboration",
			fmt.Sprintf("%s names %s and %s. %s", inst.Path, other, id, b.whyOne(other, def)))
		d.Extra = &Extra{Related: []Related{{Range: patterns[other][0].block.DefRange(), Text: other + " is named here"}}}
		b.diags = append(b.diags, d)
		delete(patterns, other)
	}
}

func (b *builder) whyOne(other string, def *Definition) string {
	if other == def.Extends {
		return fmt.Sprintf("%s is %s worked out further and takes all its inputs. Name one of the two.", def.ID, other)
	}
	return fmt.Sprintf("Both work %s out further. Name one of the two.", def.Extends)
}

// twiceInLayer reports whether a layer's body gave the pattern before.
func twiceInLayer(earlier []layer, l layer) bool {
	for _, e := range earlier {
		for _, block := range l.body.Blocks {
			if block == e.block {
				return true
			}
		}
	}
	return false
}

func (b *builder) buildPattern(inst *Instance, id string, layers []layer, scope *Scope) {
	def, _ := b.Catalog.Pattern(id)
	p := &Instance{Kind: id, Path: inst.Path + "." + id, Range: layers[0].block.DefRange(), Definition: def, Parent: inst}
	inst.Patterns = append(inst.Patterns, p)
	p.Set("kind", cty.StringVal(id), Origin{Source: "blueprint", Range: p.Range})
	origin := Origin{Source: "blueprint", Range: p.Range}
	inst.Set(id, p.Ref(), origin)
	if def.Extends != "" && (inst.attrs[def.Extends] == nil || inst.attrs[def.Extends].val.IsNull()) {
		inst.Set(def.Extends, p.Ref(), origin)
	}
	b.fill(p, b.withProfile(inst.Kind, def, layers), scope.With(map[string]cty.Value{"self": p.Ref()}), nil)
}

// withProfile puts the profile's defaults for a pattern under its layers, and
// those for the pattern that it elaborates under these.
func (b *builder) withProfile(kind string, def *Definition, layers []layer) []layer {
	if b.Profile == nil {
		return layers
	}
	body, ok := b.Profile.Defaults[kind]
	if !ok {
		return layers
	}
	base := []layer{{source: "profile " + b.Profile.ID, body: body.(*hclsyntax.Body)}}
	var defaults []layer
	if def.Extends != "" {
		defaults = layersOf(base, def.Extends, "")
	}
	defaults = append(defaults, layersOf(base, def.ID, "")...)
	for i := range defaults {
		defaults[i].block = nil
	}
	return append(defaults, layers...)
}

// fill sets the values of an instance from its definition and the layers that
// have a say. Blocks that skip accepts are somebody else's.
func (b *builder) fill(inst *Instance, layers []layer, scope *Scope, skip func(*hclsyntax.Block) bool) {
	def := inst.Definition
	b.checkMembers(inst, layers, skip)
	for _, in := range def.Inputs {
		b.fillInput(inst, in, layers, scope)
	}
	for _, d := range def.Derived {
		if d.Value != nil {
			inst.SetExpr(d.Name, d.Value, scope, "derived")
		}
	}
	for _, block := range def.Blocks {
		b.fillBlock(inst, block, layersOf(layers, block.ID, ""), scope)
	}
}

func (b *builder) fillInput(inst *Instance, in *Input, layers []layer, scope *Scope) {
	attr, l := find(layers, in.Name)
	switch {
	case attr != nil && strings.HasPrefix(l.source, "profile "):
		inst.SetExpr(in.Name, attr.Expr, scope, l.source).input = in
	case attr != nil:
		inst.SetExpr(in.Name, attr.Expr, b.scope, l.source).input = in
		if in.Deprecated != "" {
			b.diags = append(b.diags, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Deprecated argument", Detail: fmt.Sprintf("%s is deprecated: %s.", in.Name, in.Deprecated), Subject: attr.NameRange.Ptr()})
		}
	case in.Default != nil:
		inst.SetExpr(in.Name, in.Default, scope, "default").input = in
	case misspelt(layers, inst.Definition, in.Name):
		inst.Set(in.Name, cty.DynamicVal, Origin{Source: "blueprint", Range: inst.Range}).failed = true
	default:
		b.diags = append(b.diags, problem(inst.Range, "Missing argument", fmt.Sprintf("%s needs %s. %s Add: %s = …", inst.Path, in.Name, in.Summary, in.Name)))
		inst.Set(in.Name, cty.DynamicVal, Origin{Source: "blueprint", Range: inst.Range}).failed = true
	}
}

// checkMembers complains about arguments and blocks that the definition does
// not have.
func (b *builder) checkMembers(inst *Instance, layers []layer, skip func(*hclsyntax.Block) bool) {
	def := inst.Definition
	for _, l := range layers {
		for _, attr := range sortedAttributes(l.body) {
			if def.input(attr.Name) == nil && (inst != b.TargetInstance || attr.Name != exposeWord) {
				b.diags = append(b.diags, problem(attr.NameRange, "Unknown argument", b.unknownArgument(inst, attr.Name)))
			}
		}
		for _, block := range l.body.Blocks {
			if def.block(block.Type) == nil && (skip == nil || !skip(block)) {
				b.diags = append(b.diags, problem(block.TypeRange, "Unknown block", b.unknownBlock(inst, block.Type)))
			}
		}
	}
}

func (b *builder) unknownArgument(inst *Instance, name string) string {
	def := inst.Definition
	for _, d := range def.Derived {
		if d.Name == name {
			return fmt.Sprintf("%s is computed and cannot be set: %s", name, d.Summary)
		}
	}
	if def.block(name) != nil || (def.Role == "component" && b.Catalog.Has("patterns", name)) {
		return fmt.Sprintf("%s is a block: write %s { … } without an equals sign.", name, name)
	}
	if other := b.elsewhere(inst, name); other != "" {
		return fmt.Sprintf("%s has no argument %s. %s", inst.Path, name, other)
	}
	if near := suggest(name, def.inputNames()); near != "" {
		return fmt.Sprintf("%s has no argument %s.%s", inst.Path, name, near)
	}
	return fmt.Sprintf("%s has no argument %s. Arguments are %s.", inst.Path, name, joinNames(def.inputNames()))
}

func (b *builder) unknownBlock(inst *Instance, name string) string {
	def := inst.Definition
	if def.input(name) != nil {
		return fmt.Sprintf("%s is an argument: write %s = … with an equals sign.", name, name)
	}
	var names []string
	for _, block := range def.Blocks {
		names = append(names, block.ID)
	}
	if def.Role == "component" {
		names = append(names, b.Catalog.Names("patterns")...)
	}
	if len(names) == 0 {
		return fmt.Sprintf("%s has no block %s, for it has none.", inst.Path, name)
	}
	if near := suggest(name, names); near != "" || def.Role == "component" {
		return fmt.Sprintf("%s has no block %s.%s", inst.Path, name, near)
	}
	return fmt.Sprintf("%s has no block %s. Blocks are %s.", inst.Path, name, joinNames(names))
}

// elsewhere says which other block takes an argument, where it is written one
// level too high or too low.
func (b *builder) elsewhere(inst *Instance, name string) string {
	if inst.Definition.Role == "pattern" {
		if c := inst.Component(); c.Definition.input(name) != nil {
			return fmt.Sprintf("It is an argument of %s itself: write it outside of %s.", c.Path, inst.Kind)
		}
		return ""
	}
	var owners []string
	for _, id := range b.Catalog.Names("patterns") {
		def, _ := b.Catalog.Pattern(id)
		if def != nil && contains(def.Attaches, inst.Kind) && def.input(name) != nil {
			owners = append(owners, id)
		}
	}
	if len(owners) == 0 {
		return ""
	}
	return fmt.Sprintf("It is an argument of %s: write it in such a block.", strings.Join(owners, " and "))
}

// misspelt reports whether an argument that is not there is there under a name
// that is nearly its own, which was complained about.
func misspelt(layers []layer, def *Definition, name string) bool {
	for _, l := range layers {
		for given := range l.body.Attributes {
			if def.input(given) == nil && Nearest(given, def.inputNames()) == name {
				return true
			}
		}
	}
	return false
}

func labelRuleOf(block *Block) string {
	if block.Label != "" {
		return fmt.Sprintf(`A block %s takes one label, its name: %s "NAME" { … }.`, block.ID, block.ID)
	}
	return fmt.Sprintf("A block %s takes no label: %s { … }.", block.ID, block.ID)
}

func orRename(block *Block) string {
	if block.Label != "" {
		return ", or give one another label"
	}
	return ""
}

// fillBlock makes the instances of a nested block: one, or null; or a list.
func (b *builder) fillBlock(owner *Instance, block *Block, layers []layer, scope *Scope) {
	var items []*Instance
	for _, group := range b.groupBlocks(owner, block, layers) {
		item := &Instance{Kind: block.ID, Path: owner.Path + "." + block.ID, Range: group[0].body.SrcRange, Definition: block.Definition, Parent: owner}
		if group[0].block != nil {
			item.Range = group[0].block.DefRange()
		}
		if block.Label != "" {
			label := group[0].block.Labels[0]
			item.Name, item.Path = label, fmt.Sprintf("%s.%s", item.Path, label)
			if !validName(label) {
				b.diags = append(b.diags, problem(group[0].block.LabelRanges[0], "Invalid name", nameRule(block.ID, label)))
			}
			item.setName(block.Label, Origin{Source: "blueprint", Range: item.Range})
		}
		b.fill(item, group, scope.With(map[string]cty.Value{"self": item.Ref()}), nil)
		items = append(items, item)
	}
	owner.Set(block.ID, blockValue(block, items), Origin{Source: "blueprint", Range: owner.Range})
}

func blockValue(block *Block, items []*Instance) cty.Value {
	if !block.Many && block.Label == "" {
		if len(items) == 0 {
			return cty.NullVal(refType)
		}
		return items[0].Ref()
	}
	if len(items) == 0 {
		return cty.ListValEmpty(refType)
	}
	var refs []cty.Value
	for _, item := range items {
		refs = append(refs, item.Ref())
	}
	return cty.ListVal(refs)
}

// groupBlocks says which blocks of several layers speak of one instance: those
// of one label; all, for a block that stands once; and for a list without
// labels the last layer's blocks replace those before.
func (b *builder) groupBlocks(owner *Instance, block *Block, layers []layer) [][]layer {
	want := 0
	if block.Label != "" {
		want = 1
	}
	var groups [][]layer
	index := map[string]int{}
	for _, l := range layers {
		if l.block != nil && len(l.block.Labels) != want {
			b.diags = append(b.diags, problem(l.block.DefRange(), "Wrong labels", labelRuleOf(block)))
			continue
		}
		key := ""
		if block.Label != "" {
			key = l.block.Labels[0]
		}
		if block.Many && block.Label == "" {
			if len(groups) > 0 && groups[0][0].within != l.within {
				groups = nil
			}
			groups = append(groups, []layer{l})
			continue
		}
		n, ok := index[key]
		if !ok {
			index[key] = len(groups)
			groups = append(groups, []layer{l})
			continue
		}
		if last := groups[n][len(groups[n])-1]; last.within == l.within && l.block != nil {
			d := problem(l.block.DefRange(), "Block given twice", fmt.Sprintf("%s has a block %s already. Merge the two%s.", owner.Path, strings.TrimSpace(block.ID+" "+key), orRename(block)))
			if last.block != nil {
				d.Extra = &Extra{Related: []Related{{Range: last.block.DefRange(), Text: "the first one"}}}
			}
			b.diags = append(b.diags, d)
			continue
		}
		groups[n] = append(groups[n], l)
	}
	return groups
}
