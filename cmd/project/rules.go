package project

import (
	"cmp"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"scaffold/blueprints"
)

// Rule is one rule of the definitions or of a pack.
type Rule struct {
	// Code is its name in messages, such as "database.connections".
	Code string
	// Pack is the pack that has the rule; empty for the definitions.
	Pack    string
	Warning bool
	// Firm rules cannot be answered in the blueprint: what would be rendered is
	// refused or does something else.
	Firm  bool
	Range hcl.Range
	// Condition, Message and Fix are as they are written.
	Condition, Message, Fix string
}

// Rules lists every rule that there is, by its code, definitions before packs.
func (p *Project) Rules() ([]Rule, hcl.Diagnostics) {
	var rules []Rule
	var diags hcl.Diagnostics
	definitions := []struct {
		folder string
		get    func(string) (*blueprints.Definition, hcl.Diagnostics)
	}{{"components", p.Catalog.Component}, {"patterns", p.Catalog.Pattern}, {"targets", p.Catalog.Target}}
	for _, d := range definitions {
		for _, id := range p.Catalog.Names(d.folder) {
			def, moreDiags := d.get(id)
			diags = append(diags, moreDiags...)
			rules = append(rules, p.rulesOf(def)...)
		}
	}
	for _, name := range p.Packs() {
		found, moreDiags := p.rulesOfPack(name)
		rules, diags = append(rules, found...), append(diags, moreDiags...)
	}
	slices.SortStableFunc(rules, func(a, b Rule) int { return cmp.Compare(a.Code, b.Code) })
	return rules, diags
}

func (p *Project) rulesOf(def *blueprints.Definition) []Rule {
	if def == nil {
		return nil
	}
	var rules []Rule
	for _, check := range def.Checks {
		rules = append(rules, p.rule(def.ID+"."+check.ID, "", check))
	}
	for _, block := range def.Blocks {
		rules = append(rules, p.rulesOf(block.Definition)...)
	}
	return rules
}

func (p *Project) rulesOfPack(name string) ([]Rule, hcl.Diagnostics) {
	pack, diags := p.Pack(name)
	if pack == nil {
		return nil, diags
	}
	diags = append(diags, pack.Load(pack.Templates)...)
	var rules []Rule
	for _, t := range pack.Templates {
		owner := t.Pattern
		if owner == "" {
			owner = t.For
		}
		for _, check := range t.Checks {
			rules = append(rules, p.rule(owner+"."+check.ID, name, check))
		}
		for _, ignored := range t.Ignores {
			rules = append(rules, Rule{
				Code: blueprints.UnusedCode(owner, ignored.Path), Pack: name, Warning: true, Range: ignored.Why.Range(), Message: p.SourceText(ignored.Why.Range()),
			})
		}
	}
	for _, f := range pack.Forbids {
		rules = append(rules, Rule{Code: name + "." + f.ID, Pack: name, Firm: true, Range: f.Decl, Message: f.Why})
	}
	return rules, diags
}

func (p *Project) rule(code, pack string, check *blueprints.Check) Rule {
	text := func(expr hcl.Expression) string {
		if expr == nil {
			return ""
		}
		return p.SourceText(expr.Range())
	}
	return Rule{
		Code: code, Pack: pack, Warning: check.Warning, Firm: check.Firm, Range: check.Decl,
		Condition: text(check.Condition), Message: text(check.Message), Fix: text(check.Fix),
	}
}
