package project

import (
	"github.com/hashicorp/hcl/v2"

	"scaffold/blueprints"
	"scaffold/render"
)

// Statuses are those that a point of a pattern can have on a target, best first,
// by what the templates of its pack claim, or else those of the packs it uses.
func (p *Project) Statuses(target string, pattern *blueprints.Definition, point string) ([]string, hcl.Diagnostics) {
	pack, diags := p.Pack(target)
	if pack == nil {
		return nil, diags
	}
	found := map[string]bool{}
	for _, t := range pack.Templates {
		if t.Pattern == "" || (t.Pattern != pattern.ID && t.Pattern != pattern.Extends) {
			continue
		}
		diags = append(diags, pack.Load([]*render.Template{t})...)
		if e, ok := t.Covers[point]; ok {
			for _, status := range e.Statuses() {
				found[status] = true
			}
		}
	}
	var statuses []string
	for _, status := range []string{render.Covered, render.Approximated, render.Missing} {
		if found[status] {
			statuses = append(statuses, status)
		}
	}
	for _, use := range pack.Uses {
		if len(statuses) == 0 {
			more, moreDiags := p.Statuses(use.Pack, pattern, point)
			statuses, diags = more, append(diags, moreDiags...)
		}
	}
	return statuses, diags
}
