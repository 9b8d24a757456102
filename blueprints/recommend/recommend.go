// Package recommend says which patterns of a catalogue fit stated needs, and why.
//
// It knows no pattern: it reads what definitions say of themselves (their rows
// in the tables of rules of thumb, their scores, what they suit and what they
// exclude), weighs it, and keeps every term of the sum to be shown. The tables
// are coarse, so a result is a place to start from and never a promise.
package recommend

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"scaffold/blueprints"
)

// Conflict names patterns that cannot stand on one component.
type Conflict struct {
	Patterns []string
	Why      string
	Target   string // where; empty for everywhere
}

// Verdict is what comes of a pattern.
type Verdict string

const (
	Recommended Verdict = "recommended"
	Instead     Verdict = "alternative" // it is recommended or close, but not beside one that is
	Close       Verdict = "close"       // it is a little short in everything that it has a figure for
	Beyond      Verdict = "beyond"      // it fits, but nothing that was asked needs it
	Nearest     Verdict = "nearest"     // nothing for its kind of component fits; this comes nearest
	Below       Verdict = "below"       // it does not fit
	Unknown     Verdict = "unknown"     // the catalogue has no figure for what was asked
)

// Enough is the score from which a pattern fits: half of what there is to have.
const Enough = 50

// weights are how much each criterion counts unless a profile says otherwise.
// They are scaffold's own choice: what was asked counts more than what was not,
// and a row in a table more than a word.
var weights = map[string]float64{
	blueprints.Latency: 3, blueprints.Throughput: 3, blueprints.Availability: 3,
	reads: 2, worldwide: 2, "quality": 1, "ease": 1,
}

// sections are the headings under which the catalogue says it.
var sections = map[string]string{
	blueprints.Latency: "Performance metrics, latency", blueprints.Throughput: "Performance metrics, throughput", blueprints.Availability: "Performance metrics, availability",
	reads: "When to use", worldwide: "When to use", "quality": "Scores, solution quality", "ease": "Scores, implementation difficulty",
}

const (
	reads     = "reads"
	worldwide = "worldwide"
)

// Table is one of the tables, as far as it was asked for.
type Table struct {
	ID    string
	Asked string
	Rows  []string // the strongest first
	Need  string   // the weakest row that holds what was asked
	// Short says that no row holds it, and Need is the strongest there is.
	Short bool

	rows []blueprints.Metric // as Rows
	need int
}

// Part is one term of a pattern's score.
type Part struct {
	Criterion string
	Has       string  // what the pattern has
	Fit       float64 // 0 to 1
	Weight    float64
	Why       string
	Section   string
	Place     hcl.Range
}

// Gap is a criterion that does not count for a pattern.
type Gap struct {
	Criterion, Why string
	Unasked        bool // the pattern has something for it, and nobody asked
}

// Relation is why a pattern is not recommended beside another.
type Relation struct {
	With    string
	Extends bool // one of the two elaborates the other
	Why     string
	Targets []string // empty: all
}

// Pattern is what there is to say of one pattern.
type Pattern struct {
	*blueprints.Definition
	Rank      int // from 1; 0 without a score
	Score     float64
	Verdict   Verdict
	Parts     []Part
	Gaps      []Gap
	Relations []Relation
}

// Profile is how near a profile comes.
type Profile struct {
	*blueprints.Profile
	Matches []string // its patterns that are recommended
}

// Share is the part of its patterns that is recommended.
func (p Profile) Share() float64 {
	return float64(len(p.Matches)) / float64(max(1, len(p.Patterns)))
}

// Report is the whole answer.
type Report struct {
	Needs    Needs
	Tables   []Table
	Weights  map[string]float64
	Patterns []*Pattern // by rank; those without a score at the end
	Profiles []Profile  // the nearest first
	// Unweighed is the profile to weigh by where it says nothing about weights.
	Unweighed string
}

// Make weighs all patterns of the catalogue. A profile, if one is named, says
// what counts more.
func Make(c *blueprints.Catalog, needs Needs, profile string, conflicts []Conflict) (*Report, hcl.Diagnostics) {
	r := &Report{Needs: needs, Weights: map[string]float64{}}
	var diags hcl.Diagnostics
	for _, id := range c.Names("profiles") {
		p, moreDiags := c.Profile(id)
		diags = append(diags, moreDiags...)
		if p != nil {
			r.Profiles = append(r.Profiles, Profile{Profile: p})
		}
	}
	for _, key := range blueprints.Criteria {
		r.Weights[key] = weights[key]
	}
	for _, p := range r.Profiles {
		if p.ID == profile {
			if len(p.Weights) == 0 {
				r.Unweighed = profile
			}
			for key, weight := range p.Weights {
				r.Weights[key] = weight
			}
		}
	}
	for _, id := range c.Names("patterns") {
		def, moreDiags := c.Pattern(id)
		diags = append(diags, moreDiags...)
		if def != nil {
			r.Patterns = append(r.Patterns, &Pattern{Definition: def})
		}
	}
	if diags.HasErrors() {
		return nil, diags
	}
	r.readTables()
	for _, p := range r.Patterns {
		r.score(p)
	}
	r.rank()
	r.choose(conflicts)
	r.compareProfiles()
	return r, diags
}

