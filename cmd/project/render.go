package project

import (
	"fmt"
	"path"
	"runtime"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/sync/errgroup"

	"scaffold/blueprints"
	"scaffold/render"
)

// Resolve computes and checks the values of everything selected.
func (p *Project) Resolve(sel Selection) ([]*Root, hcl.Diagnostics) {
	var roots []*Root
	diags := p.checkSelection(sel)
	if diags.HasErrors() {
		return nil, diags
	}
	p.prepare(sel)
	for _, env := range p.environments(sel) {
		for _, target := range p.targets(sel) {
			roots = append(roots, &Root{Environment: env, Target: target, Folder: path.Join(env, target)})
		}
	}
	diags = append(diags, p.Source.Check()...)
	diags = append(diags, each(roots, p.resolveOne)...)
	return roots, unique(diags)
}

// each does something for every root, side by side, and gives what there is to
// say in the order of the roots.
func each(roots []*Root, do func(*Root) hcl.Diagnostics) hcl.Diagnostics {
	said := make([]hcl.Diagnostics, len(roots))
	var g errgroup.Group
	g.SetLimit(2 * runtime.GOMAXPROCS(0))
	for i, root := range roots {
		g.Go(func() error {
			said[i] = do(root)
			return nil
		})
	}
	_ = g.Wait()
	return slices.Concat(said...)
}

func (p *Project) checkSelection(sel Selection) hcl.Diagnostics {
	envs, targets := p.Source.Environments(), p.Source.Targets()
	switch {
	case sel.Environment != "" && !contains(envs, sel.Environment):
		return failure("Unknown environment", fmt.Sprintf("%s has no environment %q; it has %s.", p.Source.Name, sel.Environment, list(envs)))
	case sel.Target != "" && !contains(targets, sel.Target):
		return failure("Unknown target", fmt.Sprintf("%s has no target %q; it has %s.", p.Source.Name, sel.Target, list(targets)))
	case len(targets) == 0:
		return failure("No target", fmt.Sprintf("%s names no target, so there is nothing to render. Add a block such as: target %q { … }.", p.Source.Name, first(p.Catalog.Names("targets"))))
	}
	return nil
}

func (p *Project) environments(sel Selection) []string {
	switch envs := p.Source.Environments(); {
	case sel.Environment != "":
		return []string{sel.Environment}
	case len(envs) > 0:
		return envs
	}
	return []string{""}
}

func (p *Project) targets(sel Selection) []string {
	if sel.Target != "" {
		return []string{sel.Target}
	}
	// One of those that nobody knows is enough to hear of all of them.
	targets := p.Source.Targets()
	known := slices.DeleteFunc(slices.Clone(targets), func(name string) bool { return !p.Catalog.Has("targets", name) })
	if len(known) == 0 {
		return targets[:min(1, len(targets))]
	}
	return known
}

func (p *Project) resolveOne(root *Root) hcl.Diagnostics {
	m, diags := blueprints.Resolve(p.Source, p.Catalog, blueprints.Options{Environment: root.Environment, Target: root.Target, Variables: p.Variables})
	root.Model = m
	return append(diags, m.Check()...)
}

// Render renders everything selected and holds it against the schemas.
func (p *Project) Render(sel Selection) ([]*Root, hcl.Diagnostics) {
	roots, diags := p.Resolve(sel)
	if diags.HasErrors() {
		return roots, diags
	}
	diags = append(diags, each(roots, func(root *Root) hcl.Diagnostics {
		diags := p.renderOne(root)
		if diags.HasErrors() {
			return diags
		}
		return append(diags, p.checkOutput(root)...)
	})...)
	if sel == (Selection{}) && !diags.HasErrors() {
		diags = append(diags, p.Source.UnusedSuppressions()...)
	}
	return roots, unique(diags)
}

func (p *Project) renderOne(root *Root) hcl.Diagnostics {
	pack, diags := p.Pack(root.Target)
	if diags.HasErrors() {
		return diags
	}
	if pack == nil {
		return append(diags, failure("Missing pack", fmt.Sprintf("There is no pack for the target %q. A pack is a folder templates/%s beside the definitions.", root.Target, root.Target))...)
	}
	root.Pack = pack
	diags = append(diags, p.refuseUnrendered(root)...)
	if diags.HasErrors() {
		return diags
	}
	result, moreDiags := render.Render(root.Model, pack, p)
	root.Result = result
	return append(diags, moreDiags...)
}

// refuseUnrendered complains about patterns that the target's pack has no
// template for, and says which targets have one.
func (p *Project) refuseUnrendered(root *Root) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, c := range root.Model.Components {
		if !p.rendersKind(root.Target, c.Kind) {
			diags = append(diags, &hcl.Diagnostic{
				Severity: hcl.DiagWarning, Summary: "Component that the target does not render", Subject: c.Range.Ptr(),
				Detail: fmt.Sprintf("The pack for %s has no template for a %s, so nothing is rendered for %s itself. Leave it out for this target, or add a template to the pack.", root.Target, c.Kind, c.Path),
			})
		}
		for _, pattern := range c.Patterns {
			// A pattern that elaborates another is rendered by the templates of
			// that one too.
			if p.Renders(root.Target, pattern.Kind, c.Kind) || p.Renders(root.Target, pattern.Definition.Extends, c.Kind) {
				continue
			}
			var others []string
			for _, name := range p.Packs() {
				if p.Renders(name, pattern.Kind, c.Kind) {
					others = append(others, name)
				}
			}
			diags = append(diags, &hcl.Diagnostic{
				Severity: hcl.DiagError, Summary: "Pattern that the target does not render", Subject: pattern.Range.Ptr(),
				Detail: fmt.Sprintf("The pack for %s has no template for %s on a %s. Targets that have one: %s.", root.Target, pattern.Kind, c.Kind, list(others)),
			})
		}
	}
	return diags
}

// Renders reports whether a pack, or one that it uses, has a template for a
// pattern on a component kind.
func (p *Project) Renders(target, pattern, kind string) bool {
	pack, _ := p.Pack(target)
	if pack == nil {
		return false
	}
	for _, t := range pack.Templates {
		if pattern != "" && t.Pattern == pattern && (kind == "" || t.For == kind) {
			return true
		}
	}
	for _, use := range pack.Uses {
		if p.Renders(use.Pack, pattern, kind) {
			return true
		}
	}
	return false
}

// rendersKind reports whether a pack, or one that it uses, has any template for
// a component kind.
func (p *Project) rendersKind(target, kind string) bool {
	pack, _ := p.Pack(target)
	if pack == nil {
		return false
	}
	for _, t := range pack.Templates {
		if t.For == kind {
			return true
		}
	}
	for _, use := range pack.Uses {
		if p.rendersKind(use.Pack, kind) {
			return true
		}
	}
	return false
}

// unique drops a diagnostic that an earlier environment or target gave already.
func unique(diags hcl.Diagnostics) hcl.Diagnostics {
	seen := map[string]bool{}
	var out hcl.Diagnostics
	for _, d := range diags {
		key := d.Summary + "\x00" + d.Detail
		if d.Subject != nil {
			key += "\x00" + d.Subject.String()
		}
		if !seen[key] {
			seen[key] = true
			out = append(out, d)
		}
	}
	return out
}

func failure(summary, detail string) hcl.Diagnostics {
	return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: summary, Detail: detail}}
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

func first(names []string) string {
	if len(names) == 0 {
		return "NAME"
	}
	return names[0]
}
