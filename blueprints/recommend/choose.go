package recommend

import (
	"cmp"
	"slices"
	"strings"

	"scaffold/blueprints"
)

// choose goes from the highest score down and takes what fits and can stand
// beside what was taken before; what holds nothing of what was asked for only
// after everything that does.
func (r *Report) choose(conflicts []Conflict) {
	var taken []*Pattern
	take := func(p *Pattern, v Verdict) {
		p.Relations = r.relations(p, taken, conflicts)
		p.Verdict = Instead
		if len(p.Relations) == 0 {
			p.Verdict = v
			taken = append(taken, p)
		}
	}
	var short []*Pattern
	for _, p := range r.Patterns {
		switch {
		case p.Verdict == Unknown:
		case p.Score < Enough:
			p.Verdict = Below
		case r.beyond(p):
			p.Verdict = Beyond
		case r.holds(p):
			take(p, Recommended)
		default:
			short = append(short, p)
		}
	}
	for _, p := range short {
		take(p, Close)
	}
	r.nearest(taken, conflicts)
}

// holds reports whether a pattern holds anything that was asked for.
func (r *Report) holds(p *Pattern) bool {
	for i := range r.Tables {
		t := &r.Tables[i]
		if m, ok := p.Metrics[t.ID]; ok && t.steps(m) >= 0 {
			return true
		}
	}
	return p.suited()
}

// suited reports whether a pattern suits what was asked for besides the tables.
func (p *Pattern) suited() bool {
	return slices.ContainsFunc(p.Parts, func(part Part) bool {
		return (part.Criterion == reads || part.Criterion == worldwide) && part.Fit*100 >= Enough
	})
}

// beyond reports whether a pattern is more than was asked in every table that
// it is in, and suits nothing else that was asked for.
func (r *Report) beyond(p *Pattern) bool {
	counted := false
	for i := range r.Tables {
		t := &r.Tables[i]
		m, ok := p.Metrics[t.ID]
		if !ok {
			continue
		}
		if t.steps(m) <= 0 {
			return false
		}
		counted = true
	}
	return counted && !p.suited()
}

// nearest finds, for every kind of component that nothing was taken for, what
// comes nearest to fitting.
func (r *Report) nearest(taken []*Pattern, conflicts []Conflict) {
	served := map[string]bool{}
	for _, p := range r.Patterns {
		if p.Verdict == Recommended || p.Verdict == Close || p.Verdict == Beyond {
			for _, kind := range p.Attaches {
				served[kind] = true
			}
		}
	}
	for _, p := range r.Patterns {
		open := slices.ContainsFunc(p.Attaches, func(kind string) bool { return !served[kind] })
		if p.Verdict != Below || !open {
			continue
		}
		p.Verdict = Nearest
		p.Relations = r.relations(p, taken, conflicts)
		for _, kind := range p.Attaches {
			served[kind] = true
		}
	}
}

// relations are why a pattern cannot stand on one component with some of others.
func (r *Report) relations(p *Pattern, others []*Pattern, conflicts []Conflict) []Relation {
	var out []Relation
	for _, other := range others {
		if !slices.ContainsFunc(p.Attaches, func(kind string) bool { return slices.Contains(other.Attaches, kind) }) {
			continue
		}
		switch {
		case r.ancestor(p, other.ID):
			out = append(out, Relation{With: other.ID, Extends: true, Why: "It elaborates " + other.ID + " and takes all its inputs: name one of the two."})
		case r.ancestor(other, p.ID):
			out = append(out, Relation{With: other.ID, Extends: true, Why: other.ID + " elaborates it and takes all its inputs: name one of the two."})
		default:
			out = append(out, r.excluded(p, other, conflicts)...)
		}
	}
	return out
}

// excluded are the conflicts between two patterns. What holds for a pattern
// holds for those that elaborate it.
func (r *Report) excluded(p, other *Pattern, conflicts []Conflict) []Relation {
	var out []Relation
	for _, pair := range [][2]*Pattern{{p, other}, {other, p}} {
		for _, id := range r.line(pair[0]) {
			for _, with := range r.line(pair[1]) {
				if why, ok := r.definition(id).Excludes[with]; ok {
					return []Relation{{With: other.ID, Why: why}}
				}
			}
		}
	}
	for _, c := range conflicts {
		if !r.names(c, p) || !r.names(c, other) {
			continue
		}
		i := slices.IndexFunc(out, func(known Relation) bool { return known.Why == c.Why })
		if i < 0 {
			out = append(out, Relation{With: other.ID, Why: c.Why})
			i = len(out) - 1
		}
		if c.Target != "" {
			out[i].Targets = append(out[i].Targets, c.Target)
		}
	}
	return out
}

func (r *Report) names(c Conflict, p *Pattern) bool {
	return slices.ContainsFunc(r.line(p), func(id string) bool { return slices.Contains(c.Patterns, id) })
}

// line is a pattern and what it elaborates, step by step.
func (r *Report) line(p *Pattern) []string {
	out := []string{p.ID}
	for def := p.Definition; def.Extends != "" && !slices.Contains(out, def.Extends); {
		out = append(out, def.Extends)
		if def = r.definition(def.Extends); def == nil {
			break
		}
	}
	return out
}

func (r *Report) ancestor(p *Pattern, id string) bool { return slices.Contains(r.line(p)[1:], id) }

func (r *Report) definition(id string) *blueprints.Definition {
	for _, p := range r.Patterns {
		if p.ID == id {
			return p.Definition
		}
	}
	return nil
}

// compareProfiles puts the profile first of whose patterns the largest share is
// recommended.
func (r *Report) compareProfiles() {
	for i := range r.Profiles {
		p := &r.Profiles[i]
		for _, pattern := range r.Patterns {
			if pattern.Verdict == Recommended && slices.Contains(p.Patterns, pattern.ID) {
				p.Matches = append(p.Matches, pattern.ID)
			}
		}
	}
	slices.SortStableFunc(r.Profiles, func(a, b Profile) int {
		return cmp.Or(cmp.Compare(b.Share(), a.Share()), cmp.Compare(len(b.Matches), len(a.Matches)), strings.Compare(a.ID, b.ID))
	})
}

// With are the patterns of a verdict, by rank.
func (r *Report) With(v Verdict) []*Pattern {
	var out []*Pattern
	for _, p := range r.Patterns {
		if p.Verdict == v {
			out = append(out, p)
		}
	}
	return out
}

// Chosen are the patterns to start with, by name: what is recommended, and the
// nearest where nothing fits. What is close is for a person to think about.
func (r *Report) Chosen() []string {
	var out []string
	for _, p := range r.Patterns {
		if p.Verdict == Recommended || p.Verdict == Nearest && len(p.Relations) == 0 {
			out = append(out, p.ID)
		}
	}
	slices.Sort(out)
	return out
}

// Nearest is the profile that comes nearest, nil if none has a pattern that is
// recommended.
func (r *Report) Nearest() *Profile {
	if len(r.Profiles) == 0 || len(r.Profiles[0].Matches) == 0 {
		return nil
	}
	return &r.Profiles[0]
}