// readTables collects the rows that patterns have, and finds the one that is needed.
func (r *Report) readTables() {
	for _, id := range blueprints.Tables {
		need, ok := r.Needs.table(id)
		if !ok {
			continue
		}
		t := Table{ID: id, Asked: need.Text}
		for _, p := range r.Patterns {
			if m, ok := p.Metrics[id]; ok {
				t.rows = append(t.rows, m)
			}
		}
		slices.SortStableFunc(t.rows, func(a, b blueprints.Metric) int { return b.Compare(a) })
		t.rows = slices.CompactFunc(t.rows, func(a, b blueprints.Metric) bool { return a.Compare(b) == 0 })
		t.need = -1
		for i, row := range t.rows {
			t.Rows = append(t.Rows, row.Text)
			if row.Meets(need.Value) {
				t.need = i
			}
		}
		if t.need < 0 {
			t.need, t.Short = 0, true
		}
		if len(t.rows) > 0 {
			t.Need = t.rows[t.need].Text
		}
		r.Tables = append(r.Tables, t)
	}
}

// steps is how many rows a pattern's is above (positive) or below the needed one.
func (t *Table) steps(m blueprints.Metric) int {
	return t.need - slices.IndexFunc(t.rows, func(row blueprints.Metric) bool { return row.Compare(m) == 0 })
}

func (r *Report) score(p *Pattern) {
	for i := range r.Tables {
		r.scoreTable(p, &r.Tables[i])
	}
	r.scoreReads(p)
	r.scoreWorldwide(p)
	if len(p.Parts) == 0 {
		p.Verdict = Unknown
		return
	}
	if p.Quality > 0 {
		r.add(p, "quality", "quality", fmt.Sprintf("%d/10", p.Quality), float64(p.Quality)/10, "")
	} else {
		p.Gaps = append(p.Gaps, Gap{Criterion: "quality", Why: "its definition does not say"})
	}
	if p.Difficulty > 0 {
		r.add(p, "ease", "difficulty", fmt.Sprintf("difficulty %d/10", p.Difficulty), float64(10-p.Difficulty)/10, "")
	} else {
		p.Gaps = append(p.Gaps, Gap{Criterion: "ease", Why: "its definition does not say how difficult it is"})
	}
	points, most := 0.0, 0.0
	for _, part := range p.Parts {
		points += part.Fit * part.Weight
		most += part.Weight
	}
	if most > 0 {
		p.Score = math.Round(1000*points/most) / 10
	} else {
		p.Parts, p.Verdict = nil, Unknown
	}
}

// add counts a criterion. The argument is where the definition says it.
func (r *Report) add(p *Pattern, criterion, argument, has string, fit float64, why string) {
	place, ok := p.Places[argument]
	if !ok {
		place = p.Range
	}
	if r.Weights[criterion] == 0 {
		p.Gaps = append(p.Gaps, Gap{Criterion: criterion, Why: "its weight is 0"})
		return
	}
	p.Parts = append(p.Parts, Part{Criterion: criterion, Has: has, Fit: fit, Weight: r.Weights[criterion], Why: why, Section: sections[criterion], Place: place})
}

func (r *Report) scoreTable(p *Pattern, t *Table) {
	m, ok := p.Metrics[t.ID]
	if !ok {
		p.Gaps = append(p.Gaps, Gap{Criterion: t.ID, Why: "it is in no row of the table"})
		return
	}
	steps := t.steps(m)
	fit, why := 1.0, "meets it"
	switch {
	case t.Short && steps == 0:
		why = "the best row, yet below what was asked"
	case steps < 0:
		fit = math.Pow(2, float64(steps))
		why = fmt.Sprintf("%s below %s", rows(-steps), t.Need)
	case steps > 0:
		why = "more than was asked"
	}
	r.add(p, t.ID, t.ID, m.Text, fit, why)
	if n := len(p.Parts); n > 0 && p.Parts[n-1].Criterion == t.ID {
		p.Parts[n-1].Place = m.Range
	}
}

func rows(n int) string {
	if n == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}

func (r *Report) scoreReads(p *Pattern) {
	forReads, forWrites := slices.Contains(p.Suits, reads), slices.Contains(p.Suits, "writes")
	switch {
	case r.Needs.Reads == nil && forReads:
		p.Gaps = append(p.Gaps, Gap{Criterion: reads, Why: "suits reads, whose share was not stated", Unasked: true})
	case r.Needs.Reads == nil && forWrites:
		p.Gaps = append(p.Gaps, Gap{Criterion: reads, Why: "suits writes, whose share was not stated", Unasked: true})
	case r.Needs.Reads == nil:
	case forReads:
		share := r.Needs.Reads.Value
		r.add(p, reads, "suits", "suits reads", share, percentage(share)+" of requests")
	case forWrites:
		share := 1 - r.Needs.Reads.Value
		r.add(p, reads, "suits", "suits writes", share, percentage(share)+" of requests")
	default:
		p.Gaps = append(p.Gaps, Gap{Criterion: reads, Why: "it is for neither reads nor writes"})
	}
}

func (r *Report) scoreWorldwide(p *Pattern) {
	switch {
	case !r.Needs.Worldwide:
	case slices.Contains(p.Suits, worldwide):
		r.add(p, worldwide, "suits", "suits users all over the world", 1, "asked for")
	default:
		p.Gaps = append(p.Gaps, Gap{Criterion: worldwide, Why: "nothing is said of users all over the world"})
	}
}

// rank orders by score; at the same score the easier pattern comes first.
func (r *Report) rank() {
	slices.SortStableFunc(r.Patterns, func(a, b *Pattern) int {
		return cmp.Or(
			cmp.Compare(a.silent(), b.silent()),
			cmp.Compare(b.Score, a.Score), cmp.Compare(a.Difficulty, b.Difficulty), strings.Compare(a.ID, b.ID))
	})
	for i, p := range r.Patterns {
		if p.Verdict != Unknown {
			p.Rank = i + 1
		}
	}
}

// silent is 1 for a pattern without a score, so that it comes last.
func (p *Pattern) silent() int {
	if p.Verdict == Unknown {
		return 1
	}
	return 0
}
