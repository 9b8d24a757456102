package main

import (
	"math"

	"scaffold/blueprints/recommend"
)

type recommendationJSON struct {
	Asked    []string             `json:"asked"`
	Note     string               `json:"note"`
	Tables   []tableJSON          `json:"tables"`
	Weights  map[string]float64   `json:"weights"`
	Enough   float64              `json:"enough"`
	Patterns []recommendedJSON    `json:"patterns"`
	Profiles []nearestProfileJSON `json:"profiles"`
	Unknown  []string             `json:"not_known"`
	Written  *writtenJSON         `json:"written,omitempty"`
}

type writtenJSON struct {
	Blueprint string   `json:"blueprint"`
	Left      []string `json:"left_out"` // patterns that the starter has no place for
}

type tableJSON struct {
	ID    string   `json:"id"`
	Asked string   `json:"asked"`
	Rows  []string `json:"rows"`
	Need  string   `json:"need"`
	Short bool     `json:"short"`
}

type recommendedJSON struct {
	ID        string         `json:"id"`
	Verdict   string         `json:"verdict"`
	Attaches  []string       `json:"attaches"`
	Rank      *int           `json:"rank"`
	Score     *float64       `json:"score"`
	When      []string       `json:"when"`
	Parts     []partJSON     `json:"parts"`
	Gaps      []gapJSON      `json:"gaps"`
	Relations []relationJSON `json:"relations"`
}

type partJSON struct {
	Criterion string  `json:"criterion"`
	Has       string  `json:"has"`
	Fit       float64 `json:"fit"`
	Weight    float64 `json:"weight"`
	Why       string  `json:"why,omitempty"`
	Section   string  `json:"section"`
	File      string  `json:"file"`
	Line      int     `json:"line"`
}

type gapJSON struct {
	Criterion string `json:"criterion"`
	Why       string `json:"why"`
}

type relationJSON struct {
	With        string   `json:"with"`
	Elaboration bool     `json:"elaboration"`
	Why         string   `json:"why"`
	Targets     []string `json:"targets,omitempty"`
}

type nearestProfileJSON struct {
	ID      string   `json:"id"`
	Matches []string `json:"matches"`
	Of      int      `json:"of"`
}

const heuristic = "Scores are percent of what there is to have by the pattern catalogue's rules of thumb. They are heuristics: a place to start from, to be measured, and no guarantee."

func recommendJSON(r *recommend.Report) recommendationJSON {
	out := recommendationJSON{
		Asked: r.Needs.Texts(), Note: heuristic, Tables: []tableJSON{}, Weights: r.Weights, Enough: recommend.Enough,
		Patterns: []recommendedJSON{}, Profiles: []nearestProfileJSON{}, Unknown: r.Limits(),
	}
	for _, t := range r.Tables {
		out.Tables = append(out.Tables, tableJSON{t.ID, t.Asked, append([]string{}, t.Rows...), t.Need, t.Short})
	}
	for _, p := range r.Patterns {
		out.Patterns = append(out.Patterns, patternRecommended(p))
	}
	for _, p := range r.Profiles {
		out.Profiles = append(out.Profiles, nearestProfileJSON{p.ID, append([]string{}, p.Matches...), len(p.Patterns)})
	}
	return out
}

func patternRecommended(p *recommend.Pattern) recommendedJSON {
	j := recommendedJSON{
		ID: p.ID, Verdict: string(p.Verdict), Attaches: p.Attaches, When: p.When,
		Parts: []partJSON{}, Gaps: []gapJSON{}, Relations: []relationJSON{},
	}
	if p.Rank > 0 {
		j.Rank, j.Score = &p.Rank, &p.Score
	}
	for _, part := range p.Parts {
		fit := math.Round(part.Fit*1e6) / 1e6
		j.Parts = append(j.Parts, partJSON{part.Criterion, part.Has, fit, part.Weight, part.Why, part.Section, part.Place.Filename, part.Place.Start.Line})
	}
	for _, gap := range p.Gaps {
		j.Gaps = append(j.Gaps, gapJSON{gap.Criterion, gap.Why})
	}
	for _, rel := range p.Relations {
		j.Relations = append(j.Relations, relationJSON{rel.With, rel.Extends, rel.Why, rel.Targets})
	}
	return j
}
